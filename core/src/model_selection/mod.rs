//! Cross-validation: how well something learns, judged by rows that it has not learned from.
//!
//! A splitter ([`KFold`], [`StratifiedKFold`], [`GroupKFold`], [`TimeSeriesSplit`], …) gives [`Folds`], an
//! iterator over numbers of rows to train and to test with ([`Fold`]); unshuffled ones are scikit-learn's.
//! [`cross_validate`] trains and scores on each; [`nested_cross_validate`] chooses settings within.
//!
//! ```
//! use gymnast_core::data::load_breast_cancer;
//! use gymnast_core::model_selection::{KFoldError, StratifiedKFold, cross_val_score};
//!
//! // How often is the more frequent class right?
//! let data = load_breast_cancer();
//! let classes = data.classes().expect("it is for classification");
//! let folds = StratifiedKFold { n_splits: 5 }.split(&classes)?;
//! let scores = cross_val_score(&folds, |fold| {
//!     let benign = |rows: &[usize]| rows.iter().filter(|row| classes[**row] == 1).count() as f64;
//!     let answer_benign = benign(&fold.train) > fold.train.len() as f64 / 2.0;
//!     let share = benign(&fold.test) / fold.test.len() as f64;
//!     Ok::<f64, KFoldError>(if answer_benign { share } else { 1.0 - share })
//! })?;
//! assert!((scores.mean().expect("finite scores") - 0.627).abs() < 0.001);
//! # Ok::<(), KFoldError>(())
//! ```

mod folds;
mod k_fold;
mod score;
mod stratified;
#[cfg(test)]
mod tests;
mod time_series;

pub use folds::{Fold, Folds};
pub use k_fold::{GroupKFold, KFold, LeaveOneOut};
pub use score::{Nested, Scores, cross_val_score, cross_validate, nested_cross_validate};
pub use stratified::{RepeatedStratifiedKFold, StratifiedKFold};
pub use time_series::TimeSeriesSplit;

use thiserror::Error;

/// Why there are no folds, or none that can be compared.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum KFoldError {
    /// Fewer folds than two, or none to repeat.
    #[error("{key} must be at least {least}, got {got}")]
    TooFew {
        /// The setting's name.
        key: &'static str,
        /// The least that it may be.
        least: usize,
        /// What it was.
        got: usize,
    },
    /// More folds than rows.
    #[error("{n_splits} folds need as many rows at least, got {rows}")]
    MoreFoldsThanRows {
        /// The number of folds.
        n_splits: usize,
        /// The number of rows.
        rows: usize,
    },
    /// A class has fewer rows than there are folds, so that some would test none of it.
    #[error("class {class} has {rows} rows: {n_splits} folds need as many at least")]
    SmallClass {
        /// The class.
        class: usize,
        /// How many rows it has.
        rows: usize,
        /// The number of folds.
        n_splits: usize,
    },
    /// Fewer groups than folds.
    #[error("{n_splits} folds need as many groups at least, got {groups}")]
    TooFewGroups {
        /// The number of folds.
        n_splits: usize,
        /// The number of groups.
        groups: usize,
    },
    /// The series is too short.
    #[error(
        "{n_splits} folds, each testing {test_size} rows after a gap of {gap}, leave none of {rows} \
         rows to train with"
    )]
    ShortSeries {
        /// The number of folds.
        n_splits: usize,
        /// The rows that each tests.
        test_size: usize,
        /// The rows left out between the two parts.
        gap: usize,
        /// The rows that there are.
        rows: usize,
    },
    /// There are more rows than can be numbered in memory.
    #[error("{rows} rows, {times} times over, are too many: expected at most {most} in all")]
    TooManyRows {
        /// The number of rows.
        rows: usize,
        /// How many times they are split.
        times: usize,
        /// The most rows of all times together.
        most: usize,
    },
    /// There is nothing to choose from.
    #[error("there are no {0}: expected at least one")]
    Nothing(&'static str),
    /// Two folds were scored by different names.
    #[error("fold {fold} was scored by {got:?}, fold 0 by {expected:?}: expected the same names")]
    ScoreNames {
        /// The later fold.
        fold: usize,
        /// The first fold's names.
        expected: Vec<String>,
        /// The later one's.
        got: Vec<String>,
    },
    /// An inner fold has a row that it was not given.
    #[error("an inner fold names row {row} of {rows}: expected numbers from 0, below {rows}")]
    NoSuchRow {
        /// The row.
        row: usize,
        /// How many there are.
        rows: usize,
    },
    /// A score by which to choose is NaN or infinite.
    #[error("candidate {candidate} scored {score} in a fold: expected a finite number")]
    Score {
        /// The candidate, from 0.
        candidate: usize,
        /// Its score.
        score: f64,
    },
}

fn at_least(key: &'static str, least: usize, got: usize) -> Result<(), KFoldError> {
    if got < least { Err(KFoldError::TooFew { key, least, got }) } else { Ok(()) }
}

fn check_rows(n_splits: usize, rows: usize) -> Result<(), KFoldError> {
    at_least("n_splits", 2, n_splits)?;
    if n_splits > rows {
        return Err(KFoldError::MoreFoldsThanRows { n_splits, rows });
    }
    folds::check_size(rows, 1)
}
