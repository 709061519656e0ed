//! Agents that learn the values of numbered actions and act by them.

pub(crate) mod dqn;
