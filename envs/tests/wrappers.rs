//! Wrappers against Gymnasium's, and every wrapper saved and restored in mid-episode.
//!
//! `reference/wrappers.py` recorded `reference/wrappers.json`.

use std::fmt::Debug;

use gymnast_envs::{
    Act, BoxSpace, Discrete, Env, EnvError, Obs, Outcome, Rng, Seed, Space, Step,
    classic::{CartPole, MountainCar, Pendulum},
    serde_json::{self, Value, json},
    snapshot,
    toy_text::{CliffWalking, CliffWalkingConfig},
    wrappers::{
        ClipAction, ClipReward, DiscretizeObservation, FlattenObservation, FrameStack,
        MaxAndSkipObservation, NormalizeObservation, NormalizeReward, OrderEnforcing,
        RecordEpisodeStatistics, RepeatAction, RescaleAction, RescaleObservation, RunningMeanStd,
        StickyAction, TimeAwareObservation, TimeLimit, TransformObservation, TransformReward,
    },
};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Row {
    observation: [f32; 3],
    #[serde(default)]
    reward: Option<f64>,
    #[serde(default)]
    outcome: Option<String>,
}

/// Plays back the recorded script.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Scripted {
    rows: Vec<Row>,
    next: usize,
}

impl Scripted {
    fn advance(&mut self) -> Row {
        self.next += 1;
        self.rows[self.next - 1].clone()
    }
}

