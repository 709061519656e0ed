//! What the tests of the update rules share.

use gymnast_envs::{Outcome, Seed};
use gymnast_harness::Plan;

use crate::{Rates, TimeStep};

pub(crate) fn plan(num_envs: usize) -> Plan {
    Plan { seed: Seed::new(0), num_envs, env_steps: 100 }
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
