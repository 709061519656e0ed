//! Distributions over actions, and which actions there are.

pub(crate) mod action_mask;
pub(crate) mod action_range;
pub mod policy_head;
pub mod tanh_normal;
