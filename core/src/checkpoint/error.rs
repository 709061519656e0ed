use std::path::PathBuf;

use thiserror::Error;

/// Why a state could not be written or taken up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// An entry is missing.
    #[error(
        "the checkpoint has no entry `{name}`: it was made with other settings or by another version"
    )]
    Missing {
        /// The entry's full name.
        name: String,
    },
    /// An entry does not fit.
    #[error("checkpoint entry `{name}`: expected {expected}, got {got}")]
    Mismatch {
        /// The entry's full name.
        name: String,
        /// What was expected.
        expected: String,
        /// What was found.
        got: String,
    },
    /// A file is damaged.
    #[error("{path} is damaged ({reason})")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How that was found.
        reason: String,
    },
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] crate::atomic_file::WriteError),
    /// A part could not take up its state, for a reason of its own.
    #[error(transparent)]
    Part(Box<dyn std::error::Error + Send + Sync>),
}

impl CheckpointError {
    /// The error for an entry that does not fit.
    pub fn mismatch(name: &str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        let (expected, got) = (expected.into(), got.into());
        Self::Mismatch { name: name.to_owned(), expected, got }
    }

    /// A part's own reason.
    pub fn part(reason: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Part(Box::new(reason))
    }

    /// The same error, its entry named from one level further up.
    pub(super) fn below(self, part: &str) -> Self {
        let join = |name: String| format!("{part}/{name}");
        match self {
            Self::Missing { name } => Self::Missing { name: join(name) },
            Self::Mismatch { name, expected, got } => {
                Self::Mismatch { name: join(name), expected, got }
            }
            other => other,
        }
    }
}
