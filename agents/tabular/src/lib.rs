//! Tabular agents: one update rule a file, on any environment whose observations and actions are
//! finite.

mod dynamic_programming;
mod q_learning;
mod q_table;

pub use dynamic_programming::{Model, Solution, policy_value, value_iteration};
pub use q_learning::{QLearning, QLearningConfig};
pub use q_table::QTable;
