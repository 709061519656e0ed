//! What the tests of the update rules share.

use gymnast_envs::{Outcome, Seed};
use gymnast_harness::Plan;
use rand::RngExt as _;

use crate::{QTable, Rates, SarsaRule, TabularSettings as _, TimeStep, UpdateRule};

pub(crate) fn plan(num_envs: usize) -> Plan {
    Plan { seed: Seed::new(0), num_envs, env_steps: 100 }
}

/// An untrained rule for this number of states and of actions.
pub(crate) fn rule_of<R: UpdateRule>(
    config: &R::Config,
    states: usize,
    actions: usize,
    plan: &Plan,
) -> R {
    let q = QTable::new(states, actions, config.common().initial_value);
    R::new(config, q, plan).unwrap()
}

/// Rates without exploration.
pub(crate) fn rates(alpha: f64, gamma: f64) -> Rates {
    Rates { alpha, epsilon: 0.0, gamma }
}

/// A step in the first environment.
pub(crate) fn step(
    state: usize,
    action: usize,
    reward: f64,
    next_state: usize,
    outcome: Outcome,
) -> TimeStep {
    TimeStep { env: 0, state, action, reward, next_state, outcome }
}

#[track_caller]
pub(crate) fn assert_near(value: f64, expected: f64) {
    assert!((value - expected).abs() < 1e-12, "{value}, expected {expected}");
}

/// Asserts that a rule learns from a thousand random steps in three states what SARSA learns.
pub(crate) fn assert_is_sarsa(mut rule: impl UpdateRule) {
    let mut sarsa: SarsaRule = rule_of(&Default::default(), 3, 2, &plan(1));
    let mut rng = Seed::new(1).rng();
    let rates = Rates { alpha: 0.3, epsilon: 0.2, gamma: 0.9 };
    let mut state = 0;
    for _ in 0..1000 {
        let (action, next_state) = (rng.random_range(0..2), rng.random_range(0..3));
        let outcome = match rng.random_range(0..10) {
            0 => Outcome::Terminated,
            1 => Outcome::Truncated,
            _ => Outcome::Continues,
        };
        let step = step(state, action, rng.random(), next_state, outcome);
        assert_near(rule.update(&step, &rates), sarsa.update(&step, &rates));
        state = next_state;
    }
    for (state, action) in (0..3).flat_map(|state| [(state, 0), (state, 1)]) {
        assert_near(rule.table().row(state)[action], sarsa.table().row(state)[action]);
    }
}
