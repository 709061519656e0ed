//! Cross-validation: evaluates a model on rows it was not trained on.
//!
//! A splitter ([`KFold`], [`StratifiedKFold`], [`GroupKFold`], [`TimeSeriesSplit`], …) returns
//! [`Folds`], an iterator over the numbers of training and test rows ([`Fold`]); unshuffled folds
//! equal scikit-learn's. [`cross_validate`] trains and scores on each fold;
//! [`nested_cross_validate`] also chooses settings.
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
pub use score::{FoldScores, Nested, cross_val_score, cross_validate, nested_cross_validate};
pub use stratified::{RepeatedStratifiedKFold, StratifiedKFold};
pub use time_series::TimeSeriesSplit;

use thiserror::Error;

/// Why folds cannot be made or compared.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum KFoldError {
    /// There are fewer than two folds, or no repetitions.
    #[error("{key} must be at least {least}, got {got}")]
    TooFew {
        /// The setting's name.
        key: &'static str,
        /// The smallest allowed value.
        least: usize,
        /// The value given.
        got: usize,
    },
    /// There are more folds than rows.
    #[error("{n_splits} folds need at least {n_splits} rows, got {rows}")]
    MoreFoldsThanRows {
        /// The number of folds.
        n_splits: usize,
        /// The number of rows.
        rows: usize,
    },
    /// A class has fewer rows than there are folds, so some folds could not test it.
    #[error(
        "class {class} has {rows} rows: {n_splits} folds need at least {n_splits} of each class"
    )]
    SmallClass {
        /// The class.
        class: usize,
        /// The number of its rows.
        rows: usize,
        /// The number of folds.
        n_splits: usize,
    },
    /// There are fewer groups than folds.
    #[error("{n_splits} folds need at least {n_splits} groups, got {groups}")]
    TooFewGroups {
        /// The number of folds.
        n_splits: usize,
        /// The number of groups.
        groups: usize,
    },
    /// The time series is too short.
    #[error(
        "{n_splits} folds, each testing {test_size} rows after a gap of {gap}, leave none of {rows} \
         rows to train with"
    )]
    ShortSeries {
        /// The number of folds.
        n_splits: usize,
        /// The number of test rows in each fold.
        test_size: usize,
        /// The number of rows between training and test part.
        gap: usize,
        /// The number of rows.
        rows: usize,
    },
    /// There are too many rows to number in memory.
    #[error("{rows} rows, {times} times over, are too many: expected at most {most} in all")]
    TooManyRows {
        /// The number of rows.
        rows: usize,
        /// The number of repetitions.
        times: usize,
        /// The largest number of rows, over all repetitions.
        most: usize,
    },
    /// There are no folds or candidates.
    #[error("got no {0}: expected at least one")]
    Nothing(&'static str),
    /// Two folds have scores of different names.
    #[error("fold {fold} has the scores {got:?}, fold 0 has {expected:?}: expected the same names")]
    ScoreNames {
        /// The later fold, from 0.
        fold: usize,
        /// The names in the first fold.
        expected: Vec<String>,
        /// The names in the later fold.
        got: Vec<String>,
    },
    /// An inner fold contains an invalid row number.
    #[error("an inner fold names row {row} of {rows}: expected numbers from 0, below {rows}")]
    NoSuchRow {
        /// The row.
        row: usize,
        /// The number of rows.
        rows: usize,
    },
    /// A candidate's score is NaN or infinite.
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
