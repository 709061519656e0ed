//! Tabular agents, one update rule in each file, for environments with finite observations and
//! actions.
//!
//! For other environments the code does not compile, and the error names suitable agents:
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

mod agent;
mod double_q;
mod dyna_q;
mod dyna_q_plus;
mod dynamic_programming;
mod expected_sarsa;
mod learned_model;
mod monte_carlo;
mod n_step_sarsa;
mod prioritized_sweeping;
mod q_learning;
mod q_table;
mod sarsa;
mod sarsa_lambda;
mod settings;
#[cfg(test)]
mod testing;

pub use gymnast_harness::{Schedule, settings};

pub use agent::{Rates, TabularAgent, TimeStep, UpdateRule};
pub use double_q::{DoubleQ, DoubleQConfig, DoubleQRule};
pub use dyna_q::{DynaQ, DynaQConfig, DynaQRule};
pub use dyna_q_plus::{DynaQPlus, DynaQPlusConfig, DynaQPlusRule};
pub use dynamic_programming::{Model, Solution, policy_iteration, policy_value, value_iteration};
pub use expected_sarsa::{ExpectedSarsa, ExpectedSarsaConfig, ExpectedSarsaRule};
pub use learned_model::Memory;
pub use monte_carlo::{MonteCarlo, MonteCarloConfig, MonteCarloRule};
pub use n_step_sarsa::{NStepSarsa, NStepSarsaConfig, NStepSarsaRule};
pub use prioritized_sweeping::{
    PrioritizedSweeping, PrioritizedSweepingConfig, PrioritizedSweepingRule,
};
pub use q_learning::{QLearning, QLearningConfig, QLearningRule};
pub use q_table::QTable;
pub use sarsa::{Sarsa, SarsaConfig, SarsaRule};
pub use sarsa_lambda::{SarsaLambda, SarsaLambdaConfig, SarsaLambdaRule, Traces};
pub use settings::{Common, TabularSettings};
