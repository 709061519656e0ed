//! Deep agents on libtorch: one algorithm a file.

mod a2c;
mod dqn;
mod ppo;
mod reinforce;

pub mod actor_critic;
pub mod policy_head;
pub mod replay;
pub mod returns;
pub mod rollout;
pub mod targets;

pub use a2c::{A2c, A2cConfig};
pub use dqn::{Dqn, DqnConfig};
pub use policy_head::{Categorical, DiagonalGaussian};
pub use ppo::{Ppo, PpoConfig};
pub use reinforce::{Reinforce, ReinforceConfig};
