//! Scores of predicted classes in one call, under scikit-learn's names.
//!
//! Classes may be any numbers, 7 and 4000 for example: only those that occur count. All refuse with
//! [`MetricError::Length`] where there is not one predicted class for each true one, and with
//! [`MetricError::Empty`] where there is none.

use super::MetricError;
use super::class_counts::{Average, ClassCounts, Ratio, ZeroDivision};

/// The share of rows whose class was predicted.
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Empty`].
pub fn accuracy_score(truth: &[usize], predicted: &[usize]) -> Result<f64, MetricError> {
    ClassCounts::of_rows(truth, predicted)?.accuracy()
}

/// The mean of the recalls of the classes that are true somewhere.
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Empty`].
pub fn balanced_accuracy_score(truth: &[usize], predicted: &[usize]) -> Result<f64, MetricError> {
    ClassCounts::of_rows(truth, predicted)?.balanced_accuracy()
}

/// TP / (TP + FP): how much of what was predicted is true.
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Empty`]; [`MetricError::Undefined`] if `zero_division` says
/// so.
pub fn precision_score(
    truth: &[usize],
    predicted: &[usize],
    average: Average,
    zero_division: ZeroDivision,
) -> Result<f64, MetricError> {
    ClassCounts::of_rows(truth, predicted)?.score(Ratio::Precision, average, zero_division)
}

/// TP / (TP + FN): how much of what is true was predicted.
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

/// 2 TP / (2 TP + FP + FN): the harmonic mean of precision and recall, defined also where one of them
/// is not.
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

/// (1 + β²) TP / ((1 + β²) TP + β² FN + FP): recall weighs β times as much as precision.
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

/// TP / (TP + FP + FN): the overlap of the rows where a class is true and those where it was
/// predicted.
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

/// Matthews' correlation coefficient of any number of classes, from −1 to 1; 0 is chance.
///
/// Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient" (2004),
/// equation 8.
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Empty`]; [`MetricError::Undefined`] where only one class is
/// true or only one was predicted, for which scikit-learn answers 0.
pub fn matthews_corrcoef(truth: &[usize], predicted: &[usize]) -> Result<f64, MetricError> {
    ClassCounts::of_rows(truth, predicted)?.mcc()
}
