//! Decision thresholds for scores.

use super::{CostMatrix, ImbalanceError};
use crate::data::DataError;
use crate::metrics::{BinaryScores, MetricError};
use crate::require;

/// The criterion that a threshold optimises.
#[derive(Debug, Clone, PartialEq)]
pub enum Criterion {
    /// The highest F1.
    F1,
    /// The highest F-beta: recall counts `beta` times as much as precision; from 0 to 10¹⁰⁰.
    FBeta(f64),
    /// The highest mean of the two classes' recalls.
    BalancedAccuracy,
    /// The lowest mean cost, for two classes.
    Cost(CostMatrix),
}

/// A threshold and the value of its criterion.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TunedThreshold {
    /// Rows with this score or a higher one are positive. Infinite if no row should be positive,
    /// the lowest score if all should be.
    pub threshold: f64,
    /// The criterion on the rows it was chosen by; for costs the mean cost.
    pub value: f64,
}

impl TunedThreshold {
    /// Predicts the class, 0 or 1, of each score.
    ///
    /// # Errors
    /// [`ImbalanceError::Metric`] if a score is NaN, [`ImbalanceError::Setting`] if the threshold
    /// is.
    pub fn predict(&self, scores: &[f64]) -> Result<Vec<usize>, ImbalanceError> {
        let threshold = self.threshold;
        require(!threshold.is_nan(), "threshold", threshold, "a number")?;
        if let Some(index) = scores.iter().position(|score| score.is_nan()) {
            return Err(MetricError::NotANumber { what: "scores", index }.into());
        }
        Ok(scores.iter().map(|&score| usize::from(score >= threshold)).collect())
    }
}

/// Finds the best threshold on validation rows. Training rows would give overconfident thresholds,
/// test rows would leak into the evaluation.
///
/// `truth` holds classes 0 and 1, `[N]`; `scores` are higher for class 1, `[N]`, and need not be
/// probabilities. All distinct thresholds are compared; each lies half-way to the next lower score,
/// and ties go to the highest, which has the fewest positives. Rows with equal scores are never
/// separated.
///
/// # Errors
/// [`ImbalanceError::Metric`] if scores are not finite, their number differs from the rows', there
/// are no rows, or the criterion is undefined: F-beta needs a positive row, balanced accuracy a row
/// of each class; [`ImbalanceError::Setting`] if beta is out of its range,
/// [`ImbalanceError::Data`] for costs of more than two classes.
pub fn tune_threshold(
    truth: &[usize],
    scores: &[f64],
    criterion: &Criterion,
) -> Result<TunedThreshold, ImbalanceError> {
    if let Criterion::FBeta(beta) = *criterion {
        // Its square, times a count of rows, stays finite.
        require((0.0..=1e100).contains(&beta), "beta", beta, "from 0 to 1e100")?;
    }
    if let Criterion::Cost(costs) = criterion
        && costs.classes() != 2
    {
        let got = costs.classes();
        return Err(DataError::Count { what: "classes", expected: 2, got }.into());
    }
    let mut rows = BinaryScores::new();
    rows.update(truth, scores)?;
    let thresholds = match criterion {
        Criterion::F1 | Criterion::FBeta(_) => rows.of_positives("F-beta")?,
        Criterion::BalancedAccuracy => rows.of_both_classes("balanced accuracy")?,
        Criterion::Cost(_) => rows.of_any()?,
    };
    let (positives, negatives) = (thresholds.positives as f64, thresholds.negatives as f64);
    // Higher is better.
    let merit = |hits: u64, alarms: u64| {
        let (hits, alarms) = (hits as f64, alarms as f64);
        let f_beta = |beta: f64| {
            let weight = beta * beta;
            (1.0 + weight) * hits / (hits + alarms + weight * positives).max(1.0)
        };
        match criterion {
            Criterion::F1 => f_beta(1.0),
            Criterion::FBeta(beta) => f_beta(*beta),
            Criterion::BalancedAccuracy => {
                (hits / positives + (negatives - alarms) / negatives) / 2.0
            }
            Criterion::Cost(costs) => {
                let of_positives = hits * costs.cost(1, 1) + (positives - hits) * costs.cost(1, 0);
                let of_negatives =
                    alarms * costs.cost(0, 1) + (negatives - alarms) * costs.cost(0, 0);
                -(of_positives + of_negatives) / (positives + negatives)
            }
        }
    };
    let mut best = TunedThreshold { threshold: f64::INFINITY, value: merit(0, 0) };
    for (i, at) in thresholds.of.iter().enumerate() {
        let value = merit(at.true_positives, at.false_positives);
        if value > best.value {
            let next = thresholds.of.get(i + 1).map_or(at.score, |next| next.score);
            best = TunedThreshold { threshold: between(next, at.score), value };
        }
    }
    if matches!(criterion, Criterion::Cost(_)) {
        best.value = 0.0 - best.value;
    }
    Ok(best)
}

/// Half-way between two scores, above the lower one unless they are the same.
fn between(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    if middle > low && middle <= high { middle } else { high }
}
