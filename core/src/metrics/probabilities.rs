//! Metrics of predicted probabilities.

use super::binary_scores::BinaryScores;
use super::class_counts::{Average, weighted_mean};
use super::{MetricError, checks};
use crate::require;

/// Collects rows of a true class and a probability for each class.
///
/// The probabilities of a row must sum to 1, to within the square root of their type's precision
/// (3·10⁻⁴ for `f32`, 10⁻⁸ for `f64`), where scikit-learn 1.9 begins to warn. They are not
/// rescaled. It keeps all rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Probabilities {
    classes: usize,
    /// Whether rows hold the probability of class 1 alone.
    binary: bool,
    truth: Vec<usize>,
    probabilities: Vec<f64>, // [N, classes]
}

/// Returns the mean of −ln p(true class), of two classes: `probabilities` are those of class 1,
/// `[B]`.
///
/// As in scikit-learn, probabilities are clipped to [2⁻⁵², 1 − 2⁻⁵²] (the precision of `f64`), so
/// that one confident mistake does not make the mean infinite.
///
/// # Errors
/// As [`Probabilities::update`]; [`MetricError::Empty`].
pub fn log_loss<S: Into<f64> + Copy>(
    truth: &[usize],
    probabilities: &[S],
) -> Result<f64, MetricError> {
    Probabilities::binary().with(truth, probabilities)?.log_loss()
}

/// Like [`log_loss`], for any number of classes: `probabilities` are `[B, classes]`.
///
/// # Errors
/// As [`log_loss`]; [`MetricError::Setting`] if `classes` is below 2.
pub fn multiclass_log_loss<S: Into<f64> + Copy>(
    truth: &[usize],
    probabilities: &[S],
    classes: usize,
) -> Result<f64, MetricError> {
    Probabilities::new(classes)?.with(truth, probabilities)?.log_loss()
}

/// Returns the mean of (p − y)², of two classes: `probabilities` are those of class 1, `[B]`.
///
/// Brier, "Verification of Forecasts Expressed in Terms of Probability" (1950), halved, as is usual
/// for two classes.
///
/// # Errors
/// As [`log_loss`].
pub fn brier_score_loss<S: Into<f64> + Copy>(
    truth: &[usize],
    probabilities: &[S],
) -> Result<f64, MetricError> {
    Probabilities::binary().with(truth, probabilities)?.brier()
}

/// Returns the mean over rows of Σ (p − y)² over classes, from 0 to 2 (halved for two classes):
/// `probabilities` are `[B, classes]`.
///
/// # Errors
/// As [`multiclass_log_loss`].
pub fn multiclass_brier_score_loss<S: Into<f64> + Copy>(
    truth: &[usize],
    probabilities: &[S],
    classes: usize,
) -> Result<f64, MetricError> {
    Probabilities::new(classes)?.with(truth, probabilities)?.brier()
}

/// Returns the average over classes of ROC-AUC against the rest: `probabilities` are `[B,
/// classes]`.
///
/// # Errors
/// As [`multiclass_log_loss`]; [`MetricError::Undefined`] if a class of the average is never or
/// always true.
pub fn multiclass_roc_auc_score<S: Into<f64> + Copy>(
    truth: &[usize],
    probabilities: &[S],
    classes: usize,
    average: Average,
) -> Result<f64, MetricError> {
    Probabilities::new(classes)?.with(truth, probabilities)?.roc_auc(average)
}

/// Returns the average over classes of average precision against the rest: `probabilities` are `[B,
/// classes]`.
///
/// # Errors
/// As [`multiclass_log_loss`]; [`MetricError::Undefined`] if a class of the average is never true.
pub fn multiclass_average_precision_score<S: Into<f64> + Copy>(
    truth: &[usize],
    probabilities: &[S],
    classes: usize,
    average: Average,
) -> Result<f64, MetricError> {
    Probabilities::new(classes)?.with(truth, probabilities)?.average_precision(average)
}

impl Probabilities {
    /// Creates an empty collector of `classes` probabilities in each row.
    ///
    /// # Errors
    /// [`MetricError::Setting`] if `classes` is below 2.
    pub fn new(classes: usize) -> Result<Self, MetricError> {
        require(classes >= 2, "classes", classes as f64, "at least 2")?;
        Ok(Self { classes, binary: false, ..Self::binary() })
    }

    /// Creates an empty collector of two classes, given the probability of class 1 alone.
    pub fn binary() -> Self {
        Self { classes: 2, binary: true, truth: Vec::new(), probabilities: Vec::new() }
    }

