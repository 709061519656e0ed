//! Why the results of another program could not be read.

use std::path::{Path, PathBuf};

use gymnast_core::text::escape_name;
use thiserror::Error;

use super::READABLE;

/// Why the results of another program could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ForeignError {
    /// The operating system refused it.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The path holds nothing that can be read.
    #[error("{path} holds no run: expected {READABLE}")]
    Unknown {
        /// The file or folder.
        path: PathBuf,
    },
    /// A file has invalid contents.
    #[error("{path}: {reason}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The place and the problem: expected, got.
        reason: String,
    },
    /// The file is a pickle, or holds one.
    #[error(
        "{path} holds a pickle, which is refused because reading it runs code: in Python, write the arrays \
         with numpy.savez(path, **scores), or the lists with json.dump"
    )]
    Pickle {
        /// The file.
        path: PathBuf,
    },
    /// The file lacks the series of returns.
    #[error(
        "{path} lacks a series of returns: expected {expected}, found {}; choose one with --tag",
        listed(found)
    )]
    NoSeries {
        /// The file or folder.
        path: PathBuf,
        /// The names expected.
        expected: String,
        /// The names found.
        found: Vec<String>,
    },
    /// Nothing says which environment it was.
    #[error("{path} does not say its environment: name it, for example @CartPole-v1={path}")]
    NoEnv {
        /// The file or folder.
        path: PathBuf,
    },
    /// Two trainings of one run have the same seed.
    #[error(
        "{first} and {second} are both seed {seed} of {run}: leave one out, or name one otherwise: \
         NAME={second}"
    )]
    SameSeed {
        /// The agent and environment.
        run: String,
        /// The seed.
        seed: u64,
        /// The one read first.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}

/// The most names that a message lists.
const MOST_NAMES: usize = 12;

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let shown: Vec<_> = names.iter().take(MOST_NAMES).map(|name| escape_name(name)).collect();
    let more = names.len() - shown.len();
    shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

impl ForeignError {
    pub(super) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }

    pub(super) fn invalid(path: &Path, reason: impl Into<String>) -> Self {
        // It may repeat what the file holds.
        let reason = escape_name(&reason.into()).into_owned();
        Self::Invalid { path: path.to_owned(), reason }
    }

    /// Returns whether the call is at fault, not a file.
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::Unknown { .. }
                | Self::NoSeries { .. }
                | Self::NoEnv { .. }
                | Self::SameSeed { .. }
                | Self::Pickle { .. }
        )
    }
}
