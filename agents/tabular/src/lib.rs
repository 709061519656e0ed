//! Tabular agents: one update rule a file, on any environment whose observations and actions are
//! finite.
//!
//! Where they are not, the pair does not compile, and the compiler says which agents would serve:
//!
//! ```compile_fail,E0277
//! # use gymnast_envs::{Env, Seed, classic::CartPole};
//! # use gymnast_harness::Plan;
//! # use gymnast_tabular::{QLearning, QLearningConfig};
//! let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 1000 };
//! let (seen, done) = (CartPole::default().observation_space(), CartPole::default().action_space());
//! // error: `BoxSpace<4>` is not finite, so a table cannot hold it
//! let agent = QLearning::new(seen, done, QLearningConfig::default(), &plan);
//! ```

mod dynamic_programming;
mod q_learning;
mod q_table;

pub use dynamic_programming::{Model, Solution, policy_value, value_iteration};
pub use q_learning::{QLearning, QLearningConfig};
pub use q_table::QTable;