    pub(super) fn with<S: Into<f64> + Copy>(
        mut self,
        truth: &[usize],
        probabilities: &[S],
    ) -> Result<Self, MetricError> {
        self.update(truth, probabilities)?;
        Ok(self)
    }

    /// Adds a batch of rows: their true classes, `[B]`, and their probabilities, `[B, classes]`, or
    /// `[B]` for a [`binary`](Self::binary) collector.
    ///
    /// # Errors
    /// [`MetricError::Length`], [`MetricError::Class`], [`MetricError::NotFinite`],
    /// [`MetricError::Probability`], [`MetricError::RowSum`].
    pub fn update<S: Into<f64> + Copy>(
        &mut self,
        truth: &[usize],
        probabilities: &[S],
    ) -> Result<(), MetricError> {
        let expected = truth.len().saturating_mul(self.width());
        checks::length("probabilities", expected, probabilities.len())?;
        checks::classes(truth, self.classes)?;
        let numbers = checks::probabilities(probabilities)?;
        if self.binary {
            self.probabilities
                .extend(numbers.iter().flat_map(|&positive| [1.0 - positive, positive]));
        } else {
            let precision =
                if size_of::<S>() < size_of::<f64>() { f32::EPSILON.into() } else { f64::EPSILON };
            if let Some((row, sum)) = checks::uneven_row(&numbers, self.classes, precision) {
                return Err(MetricError::RowSum { row, sum });
            }
            self.probabilities.extend(numbers);
        }
        self.truth.extend(truth);
        Ok(())
    }

    /// Returns the number of rows collected.
    pub fn rows(&self) -> usize {
        self.truth.len()
    }

    /// Returns the number of probabilities in a row.
    pub(super) fn width(&self) -> usize {
        if self.binary { 1 } else { self.classes }
    }

    /// Returns each row's true class and its probabilities, `[classes]`.
    pub(super) fn each(&self) -> impl Iterator<Item = (usize, &[f64])> {
        self.truth.iter().copied().zip(self.probabilities.chunks(self.classes))
    }

    /// Returns the mean of −ln p(true class); see [`log_loss`].
    ///
    /// # Errors
    /// [`MetricError::Empty`].
    pub fn log_loss(&self) -> Result<f64, MetricError> {
        let range = |p: f64| p.clamp(f64::EPSILON, 1.0 - f64::EPSILON);
        self.mean(|class, probabilities| -range(probabilities[class]).ln())
    }

    /// Returns the Brier score; see [`brier_score_loss`] and [`multiclass_brier_score_loss`].
    ///
    /// # Errors
    /// [`MetricError::Empty`].
    pub fn brier(&self) -> Result<f64, MetricError> {
        let scale = if self.classes == 2 { 0.5 } else { 1.0 };
        self.mean(|class, probabilities| {
            let hit = |k: usize| if k == class { 1.0 } else { 0.0 };
            let squares = probabilities.iter().enumerate().map(|(k, p)| (p - hit(k)).powi(2));
            scale * squares.sum::<f64>()
        })
    }

    /// Returns the average over classes of ROC-AUC against the rest. [`Average::Macro`] needs all
    /// classes; [`Average::Micro`] ranks all pairs of a row and a class together.
    ///
    /// # Errors
    /// [`MetricError::Empty`]; [`MetricError::Undefined`] if a class of the average is never or
    /// always true; [`MetricError::Setting`] if [`Average::Class`] names a class that does not
    /// exist.
    pub fn roc_auc(&self, average: Average) -> Result<f64, MetricError> {
        self.one_against_the_rest(average, BinaryScores::roc_auc)
    }

    /// Returns the average over classes of average precision against the rest.
    ///
    /// # Errors
    /// As [`roc_auc`](Self::roc_auc), but a class may always be true.
    pub fn average_precision(&self, average: Average) -> Result<f64, MetricError> {
        self.one_against_the_rest(average, BinaryScores::average_precision)
    }

    fn mean(&self, loss: impl Fn(usize, &[f64]) -> f64) -> Result<f64, MetricError> {
        if self.truth.is_empty() {
            return Err(MetricError::Empty);
        }
        let sum: f64 = self.each().map(|(class, probabilities)| loss(class, probabilities)).sum();
        Ok(sum / self.rows() as f64)
    }

