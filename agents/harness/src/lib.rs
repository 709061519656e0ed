//! The training loop, evaluation, checkpoints and records shared by all agents.
//!
//! The harness drives time: a [`Trainer`] calls `act → step → learn`, evaluates and saves at fixed env
//! steps, and counts them exactly. It is independent of networks, algorithms, terminals and signals.
//! An [`Asynchronous`] agent, whose algorithm runs on threads, plays on its own between these moments.

mod agent;
mod agent_settings;
mod callback;
mod checkpoint;
mod checkpoint_fields;
mod demonstrations;
mod digits;
mod display;
mod error;
mod evaluation;
mod event_format;
mod experiment;
mod identity;
mod interrupt;
mod log_file;
mod panics;
mod preset;
mod recorder;
mod records;
mod run_directory;
mod run_seeds;
mod saved;
mod schedule;
mod seed_dir;
mod seed_status;
mod tensorboard;
mod trainer;
mod training;

pub mod foreign;
pub mod report;
pub mod testing;

pub use agent::{Agent, AgentError, Asynchronous, Metrics, Mode, Plan, Policy, Turn};
pub use agent_settings::{POSITIVE, within};
pub use callback::{Callback, Flow, Progress};
pub use checkpoint::{CheckpointDir, FileSum, Manifest, Newest};
pub use demonstrations::{Demonstrations, DemonstrationsError};
pub use display::{ProgressDisplay, Quiet, SeedDisplay, restart_warning};
pub use error::TrainError;
pub use evaluation::{Episodes, MakeEnvs, evaluate_policy, evaluate_policy_while, play_episodes};
pub use experiment::{Existing, Experiment};
pub use gymnast_base::{Documented, SettingError, documented};
pub use gymnast_core::checkpoint::{Array, Checkpoint, CheckpointError, Number, StateDict};
pub use identity::{Difference, RunIdentity, difference};
pub use interrupt::{Grace, Interrupt};
pub use panics::catch_seed_panic;
pub use preset::{Preset, Presets, SearchRange};
pub use recorder::{Recorder, Resumed};
pub use records::{Episode, Evaluation, MetricRow, Record, read_records};
pub use run_seeds::RunSeeds;
pub use saved::{Saved, Which};
pub use schedule::Schedule;
pub use seed_dir::SeedDir;
pub use seed_status::{SeedState, SeedStatus};
pub use tensorboard::EventWriter;
pub use trainer::{Ending, Setup, Summary, Trainer, check_first_update, save_best};
pub use training::Training;
