//! Clips outliers.

use serde::{Deserialize, Serialize};

use super::{Transformer, fit_columns};
use crate::require;
use crate::{
    data::{DataError, Table},
    statistics::{mean, quantile},
};

/// The bounds beyond which a column's numbers are outliers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bounds {
    /// Two quantiles of the column, at levels in [0, 1].
    Quantiles {
        /// The level of the lower quantile.
        low: f64,
        /// The level of the upper quantile.
        high: f64,
    },
    /// The distance from the quartiles, in interquartile ranges (Tukey's fences: 1.5); > 0.
    Iqr(f64),
    /// The distance from the mean, in standard deviations (with divisor n); > 0.
    StandardDeviations(f64),
}

/// Clips each column's outliers to the nearer bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutlierClipper {
    columns: Vec<(f32, f32)>,
}

impl OutlierClipper {
    /// Computes each column's bounds.
    ///
    /// # Errors
    /// [`DataError::Setting`] if the bounds are out of range, [`DataError::TooFewRows`] without rows,
    /// [`DataError::MissingColumn`], [`DataError::Infinite`].
    pub fn fit(table: &Table, bounds: Bounds) -> Result<Self, DataError> {
        match bounds {
            Bounds::Quantiles { low, high } => {
                require((0.0..1.0).contains(&low), "low", low, "in [0, 1)")?;
                require(high > low && high <= 1.0, "high", high, "greater than low, at most 1")?;
            }
            Bounds::Iqr(k) => require(k > 0.0 && k.is_finite(), "iqr", k, "positive")?,
            Bounds::StandardDeviations(k) => {
                require(k > 0.0 && k.is_finite(), "standard_deviations", k, "positive")?;
            }
        }
        let learn = |column: &[f64]| {
            let (low, high) = match bounds {
                Bounds::Quantiles { low, high } => {
                    (quantile(column, low)?, quantile(column, high)?)
                }
                Bounds::Iqr(k) => {
                    let (first, third) = (quantile(column, 0.25)?, quantile(column, 0.75)?);
                    (first - k * (third - first), third + k * (third - first))
                }
                Bounds::StandardDeviations(k) => {
                    let center = mean(column)?;
                    let squares: Vec<f64> = column.iter().map(|x| (x - center).powi(2)).collect();
                    let reach = k * mean(&squares)?.sqrt();
                    (center - reach, center + reach)
                }
            };
            Some((low as f32, high as f32))
        };
        Ok(Self { columns: fit_columns(table, learn)? })
    }
}

impl Transformer for OutlierClipper {
    fn width(&self) -> usize {
        self.columns.len()
    }

    fn transform_row(&self, row: &mut [f32]) {
        for (x, &(low, high)) in row.iter_mut().zip(&self.columns) {
            // Comparisons, not `max` and `min`, which would make a number of NaN.
            if *x < low {
                *x = low;
            } else if *x > high {
                *x = high;
            }
        }
    }

    /// Does nothing: the original value of a clipped number is lost.
    fn inverse_transform_row(&self, _: &mut [f32]) {}
}
