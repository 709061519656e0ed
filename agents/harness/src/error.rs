//! Errors of trainings and their files.

use std::path::PathBuf;

use gymnast_base::SettingError;
use gymnast_envs::EnvError;
use thiserror::Error;

use crate::{AgentError, CheckpointError, Summary};

/// Why a training could not start or continue.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A setting of the training is out of its range.
    #[error("{} = {}: expected {}", .0.key, .0.value, .0.allowed)]
    InvalidSetting(#[from] SettingError),
    /// A file could not be read or written.
    #[error("cannot {action} {path}: {source}{}", advice(source))]
    File {
        /// "read", "write", …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file has invalid contents.
    #[error("{path}: {reason}")]
    InvalidFile {
        /// The file.
        path: PathBuf,
        /// The place and the problem: expected, got.
        reason: String,
    },
    /// The directory already holds a run.
    #[error(
        "{path} already holds a run: continue it with --resume, add seeds to it with --join, or replace it with --force"
    )]
    RunExists {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds unrelated files.
    #[error("{path} holds files that do not belong to a run: choose an empty or a new directory")]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds no run.
    #[error("{path} holds no run: expected a directory with a config.toml")]
    NoRun {
        /// The directory.
        path: PathBuf,
    },
    /// The directory holds a run with other settings.
    #[error(
        "{path} was started with {key} = {was}; {key} = {is} would be another run: choose another \
         directory, or delete this one"
    )]
    OtherConfiguration {
        /// The directory.
        path: PathBuf,
        /// The first setting that differs.
        key: String,
        /// Its value in the directory's configuration.
        was: String,
        /// Its value now.
        is: String,
    },
    /// There are checkpoints, but none is usable. Nothing was deleted.
    #[error(
        "{path}: no checkpoint can be used ({}); nothing was deleted: restore the changed files, or \
         move the directory of this seed away to start it anew",
        list(reasons)
    )]
    NoUsableCheckpoint {
        /// The directory of the checkpoints.
        path: PathBuf,
        /// The problem of each, the newest first.
        reasons: Vec<CheckpointError>,
    },
    /// Files of the run were removed, replaced or moved during the training.
    #[error(
        "{path} was removed or replaced during the training, so nothing more is written: put it \
         back and continue with --resume, or start anew"
    )]
    Gone {
        /// The missing file or directory.
        path: PathBuf,
    },
    /// The environment or the agent panicked.
    #[error(
        "seed {seed}: the environment or the agent panicked: {message}. The other seeds are \
         unaffected. Fix it, then continue the run with --resume"
    )]
    Panicked {
        /// The seed that panicked.
        seed: u64,
        /// The message of the panic.
        message: String,
    },
    /// Seeds of an experiment failed. The results of the others are kept.
    #[error("{}", describe(failures))]
    SeedsFailed {
        /// The results of the other seeds, in the order of the experiment's seeds.
        summaries: Vec<(u64, Summary)>,
        /// The error of each failed seed, in the same order. At least one.
        failures: Vec<(u64, TrainError)>,
    },
    /// The agent failed.
    #[error(transparent)]
    Agent(AgentError),
    /// An environment failed.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// A checkpoint could not be written or restored.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl From<AgentError> for TrainError {
    /// An environment's error, also where an agent passed it on.
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::Env(error) => Self::Env(error),
            error => Self::Agent(error),
        }
    }
}

impl From<gymnast_base::atomic_file::WriteError> for TrainError {
    fn from(error: gymnast_base::atomic_file::WriteError) -> Self {
        Self::File { action: "write", path: error.path, source: error.source }
    }
}

impl TrainError {
    /// Returns the error of the first seed if seeds of an experiment failed; any other error
    /// unchanged.
    #[must_use]
    pub fn first_failure(self) -> Self {
        match self {
            Self::SeedsFailed { mut failures, .. } if !failures.is_empty() => {
                failures.swap_remove(0).1
            }
            other => other,
        }
    }

    /// The error for a file that the system would not let us use.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { action, path, source }
    }
}

fn describe(failures: &[(u64, TrainError)]) -> String {
    let [(seed, first), others @ ..] = failures else { return "no seed failed".to_owned() };
    let first = match first {
        // It names its seed.
        TrainError::Panicked { .. } => first.to_string(),
        _ => format!("seed {seed}: {first}"),
    };
    let others = others.iter().map(|(seed, _)| format!("; seed {seed} failed too"));
    std::iter::once(first).chain(others).collect()
}

fn list(reasons: &[CheckpointError]) -> String {
    let reasons: Vec<_> = reasons.iter().map(ToString::to_string).collect();
    reasons.join("; ")
}

fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::StorageFull => ": free some space, then continue with --resume",
        std::io::ErrorKind::PermissionDenied => ": choose a directory that you may write to",
        std::io::ErrorKind::NotFound => ": check the path",
        _ => "",
    }
}
