//! What an environment brings that nothing can learn from is refused where it enters, by name.

use gymnast_envs::{
    AutoresetMode, BoxSpace, Discrete, Env, EnvError, FeatureSpace, MultiDiscrete, Restored, Rng,
    Seed, Space, Step, SyncVectorEnv, ToIndex, ToRow, VectorEnv, VectorSnapshot, product_space,
    snapshot,
    wrappers::{
        ClipReward, DiscretizeObservation, FrameStack, MaxAndSkipObservation, NormalizeObservation,
        NormalizeReward, RepeatAction, RescaleObservation,
    },
};
use serde::{Deserialize, Serialize};

/// What goes wrong, and at which step of which episode (both from 0, step 0 being the reset).
#[derive(Clone, Debug)]
struct Fault<T> {
    episode: u64,
    step: u64,
    observation: T,
    reward: f64,
}

/// Shows `good` and pays 1, for episodes of ten steps, but for the fault.
#[derive(Clone)]
struct Faulty<S: Space> {
    space: S,
    good: S::Element,
    fault: Fault<S::Element>,
    episode: u64,
    step: u64,
}

impl<S: Space> Faulty<S> {
    fn new(space: S, good: S::Element, fault: Fault<S::Element>) -> Self {
        Self { space, good, fault, episode: 0, step: 0 }
    }

    fn seen(&self) -> (S::Element, f64) {
        let Fault { episode, step, observation, reward } = &self.fault;
        if (self.episode, self.step) == (*episode + 1, *step) {
            (observation.clone(), *reward)
        } else {
            (self.good.clone(), 1.0)
        }
    }
}

impl<S: Space> Env for Faulty<S> {
    type ObservationSpace = S;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> S {
        self.space.clone()
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    fn reset(&mut self, _: &mut Rng) -> Result<S::Element, EnvError> {
        (self.episode, self.step) = (self.episode + 1, 0);
        Ok(self.seen().0)
    }

    fn step(&mut self, _: &i64, _: &mut Rng) -> Result<Step<S::Element>, EnvError> {
        self.step += 1;
        let (observation, reward) = self.seen();
        Ok(Step::new(observation, reward, self.step == 10))
    }
}

/// The error of a vector of two that is stepped until there is one, and the steps before it.
fn driven<O: Space, A: Space<Element: Default>>(
    envs: &mut dyn VectorEnv<O, A>,
) -> (EnvError, usize) {
    if let Err(error) = envs.reset() {
        return (error, 0);
    }
    let actions = vec![A::Element::default(); envs.num_envs()];
    for step in 1..100 {
        if let Err(error) = envs.step(&actions) {
            return (error, step);
        }
    }
    panic!("the fault was let through");
}

#[track_caller]
fn assert_refused(error: &EnvError, expected: (usize, u64, &str), shown: &str) {
    let EnvError::InvalidStep { env, index, step, what, got, .. } = error else {
        panic!("another error: {error}");
    };
    assert_eq!((index.unwrap(), *step, *what), expected, "{error}");
    assert!(env.starts_with("Faulty<"), "{error}");
    assert!(got.contains(shown) && got.len() < 300, "{error}");
    assert!(error.to_string().contains("not the agent"), "{error}");
}

/// The first environment of two is sound, the second is not.
fn pair<S: Space>(space: &S, good: &S::Element, fault: &Fault<S::Element>) -> Vec<Faulty<S>> {
    let sound = Fault { episode: u64::MAX - 1, ..fault.clone() };
    [sound, fault.clone()].map(|f| Faulty::new(space.clone(), good.clone(), f)).into()
}

#[allow(clippy::needless_pass_by_value)] // Each call makes its own.
fn check<S: FeatureSpace>(space: S, good: S::Element, bad: S::Element, reward: f64, shown: &str) {
    let what = if reward.is_finite() { "an observation" } else { "a reward" };
    for (episode, step) in [(0, 0), (0, 1), (0, 10), (1, 0), (1, 4)] {
        // A reset has no reward.
        if step == 0 && !reward.is_finite() {
            continue;
        }
        let fault = Fault { episode, step, observation: bad.clone(), reward };
        let seed = Seed::new(0);
        for mode in [AutoresetMode::SameStep, AutoresetMode::NextStep] {
            let envs = || SyncVectorEnv::with_autoreset(pair(&space, &good, &fault), seed, mode);
            let resets = if mode == AutoresetMode::NextStep { episode } else { 0 };
            let (error, after) = driven(&mut envs().unwrap());
            assert_refused(&error, (1, step, what), shown);
            let expected = 10 * episode + resets + step;
            assert_eq!(after as u64, expected, "{mode:?}: {error}");
            let (error, _) = driven(&mut envs().unwrap().erased::<ToRow, ToIndex>());
            assert_refused(&error, (1, step, what), shown);
            if (episode, step) != (0, 0) {
                lanes(&mut envs().unwrap(), (1, step, what), shown);
            }
        }
    }
}

fn lanes<S: Space>(envs: &mut SyncVectorEnv<Faulty<S>>, expected: (usize, u64, &str), shown: &str) {
    envs.reset().unwrap();
    let mut lanes = envs.lanes();
    for _ in 0..30 {
        lanes[0].step(&0).unwrap();
    }
    let error = (0..30).find_map(|_| lanes[1].step(&0).map(drop).err()).expect("it is refused");
    assert_refused(&error, expected, shown);
}

product_space! {
    struct PairSpace;
    struct Pair {
        place: Discrete,
        speed: BoxSpace<1>,
    }
}

#[test]
fn a_reward_or_an_observation_that_is_no_number_is_refused_wherever_it_enters() {
    let line = || BoxSpace::<2>::symmetric([1.0; 2]);
    for (x, shown) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        check(line(), [0.0; 2], [0.0, x], 0.0, shown);
        check(line(), [0.0; 2], [0.0, 0.0], f64::from(x), shown);
        let many = gymnast_envs::RowSpace::new(vec![0.0; 500], vec![1.0; 500], vec![500]).unwrap();
        let mut row = vec![0.5; 500];
        row[0] = x;
        check(many.clone(), vec![0.5; 500], row, 0.0, shown);
        check(many, vec![0.5; 500], vec![0.5; 499], 0.0, "0.5");
        check((Discrete::new(3), line()), (0, [0.0; 2]), (0, [x, 0.0]), 0.0, shown);
        let space = PairSpace { place: Discrete::new(2), speed: BoxSpace::symmetric([1.0]) };
        let pair = |speed| Pair { place: 0, speed: [speed] };
        check(space, pair(0.0), pair(x), 0.0, shown);
    }
}

