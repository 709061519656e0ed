//! What agents learn with: networks, alone and as actors and critics.

pub mod actor_critic;
pub(crate) mod critics;
pub(crate) mod deterministic;
pub(crate) mod io;
pub(crate) mod learned;
pub(crate) mod network;
pub(crate) mod pretraining;
pub(crate) mod soft_actor;
