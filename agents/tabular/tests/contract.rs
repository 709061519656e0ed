//! Every tabular agent learns, and resumes bit for bit.

use gymnast_envs::{toy_text::FrozenLake, wrappers::TimeLimit};
use gymnast_harness::{
    Plan,
    testing::{TwoArmedBandit, assert_learns, assert_resumes_exactly, setup, training},
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
