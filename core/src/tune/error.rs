//! Why a search cannot be, or not go on.

use std::io;
use std::path::PathBuf;

use crate::atomic_file::WriteError;
use crate::text::number;

/// Why a search cannot be, or not go on. A trial that fails is none of these: it is recorded.
#[derive(Debug, thiserror::Error)]
pub enum TuneError {
    /// The ends of a range are no range.
    #[error("{name}: expected {expected}, got {} to {}", number(*low), number(*high))]
    Range {
        /// The parameter.
        name: String,
        /// What the ends must be.
        expected: &'static str,
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// The choices of a parameter are none, or one is there twice.
    #[error("{name}: expected at least one choice and each only once, got {choices}")]
    Choices {
        /// The parameter.
        name: String,
        /// The choices as JSON.
        choices: String,
    },
    /// A trial asked for a parameter again, with another distribution.
    #[error("{name} was asked for as {was} and is now asked for as {is}: expected the same again")]
    Redefined {
        /// The parameter.
        name: String,
        /// The distribution that it was asked for with first.
        was: String,
        /// The distribution asked for now.
        is: String,
    },
    /// A parameter is named twice in a space.
    #[error("{0} is there twice: expected each parameter once")]
    Twice(String),
    /// There is nothing to search.
    #[error("the space holds no parameter: expected at least one")]
    EmptySpace,
    /// A grid does not hold what a trial asks for.
    #[error("the grid holds {holds}, and the trial asks for {name} as {asked}")]
    NotInGrid {
        /// The parameter.
        name: String,
        /// What was asked for.
        asked: String,
        /// What the grid holds under that name.
        holds: String,
    },
    /// A setting of the study, its sampler or its pruner lies outside its range.
    #[error("{key} = {}: expected {expected}", number(*value))]
    Setting {
        /// The setting.
        key: &'static str,
        /// What it was set to.
        value: f64,
        /// What would be right.
        expected: &'static str,
    },
    /// Too few trials to say what matters.
    #[error("importances need at least {needed} complete trials: got {got}")]
    TooFewTrials {
        /// The least number.
        needed: usize,
        /// The trials that there are.
        got: usize,
    },
    /// All trials came to the same value, of which nothing can be the cause.
    #[error("importances need values that differ: all {got} complete trials came to the same")]
    EqualValues {
        /// The trials that there are.
        got: usize,
    },
    /// A study's file is there already.
    #[error("{} holds a study already: resume it, or choose another file", .0.display())]
    Exists(PathBuf),
    /// A study's file cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// "read", "write", …
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A study's file is, or would be, larger than is read.
    #[error(
        "{} would hold more than {most} bytes: end this study, and begin another in its own file",
        path.display()
    )]
    Full {
        /// The file.
        path: PathBuf,
        /// The most bytes.
        most: u64,
    },
    /// A study's file does not hold a study.
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
