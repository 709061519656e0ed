//! Deep agents on libtorch: one algorithm a file.

mod action_range;
mod critics;
mod ddpg;
mod deterministic;
mod dqn;
mod learned;
mod off_policy;
mod sac;
mod td3;

pub mod replay;
pub mod tanh_normal;
pub mod targets;

pub use ddpg::{Ddpg, DdpgConfig};
pub use dqn::{Dqn, DqnConfig};
pub use sac::{Sac, SacConfig};
pub use td3::{Td3, Td3Config};
