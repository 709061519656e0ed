//! Deep agents on libtorch: one algorithm a file.

mod dqn;

pub mod replay;
pub mod targets;

pub use dqn::{Dqn, DqnConfig};
