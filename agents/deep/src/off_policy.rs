//! Agents with real-valued actions that learn from a replay memory: one shell, a learner each.

pub(crate) mod ddpg;
pub(crate) mod sac;
mod shell;
pub(crate) mod td3;

pub use shell::{HIDDEN, Learner, OffPolicyAgent, OffPolicyConfig, OffPolicySettings, check_rates};
pub(crate) use shell::{check_gradient_steps, first_due, pendulum, search_ranges};
