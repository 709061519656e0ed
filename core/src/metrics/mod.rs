//! Metrics of classification, probabilities, ranking and regression.
//!
//! `update` collects rows batch by batch. Each score is computed over all rows, never as an average
//! of the batches' scores. One collector serves all scores of its kind, so one pass over the data
//! suffices: each score is a method, and [`Metric::compute`] returns the usual ones.
//!
//! | collector | of each row | scores |
//! |---|---|---|
//! | [`ConfusionMatrix`] | true and predicted class | accuracy, precision, recall, F-beta, MCC, a report |
//! | [`BinaryScores`] | true class 0 or 1, any score | ROC-AUC, average precision, their curves |
//! | [`Probabilities`] | true class, a probability a class | log loss, Brier score, calibration, ROC-AUC |
//! | [`Regression`] | two numbers | MSE, RMSE, MAE, R², Pearson's correlation |
//! | [`Retrieval`] | relevance and scores of a query | NDCG, reciprocal rank, average precision |
//! | [`Subgroups`] | a group and the above | the same scores for each group |
//!
//! For rows in memory there are functions with scikit-learn's names ([`f1_score`],
//! [`roc_auc_score`], [`log_loss`], …). Classes are numbered from 0; in two-class scores 1 is the
//! positive class. Scores may have any type that converts to `f64` without loss, such as `f32`;
//! everything is computed in `f64`. Rows of several numbers are stored row by row, `[B, C]`.
//!
//! A score that is undefined on the given rows is an error ([`MetricError::Undefined`]), also where
//! scikit-learn warns and returns 0: ROC-AUC of one class, R² of a constant target. Where 0/0 has
//! several sensible values, the caller chooses one with [`ZeroDivision`]. An `update` that returns
//! an error leaves its collector unchanged.
//!
//! ```
//! use gymnast_core::metrics::{Average, ConfusionMatrix, ZeroDivision, roc_auc_score};
//!
//! let mut matrix = ConfusionMatrix::new(3)?;
//! matrix.update(&[0, 1, 2], &[0, 2, 1])?; // a batch: the true classes, the predicted ones
//! matrix.update(&[0, 1, 2], &[0, 0, 1])?;
//! assert_eq!(matrix.accuracy()?, 2.0 / 6.0);
//! let f1 = matrix.f1(Average::Macro, ZeroDivision::Zero)?;
//! assert!((f1 - 0.8 / 3.0).abs() < 1e-12);
//!
//! assert_eq!(roc_auc_score(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8])?, 0.75);
//! # Ok::<(), gymnast_core::metrics::MetricError>(())
//! ```

mod binary_scores;
mod calibration;
mod checks;
mod class_counts;
mod classification_report;
mod classification_scores;
mod confusion_matrix;
mod curves;
mod metric;
mod n_gram;
mod probabilities;
mod regression;
mod retrieval;
mod sequences;
mod similarity;
mod subgroups;
mod unit;

pub use binary_scores::{BinaryScores, average_precision_score, fpr_at_tpr, roc_auc_score};
pub use calibration::{
    Calibration, CalibrationBin, expected_calibration_error, multiclass_expected_calibration_error,
};
pub(crate) use checks::uneven_row;
pub use class_counts::{Average, ZeroDivision};
pub use classification_report::{
    ClassScores, ClassificationReport, MeanScores, classification_report,
};
pub use classification_scores::{
    accuracy_score, balanced_accuracy_score, f1_score, fbeta_score, jaccard_score,
    matthews_corrcoef, precision_score, recall_score,
};
pub use confusion_matrix::{ConfusionMatrix, Normalize, confusion_matrix};
pub use curves::{PrecisionRecallCurve, RocCurve, precision_recall_curve, roc_curve};
pub use metric::{Metric, NamedScores, Update};
pub use n_gram::n_gram_similarity;
pub use probabilities::{
    Probabilities, brier_score_loss, log_loss, multiclass_average_precision_score,
    multiclass_brier_score_loss, multiclass_log_loss, multiclass_roc_auc_score,
};
pub use regression::{
    Regression, mean_absolute_error, mean_squared_error, pearson_correlation, r2_score,
    root_mean_squared_error,
};
pub use retrieval::{Retrieval, mean_average_precision, mean_reciprocal_rank, ndcg_score};
pub use sequences::{edit_distance, sequence_error_rate, token_error_rate};
pub use similarity::{
    cosine_similarity, euclidean_distance, jaccard_similarity, manhattan_distance,
};
pub use subgroups::{NamedScore, SubgroupReport, SubgroupRow, Subgroups};

use crate::SettingError;
use crate::text::number;

/// Why rows cannot be scored, or why a score is undefined.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MetricError {
    /// There are no rows.
    #[error("got no rows: expected at least one row to score")]
    Empty,
    /// Two inputs have different lengths.
    #[error("expected {expected} {what}, got {got}")]
    Length {
        /// What was counted.
        what: &'static str,
        /// The number expected.
        expected: usize,
        /// The number given.
        got: usize,
    },
    /// A class that does not exist.
    #[error("row {row} is of class {class}: expected a class below {classes}")]
    Class {
        /// The row of the batch, from 0.
        row: usize,
        /// Its class.
        class: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A number is NaN or infinite.
    #[error("number {index} of the {what} is {value}: expected finite numbers")]
    NotFinite {
        /// The name of the input.
        what: &'static str,
        /// The index of the number, from 0.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A number is NaN; infinity would be allowed.
    #[error("number {index} of the {what} is NaN: expected numbers")]
    NotANumber {
        /// The name of the input.
        what: &'static str,
        /// The index of the number, from 0.
        index: usize,
    },
    /// A probability below 0 or above 1.
    #[error("probability {index} is {}: expected a number from 0 to 1", number(*value))]
    Probability {
        /// The index of the probability, from 0.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The probabilities of a row do not sum to 1.
    #[error("the probabilities of row {row} sum to {}: expected 1", number(*sum))]
    RowSum {
        /// The row of the batch, from 0.
        row: usize,
        /// The sum of its probabilities.
        sum: f64,
    },
    /// The relevance of a document is negative.
    #[error("the relevance of document {index} is {}: expected at least 0", number(*value))]
    NegativeRelevance {
        /// The document of the query, from 0.
        index: usize,
        /// Its relevance.
        value: f64,
    },
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The score is undefined on these rows.
    #[error("{score} is undefined here: {why}")]
    Undefined {
        /// The name of the score.
        score: &'static str,
        /// The reason.
        why: &'static str,
    },
}
