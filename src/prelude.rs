//! The items that most programs need: `use gymnast::prelude::*;`.
//!
//! ```
//! use gymnast::prelude::*;
//!
//! let training = Training { env_steps: 20_000, eval_every: 10_000, ..Training::default() };
//! let plan = training.plan(0);
//! let walk = || Ok(TimeLimit::new(CliffWalking::default(), 200));
//! let mut envs = SyncVectorEnv::new(vec![walk()?], plan.seed.child("envs", 0))?;
//! let (observation_space, action_space) = (*envs.observation_space(), *envs.action_space());
//! let config = QLearningConfig::default();
//! let mut agent = QLearning::new(observation_space, action_space, config, &plan)?;
//! let summary = Trainer::new(&training, 0, &mut agent, &mut envs).evaluate_on(walk).run()?;
//! assert_eq!(summary.evaluations.len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use gymnast_envs::{
    classic::{Acrobot, CartPole, MountainCar, MountainCarContinuous, Pendulum},
    toy_text::{CliffWalking, FrozenLake, Taxi},
    wrappers::TimeLimit,
};

#[cfg(feature = "deep")]
pub use crate::{
    A2c, A2cConfig, A3c, A3cConfig, Bc, BcConfig, Categorical, Ddpg, DdpgConfig, DiagonalGaussian,
    Dqn, DqnConfig, Mbpo, MbpoConfig, MultiCategorical, Ppo, PpoConfig, Reinforce, ReinforceConfig,
    Sac, SacConfig, Td3, Td3Config,
};
pub use crate::{
    Agent, AgentError, BoundedSpace, BoxSpace, Catalog, Checkpoint, Demonstrations, Discrete,
    DoubleQ, DoubleQConfig, DynaQ, DynaQConfig, DynaQPlus, DynaQPlusConfig, Env, EnvError,
    EnvOptions, EnvSpec, Evaluation, Existing, ExpectedSarsa, ExpectedSarsaConfig, Experience,
    Experiment, FeatureSpace, FiniteSpace, Flow, Metrics, Mode, MonteCarlo, MonteCarloConfig,
    MultiBinary, MultiDiscrete, NStepSarsa, NStepSarsaConfig, Outcome, Plan, Policy, Presets,
    PrioritizedSweeping, PrioritizedSweepingConfig, QLearning, QLearningConfig, Quiet, Recorder,
    Registry, Rng, Run, Sarsa, SarsaConfig, SarsaLambda, SarsaLambdaConfig, Schedule, Seed, Space,
    Step, Summary, SyncVectorEnv, Trained, Trainer, Training, VectorEnv, Which, product_space,
    save_best, snapshot,
};
#[cfg(feature = "command")]
pub use crate::{ProgressBars, StopOnInterrupt};
