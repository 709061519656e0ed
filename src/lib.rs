//! Reinforcement learning: environments, agents and the tools to compare them.
//!
//! # A guided tour
//!
//! An environment is made by name, or by its type. An agent is made for its spaces. One loop,
//! [`train`], drives any agent in any environment it fits:
//!
//! ```
//! use gymnast::{
//!     Discrete, Plan, QLearning, QLearningConfig, Recorder, Registry, Seed, Setup, Training, train,
//! };
//! use gymnast::{EnvOptions, Presets, envs::kind};
//!
//! // FrozenLake on ice that does not slip, and settings that are known to work in it.
//! let registry = Registry::builtin();
//! let lake = registry.spec("FrozenLake-v1")?.clone();
//! let dry = EnvOptions::none().with("is_slippery", false);
//! let config = QLearningConfig::preset("FrozenLake-v1").expect("there is one").settings;
//!
//! // The training: how long, and how often to look. Everything else follows from the seed.
//! let training = Training { env_steps: 20_000, eval_every: 5_000, ..Training::default() };
//! let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: training.env_steps };
//! let make = move |n, seed| lake.vector(kind::Finite, n, seed, &dry).expect("the lake is finite");
//! let mut setup = Setup::<Discrete, Discrete> {
//!     agent: Box::new(QLearning::new(Discrete::new(16), Discrete::new(4), config, &plan)?),
//!     envs: make(1, plan.seed.child("envs", 0))?,
//!     eval_envs: Box::new(make),
//! };
//! let summary = train(&mut setup, &training, plan.seed, Recorder::in_memory(), None, &mut [])?;
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
    Interrupt, Metrics, Mode, Plan, Policy, Presets, Quiet, Recorder, RunIdentity, Schedule, Setup,
    Summary, Trainer, Training, learn_online, save_best, train,
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
