//! The errors of the command.

use std::{io, process::ExitCode};

use gymnast_core::{atomic_file::WriteError, plot::PlotError};
use gymnast_envs::EnvError;
use gymnast_harness::{AgentError, CheckpointError, TrainError, foreign::ForeignError};

use crate::{catalog::UnknownAgent, run::RunError};

/// Why the command failed; determines the exit code.
#[derive(Debug)]
pub(crate) enum CommandError {
    /// The call is invalid: exit code 2.
    Usage(String),
    /// The work failed: exit code 1.
    Failed(String),
    /// The reader of the output is gone. Not a failure.
    ClosedPipe,
}

impl CommandError {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// Says what the error is about.
    pub(crate) fn about(self, what: &str) -> Self {
        match self {
            Self::Usage(message) => Self::Usage(format!("{what}: {message}")),
            Self::Failed(message) => Self::Failed(format!("{what}: {message}")),
            Self::ClosedPipe => Self::ClosedPipe,
        }
    }

    /// Returns the message for the user.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Usage(message) | Self::Failed(message) => Some(message.trim_end()),
            Self::ClosedPipe => None,
        }
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) => ExitCode::from(2),
            Self::Failed(_) => ExitCode::FAILURE,
            Self::ClosedPipe => ExitCode::SUCCESS,
        }
    }
}

impl From<io::Error> for CommandError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => Self::Failed(format!("cannot write the output: {error}")),
        }
    }
}

impl From<TrainError> for CommandError {
    fn from(error: TrainError) -> Self {
        if matches!(error, TrainError::SeedsFailed { .. }) {
            let text = error.to_string();
            // The first error determines the kind of failure; the directory holds the results of
            // the other seeds.
            return match error.first_failure().into() {
                Self::Usage(_) => Self::Usage(text),
                Self::Failed(_) => Self::Failed(text),
                Self::ClosedPipe => Self::ClosedPipe,
            };
        }
        match error {
            TrainError::InvalidSetting(_)
            | TrainError::RunExists { .. }
            | TrainError::NotEmpty { .. }
            | TrainError::NoRun { .. }
            | TrainError::OtherConfiguration { .. }
            | TrainError::Agent(AgentError::InvalidConfig(_)) => Self::usage(error.to_string()),
            TrainError::Env(error) => error.into(),
            other => Self::failed(other.to_string()),
        }
    }
}

impl From<ForeignError> for CommandError {
    fn from(error: ForeignError) -> Self {
        let text = error.to_string();
        if error.is_usage() { Self::Usage(text) } else { Self::Failed(text) }
    }
}

impl From<AgentError> for CommandError {
    fn from(error: AgentError) -> Self {
        TrainError::from(error).into()
    }
}

impl From<EnvError> for CommandError {
    fn from(error: EnvError) -> Self {
        match error {
            EnvError::UnknownId { .. }
            | EnvError::UnknownWrapper { .. }
            | EnvError::WrapperMisfit(_)
            | EnvError::InvalidOption { .. } => Self::usage(error.to_string()),
            other => Self::failed(other.to_string()),
        }
    }
}

impl From<RunError> for CommandError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Train(error) => error.into(),
            RunError::Env(error) => error.into(),
            RunError::File { .. } | RunError::NoCheckpoint { .. } | RunError::NoBest { .. } => {
                Self::failed(error.to_string())
            }
            other => Self::usage(other.to_string()),
        }
    }
}

impl From<UnknownAgent> for CommandError {
    fn from(error: UnknownAgent) -> Self {
        Self::usage(error.to_string())
    }
}

impl From<CheckpointError> for CommandError {
    fn from(error: CheckpointError) -> Self {
        Self::failed(error.to_string())
    }
}

impl From<PlotError> for CommandError {
    fn from(error: PlotError) -> Self {
        match error {
            PlotError::Extension(_) => Self::usage(error.to_string()),
            other => Self::failed(other.to_string()),
        }
    }
}

impl From<WriteError> for CommandError {
    fn from(error: WriteError) -> Self {
        Self::failed(error.to_string())
    }
}