#[test]
fn an_observation_outside_a_finite_space_is_refused_wherever_it_enters() {
    for bad in [3, -1, i64::MAX, i64::MIN] {
        let shown = bad.to_string();
        check(Discrete::new(3), 0, bad, 0.0, &shown);
        check(Discrete::with_start(3, -1).unwrap(), 0, bad.max(2), 0.0, "");
        check(MultiDiscrete::new([2, 3]).unwrap(), [0, 0], [1, bad], 0.0, &shown);
        check((Discrete::new(2), Discrete::new(3)), (0, 0), (0, bad), 0.0, &shown);
        // As a table's index it would be another state's, or none.
        let fault = Fault { episode: 0, step: 2, observation: bad, reward: 0.0 };
        let envs = SyncVectorEnv::new(pair(&Discrete::new(3), &0, &fault), Seed::new(0)).unwrap();
        let (error, _) = driven(&mut envs.erased::<ToIndex, ToIndex>());
        assert_refused(&error, (1, 2, "an observation"), &shown);
    }
}

#[test]
fn a_box_may_be_left() {
    let fault = Fault { episode: 0, step: 3, observation: [7.0], reward: -1e300 };
    let mut envs =
        SyncVectorEnv::new(pair(&BoxSpace::symmetric([1.0]), &[0.0], &fault), Seed::new(0))
            .unwrap();
    envs.reset().unwrap();
    for _ in 0..3 {
        envs.step(&[0, 0]).unwrap();
    }
    assert_eq!(envs.observations(), [[0.0], [7.0]]);
}

/// No wrapper turns a fault into what looks sound, nor keeps anything of it.
#[test]
fn no_wrapper_hides_a_fault() {
    fn check<E: Env<ActionSpace = Discrete>>(env: E) {
        let (error, _) = driven(&mut SyncVectorEnv::new(vec![env], Seed::new(0)).unwrap());
        let is_found = matches!(error, EnvError::InvalidStep { .. } | EnvError::Failed(_));
        assert!(is_found || matches!(error, EnvError::Space(_)), "{error}");
    }
    for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let line = || BoxSpace::<2>::symmetric([1.0; 2]);
        let seen = Fault { episode: 0, step: 3, observation: [0.0, x], reward: 0.0 };
        // Of the last two that are seen, the first.
        let second = Faulty::new(line(), [0.0; 2], Fault { step: 2, ..seen.clone() });
        check(MaxAndSkipObservation::new(second, 3).unwrap());
        let paid = Fault { observation: [0.0; 2], reward: f64::from(x), ..seen.clone() };
        for fault in [seen, paid] {
            let env = || Faulty::new(line(), [0.0; 2], fault.clone());
            check(RepeatAction::new(env(), 3).unwrap());
            check(MaxAndSkipObservation::new(env(), 3).unwrap());
            check(FrameStack::<_, 2>::new(env()));
            check(NormalizeObservation::new(env(), 1e-8).unwrap());
            check(NormalizeReward::new(env(), 0.9, 1e-8).unwrap());
            check(DiscretizeObservation::new(env(), [3, 3]).unwrap());
            check(ClipReward::new(env(), -1.0, 1.0).unwrap());
            check(RescaleObservation::new(env(), -2.0, 3.0).unwrap());
        }
    }
}

/// Remembers the best that it has seen, nothing at first.
#[derive(Serialize, Deserialize)]
struct Best {
    best: f64,
    last: Option<f64>,
    odd: f32,
}

impl Env for Best {
    type ObservationSpace = BoxSpace<1>;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([1.0])
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    fn reset(&mut self, _: &mut Rng) -> Result<[f32; 1], EnvError> {
        Ok([0.0])
    }

    /// Leaves its box, as CartPole does.
    fn step(&mut self, _: &i64, _: &mut Rng) -> Result<Step<[f32; 1]>, EnvError> {
        Ok(Step::new([2.5], 0.0, false))
    }

    snapshot!();
}

#[test]
fn a_snapshot_keeps_every_number() {
    let best = || Best { best: f64::NEG_INFINITY, last: None, odd: f32::NAN };
    let mut envs = SyncVectorEnv::new(vec![best()], Seed::new(0)).unwrap();
    envs.reset().unwrap();
    envs.step(&[0]).unwrap();
    let text = serde_json::to_string(&envs.save()).unwrap();
    let saved: VectorSnapshot = serde_json::from_str(&text).unwrap();
    let other = Best { best: 0.0, last: Some(1.0), odd: 0.0 };
    let mut envs = SyncVectorEnv::new(vec![other], Seed::new(1)).unwrap();
    assert_eq!(envs.restore(&saved).unwrap(), Restored::Exactly);
    let Best { best, last, odd } = &envs.envs()[0];
    assert!(*best == f64::NEG_INFINITY && last.is_none() && odd.is_nan());
    assert_eq!(envs.observations(), [[2.5]]);
}
