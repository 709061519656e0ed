//! Scores of a classifier of a rare class.

use crate::metrics::{
    Average, MetricError, ZeroDivision, average_precision_score, balanced_accuracy_score,
    brier_score_loss, expected_calibration_error, f1_score, precision_score, recall_score,
};
use crate::require;

/// The bins of the expected calibration error, as many as Guo et al. (2017) have.
const BINS: usize = 15;

/// Computes the scores for a rare class, by name: `precision`, `recall` and `f1` of class 1,
/// `pr_auc` (average precision), `balanced_accuracy`, `ece` (expected calibration error, 15 bins)
/// and `brier`.
///
/// `truth` holds classes 0 and 1, `[N]`; `probabilities` are those of class 1, `[N]`. A row is
/// predicted positive from `threshold` on. If no row is, precision counts as 0.
///
/// # Errors
/// [`MetricError`]: truth and probabilities differ in length or are empty, a number is not a
/// probability, no row is of class 1, or the threshold is NaN.
pub fn rare_class_scores(
    truth: &[usize],
    probabilities: &[f64],
    threshold: f64,
) -> Result<[(&'static str, f64); 7], MetricError> {
    require(!threshold.is_nan(), "threshold", threshold, "a number")?;
    let found: Vec<usize> = probabilities.iter().map(|&p| usize::from(p >= threshold)).collect();
    let (rare, zero) = (Average::Class(1), ZeroDivision::Zero);
    Ok([
        ("precision", precision_score(truth, &found, rare, zero)?),
        ("recall", recall_score(truth, &found, rare, zero)?),
        ("f1", f1_score(truth, &found, rare, zero)?),
        ("pr_auc", average_precision_score(truth, probabilities)?),
        ("balanced_accuracy", balanced_accuracy_score(truth, &found)?),
        ("ece", expected_calibration_error(truth, probabilities, BINS)?),
        ("brier", brier_score_loss(truth, probabilities)?),
    ])
}
