//! Every tabular agent learns, resumes bit for bit, joins no lost episode to the next, and takes no harm
//! from a checkpoint with wrong contents.

use gymnast_envs::{Discrete, Env, EnvError, Rng, Step, toy_text::FrozenLake, wrappers::TimeLimit};
use gymnast_harness::{
    Plan,
    testing::{
        TwoArmedBandit, assert_learns, assert_resumes_exactly, assert_survives_damage, setup,
        state_after_a_lost_episode, training,
    },
};
use gymnast_tabular::{
    DoubleQRule, DynaQPlusRule, DynaQRule, ExpectedSarsaRule, MonteCarloRule, NStepSarsaRule,
    PrioritizedSweepingRule, QLearningRule, SarsaLambdaRule, SarsaRule, TabularAgent, UpdateRule,
};

fn learns_a_bandit<R: UpdateRule<Config: Default> + 'static>() {
    let make = |plan: &Plan| {
        setup(plan, TwoArmedBandit::default, |o, a| {
            TabularAgent::<_, _, R>::new(o, a, R::Config::default(), plan)
        })
    };
    assert_learns(make, &training(2_000, 1), 0.75);
}

fn resumes_exactly<R: UpdateRule<Config: Default> + 'static>() {
    for num_envs in [1, 3] {
        let make = |plan: &Plan| {
            // A limit short enough to be met.
            let lake = || TimeLimit::new(FrozenLake::default(), 12);
            setup(plan, lake, |o, a| TabularAgent::<_, _, R>::new(o, a, R::Config::default(), plan))
        };
        assert_resumes_exactly(make, &training(6_000, num_envs));
    }
}

/// Episodes of three steps through the states 0, 1, 2, each worth 100, and of ten steps from state 5 on,
/// worth nothing, in turn. It cannot be saved, so a new one begins with state 0 again.
#[derive(Default)]
struct TwoCorridors {
    episode: i64,
    steps: i64,
}

impl TwoCorridors {
    fn pays(&self) -> bool {
        self.episode % 2 == 1
    }

    fn state(&self) -> i64 {
        self.steps + if self.pays() { 0 } else { 5 }
    }
}

impl Env for TwoCorridors {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(16)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        (self.episode, self.steps) = (self.episode + 1, 0);
        Ok(self.state())
    }

    fn step(&mut self, _action: &i64, _rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        self.steps += 1;
        let length = if self.pays() { 3 } else { 10 };
        Ok(Step::new(self.state(), if self.pays() { 100.0 } else { 0.0 }, self.steps == length))
    }
}

/// The second episode is lost after its third step: what follows belongs to another, whose first state
/// is known to be worth something.
fn joins_no_lost_episode<R: UpdateRule<Config: Default> + 'static>() {
    let make = |plan: &Plan| {
        setup(plan, TwoCorridors::default, |o, a| {
            TabularAgent::<_, _, R>::new(o, a, R::Config::default(), plan)
        })
    };
    let state = state_after_a_lost_episode(make, &training(100, 1), 6, 6);
    let mut tables = 0;
    for name in state.array_names().filter(|name| name.ends_with('q')) {
        let (_, q) = state.array_of_any_shape::<f64>(name).unwrap();
        assert!(q[..3].iter().any(|&q| q > 0.0), "{name}: {q:?}");
        // All that Dyna-Q+ gives them is a bonus for curiosity.
        assert!(q[5..8].iter().all(|q| q.abs() < 0.1), "{name}: {q:?}");
        tables += 1;
    }
    assert!(tables > 0);
}

fn survives_damage<R: UpdateRule<Config: Default> + 'static>() {
    let make = |plan: &Plan| {
        let lake = || TimeLimit::new(FrozenLake::default(), 12);
        setup(plan, lake, |o, a| TabularAgent::<_, _, R>::new(o, a, R::Config::default(), plan))
    };
    assert_survives_damage(make, &training(6_000, 2), 100);
}

macro_rules! contract {
    ($($name:ident: $rule:ty),* $(,)?) => {
        $(mod $name {
            use super::*;

            #[test]
            fn learns() {
                learns_a_bandit::<$rule>();
            }

            #[test]
            fn resumes() {
                resumes_exactly::<$rule>();
            }

            #[test]
            fn joins_nothing_over_a_lost_episode() {
                joins_no_lost_episode::<$rule>();
            }

            #[test]
            fn takes_no_harm_from_a_damaged_state() {
                survives_damage::<$rule>();
            }
        })*
    };
}

contract! {
    double_q: DoubleQRule,
    dyna_q: DynaQRule,
    dyna_q_plus: DynaQPlusRule,
    expected_sarsa: ExpectedSarsaRule,
    monte_carlo: MonteCarloRule,
    n_step_sarsa: NStepSarsaRule,
    prioritized_sweeping: PrioritizedSweepingRule,
    q_learning: QLearningRule,
    sarsa: SarsaRule,
    sarsa_lambda: SarsaLambdaRule,
}
