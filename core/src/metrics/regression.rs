//! Regression metrics.

use super::unit::Unit;
use super::{MetricError, checks};

/// Collects rows of a true and a predicted number as running sums; it keeps no rows.
///
/// Means and squares are updated as in Welford, "Note on a Method for Calculating Corrected Sums of
/// Squares and Products" (1962), so numbers far from zero lose no digits. Squares are summed in
/// units of the largest number so far, so neither 1e-160 nor 1e200 vanishes or overflows when
/// squared.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Regression {
    rows: u64,
    absolute_error: f64,
    truth_mean: f64,
    prediction_mean: f64,
    /// In squares of the error's unit.
    squared_error: f64,
    /// Sums of squares and products about the means, in the units of truth and prediction.
    truth_squares: f64,
    prediction_squares: f64,
    products: f64,
    error_unit: Unit,
    truth_unit: Unit,
    prediction_unit: Unit,
}

/// Returns the mean of (y − ŷ)².
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::NotFinite`]; [`MetricError::Empty`];
/// [`MetricError::Undefined`] if the sums exceed what `f64` holds.
pub fn mean_squared_error<T: Into<f64> + Copy, P: Into<f64> + Copy>(
    truth: &[T],
    predicted: &[P],
) -> Result<f64, MetricError> {
    Regression::of_rows(truth, predicted)?.mse()
}

/// Returns the square root of [`mean_squared_error`].
///
/// # Errors
/// As [`mean_squared_error`].
pub fn root_mean_squared_error<T: Into<f64> + Copy, P: Into<f64> + Copy>(
    truth: &[T],
    predicted: &[P],
) -> Result<f64, MetricError> {
    Regression::of_rows(truth, predicted)?.rmse()
}

/// Returns the mean of |y − ŷ|.
///
/// # Errors
/// As [`mean_squared_error`].
pub fn mean_absolute_error<T: Into<f64> + Copy, P: Into<f64> + Copy>(
    truth: &[T],
    predicted: &[P],
) -> Result<f64, MetricError> {
    Regression::of_rows(truth, predicted)?.mae()
}

/// Returns R², 1 − Σ (y − ŷ)² / Σ (y − ȳ)²: the fraction of the truth's variance that was
/// predicted. It is negative where predicting the mean would do better.
///
/// # Errors
/// As [`mean_squared_error`]; also [`MetricError::Undefined`] for fewer than two rows or a constant
/// truth (scikit-learn returns NaN, 0 or 1).
pub fn r2_score<T: Into<f64> + Copy, P: Into<f64> + Copy>(
    truth: &[T],
    predicted: &[P],
) -> Result<f64, MetricError> {
    Regression::of_rows(truth, predicted)?.r2()
}

/// Returns Pearson's correlation coefficient, from −1 to 1.
///
/// # Errors
/// As [`mean_squared_error`]; also [`MetricError::Undefined`] for fewer than two pairs or a
/// constant side.
pub fn pearson_correlation<T: Into<f64> + Copy, P: Into<f64> + Copy>(
    a: &[T],
    b: &[P],
) -> Result<f64, MetricError> {
    Regression::of_rows(a, b)?.pearson()
}

impl Regression {
    /// Creates an empty collector.
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

    /// Adds a batch of rows: the true numbers, `[B]`, and the predicted ones, `[B]`. Pass a row of
    /// several targets as several rows.
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
        truth.into_iter().zip(predicted).for_each(|(truth, predicted)| self.add(truth, predicted));
        Ok(())
    }

    fn add(&mut self, truth: f64, predicted: f64) {
        self.rows += 1;
        let error = truth - predicted;
        self.absolute_error += error.abs();
        let factor = self.error_unit.hold(error);
        let error = self.error_unit.measure(error);
        self.squared_error = self.squared_error * factor * factor + error * error;

        let (from_truth, from_prediction) =
            (truth - self.truth_mean, predicted - self.prediction_mean);
        self.truth_mean += from_truth / self.rows as f64;
        self.prediction_mean += from_prediction / self.rows as f64;
        let by_truth = self.truth_unit.hold(from_truth);
        let by_prediction = self.prediction_unit.hold(from_prediction);
        let of_truth = |off| self.truth_unit.measure(off);
        let of_prediction = |off| self.prediction_unit.measure(off);
        let (first, second) = (of_truth(from_truth), of_prediction(from_prediction));
        let (truth, predicted) =
            (of_truth(truth - self.truth_mean), of_prediction(predicted - self.prediction_mean));
        self.truth_squares = self.truth_squares * by_truth * by_truth + first * truth;
        self.prediction_squares =
            self.prediction_squares * by_prediction * by_prediction + second * predicted;
        self.products = self.products * by_truth * by_prediction + first * predicted;
    }

    /// Returns the number of rows added.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the mean squared error.
    ///
    /// # Errors
    /// [`MetricError::Empty`]; [`MetricError::Undefined`] if the sums exceed what `f64` holds.
    pub fn mse(&self) -> Result<f64, MetricError> {
        let mean = self.mean("MSE", self.squared_error)?;
        checks::score("MSE", self.error_unit.number(self.error_unit.number(mean)))
    }

    /// Returns the root of the mean squared error.
    ///
    /// # Errors
    /// As [`mse`](Self::mse).
    pub fn rmse(&self) -> Result<f64, MetricError> {
        let mean = self.mean("RMSE", self.squared_error)?;
        checks::score("RMSE", self.error_unit.number(mean.sqrt()))
    }

    /// Returns the mean absolute error.
    ///
    /// # Errors
    /// As [`mse`](Self::mse).
    pub fn mae(&self) -> Result<f64, MetricError> {
        self.mean("MAE", self.absolute_error)
    }

    /// Returns R²; see [`r2_score`].
    ///
    /// # Errors
    /// As [`mse`](Self::mse); also [`MetricError::Undefined`] for fewer than two rows or a constant
    /// truth.
    pub fn r2(&self) -> Result<f64, MetricError> {
        let score = "R²";
        self.at_least_two(score)?;
        if self.truth_squares == 0.0 {
            return Err(MetricError::Undefined { score, why: "the truth is constant" });
        }
        let variance = checks::score(score, self.truth_squares)?;
        // The ratio of the units by itself: the square of either alone may be no number.
        let units = |x| self.error_unit.number(x) / self.truth_unit.number(1.0);
        checks::score(score, 1.0 - units(units(self.squared_error / variance)))
    }

    /// Returns Pearson's correlation of truth and prediction; see [`pearson_correlation`].
    ///
    /// # Errors
    /// As [`mse`](Self::mse); also [`MetricError::Undefined`] for fewer than two rows, or if truth
    /// or prediction is constant.
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
        assert!(undefined(&mean_absolute_error(&[f64::MAX], &[-f64::MAX])));
        let largest = [f64::MAX, -f64::MAX, 0.0];
        assert!(undefined(&r2_score(&largest, &largest)));
        assert!(undefined(&r2_score(&[1e-200, 2e-200], &[1.0, 2.0])));
    }

    #[test]
    fn no_size_of_numbers_spoils_a_score() {
        let (truth, predicted) = ([1.0, 3.0, 4.0, 9.0], [1.5, 2.0, 5.0, 7.0]);
        let (r2, pearson) = (
            r2_score(&truth, &predicted).unwrap(),
            pearson_correlation(&truth, &predicted).unwrap(),
        );
        assert!((r2 - (1.0 - 6.25 / 34.75)).abs() < 1e-15); // 0.5² + 1 + 1 + 2², mean 4.25
        for size in [1e-300, 1e-160, 1e-100, 1e100, 1e160, 1e300] {
            let near = |got: Result<f64, _>, expected: f64| {
                let got: f64 = got.unwrap();
                assert!((got / expected - 1.0).abs() < 1e-12, "{size}: {got}, expected {expected}");
            };
            let (truth, predicted) = (truth.map(|x| x * size), predicted.map(|x| x * size));
            near(r2_score(&truth, &predicted), r2);
            near(pearson_correlation(&truth, &predicted), pearson);
            near(root_mean_squared_error(&truth, &predicted), size * f64::sqrt(6.25 / 4.0));
            // Each side has a unit of its own, and grows into it.
            near(pearson_correlation(&truth, &[1.5, 2.0, 5.0, 7.0]), pearson);
            near(pearson_correlation(&[1.0, 3.0, 4.0, 9.0], &predicted), pearson);
        }
        // The nearest number to 1e-320 there is, not a sum of four that are rounded each.
        assert_eq!(mean_squared_error(&[1e-160; 4], &[0.0; 4]), Ok(1e-320));
        let rising = [1e-200, 1.0, 1e200];
        let rmse = root_mean_squared_error(&rising, &[0.0; 3]).unwrap();
        assert!((rmse / (f64::sqrt(1.0 / 3.0) * 1e200) - 1.0).abs() < 1e-15, "{rmse}");
        assert_eq!(r2_score(&rising, &rising), Ok(1.0));
    }
}
