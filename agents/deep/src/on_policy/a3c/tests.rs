use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use gymnast_envs::{
    BoxSpace, Discrete, Env, EnvError, Outcome, Seed, Step, SyncVectorEnv, classic::CartPole,
    wrappers::TimeLimit,
};
use gymnast_harness::Schedule;

use super::*;
use crate::distributions::policy_head::Categorical;

/// One with finite actions.
type Finite<O> = A3c<O, Categorical<Discrete>>;

fn plan(num_envs: usize, env_steps: u64) -> Plan {
    Plan { seed: Seed::new(5), num_envs, env_steps }
}

fn state<O: FeatureSpace>(agent: &Finite<O>) -> StateDict {
    let mut state = StateDict::new();
    agent.save(&mut state).unwrap();
    state
}

/// An environment of one step and one action, which shows 1 and pays 3.
#[derive(Clone)]
struct Coin(Outcome);

impl Env for Coin {
    type ObservationSpace = BoxSpace<1>;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([1.0])
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<[f32; 1], EnvError> {
        Ok([1.0])
    }

    fn step(&mut self, _action: &i64, _rng: &mut Rng) -> Result<Step<[f32; 1]>, EnvError> {
        Ok(Step { observation: [1.0], reward: 3.0, outcome: self.0 })
    }
}

#[test]
fn gradients_are_stale_and_statistics_shared_as_documented() {
    let (n, turns, gamma) = (3, 10, 0.5);
    let config = A3cConfig {
        hidden: vec![],
        t_max: 1,
        learning_rate: Schedule::Constant(0.1),
        rms_prop_alpha: 0.75,
        rms_prop_eps: 0.01,
        gamma,
        value_coefficient: 0.5,
        entropy_coefficient: 0.0,
        max_grad_norm: 1e9,
        ..A3cConfig::default()
    };
    for outcome in [Outcome::Terminated, Outcome::Truncated] {
        let head = Categorical::new(Discrete::new(1));
        let plan = plan(n, turns);
        let mut agent = A3c::new(BoxSpace::symmetric([1.0]), head, config.clone(), &plan).unwrap();
        let mut envs = SyncVectorEnv::new(vec![Coin(outcome); n], plan.seed).unwrap();
        envs.reset().unwrap();
        // V = w + b, as 1 is seen; the policy has no choice. With c₁ = ½ the gradient by both is V − R.
        let parameters = |agent: &Finite<_>| agent.shared.networks.parameters().to_vec();
        let start = parameters(&agent);
        let (mut values, mut square) = (vec![f64::from(start[2] + start[3])], 0.0);
        for turn in 0..turns {
            // Worker (turn mod n)'s parameters are those of n turns ago, when it was given them.
            let seen = values[(turn as usize + 1).saturating_sub(n)];
            let rest = if outcome == Outcome::Truncated { gamma * seen } else { 0.0 };
            let gradient = seen - (3.0 + rest);
            square = 0.75 * square + 0.25 * gradient * gradient;
            let step = 0.1 * gradient / f64::sqrt(square + 0.01);
            values.push(values[turn as usize] - 2.0 * step);

            let taken = agent.advance(&mut envs, turn + 1).unwrap();
            assert_eq!(taken.len(), 1);
            assert_eq!(taken[0].env, turn as usize % n);
            assert_eq!(taken[0].steps, [(3.0, outcome)]);
            let got = parameters(&agent);
            let (got, expected) = (f64::from(got[2] + got[3]), values[turn as usize + 1]);
            assert!((got - expected).abs() < 1e-5, "{outcome:?}, turn {turn}: {got}, {expected}");
            assert_eq!(parameters(&agent)[..2], start[..2], "without a choice nothing to learn");
        }
    }
}

fn cart_poles(n: usize, seed: Seed) -> SyncVectorEnv<TimeLimit<CartPole>> {
    let envs = (0..n).map(|_| TimeLimit::new(CartPole::default(), 30)).collect();
    let mut envs = SyncVectorEnv::new(envs, seed).unwrap();
    envs.reset().unwrap();
    envs
}

