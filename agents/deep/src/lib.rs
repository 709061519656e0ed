//! Deep agents on libtorch: one algorithm a file.

mod dqn;
mod ppo;

pub mod actor_critic;
pub mod policy_head;
pub mod replay;
pub mod returns;
pub mod rollout;
pub mod targets;

pub use dqn::{Dqn, DqnConfig};
pub use policy_head::{Categorical, DiagonalGaussian};
pub use ppo::{Ppo, PpoConfig};
