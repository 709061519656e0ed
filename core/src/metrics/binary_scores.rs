//! Ranking metrics of two classes: how well a score separates positive rows from negative ones.

use super::{MetricError, checks};
use crate::require;
use crate::rounding;

/// Collects rows of class 0 or 1, each with a score that should be higher for class 1.
///
/// Only the order of the scores counts; they need not be probabilities. No threshold can separate
/// rows with the same score, so they always change sides together, whatever their order. It keeps
/// all rows, nine bytes each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BinaryScores {
    positive: Vec<bool>,
    scores: Vec<f64>,
}

/// The counts when every row with this `score` or a higher one is predicted positive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Threshold {
    pub(crate) score: f64,
    pub(crate) true_positives: u64,
    pub(crate) false_positives: u64,
}

/// All thresholds that change the counts, the highest first.
pub(crate) struct Thresholds {
    pub(crate) of: Vec<Threshold>,
    pub(crate) positives: u64,
    pub(crate) negatives: u64,
}

/// Returns the area under the ROC curve: the probability that a positive row has a higher score
/// than a negative one. A tie counts half.
///
/// `truth` holds classes 0 and 1, `[B]`; `scores` are higher for class 1, `[B]`.
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Class`], [`MetricError::NotFinite`];
/// [`MetricError::Empty`]; [`MetricError::Undefined`] if all rows are of one class.
pub fn roc_auc_score<S: Into<f64> + Copy>(
    truth: &[usize],
    scores: &[S],
) -> Result<f64, MetricError> {
    BinaryScores::of_rows(truth, scores)?.roc_auc()
}

/// Returns the area under the precision-recall curve as average precision, Σ (Rₙ − Rₙ₋₁) Pₙ over
/// thresholds.
///
/// The area by the trapezoidal rule would be too optimistic: between two thresholds precision does
/// not change in a straight line. Davis and Goadrich, "The Relationship Between Precision-Recall
/// and ROC Curves" (2006).
///
/// # Errors
/// As [`roc_auc_score`]; [`MetricError::Undefined`] if no row is positive.
pub fn average_precision_score<S: Into<f64> + Copy>(
    truth: &[usize],
    scores: &[S],
) -> Result<f64, MetricError> {
    BinaryScores::of_rows(truth, scores)?.average_precision()
}

/// Returns the lowest false positive rate among the thresholds with a true positive rate of at
/// least `level`: FPR at 95 % TPR for `level` 0.95.
///
/// # Errors
/// As [`roc_auc_score`]; [`MetricError::Setting`] unless `level` lies in (0, 1].
pub fn fpr_at_tpr<S: Into<f64> + Copy>(
    truth: &[usize],
    scores: &[S],
    level: f64,
) -> Result<f64, MetricError> {
    BinaryScores::of_rows(truth, scores)?.fpr_at_tpr(level)
}

impl BinaryScores {
    /// Creates an empty collector.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn of_rows<S: Into<f64> + Copy>(
        truth: &[usize],
        scores: &[S],
    ) -> Result<Self, MetricError> {
        let mut rows = Self::new();
        rows.update(truth, scores)?;
        Ok(rows)
    }

    /// Adds a batch of rows: their true classes, 0 or 1, `[B]`, and their scores, `[B]`.
    ///
    /// # Errors
    /// [`MetricError::Length`], [`MetricError::Class`], [`MetricError::NotFinite`].
    pub fn update<S: Into<f64> + Copy>(
        &mut self,
        truth: &[usize],
        scores: &[S],
    ) -> Result<(), MetricError> {
        checks::length("scores", truth.len(), scores.len())?;
        checks::classes(truth, 2)?;
        let scores = checks::finite("scores", scores)?;
        self.extend(truth.iter().map(|&class| class == 1).zip(scores));
        Ok(())
    }

    /// Adds rows that were checked.
    pub(super) fn extend(&mut self, rows: impl Iterator<Item = (bool, f64)>) {
        for (positive, score) in rows {
            self.positive.push(positive);
            self.scores.push(score);
        }
    }

    /// Returns the number of rows collected.
    pub fn rows(&self) -> usize {
        self.scores.len()
    }

    /// Returns the area under the ROC curve; see [`roc_auc_score`].
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::Undefined`].
    pub fn roc_auc(&self) -> Result<f64, MetricError> {
        let Thresholds { of, positives, negatives } = self.of_both_classes("ROC-AUC")?;
        // In halves of pairs, which are whole numbers.
        let (mut halves, mut true_positives, mut false_positives) = (0_u128, 0, 0);
        for threshold in &of {
            halves += u128::from(threshold.false_positives - false_positives)
                * u128::from(threshold.true_positives + true_positives);
            (true_positives, false_positives) =
                (threshold.true_positives, threshold.false_positives);
        }
        Ok(halves as f64 / (2.0 * positives as f64 * negatives as f64))
    }

    /// Returns the average precision; see [`average_precision_score`].
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::Undefined`].
    pub fn average_precision(&self) -> Result<f64, MetricError> {
        let Thresholds { of, positives, .. } = self.of_positives("average precision")?;
        let (mut sum, mut before) = (0.0, 0);
        for threshold in &of {
            sum += (threshold.true_positives - before) as f64 * threshold.precision();
            before = threshold.true_positives;
        }
        Ok(sum / positives as f64)
    }

    /// Returns the false positive rate at a true positive rate; see [`fpr_at_tpr`].
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::Undefined`], [`MetricError::Setting`].
    pub fn fpr_at_tpr(&self, level: f64) -> Result<f64, MetricError> {
        let allowed = level > 0.0 && level <= 1.0;
        require(allowed, "the true positive rate", level, "above 0 and at most 1")?;
        let Thresholds { of, positives, negatives } = self.of_both_classes("FPR at TPR")?;
        let needed = (rounding::ceil(level * positives as f64) as u64).min(positives);
        let reaches = |at: &&Threshold| at.true_positives >= needed.max(1);
        let threshold = of.iter().find(reaches).expect("the last threshold finds all positives");
        Ok(threshold.false_positives as f64 / negatives as f64)
    }

    /// Returns all thresholds, for a `score` that needs rows of both classes.
    pub(crate) fn of_both_classes(&self, score: &'static str) -> Result<Thresholds, MetricError> {
        let thresholds = self.of_positives(score)?;
        if thresholds.negatives == 0 {
            return Err(MetricError::Undefined { score, why: "no row is of the negative class" });
        }
        Ok(thresholds)
    }

    /// Returns all thresholds, for a `score` that needs a positive row.
    pub(crate) fn of_positives(&self, score: &'static str) -> Result<Thresholds, MetricError> {
        let thresholds = self.of_any()?;
        if thresholds.positives == 0 {
            return Err(MetricError::Undefined { score, why: "no row is of the positive class" });
        }
        Ok(thresholds)
    }

    /// Returns all thresholds, whatever the classes of the rows.
    pub(crate) fn of_any(&self) -> Result<Thresholds, MetricError> {
        if self.scores.is_empty() {
            return Err(MetricError::Empty);
        }
        let mut order: Vec<usize> = (0..self.scores.len()).collect();
        order.sort_unstable_by(|&a, &b| self.scores[b].total_cmp(&self.scores[a]));
        let mut of: Vec<Threshold> = Vec::new();
        let (mut true_positives, mut false_positives) = (0, 0);
        for tied in order.chunk_by(|&a, &b| self.scores[a] == self.scores[b]) {
            let positives = tied.iter().filter(|&&row| self.positive[row]).count() as u64;
            true_positives += positives;
            false_positives += tied.len() as u64 - positives;
            of.push(Threshold { score: self.scores[tied[0]], true_positives, false_positives });
        }
        Ok(Thresholds { of, positives: true_positives, negatives: false_positives })
    }
}