fn cart_pole_agent(plan: &Plan) -> Finite<BoxSpace<4>> {
    let cart_pole = CartPole::default();
    let config = A3cConfig { hidden: vec![8], t_max: 4, ..A3cConfig::default() };
    let head = Categorical::new(cart_pole.action_space());
    A3c::new(cart_pole.observation_space(), head, config, plan).unwrap()
}

#[test]
fn threads_do_what_turns_on_one_thread_would() {
    // The last share is of 3 steps.
    let plan = plan(3, 403);
    let mut expected = cart_pole_agent(&plan);
    let mut envs = cart_poles(3, plan.seed);
    let mut lanes = envs.lanes();
    let Finite { shared, workers } = &mut expected;
    let mut turns = Vec::new();
    for (place, worker) in workers.iter_mut().enumerate() {
        worker.begin(&shared.networks, shared.share(place));
        worker.play(&mut *lanes[place]).unwrap();
    }
    while shared.env_steps() < plan.env_steps {
        let k = turns.len() % 3;
        turns.push(shared.take_turn(&mut workers[k]).unwrap());
        workers[k].play(&mut *lanes[k]).unwrap();
    }
    drop(lanes);
    assert_eq!(turns.len(), 101);
    let played = serde_json::to_value(envs.save()).unwrap();

    // In one go, and with all threads at rest after each turn.
    for pace in [u64::MAX, 1] {
        let (mut agent, mut envs) = (cart_pole_agent(&plan), cart_poles(3, plan.seed));
        let (mut taken, mut counted) = (Vec::new(), 0);
        while counted < plan.env_steps {
            let until = plan.env_steps.min(pace.saturating_add(counted));
            taken.extend(agent.advance(&mut envs, until).unwrap());
            counted = taken.iter().map(|turn| turn.steps.len() as u64).sum();
        }
        assert_eq!((counted, &taken), (plan.env_steps, &turns));
        assert_eq!(state(&agent), state(&expected));
        // Not a step was played beyond the end.
        assert_eq!(serde_json::to_value(envs.save()).unwrap(), played);
    }
}

#[test]
fn beyond_the_training_or_with_other_environments_it_is_an_error() {
    let plan = plan(3, 90);
    let (mut agent, mut envs) = (cart_pole_agent(&plan), cart_poles(3, plan.seed));
    for until in [91, u64::MAX] {
        let error = agent.advance(&mut envs, until).unwrap_err();
        assert!(matches!(error, AgentError::Mismatch { what: "until", .. }), "{error}");
    }
    let error = agent.advance(&mut cart_poles(2, plan.seed), 90).unwrap_err();
    assert!(matches!(error, AgentError::Env(_)), "{error}");
    agent.advance(&mut envs, 90).unwrap();
}

#[test]
fn a_training_goes_on_where_what_was_played_is_lost() {
    let plan = plan(3, 90);
    let (mut agent, mut envs) = (cart_pole_agent(&plan), cart_poles(3, plan.seed));
    let steps = |turns: Vec<Turn>| turns.iter().map(|turn| turn.steps.len() as u64).sum::<u64>();
    let mut counted = steps(agent.advance(&mut envs, 30).unwrap());
    assert_eq!(counted, 32);
    agent.begin_episodes();
    envs.reset().unwrap();
    while counted < 90 {
        counted += steps(agent.advance(&mut envs, 90).unwrap());
    }
    assert_eq!(counted, 90);
}

/// Goes wrong after so many steps, on its own day only.
struct Fragile {
    steps: u64,
    breaks_after: u64,
    panics: bool,
}

impl Env for Fragile {
    type ObservationSpace = BoxSpace<1>;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([1.0])
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<[f32; 1], EnvError> {
        Ok([1.0])
    }