    fn one_against_the_rest(
        &self,
        average: Average,
        score: impl Fn(&BinaryScores) -> Result<f64, MetricError>,
    ) -> Result<f64, MetricError> {
        if self.rows() == 0 {
            return Err(MetricError::Empty); // of any number of classes
        }
        let of_classes = |classes: &[usize]| {
            let mut rows = BinaryScores::new();
            for &class in classes {
                rows.extend(self.each().map(|(truth, p)| (truth == class, p[class])));
            }
            score(&rows)
        };
        let all: Vec<usize> = (0..self.classes).collect();
        let weight: fn(usize) -> f64 = match average {
            Average::Micro => return of_classes(&all),
            Average::Class(class) => {
                let exists = class < self.classes;
                require(exists, "the class", class as f64, "one of those with probabilities")?;
                return of_classes(&[class]);
            }
            Average::Macro => |_| 1.0,
            // A class that is never true has no score, but no weight either.
            Average::Weighted => |support| support as f64,
        };
        let mut scores = Vec::with_capacity(self.classes);
        for class in all {
            let weight = weight(self.truth.iter().filter(|&&truth| truth == class).count());
            if weight > 0.0 {
                scores.push((of_classes(&[class])?, weight));
            }
        }
        weighted_mean(scores.into_iter()).ok_or(MetricError::Empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_values() {
        let loss = log_loss(&[1, 0], &[0.5, 0.25]).unwrap();
        assert!((loss - (2.0_f64.ln() - 0.75_f64.ln()) / 2.0).abs() < 1e-15);
        assert_eq!(brier_score_loss(&[1, 0], &[0.5, 0.25]), Ok((0.25 + 0.0625) / 2.0));
        let rows = [0.5, 0.25, 0.25, 0.0, 1.0, 0.0];
        assert_eq!(multiclass_brier_score_loss(&[0, 1], &rows, 3), Ok(0.375 / 2.0));
        assert!((log_loss(&[1], &[0.0]).unwrap() - 52.0 * 2.0_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn two_columns_are_one() {
        let (truth, one) = ([1, 0, 1], [0.75, 0.5, 0.25]);
        let two = [0.25, 0.75, 0.5, 0.5, 0.75, 0.25];
        assert_eq!(log_loss(&truth, &one), multiclass_log_loss(&truth, &two, 2));
        assert_eq!(brier_score_loss(&truth, &one), multiclass_brier_score_loss(&truth, &two, 2));
    }

    #[test]
    fn what_is_no_distribution_is_refused() {
        let rows = |rows: &[f64]| multiclass_log_loss(&[0, 1], rows, 2);
        let sum = rows(&[0.5, 0.5, 0.6, 0.5]);
        assert!(matches!(sum, Err(MetricError::RowSum { row: 1, .. })), "{sum:?}");
        let beyond = rows(&[0.5, 0.5, 1.5, -0.5]);
        assert_eq!(beyond, Err(MetricError::Probability { index: 2, value: 1.5 }));
        assert!(matches!(rows(&[0.5, 0.5, f64::NAN, 1.0]), Err(MetricError::NotFinite { .. })));
        assert!(matches!(rows(&[0.5, 0.5, 1.0]), Err(MetricError::Length { expected: 4, .. })));
        assert!(matches!(log_loss(&[2], &[0.5]), Err(MetricError::Class { .. })));
        assert!(matches!(Probabilities::new(1), Err(MetricError::Setting(_))));
        assert_eq!(log_loss::<f64>(&[], &[]), Err(MetricError::Empty));
    }

    #[test]
    fn single_precision_need_not_sum_to_one_in_double() {
        let third = 1.0_f32 / 3.0;
        assert!(multiclass_log_loss(&[0], &[third, third, third], 3).is_ok());
        let third = f64::from(third);
        assert!(multiclass_log_loss(&[0], &[third, third, third], 3).is_err());
    }

    #[test]
    fn a_class_that_is_never_true_counts_in_no_weighted_mean() {
        let mut rows = Probabilities::new(3).unwrap();
        rows.update(&[0, 1], &[0.5, 0.25, 0.25, 0.25, 0.5, 0.25]).unwrap();
        assert_eq!(rows.roc_auc(Average::Weighted), Ok(1.0));
        assert!(matches!(rows.roc_auc(Average::Macro), Err(MetricError::Undefined { .. })));
        assert!(matches!(rows.roc_auc(Average::Class(3)), Err(MetricError::Setting(_))));
        let nothing = Probabilities::new(3).unwrap();
        for average in [Average::Micro, Average::Macro, Average::Weighted, Average::Class(0)] {
            assert_eq!(nothing.roc_auc(average), Err(MetricError::Empty));
        }
    }
}
