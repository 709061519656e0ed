//! How far predicted numbers lie from the true ones.

use super::{MetricError, checks};

/// Rows of a true number and a predicted one, as running sums: it keeps no rows.
///
/// Means and squares are updated as by Welford, "Note on a Method for Calculating Corrected Sums of
/// Squares and Products" (1962), so numbers far from zero lose no digits.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Regression {
    rows: u64,
    absolute_error: f64,
    squared_error: f64,
    truth_mean: f64,
    prediction_mean: f64,
    /// Sums of squares and products about the means.
    truth_squares: f64,
    prediction_squares: f64,
    products: f64,
}

/// The mean of (y − ŷ)².
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::NotFinite`]; [`MetricError::Empty`];
/// [`MetricError::Undefined`] where the sums leave what `f64` holds.
pub fn mean_squared_error<T: Into<f64> + Copy, P: Into<f64> + Copy>(
    truth: &[T],
    predicted: &[P],
) -> Result<f64, MetricError> {
    Regression::of_rows(truth, predicted)?.mse()
}

/// The square root of [`mean_squared_error`].
///
/// # Errors
/// As [`mean_squared_error`].
pub fn root_mean_squared_error<T: Into<f64> + Copy, P: Into<f64> + Copy>(
    truth: &[T],
    predicted: &[P],
) -> Result<f64, MetricError> {
    Regression::of_rows(truth, predicted)?.rmse()
}

/// The mean of |y − ŷ|.
///
/// # Errors
/// As [`mean_squared_error`].
pub fn mean_absolute_error<T: Into<f64> + Copy, P: Into<f64> + Copy>(
    truth: &[T],
    predicted: &[P],
) -> Result<f64, MetricError> {
    Regression::of_rows(truth, predicted)?.mae()
}

/// 1 − Σ (y − ŷ)² / Σ (y − ȳ)²: how much of the variance of the truth was predicted; negative where
/// the mean alone would do better.
///
/// # Errors
/// As [`mean_squared_error`]; also [`MetricError::Undefined`] of fewer than two rows and of a constant
/// truth, for which scikit-learn answers 0 or 1.
pub fn r2_score<T: Into<f64> + Copy, P: Into<f64> + Copy>(
    truth: &[T],
    predicted: &[P],
) -> Result<f64, MetricError> {
    Regression::of_rows(truth, predicted)?.r2()
}

/// Pearson's correlation coefficient, from −1 to 1.
///
/// # Errors
/// As [`mean_squared_error`]; also [`MetricError::Undefined`] of fewer than two pairs and where one
/// side is constant.
pub fn pearson_correlation<T: Into<f64> + Copy, P: Into<f64> + Copy>(
    a: &[T],
    b: &[P],
) -> Result<f64, MetricError> {
    Regression::of_rows(a, b)?.pearson()
}

impl Regression {
    /// No rows yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn of_rows<T: Into<f64> + Copy, P: Into<f64> + Copy>(
        truth: &[T],
        predicted: &[P],
    ) -> Result<Self, MetricError> {
        let mut rows = Self::new();
        rows.update(truth, predicted)?;
        Ok(rows)
    }

    /// Sums up a batch of rows: the true numbers, `[B]`, and the predicted ones, `[B]`. Rows of
    /// several targets may be given as that many rows.
    ///
    /// # Errors
    /// [`MetricError::Length`], [`MetricError::NotFinite`].
    pub fn update<T: Into<f64> + Copy, P: Into<f64> + Copy>(
        &mut self,
        truth: &[T],
        predicted: &[P],
    ) -> Result<(), MetricError> {
        checks::length("predictions", truth.len(), predicted.len())?;
        let truth = checks::finite("truth", truth)?;
        let predicted = checks::finite("predictions", predicted)?;
        for (truth, predicted) in truth.into_iter().zip(predicted) {
            self.rows += 1;
            let error = truth - predicted;
            self.absolute_error += error.abs();
            self.squared_error += error * error;
            let from_truth = truth - self.truth_mean;
            let from_prediction = predicted - self.prediction_mean;
            self.truth_mean += from_truth / self.rows as f64;
            self.prediction_mean += from_prediction / self.rows as f64;
            self.truth_squares += from_truth * (truth - self.truth_mean);
            self.prediction_squares += from_prediction * (predicted - self.prediction_mean);
            self.products += from_truth * (predicted - self.prediction_mean);
        }
        Ok(())
    }

    /// How many rows were summed up.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The mean squared error.
    ///
    /// # Errors
    /// [`MetricError::Empty`]; [`MetricError::Undefined`] where the sums leave what `f64` holds.
    pub fn mse(&self) -> Result<f64, MetricError> {
        self.mean("MSE", self.squared_error)
    }

    /// The root of the mean squared error.
    ///
    /// # Errors
    /// As [`mse`](Self::mse).
    pub fn rmse(&self) -> Result<f64, MetricError> {
        Ok(self.mean("RMSE", self.squared_error)?.sqrt())
    }

    /// The mean absolute error.
    ///
    /// # Errors
    /// As [`mse`](Self::mse).
    pub fn mae(&self) -> Result<f64, MetricError> {
        self.mean("MAE", self.absolute_error)
    }

    /// R², as [`r2_score`] says.
    ///
    /// # Errors
    /// As [`mse`](Self::mse); also [`MetricError::Undefined`] of fewer than two rows and of a constant
    /// truth.
    pub fn r2(&self) -> Result<f64, MetricError> {
        let score = "R²";
        self.at_least_two(score)?;
        if self.truth_squares == 0.0 {
            return Err(MetricError::Undefined { score, why: "the truth is constant" });
        }
        let variance = checks::score(score, self.truth_squares)?;
        checks::score(score, 1.0 - self.squared_error / variance)
    }

    /// Pearson's correlation of truth and prediction, as [`pearson_correlation`] says.
    ///
    /// # Errors
    /// As [`mse`](Self::mse); also [`MetricError::Undefined`] of fewer than two rows and where truth or
    /// prediction is constant.
    pub fn pearson(&self) -> Result<f64, MetricError> {
        let score = "Pearson's correlation";
        self.at_least_two(score)?;
        if self.truth_squares == 0.0 || self.prediction_squares == 0.0 {
            return Err(MetricError::Undefined { score, why: "one side is constant" });
        }
        let spread = self.truth_squares.sqrt() * self.prediction_squares.sqrt();
        let spread = checks::score(score, spread)?;
        let correlation = checks::score(score, self.products / spread)?;
        Ok(correlation.clamp(-1.0, 1.0)) // which rounding may leave by a bit
    }

    fn mean(&self, score: &'static str, sum: f64) -> Result<f64, MetricError> {
        if self.rows == 0 {
            Err(MetricError::Empty)
        } else {
            checks::score(score, sum / self.rows as f64)
        }
    }

    fn at_least_two(&self, score: &'static str) -> Result<(), MetricError> {
        match self.rows {
            0 => Err(MetricError::Empty),
            1 => Err(MetricError::Undefined { score, why: "one row has no variance" }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undefined(result: &Result<f64, MetricError>) -> bool {
        matches!(result, Err(MetricError::Undefined { .. }))
    }

    #[test]
    fn hand_worked_values() {
        let (truth, predicted) = ([3.0, -0.5, 2.0, 7.0], [2.5_f32, 0.0, 2.0, 8.0]);
        assert_eq!(mean_squared_error(&truth, &predicted), Ok(0.375));
        assert_eq!(mean_absolute_error(&truth, &predicted), Ok(0.5));
        assert_eq!(root_mean_squared_error(&truth, &predicted), Ok(0.375_f64.sqrt()));
        let r2 = r2_score(&truth, &predicted).unwrap();
        assert!((r2 - (1.0 - 1.5 / 29.1875)).abs() < 1e-12);
        let opposite = pearson_correlation(&[1, 2, 3], &[9, 8, 7]).unwrap();
        assert!((opposite + 1.0).abs() < 1e-15 && opposite >= -1.0);
    }

    #[test]
    fn a_constant_has_no_r2_and_no_correlation() {
        // The mean of three times 0.1 is not 0.1 in binary, so a sum of squares would not be 0.
        let (constant, other) = ([0.1, 0.1, 0.1], [0.1, 0.2, 0.3]);
        assert!(undefined(&r2_score(&constant, &other)));
        assert!(undefined(&r2_score(&constant, &constant)));
        assert!(r2_score(&other, &constant).is_ok());
        assert!(undefined(&pearson_correlation(&constant, &other)));
        assert!(undefined(&pearson_correlation(&other, &constant)));
        assert!(undefined(&r2_score(&[1.0], &[1.0])));
        assert!(undefined(&pearson_correlation(&[1.0], &[1.0])));
    }

    #[test]
    fn numbers_far_from_zero_keep_their_digits() {
        let near = |shift: f64| {
            let truth: Vec<f64> = (0..100).map(|i| f64::from(i) + shift).collect();
            let predicted: Vec<f64> = (0..100).map(|i| f64::from(i + i % 3) + shift).collect();
            (
                r2_score(&truth, &predicted).unwrap(),
                pearson_correlation(&truth, &predicted).unwrap(),
            )
        };
        let ((r2, pearson), (far_r2, far_pearson)) = (near(0.0), near(1e9));
        assert!((r2 - far_r2).abs() < 1e-9 && (pearson - far_pearson).abs() < 1e-9);
    }

    #[test]
    fn unusable_rows_are_errors() {
        assert_eq!(mean_squared_error::<f64, f64>(&[], &[]), Err(MetricError::Empty));
        assert_eq!(r2_score::<f64, f64>(&[], &[]), Err(MetricError::Empty));
        assert!(matches!(r2_score(&[1.0], &[1.0, 2.0]), Err(MetricError::Length { .. })));
        let mut rows = Regression::new();
        rows.update(&[1.0, 2.0], &[1.5, 2.5]).unwrap();
        let before = rows;
        let error = rows.update(&[1.0, 2.0], &[1.0, f64::INFINITY]);
        assert!(matches!(error, Err(MetricError::NotFinite { index: 1, .. })));
        assert_eq!(rows, before);
        assert!(undefined(&mean_squared_error(&[1e200], &[-1e200])));
        let large = [1e200, -1e200, 0.0];
        assert!(undefined(&r2_score(&large, &large)));
        assert!(undefined(&pearson_correlation(&large, &[1.0, 2.0, 3.0])));
    }
}
