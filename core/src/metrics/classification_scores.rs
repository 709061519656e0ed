//! Classification scores as functions, under scikit-learn's names.
//!
//! Classes may be any numbers, for example 7 and 4000: only those that occur count. All functions
//! return [`MetricError::Length`] unless every true class has one predicted class, and
//! [`MetricError::Empty`] without rows.

use super::MetricError;
use super::class_counts::{Average, ClassCounts, Ratio, ZeroDivision};

/// Returns the fraction of rows whose class was predicted.
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Empty`].
pub fn accuracy_score(truth: &[usize], predicted: &[usize]) -> Result<f64, MetricError> {
    ClassCounts::of_rows(truth, predicted)?.accuracy()
}

/// Returns the mean recall over the classes that occur among the true ones.
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Empty`].
pub fn balanced_accuracy_score(truth: &[usize], predicted: &[usize]) -> Result<f64, MetricError> {
    ClassCounts::of_rows(truth, predicted)?.balanced_accuracy()
}

/// Returns TP / (TP + FP): the fraction of the predicted rows that is right.
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Empty`]; [`MetricError::Undefined`] for 0/0 under
/// [`ZeroDivision::Undefined`].
pub fn precision_score(
    truth: &[usize],
    predicted: &[usize],
    average: Average,
    zero_division: ZeroDivision,
) -> Result<f64, MetricError> {
    ClassCounts::of_rows(truth, predicted)?.score(Ratio::Precision, average, zero_division)
}

/// Returns TP / (TP + FN): the fraction of the true rows that was predicted.
///
/// # Errors
/// As [`precision_score`].
pub fn recall_score(
    truth: &[usize],
    predicted: &[usize],
    average: Average,
    zero_division: ZeroDivision,
) -> Result<f64, MetricError> {
    ClassCounts::of_rows(truth, predicted)?.score(Ratio::Recall, average, zero_division)
}

/// Returns 2 TP / (2 TP + FP + FN): the harmonic mean of precision and recall, defined even if one
/// of them is not.
///
/// # Errors
/// As [`precision_score`].
pub fn f1_score(
    truth: &[usize],
    predicted: &[usize],
    average: Average,
    zero_division: ZeroDivision,
) -> Result<f64, MetricError> {
    fbeta_score(truth, predicted, 1.0, average, zero_division)
}

/// Returns (1 + β²) TP / ((1 + β²) TP + β² FN + FP): recall counts β times as much as precision.
///
/// # Errors
/// As [`precision_score`]; [`MetricError::Setting`] if `beta` is negative or NaN.
pub fn fbeta_score(
    truth: &[usize],
    predicted: &[usize],
    beta: f64,
    average: Average,
    zero_division: ZeroDivision,
) -> Result<f64, MetricError> {
    let ratio = Ratio::f_beta(beta)?;
    ClassCounts::of_rows(truth, predicted)?.score(ratio, average, zero_division)
}

/// Returns TP / (TP + FP + FN): the overlap of the rows where a class is true and those where it
/// was predicted.
///
/// # Errors
/// As [`precision_score`].
pub fn jaccard_score(
    truth: &[usize],
    predicted: &[usize],
    average: Average,
    zero_division: ZeroDivision,
) -> Result<f64, MetricError> {
    ClassCounts::of_rows(truth, predicted)?.score(Ratio::Jaccard, average, zero_division)
}

/// Returns Matthews' correlation coefficient of any number of classes, from −1 to 1; 0 is chance.
///
/// Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient" (2004),
/// equation 8.
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Empty`]; [`MetricError::Undefined`] if only one class is
/// true or only one was predicted (scikit-learn returns 0).
pub fn matthews_corrcoef(truth: &[usize], predicted: &[usize]) -> Result<f64, MetricError> {
    ClassCounts::of_rows(truth, predicted)?.mcc()
}
