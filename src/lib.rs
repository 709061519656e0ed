//! Reinforcement learning: environments, agents and the tools to compare them.
//!
//! # A guided tour
//!
//! An environment is made by its type, or by name. An agent is made for its spaces. One loop,
//! [`Trainer`], drives any agent in any environment it fits:
//!
//! ```
//! use gymnast::{QLearning, QLearningConfig, SyncVectorEnv, Trainer, Training};
//! use gymnast::envs::{toy_text::{FrozenLake, FrozenLakeConfig}, wrappers::TimeLimit};
//! use gymnast::{EnvError, Presets, VectorEnv};
//!
//! // FrozenLake on ice that does not slip, and settings that are known to work in it.
//! let config = FrozenLakeConfig { is_slippery: false, ..FrozenLakeConfig::default() };
//! let lake = move || Ok::<_, EnvError>(TimeLimit::new(FrozenLake::new(config.clone())?, 100));
//! let settings = QLearningConfig::preset("FrozenLake-v1").expect("there is one").settings;
//!
//! // The training: how long, and how often to look. Everything else follows from the seed.
//! let training = Training { env_steps: 20_000, eval_every: 5_000, ..Training::default() };
//! let plan = training.plan(0);
//! let mut envs = SyncVectorEnv::of(training.num_envs, plan.seed.child("envs", 0), &lake)?;
//! let (observation_space, action_space) = (*envs.observation_space(), *envs.action_space());
//! let mut agent = QLearning::new(observation_space, action_space, settings, &plan)?;
//! let summary = Trainer::new(&training, 0, &mut agent, &mut envs).evaluate_on(lake).run()?;
//!
//! // Every evaluation played 20 episodes with the best action known: it crosses every time.
//! let last = summary.evaluations.last().expect("the training ends with an evaluation");
//! assert_eq!((last.env_step, last.mean_return), (20_000, 1.0));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Experiment`] repeats a training over seeds, in parallel, and keeps records and checkpoints in
//! a directory that the command `gymnast` can resume, plot and report on. [`Run`] does the same
//! from names, as the command does. `command::main` is that command, also for custom environments:
//! see `examples/custom_env.rs`.
//!
//! # Where things are
//!
//! | module | holds |
//! |---|---|
//! | [`envs`] | environments, spaces, wrappers, vectors, the registry |
//! | [`harness`] | the loop, evaluation, records, checkpoints, the report |
//! | [`tabular`] | agents for finite environments |
#![cfg_attr(feature = "deep", doc = "| [`deep`] | agents on libtorch |")]
//! | [`core`] | data, metrics, statistics, plots; with libtorch networks, losses, optimisers, training |
#![cfg_attr(feature = "command", doc = "| [`command`] | the command `gymnast` |")]

pub mod catalog;
#[cfg(feature = "command")]
pub mod command;
pub mod prelude;
pub mod run;
pub mod settings;
pub mod task;
pub mod trained;

pub use gymnast_core as core;
#[cfg(feature = "deep")]
pub use gymnast_deep as deep;
pub use gymnast_envs as envs;
pub use gymnast_harness as harness;
pub use gymnast_tabular as tabular;

pub use catalog::{AgentEntry, Builders, Catalog};
#[cfg(feature = "command")]
pub use command::{ProgressBars, StopOnInterrupt};
#[cfg(feature = "deep")]
pub use gymnast_deep::{
    A2c, A2cConfig, A3c, A3cConfig, Bc, BcConfig, Categorical, ControlSpace, Ddpg, DdpgConfig,
    DiagonalGaussian, Dqn, DqnConfig, Mbpo, MbpoConfig, MultiCategorical, PolicySettings, Ppo,
    PpoConfig, Reinforce, ReinforceConfig, Sac, SacConfig, Td3, Td3Config,
};
pub use gymnast_envs::{
    Act, BoundedSpace, BoxSpace, Discrete, DynEnv, Env, EnvError, EnvOptions, EnvSpec, Experience,
    FeatureSpace, FiniteSpace, MultiBinary, MultiDiscrete, Obs, Outcome, Registry, Rng, Seed,
    Space, Step, SyncVectorEnv, VectorEnv, product_space, snapshot,
};
pub use gymnast_harness::{
    Agent, AgentError, Checkpoint, Demonstrations, Evaluation, Existing, Experiment, Flow,
    Interrupt, Metrics, Mode, Plan, Policy, Presets, Quiet, Recorder, RunIdentity, Schedule,
    Summary, Trainer, Training, Which, save_best,
};
pub use gymnast_tabular::{
    DoubleQ, DoubleQConfig, DynaQ, DynaQConfig, DynaQPlus, DynaQPlusConfig, ExpectedSarsa,
    ExpectedSarsaConfig, MonteCarlo, MonteCarloConfig, NStepSarsa, NStepSarsaConfig,
    PrioritizedSweeping, PrioritizedSweepingConfig, QLearning, QLearningConfig, Sarsa, SarsaConfig,
    SarsaLambda, SarsaLambdaConfig,
};
pub use run::Run;
pub use trained::Trained;

/// The programs in the README run.
#[cfg(all(doctest, feature = "deep"))]
#[doc = include_str!("../README.md")]
struct Readme;
