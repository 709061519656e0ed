//! Errors of a search.

use std::io;
use std::path::PathBuf;

use crate::SettingError;
use crate::atomic_file::WriteError;
use crate::text::number;

/// Why a search cannot start or continue. A failed trial is not an error: it is recorded.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// The ends do not form a valid range.
    #[error("{name}: expected {expected}, got {} to {}", number(*low), number(*high))]
    Range {
        /// The name of the parameter.
        name: String,
        /// The requirement.
        expected: &'static str,
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// A parameter has no choices, or a choice occurs twice.
    #[error("{name}: expected at least one choice and each only once, got {choices}")]
    Choices {
        /// The name of the parameter.
        name: String,
        /// The choices as JSON.
        choices: String,
    },
    /// A trial asked for a parameter again with another distribution.
    #[error("{name} was first suggested from {was}, now from {is}: expected the same distribution")]
    Redefined {
        /// The name of the parameter.
        name: String,
        /// The first distribution.
        was: String,
        /// The second distribution.
        is: String,
    },
    /// A space names a parameter twice.
    #[error("{0} occurs twice: expected each parameter once")]
    Twice(String),
    /// The space has no parameters.
    #[error("the space has no parameters: expected at least one")]
    EmptySpace,
    /// A trial asked for a parameter that the grid does not hold.
    #[error(
        "the trial asks for {name} as {asked}, but the grid holds {holds}: ask for the grid's parameters"
    )]
    NotInGrid {
        /// The name of the parameter.
        name: String,
        /// The distribution asked for.
        asked: String,
        /// The distribution in the grid.
        holds: String,
    },
    /// A setting of the study, its sampler or its pruner is out of its range.
    #[error("{} = {}: expected {}", .0.key, .0.value, .0.allowed)]
    Setting(#[from] SettingError),
    /// There are too few trials to compute importances.
    #[error("importances need at least {needed} complete trials: got {got}")]
    TooFewTrials {
        /// The number needed.
        needed: usize,
        /// The number of complete trials.
        got: usize,
    },
    /// All trials have the same value, so no parameter can explain a difference.
    #[error("importances need different values: all {got} complete trials have the same value")]
    EqualValues {
        /// The number of complete trials.
        got: usize,
    },
    /// The study's file already exists.
    #[error("{} already exists: resume the study, or choose another file", .0.display())]
    Exists(PathBuf),
    /// The study's file holds a study with other settings.
    #[error("{} is a study with other settings: give the same, or choose another file", .0.display())]
    OtherStudy(PathBuf),
    /// A study's file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// "read", "write", …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A study's file exceeds the size limit, or would.
    #[error(
        "{} would exceed {most} bytes: end this study and start another in a new file",
        path.display()
    )]
    Full {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        most: u64,
    },
    /// A study's file is damaged.
    #[error("{}, line {line}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What was expected and what came.
        reason: String,
    },
    /// A study's file could not be created or written.
    #[error(transparent)]
    Write(#[from] WriteError),
}
