//! Agents that learn a model of their environment.

pub(crate) mod mbpo;
