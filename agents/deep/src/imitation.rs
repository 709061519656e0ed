//! Policies learned from another policy, not from rewards.

pub(crate) mod bc;
pub mod distillation;
