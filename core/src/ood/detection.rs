//! Evaluation of out-of-distribution scores, and thresholds.

use super::OodError;
use crate::metrics::{BinaryScores, MetricError, average_precision_score};
use crate::require;
use crate::rounding;

/// How well a score separates in-distribution rows, the positive class, from others.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// The area under the ROC curve; ½ is chance.
    pub auroc: f64,
    /// Average precision with in-distribution as the positive class.
    pub aupr_in: f64,
    /// Average precision with out-of-distribution as the positive class, from the negated score.
    pub aupr_out: f64,
    /// The false positive rate at the threshold that 95 % of the in-distribution rows pass.
    pub fpr_at_95_tpr: f64,
}

/// Evaluates scores of in-distribution rows (`inside`) and of others (`outside`).
///
/// # Errors
/// [`MetricError`] if either is empty or not finite.
pub fn detection_scores(inside: &[f64], outside: &[f64]) -> Result<Detection, MetricError> {
    let mut rows = BinaryScores::new();
    rows.update(&vec![1; inside.len()], inside)?;
    rows.update(&vec![0; outside.len()], outside)?;
    let truth = [vec![0; inside.len()], vec![1; outside.len()]].concat();
    let negated: Vec<f64> = inside.iter().chain(outside).map(|score| -score).collect();
    Ok(Detection {
        auroc: rows.roc_auc()?,
        aupr_in: rows.average_precision()?,
        aupr_out: average_precision_score(&truth, &negated)?,
        fpr_at_95_tpr: rows.fpr_at_tpr(0.95)?,
    })
}

/// Returns the highest threshold that at least the fraction `level` of in-distribution scores
/// reaches; flag rows below it. Choose it on rows that nothing was fitted to.
///
/// # Errors
/// [`OodError::Setting`] unless `level` lies in (0, 1], [`OodError::Empty`], [`OodError::Metric`]
/// if a score is not finite.
pub fn threshold_at_tpr(inside: &[f64], level: f64) -> Result<f64, OodError> {
    require(level > 0.0 && level <= 1.0, "level", level, "above 0 and at most 1")?;
    if let Some(index) = inside.iter().position(|score| !score.is_finite()) {
        let value = inside[index];
        return Err(MetricError::NotFinite { what: "scores", index, value }.into());
    }
    let mut sorted = inside.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let reach = rounding::ceil(level * sorted.len() as f64);
    sorted.get(reach.max(1) - 1).copied().ok_or(OodError::Empty)
}
