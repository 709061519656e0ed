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
    /// An entry holds a number that nothing can be learned from.
    #[error(
        "checkpoint entry `{name}` holds {value}: it is not saved, and what was saved before stays. The \
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
        /// How that was found.
        reason: String,
    },
    /// A checkpoint was written in another format, by another version.
    #[error(
        "{path} has format {found}, and this version reads format {reads}: continue with the version \
         that made it{}, or begin anew in another directory",
        made_by(version.as_deref())
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The format that this version reads.
        reads: u64,
        /// The version that made it, where the file says so.
        version: Option<String>,
    },
    /// A checkpoint belongs to another run, or its run was changed since.
    #[error("{path} was made with {key} = {was}, not with {key} = {is}")]
    Foreign {
        /// The file.
        path: PathBuf,
        /// In what it differs.
        key: String,
        /// What the checkpoint says.
        was: String,
        /// What the run says now.
        is: String,
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
    /// Whether an older checkpoint may do instead: this one can never be taken up.
    ///
    /// Not where the file could not be read, which may succeed another time, nor where it is sound but
    /// of another version, which can still read it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Read { .. } | Self::Write(_) | Self::Format { .. })
    }

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

fn made_by(version: Option<&str>) -> String {
    version.map_or_else(String::new, |version| format!(" (gymnast {version})"))
}
