//! Fills in missing numbers.

use serde::{Deserialize, Serialize};

use super::{Transformer, fit_columns};
use crate::require;
use crate::{
    data::{DataError, Table},
    statistics::{mean, median},
};

/// How to replace a missing number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The column's mean.
    Mean,
    /// The column's median.
    Median,
    /// The column's most frequent number; the smallest of equally frequent ones.
    MostFrequent,
    /// This number, in every column.
    Constant(f32),
}

/// Replaces the missing numbers (NaN) of each column; scikit-learn's `SimpleImputer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimpleImputer {
    columns: Vec<f32>,
}

impl SimpleImputer {
    /// Computes each column's replacement.
    ///
    /// # Errors
    /// [`DataError::MissingColumn`] if a column has only missing numbers and the strategy is not
    /// constant; [`DataError::Setting`] if the constant is not finite; [`DataError::TooFewRows`]
    /// without rows; [`DataError::Infinite`].
    pub fn fit(table: &Table, strategy: Strategy) -> Result<Self, DataError> {
        if let Strategy::Constant(value) = strategy {
            require(value.is_finite(), "constant", f64::from(value), "finite")?;
        }
        let learn = |column: &[f64]| match strategy {
            Strategy::Mean => mean(column).map(|x| x as f32),
            Strategy::Median => median(column).map(|x| x as f32),
            Strategy::MostFrequent => most_frequent(column),
            Strategy::Constant(value) => Some(value),
        };
        Ok(Self { columns: fit_columns(table, learn)? })
    }

    /// Returns each column's replacement.
    pub fn statistics(&self) -> &[f32] {
        &self.columns
    }
}

fn most_frequent(column: &[f64]) -> Option<f32> {
    let mut sorted = column.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let runs: Vec<&[f64]> = sorted.chunk_by(|a, b| a == b).collect();
    // The last of the longest, so backwards: the first, which is the least.
    let longest = runs.into_iter().rev().max_by_key(|run| run.len())?;
    Some(longest[0] as f32)
}

impl Transformer for SimpleImputer {
    fn width(&self) -> usize {
        self.columns.len()
    }

    fn transform_row(&self, row: &mut [f32]) {
        for (x, &value) in row.iter_mut().zip(&self.columns) {
            if x.is_nan() {
                *x = value;
            }
        }
    }

    /// Does nothing: the imputer does not record which numbers were missing.
    fn inverse_transform_row(&self, _: &mut [f32]) {}
}
