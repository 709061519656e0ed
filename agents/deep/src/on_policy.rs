//! Agents that learn a policy by its gradient, from what the policy itself has done: one shell, a learner
//! each. A3C, whose workers learn on threads, has a shell of its own.

pub(crate) mod a2c;
pub(crate) mod a3c;
pub(crate) mod ppo;
pub(crate) mod reinforce;
mod shell;

pub use shell::{OnPolicyAgent, OnPolicyConfig, OnPolicyLearner, OnPolicySettings, adam};
pub(crate) use shell::{check_rms_prop, rms_prop};