impl Env for Scripted {
    type ObservationSpace = BoxSpace<3>;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> BoxSpace<3> {
        BoxSpace::symmetric([1.0, 4.0, 0.5])
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<[f32; 3], EnvError> {
        Ok(self.advance().observation)
    }

    fn step(&mut self, _action: &i64, _rng: &mut Rng) -> Result<Step<[f32; 3]>, EnvError> {
        let row = self.advance();
        let outcome = match row.outcome.as_deref() {
            Some("terminated") => Outcome::Terminated,
            Some("truncated") => Outcome::Truncated,
            _ => Outcome::Continues,
        };
        Ok(Step { observation: row.observation, reward: row.reward.unwrap(), outcome })
    }

    snapshot!();
}

fn reference() -> Value {
    serde_json::from_str(include_str!("reference/wrappers.json")).unwrap()
}

fn scripted() -> Scripted {
    let rows = serde_json::from_value(reference()["script"].clone()).unwrap();
    Scripted { rows, next: 0 }
}

/// Plays the script through; `freeze` is called where the recording froze its statistics.
fn play<E: Env<ActionSpace = Discrete>>(
    env: &mut E,
    freeze: impl Fn(&mut E),
) -> (Vec<Obs<E>>, Vec<f64>) {
    let freeze_at = reference()["freeze_at"].as_u64().unwrap() as usize;
    let mut rng = Seed::new(0).rng();
    let (mut observations, mut rewards) = (vec![], vec![]);
    for (i, row) in scripted().rows.iter().enumerate() {
        if i == freeze_at {
            freeze(env);
        }
        if row.reward.is_some() {
            let step = env.step(&0, &mut rng).unwrap();
            observations.push(step.observation);
            rewards.push(step.reward);
        } else {
            observations.push(env.reset(&mut rng).unwrap());
        }
    }
    (observations, rewards)
}

/// Every number below a JSON value, in order.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

#[track_caller]
fn assert_close(got: impl Serialize, expected: &Value, tolerance: f64) {
    let (got, expected) = (numbers(&json!(got)), numbers(expected));
    assert_eq!(got.len(), expected.len());
    for (i, (got, expected)) in got.iter().zip(&expected).enumerate() {
        let error = (got - expected).abs() / expected.abs().max(1.0);
        assert!(error <= tolerance, "number {i}: {got}, Gymnasium {expected}");
    }
}

#[test]
fn normalised_observations_agree_with_gymnasium() {
    let reference = reference();
    let mut env = NormalizeObservation::new(scripted(), 1e-8).unwrap();
    let (observations, _) = play(&mut env, |env| env.set_update(false));
    assert_close(&observations, &reference["normalize_observation"], 1e-6);
    // Gymnasium itself keeps these statistics in f32.
    assert_close(&observations, &reference["normalize_observation_f32"], 1e-4);
    assert_close(env.statistics().mean(), &reference["observation_mean"], 1e-12);
    assert_close(env.statistics().var(), &reference["observation_var"], 1e-12);
}

#[test]
fn normalised_rewards_agree_with_gymnasium() {
    let reference = reference();
    let gamma = reference["gamma"].as_f64().unwrap();
    let mut env = NormalizeReward::new(scripted(), gamma, 1e-8).unwrap();
    let (_, rewards) = play(&mut env, |env| env.set_update(false));
    assert_close(rewards, &reference["normalize_reward"], 1e-12);
    assert_close(env.statistics().var()[0], &reference["return_var"], 1e-12);
}

#[test]
fn stateless_wrappers_and_stacks_agree_with_gymnasium() {
    let reference = reference();
    let mut clipped = ClipReward::new(scripted(), -1.0, 2.0).unwrap();
    assert_close(play(&mut clipped, |_| ()).1, &reference["clip_reward"], 0.0);
    let mut rescaled = RescaleObservation::new(scripted(), 0.0, 1.0).unwrap();
    assert_close(play(&mut rescaled, |_| ()).0, &reference["rescale_observation"], 1e-6);
    let mut binned = DiscretizeObservation::new(scripted(), [5, 8, 3]).unwrap();
    assert_close(play(&mut binned, |_| ()).0, &reference["discretize_observation"], 0.0);
    let mut stacked = FrameStack::<_, 3>::new(scripted());
    assert_close(play(&mut stacked, |_| ()).0, &reference["frame_stack"], 0.0);
}

/// Plays two thirds, saves, plays on; a twin that went its own way before takes up the snapshot
/// and must play on in the same way.
fn resumes<E: Env>(make: impl Fn() -> E)
where
    Obs<E>: Debug,
{
    let mut env = make();
    let mut rng = Seed::new(3).rng();
    let actions = env.action_space();
    let go_on = |env: &mut E, rng: &mut Rng, steps: usize| -> Vec<Step<Obs<E>>> {
        let mut taken = vec![];
        for _ in 0..steps {
            let action: Act<E> = actions.sample(rng);
            let step = env.step(&action, rng).unwrap();
            let is_final = step.outcome.is_final();
            taken.push(step);
            if is_final {
                env.reset(rng).unwrap();
            }
        }
        taken
    };
    env.reset(&mut rng).unwrap();
    go_on(&mut env, &mut rng, 47);
    let text = env.save().unwrap().to_string();
    let saved: Value = serde_json::from_str(&text).unwrap();

    let mut twin = make();
    let mut other = Seed::new(4).rng();
    twin.reset(&mut other).unwrap();
    go_on(&mut twin, &mut other, 5);
    twin.restore(&saved).unwrap();
    assert_eq!(twin.save().unwrap().to_string(), text);
    let mut same = rng.clone();
    assert_eq!(go_on(&mut env, &mut rng, 60), go_on(&mut twin, &mut same, 60));

    let name = std::any::type_name::<E>();
    let mut bad = vec![json!(null), json!(3), json!("x")];
    if saved.get("wrapper").is_some() {
        bad.extend([json!({ "env": saved["env"] }), json!({ "wrapper": saved["wrapper"] })]);
        bad.push(json!({ "env": saved["env"], "wrapper": "x" }));
    }
    for bad in bad {
        assert!(twin.restore(&bad).is_err(), "{name} took up {bad}");
    }
}

fn cliff() -> CliffWalking {
    CliffWalking::new(CliffWalkingConfig { is_slippery: true })
}

fn cart() -> TimeLimit<CartPole> {
    TimeLimit::new(CartPole::default(), 20)
}

#[test]
fn every_wrapper_resumes_in_mid_episode() {
    let (low, high) = ([-2.4, -3.0, -0.2, -3.0], [2.4, 3.0, 0.2, 3.0]);
    resumes(cart);
    resumes(|| OrderEnforcing::new(cart()));
    resumes(|| RecordEpisodeStatistics::new(cart(), 3).unwrap());
    resumes(|| NormalizeObservation::new(cart(), 1e-8).unwrap());
    resumes(|| NormalizeReward::new(TimeLimit::new(Pendulum::default(), 9), 0.99, 1e-8).unwrap());
    resumes(|| FrameStack::<_, 4>::new(cart()));
    resumes(|| FrameStack::<_, 2>::new(cliff()));
    resumes(|| ClipAction::new(Pendulum::default()));
    resumes(|| RescaleAction::new(Pendulum::default(), -1.0, 1.0).unwrap());
    resumes(|| TransformObservation::new(cart(), BoxSpace::<1>::unbounded(), |o| [o[2]]));
    resumes(|| TransformReward::new(cart(), |reward| reward * 2.0));
    resumes(|| ClipReward::new(cliff(), -2.0, 0.0).unwrap());
    resumes(|| StickyAction::new(cart(), 0.5).unwrap());
    resumes(|| StickyAction::new(Pendulum::default(), 0.5).unwrap());
    resumes(|| RescaleObservation::new(MountainCar::default(), 0.0, 1.0).unwrap());
    resumes(|| DiscretizeObservation::with_limits(cart(), [3, 2, 6, 4], low, high).unwrap());
    resumes(|| FlattenObservation::new(cliff()).unwrap());
    resumes(|| TimeAwareObservation::normalized(cart(), 20).unwrap());
    resumes(|| RepeatAction::new(cart(), 3).unwrap());
    resumes(|| MaxAndSkipObservation::new(cart(), 3).unwrap());
    resumes(|| {
        let sticky = StickyAction::new(cart(), 0.25).unwrap();
        FrameStack::<_, 3>::new(NormalizeObservation::new(sticky, 1e-8).unwrap())
    });
}

#[test]
fn a_snapshot_that_fits_the_wrapper_badly_changes_nothing() {
    let mut rng = Seed::new(0).rng();
    let mut env = NormalizeObservation::new(cart(), 1e-8).unwrap();
    env.reset(&mut rng).unwrap();
    let before = env.save().unwrap();
    env.step(&0, &mut rng).unwrap();
    let after = env.save().unwrap();
    for (key, value) in [("mean", json!([0.0])), ("var", json!([1.0, 1.0, 1.0, -1.0]))] {
        let mut bad = before.clone();
        bad["wrapper"]["statistics"][key] = value;
        assert!(matches!(env.restore(&bad), Err(EnvError::InvalidState { .. })));
        assert_eq!(env.save().unwrap(), after);
    }
    let mut stack = FrameStack::<_, 2>::new(cart());
    stack.reset(&mut rng).unwrap();
    let mut bad = stack.save().unwrap();
    bad["wrapper"].as_array_mut().unwrap().pop();
    assert!(matches!(stack.restore(&bad), Err(EnvError::InvalidState { .. })));
}

proptest! {
    /// The prior counts as an observation of weight 1e-4 with mean 0 and variance 1.
    #[test]
    fn running_moments_equal_the_two_pass_ones(
        rows in prop::collection::vec(prop::array::uniform2(-1e3..1e3_f64), 1..200),
    ) {
        const PRIOR: f64 = 1e-4;
        let mut statistics = RunningMeanStd::new(2);
        for row in &rows {
            statistics.update(row).unwrap();
        }
        let count = rows.len() as f64 + PRIOR;
        for i in 0..2 {
            let mean = rows.iter().map(|row| row[i]).sum::<f64>() / count;
            let squares = rows.iter().map(|row| (row[i] - mean).powi(2)).sum::<f64>();
            let var = (squares + PRIOR * (1.0 + mean * mean)) / count;
            let (got_mean, got_var) = (statistics.mean()[i], statistics.var()[i]);
            prop_assert!((got_mean - mean).abs() <= 1e-9 * (1.0 + mean.abs()), "{got_mean} {mean}");
            prop_assert!((got_var - var).abs() <= 1e-9 * (1.0 + var), "{got_var} {var}");
        }
    }
}