impl Threshold {
    pub(super) fn precision(&self) -> f64 {
        self.true_positives as f64 / (self.true_positives + self.false_positives) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::roc_curve;

    #[test]
    fn ties_count_half_in_any_order() {
        for truth in [[0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 1, 0]] {
            assert_eq!(roc_auc_score(&truth, &[0.5, 0.5, 0.5, 0.5]), Ok(0.5));
            assert_eq!(average_precision_score(&truth, &[0.5, 0.5, 0.5, 0.5]), Ok(0.5));
        }
        assert_eq!(roc_auc_score(&[0, 1], &[-0.0, 0.0]), Ok(0.5));
        // Pairs: 3 over 2 and 1; 2 over 1 and tied with 2.
        assert_eq!(roc_auc_score(&[1, 1, 0, 0], &[3_u8, 2, 2, 1]), Ok(3.5 / 4.0));
    }

    #[test]
    fn average_precision_is_no_trapezoid() {
        // Precision 1 at recall 1/2, 2/3 at recall 1: 1/2 + 1/3; the trapezoid says 0.7916….
        let score = average_precision_score(&[1, 0, 1], &[0.9, 0.8, 0.7]).unwrap();
        assert!((score - 5.0 / 6.0).abs() < 1e-15);
    }

    #[test]
    fn the_false_positive_rate_is_that_of_the_first_threshold_that_reaches_the_level() {
        let scores: Vec<f64> = (0..40).map(|i| -f64::from(i / 2)).collect();
        let truth: Vec<usize> = (0..40).map(|i| i % 2).collect();
        // Each threshold adds one of 20 positives and one of 20 negatives.
        assert_eq!(fpr_at_tpr(&truth, &scores, 0.95), Ok(0.95));
        assert_eq!(fpr_at_tpr(&truth, &scores, 0.951), Ok(1.0));
        assert_eq!(fpr_at_tpr(&truth, &scores, 1e-9), Ok(0.05));
        // As computed shares are: 0.30000000000000004.
        assert_eq!(fpr_at_tpr(&truth, &scores, 0.1 + 0.2), Ok(0.3));
        for level in [0.0, 1.1, f64::NAN] {
            assert!(matches!(fpr_at_tpr(&truth, &scores, level), Err(MetricError::Setting(_))));
        }
    }

    #[test]
    fn one_class_has_no_curve() {
        let undefined = |result| matches!(result, Err(MetricError::Undefined { .. }));
        for truth in [[0, 0], [1, 1]] {
            assert!(undefined(roc_auc_score(&truth, &[0.1, 0.2])));
            assert!(undefined(fpr_at_tpr(&truth, &[0.1, 0.2], 0.95)));
            assert!(roc_curve(&truth, &[0.1, 0.2]).is_err());
        }
        assert!(undefined(average_precision_score(&[0, 0], &[0.1, 0.2])));
        assert_eq!(average_precision_score(&[1, 1], &[0.1, 0.2]), Ok(1.0));
        assert_eq!(roc_auc_score::<f64>(&[], &[]), Err(MetricError::Empty));
    }

    #[test]
    fn bad_rows_are_refused_and_leave_the_others_alone() {
        let mut rows = BinaryScores::new();
        rows.update(&[0, 1], &[0.2_f32, 0.7]).unwrap();
        assert!(matches!(rows.update(&[1], &[f32::NAN]), Err(MetricError::NotFinite { .. })));
        assert!(matches!(rows.update(&[2], &[0.1]), Err(MetricError::Class { class: 2, .. })));
        assert!(matches!(rows.update(&[1, 1], &[0.1]), Err(MetricError::Length { .. })));
        assert_eq!((rows.rows(), rows.roc_auc()), (2, Ok(1.0)));
    }
}