    fn step(&mut self, _action: &i64, rng: &mut Rng) -> Result<Step<[f32; 1]>, EnvError> {
        // So that threads come in another order each time.
        static CALLS: AtomicU64 = AtomicU64::new(0);
        if CALLS.fetch_add(1, Ordering::Relaxed).is_multiple_of(7) {
            std::thread::sleep(Duration::from_micros(200));
        }
        self.steps += 1;
        assert!(!self.panics || self.steps < self.breaks_after, "a slip of the pen");
        if self.steps >= self.breaks_after {
            return Err(EnvError::Failed(format!("broken after {} steps", self.steps)));
        }
        Ok(Step::new([1.0], rand::RngExt::random(rng), false))
    }
}

/// Trains four workers of which each breaks after so many steps; returns what that came to.
fn break_after(breaks_after: [u64; 4], panics: bool) -> AgentError {
    let plan = plan(4, 100_000);
    let config = A3cConfig { hidden: vec![4], t_max: 5, ..A3cConfig::default() };
    let (space, head) = (BoxSpace::symmetric([1.0]), Categorical::new(Discrete::new(2)));
    let mut agent = A3c::new(space, head, config, &plan).unwrap();
    let env = |breaks_after| Fragile { steps: 0, breaks_after, panics };
    let mut envs = SyncVectorEnv::new(breaks_after.map(env).into(), plan.seed).unwrap();
    envs.reset().unwrap();
    loop {
        match agent.advance(&mut envs, plan.env_steps) {
            Ok(turns) => assert!(!turns.is_empty()),
            Err(error) => return error,
        }
    }
}

#[test]
fn the_first_error_in_turn_ends_the_training() {
    for _ in 0..5 {
        // The 21st step of a worker is in its fifth share: worker 1's turn is before worker 2's,
        // though worker 2 breaks at an earlier step of its own.
        let error = break_after([900, 25, 22, 900], false).to_string();
        assert!(error.contains("broken after 25 steps"), "{error}");
        let error = break_after([900, 26, 22, 900], false).to_string();
        assert!(error.contains("broken after 22 steps"), "{error}");
        // Worker 0's fifth turn comes after worker 3's fourth.
        let error = break_after([21, 900, 900, 20], false).to_string();
        assert!(error.contains("broken after 20 steps"), "{error}");
    }
}

#[test]
fn a_panic_of_a_worker_is_an_error_of_the_training() {
    let error = break_after([900, 900, 30, 900], true);
    let AgentError::Worker { worker: 2, message } = error else { panic!("{error}") };
    assert!(message.contains("a slip of the pen"), "{message}");
}

#[test]
fn steps_of_somebody_else_are_refused() {
    let plan = plan(1, 10);
    let (mut agent, mut envs) = (cart_pole_agent(&plan), cart_poles(1, plan.seed));
    let error = agent.learn(envs.step(&[0]).unwrap()).unwrap_err();
    assert!(matches!(error, AgentError::Asynchronous));
}

#[test]
fn diverged_networks_and_gradients_are_named() {
    let plan = plan(2, 1_000);
    let (mut agent, mut envs) = (cart_pole_agent(&plan), cart_poles(2, plan.seed));
    agent.shared.networks.parameters_mut().values_mut().fill(f32::NAN);
    let error = agent.advance(&mut envs, 1_000).unwrap_err();
    assert!(matches!(error, AgentError::NoAction { .. }), "{error}");
    // A gradient of 1e25 is finite, what RMSprop remembers of its square is not.
    let config = A3cConfig {
        hidden: vec![],
        t_max: 1,
        reward_scale: 1e25,
        max_grad_norm: 1e30,
        ..A3cConfig::default()
    };
    let head = Categorical::new(Discrete::new(1));
    let mut agent = A3c::new(BoxSpace::symmetric([1.0]), head, config, &plan).unwrap();
    let mut envs = SyncVectorEnv::new(vec![Coin(Outcome::Terminated); 2], plan.seed).unwrap();
    envs.reset().unwrap();
    let error = agent.advance(&mut envs, 1_000).unwrap_err();
    let AgentError::Diverged { value, env_steps: 1, .. } = error else { panic!("{error}") };
    assert_eq!(value, f64::INFINITY);
}
