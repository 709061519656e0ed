//! Scales columns.

use serde::{Deserialize, Serialize};

use super::{Transformer, fit_columns};
use crate::require;
use crate::{
    data::{DataError, Table},
    statistics::{mean, median, quantile},
};

/// `x ↦ (x − center) / scale + shift`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Affine {
    center: f64,
    scale: f64,
    shift: f64,
}

impl Affine {
    /// Only centres a constant column, as in scikit-learn: its scale is 0.
    fn new(center: f64, scale: f64) -> Self {
        let scale = if scale.abs() < 10.0 * f64::EPSILON { 1.0 } else { scale };
        Self { center, scale, shift: 0.0 }
    }
}

fn apply(columns: &[Affine], row: &mut [f32]) {
    for (x, Affine { center, scale, shift }) in row.iter_mut().zip(columns) {
        *x = ((f64::from(*x) - center) / scale + shift) as f32;
    }
}

fn invert(columns: &[Affine], row: &mut [f32]) {
    for (x, Affine { center, scale, shift }) in row.iter_mut().zip(columns) {
        *x = ((f64::from(*x) - shift) * scale + center) as f32;
    }
}

macro_rules! transformer {
    ($scaler:ident) => {
        impl Transformer for $scaler {
            fn width(&self) -> usize {
                self.columns.len()
            }

            fn transform_row(&self, row: &mut [f32]) {
                apply(&self.columns, row);
            }

            fn inverse_transform_row(&self, row: &mut [f32]) {
                invert(&self.columns, row);
            }
        }
    };
}

/// Scales columns to mean 0 and standard deviation 1 (with divisor n); scikit-learn's
/// `StandardScaler`.
///
/// A constant column becomes 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StandardScaler {
    columns: Vec<Affine>,
}

transformer!(StandardScaler);

impl StandardScaler {
    /// Computes each column's mean and standard deviation.
    ///
    /// # Errors
    /// [`DataError::TooFewRows`] without rows, [`DataError::MissingColumn`], [`DataError::Infinite`].
    pub fn fit(table: &Table) -> Result<Self, DataError> {
        let learn = |column: &[f64]| {
            let center = mean(column)?;
            let squares: f64 = column.iter().map(|x| (x - center).powi(2)).sum();
            let (n, variance) = (column.len() as f64, squares / column.len() as f64);
            // What rounding alone may leave of a constant column's variance (as scikit-learn has it).
            let noise = n * f64::EPSILON * variance + (n * center * f64::EPSILON).powi(2);
            let scale = if variance <= noise { 1.0 } else { variance.sqrt() };
            Some(Affine { center, scale, shift: 0.0 })
        };
        Ok(Self { columns: fit_columns(table, learn)? })
    }
}

/// Scales columns to a range; scikit-learn's `MinMaxScaler`.
///
/// Rows it was not fitted to may fall outside the range. A constant column becomes the range's
/// start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MinMaxScaler {
    columns: Vec<Affine>,
}

transformer!(MinMaxScaler);

impl MinMaxScaler {
    /// Computes each column's smallest and largest number; they become the ends of `range`.
    ///
    /// # Errors
    /// [`DataError::Setting`] unless the range is finite and increasing; the errors of
    /// [`StandardScaler::fit`].
    pub fn fit(table: &Table, range: (f32, f32)) -> Result<Self, DataError> {
        let (start, end) = (f64::from(range.0), f64::from(range.1));
        require(start.is_finite(), "range.0", start, "finite")?;
        require(end > start && end.is_finite(), "range.1", end, "finite and greater than range.0")?;
        let learn = |column: &[f64]| {
            let min = column.iter().copied().reduce(f64::min)?;
            let max = column.iter().copied().reduce(f64::max)?;
            let Affine { center, scale, .. } = Affine::new(min, max - min);
            Some(Affine { center, scale: scale / (end - start), shift: start })
        };
        Ok(Self { columns: fit_columns(table, learn)? })
    }
}

/// Scales columns to median 0 and a distance of 1 between two percentiles; scikit-learn's
/// `RobustScaler`. Outliers have no influence on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RobustScaler {
    columns: Vec<Affine>,
}

transformer!(RobustScaler);

impl RobustScaler {
    /// Computes each column's median and the distance between two percentiles; (25, 75) gives the
    /// interquartile range.
    ///
    /// # Errors
    /// [`DataError::Setting`] unless the percentiles increase and lie in [0, 100]; the errors of
    /// [`StandardScaler::fit`].
    pub fn fit(table: &Table, quantile_range: (f64, f64)) -> Result<Self, DataError> {
        let (low, high) = quantile_range;
        require((0.0..100.0).contains(&low), "quantile_range.0", low, "in [0, 100)")?;
        let rises = high > low && high <= 100.0;
        require(rises, "quantile_range.1", high, "greater than quantile_range.0, at most 100")?;
        let learn = |column: &[f64]| {
            let spread = quantile(column, high / 100.0)? - quantile(column, low / 100.0)?;
            Some(Affine::new(median(column)?, spread))
        };
        Ok(Self { columns: fit_columns(table, learn)? })
    }
}
