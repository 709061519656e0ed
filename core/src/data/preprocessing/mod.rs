//! Preprocessing: scale columns, clip outliers, impute missing numbers.
//!
//! Fit a transformer to the training rows only (`fit`) and apply it to all rows
//! ([`transform`](Transformer::transform)): fitting to test rows would leak information. A
//! transformer exists only fitted, and can be saved with a checkpoint. As in scikit-learn, `fit`
//! ignores missing numbers (NaN) and `transform` keeps them; only [`SimpleImputer`] fills them in.
//!
//! ```
//! use gymnast_core::data::{Pipeline, PipelineStep, Strategy, Table, Transformer};
//!
//! let train = Table::new(vec![1.0, f32::NAN, 3.0], 1)?;
//! let steps = [PipelineStep::SimpleImputer(Strategy::Mean), PipelineStep::MinMaxScaler { range: (0.0, 1.0) }];
//! let pipeline = Pipeline::fit(&train, &steps)?;
//! assert_eq!(pipeline.transform(&train)?.values(), [0.0, 0.5, 1.0]);
//! # Ok::<(), gymnast_core::data::DataError>(())
//! ```

mod clipper;
mod imputer;
mod pipeline;
mod scalers;
#[cfg(test)]
mod tests;

pub use clipper::{Bounds, OutlierClipper};
pub use imputer::{SimpleImputer, Strategy};
pub use pipeline::{Pipeline, PipelineStep};
pub use scalers::{MinMaxScaler, RobustScaler, StandardScaler};

use super::{DataError, Dataset, Table};

/// A transformation of rows, fitted to columns.
pub trait Transformer {
    /// Returns the number of columns it was fitted to.
    fn width(&self) -> usize;

    /// Transforms a row of [`width`](Self::width) numbers in place.
    fn transform_row(&self, row: &mut [f32]);

    /// Undoes [`transform_row`](Self::transform_row) in place as far as possible: clipped and
    /// imputed numbers stay.
    fn inverse_transform_row(&self, row: &mut [f32]);

    /// Returns the transformed rows.
    ///
    /// # Errors
    /// [`DataError::Count`] unless the rows have the width the transformer was fitted to.
    fn transform(&self, table: &Table) -> Result<Table, DataError> {
        each_row(table, self.width(), |row| self.transform_row(row))
    }

    /// Returns the rows before [`transform`](Self::transform), as far as it can be undone.
    ///
    /// # Errors
    /// As [`transform`](Self::transform).
    fn inverse_transform(&self, table: &Table) -> Result<Table, DataError> {
        each_row(table, self.width(), |row| self.inverse_transform_row(row))
    }

    /// Returns the dataset with transformed inputs and the same targets.
    ///
    /// # Errors
    /// As [`transform`](Self::transform); [`DataError::NotFinite`] if a number overflows.
    fn transform_inputs(&self, data: &Dataset) -> Result<Dataset, DataError> {
        data.with_inputs(self.transform(data.input_table())?)
    }
}

fn each_row(table: &Table, width: usize, change: impl Fn(&mut [f32])) -> Result<Table, DataError> {
    if table.width() != width {
        return Err(DataError::Count { what: "columns", expected: width, got: table.width() });
    }
    let mut values = table.values().to_vec();
    values.chunks_exact_mut(width).for_each(change);
    table.with_values(values)
}

/// Applies `learn` to each column's numbers, without the missing ones.
fn fit_columns<T>(table: &Table, learn: impl Fn(&[f64]) -> Option<T>) -> Result<Vec<T>, DataError> {
    if table.is_empty() {
        return Err(DataError::TooFewRows { needed: 1, rows: 0 });
    }
    let width = table.width();
    if let Some(place) = table.values().iter().position(|x| x.is_infinite()) {
        let (row, column) = (place / width, place % width);
        return Err(DataError::Infinite { row, column, value: table.values()[place] });
    }
    let learn_column = |column: usize| {
        let numbers = table.values().iter().skip(column).step_by(width);
        let numbers: Vec<f64> = numbers.filter(|x| !x.is_nan()).map(|&x| f64::from(x)).collect();
        learn(&numbers).ok_or(DataError::MissingColumn { column })
    };
    (0..width).map(learn_column).collect()
}
