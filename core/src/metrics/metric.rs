//! The trait that all collectors implement.

use super::class_counts::{Average, ZeroDivision};
use super::{BinaryScores, ConfusionMatrix, MetricError, Probabilities, Regression, Retrieval};

/// Scores by name, the most important first. An undefined score does not affect the others.
pub type NamedScores = Vec<(&'static str, Result<f64, MetricError>)>;

/// A collector that computes the usual scores of its rows, to log or to compare.
///
/// Scores that need a choice (an average, the value of 0/0, a number of bins) are methods of the
/// collector.
///
/// ```
/// use gymnast_core::metrics::{Metric, Regression};
///
/// let mut errors = Regression::new();
/// errors.update(&[1.0, 2.0], &[1.0, 2.5])?;
/// errors.update(&[4.0], &[4.5])?;
/// for (name, score) in errors.compute() {
///     println!("{name} {:?}", score.ok());
/// }
/// # Ok::<(), gymnast_core::metrics::MetricError>(())
/// ```
pub trait Metric {
    /// Returns the usual scores over all batches.
    fn compute(&self) -> NamedScores;
}

/// A [`Metric`] of rows with one truth and one or more predictions each.
pub trait Update<T, P>: Metric {
    /// Adds a batch: `[B]` truths and `[B, predictions_per_row]` predictions.
    ///
    /// # Errors
    /// [`MetricError`] if a row is unusable; then no row of the batch is added.
    fn update(&mut self, truth: &[T], predicted: &[P]) -> Result<(), MetricError>;

    /// Returns the number of predictions for each truth: 1, or the number of scores in a row.
    fn predictions_per_row(&self) -> usize;
}

impl Metric for ConfusionMatrix {
    /// Returns accuracy, balanced accuracy, macro F1 and MCC. Precision and recall may be 0/0 and
    /// need a choice.
    fn compute(&self) -> NamedScores {
        // No class that occurs has an F1 of 0/0, so this choice makes no difference.
        let f1 = self.f1(Average::Macro, ZeroDivision::Undefined);
        vec![
            ("accuracy", self.accuracy()),
            ("balanced accuracy", self.balanced_accuracy()),
            ("macro F1", f1),
            ("MCC", self.mcc()),
        ]
    }
}

impl Metric for BinaryScores {
    /// Returns ROC-AUC, average precision and the false positive rate at a true positive rate of 95
    /// %.
    fn compute(&self) -> NamedScores {
        vec![
            ("ROC-AUC", self.roc_auc()),
            ("average precision", self.average_precision()),
            ("FPR at 95 % TPR", self.fpr_at_tpr(0.95)),
        ]
    }
}

/// The number of bins in Guo et al. (2017).
const USUAL_BINS: usize = 15;

impl Metric for Probabilities {
    /// Returns log loss, Brier score, the expected calibration error in 15 bins and the macro
    /// ROC-AUC.
    fn compute(&self) -> NamedScores {
        vec![
            ("log loss", self.log_loss()),
            ("Brier score", self.brier()),
            ("calibration error", self.expected_calibration_error(USUAL_BINS)),
            ("macro ROC-AUC", self.roc_auc(Average::Macro)),
        ]
    }
}

impl Metric for Regression {
    /// Returns MSE, RMSE, MAE, R² and Pearson's correlation.
    fn compute(&self) -> NamedScores {
        vec![
            ("MSE", self.mse()),
            ("RMSE", self.rmse()),
            ("MAE", self.mae()),
            ("R²", self.r2()),
            ("Pearson", self.pearson()),
        ]
    }
}

impl Metric for Retrieval {
    /// Returns NDCG, MRR and MAP of whole rankings, over the queries that have a relevant document.
    fn compute(&self) -> NamedScores {
        let left_out = ZeroDivision::Undefined;
        vec![
            ("NDCG", self.ndcg(None, left_out)),
            ("MRR", self.mrr(left_out)),
            ("MAP", self.map(left_out)),
        ]
    }
}

impl Update<usize, usize> for ConfusionMatrix {
    fn update(&mut self, truth: &[usize], predicted: &[usize]) -> Result<(), MetricError> {
        self.update(truth, predicted)
    }

    fn predictions_per_row(&self) -> usize {
        1
    }
}

impl<S: Into<f64> + Copy> Update<usize, S> for BinaryScores {
    fn update(&mut self, truth: &[usize], scores: &[S]) -> Result<(), MetricError> {
        self.update(truth, scores)
    }

    fn predictions_per_row(&self) -> usize {
        1
    }
}

impl<S: Into<f64> + Copy> Update<usize, S> for Probabilities {
    fn update(&mut self, truth: &[usize], probabilities: &[S]) -> Result<(), MetricError> {
        self.update(truth, probabilities)
    }

    fn predictions_per_row(&self) -> usize {
        self.width()
    }
}

impl<T: Into<f64> + Copy, P: Into<f64> + Copy> Update<T, P> for Regression {
    fn update(&mut self, truth: &[T], predicted: &[P]) -> Result<(), MetricError> {
        self.update(truth, predicted)
    }

    fn predictions_per_row(&self) -> usize {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defined(metric: &impl Metric) -> Vec<(&'static str, f64)> {
        let scores = metric.compute().into_iter();
        scores.filter_map(|(name, score)| Some((name, score.ok()?))).collect()
    }

    #[test]
    fn an_undefined_score_leaves_the_others_alone() {
        let mut matrix = ConfusionMatrix::new(3).unwrap();
        matrix.update(&[1, 1], &[1, 1]).unwrap();
        let of_one_class = [("accuracy", 1.0), ("balanced accuracy", 1.0), ("macro F1", 1.0)];
        assert_eq!(defined(&matrix), of_one_class);
        let mut rows = BinaryScores::new();
        rows.update(&[1, 1], &[0.5, 0.25]).unwrap();
        assert_eq!(defined(&rows), [("average precision", 1.0)]);
        let mut numbers = Regression::new();
        numbers.update(&[1.0], &[3.0]).unwrap();
        assert_eq!(defined(&numbers), [("MSE", 4.0), ("RMSE", 2.0), ("MAE", 2.0)]);
        let mut rows = Probabilities::binary();
        rows.update(&[1], &[1.0]).unwrap();
        let names: Vec<_> = defined(&rows).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["log loss", "Brier score", "calibration error"]);
        let mut queries = Retrieval::new();
        queries.update(&[1], &[0.5]).unwrap();
        assert_eq!(defined(&queries), [("MRR", 1.0), ("MAP", 1.0)]);
    }

    #[test]
    fn nothing_has_no_scores() {
        assert_eq!(defined(&ConfusionMatrix::new(2).unwrap()), []);
        assert_eq!(defined(&BinaryScores::new()), []);
        assert_eq!(defined(&Probabilities::binary()), []);
        assert_eq!(defined(&Regression::new()), []);
        assert_eq!(defined(&Retrieval::new()), []);
    }

    #[test]
    fn an_empty_batch_changes_nothing() {
        let mut numbers = Regression::new();
        numbers.update(&[1.0, 2.0], &[1.5, 2.0]).unwrap();
        let before = numbers;
        numbers.update::<f64, f64>(&[], &[]).unwrap();
        assert_eq!(numbers, before);
    }
}
