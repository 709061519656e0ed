//! Deep agents on libtorch: one algorithm a file.

mod action_range;
mod critics;
mod dqn;
mod learned;
mod off_policy;
mod sac;

pub mod replay;
pub mod tanh_normal;
pub mod targets;

pub use dqn::{Dqn, DqnConfig};
pub use sac::{Sac, SacConfig};
