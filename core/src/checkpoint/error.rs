use std::path::PathBuf;

use thiserror::Error;

/// Why a state could not be saved or restored.
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
    /// An entry has an unexpected value or shape.
    #[error("checkpoint entry `{name}`: expected {expected}, got {got}")]
    Mismatch {
        /// The entry's full name.
        name: String,
        /// What was expected.
        expected: String,
        /// What was found.
        got: String,
    },
    /// An entry holds a number that is not finite.
    #[error(
        "checkpoint entry `{name}` holds {value}: it was not saved, the previous checkpoint is kept. The \
         training has diverged: try a lower learning rate, or smaller rewards or targets"
    )]
    NotFinite {
        /// The entry's full name.
        name: String,
        /// The number.
        value: f64,
    },
    /// A file is damaged.
    #[error("{path} is damaged ({reason})")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The evidence of the damage.
        reason: String,
    },
    /// A checkpoint has the format of another version.
    #[error(
        "{path} has format {found}, and this version reads format {reads}: continue with the version \
         that made it{}, or start anew in another directory",
        made_by(version.as_deref())
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// The format of the file.
        found: u64,
        /// The format that this version reads.
        reads: u64,
        /// The version that wrote it, if the file names one.
        version: Option<String>,
    },
    /// A checkpoint belongs to another run, or the run's settings have changed.
    #[error("{path} was made with {key} = {was}, not with {key} = {is}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The setting that differs.
        key: String,
        /// Its value in the checkpoint.
        was: String,
        /// Its value in the run.
        is: String,
    },
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error(transparent)]
    Write(#[from] crate::atomic_file::WriteError),
    /// A part could not restore its state.
    #[error(transparent)]
    Part(Box<dyn std::error::Error + Send + Sync>),
}

impl CheckpointError {
    /// Returns whether the checkpoint can never be restored, so that an older one should be used.
    ///
    /// False if the file could not be read, which may succeed later, or if it is intact but from
    /// another version, which can still read it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Read { .. } | Self::Write(_) | Self::Format { .. })
    }

    /// Creates the error for an entry with an unexpected value.
    pub fn mismatch(name: &str, expected: impl Into<String>, got: impl Into<String>) -> Self {
        let (expected, got) = (expected.into(), got.into());
        Self::Mismatch { name: name.to_owned(), expected, got }
    }

    /// Wraps the error of a part.
    pub fn part(reason: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Part(Box::new(reason))
    }

    /// Returns the same error, with the part's name prefixed to its entry.
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

fn made_by(version: Option<&str>) -> String {
    version.map_or_else(String::new, |version| format!(" (gymnast {version})"))
}
