//! Errors of datasets.

use thiserror::Error;

use crate::SettingError;
use crate::text::number;

/// Why rows cannot be made, prepared or used. Rows and columns count from 0.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DataError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// There are too few rows.
    #[error("got {rows} rows: expected at least {needed}")]
    TooFewRows {
        /// The number needed.
        needed: usize,
        /// The number of rows.
        rows: usize,
    },
    /// A class has too few rows.
    #[error("class {class} has {rows} rows: expected at least {needed} of each class")]
    SmallClass {
        /// The class.
        class: usize,
        /// The number of its rows.
        rows: usize,
        /// The number needed.
        needed: usize,
    },
    /// A part of a stratified split has too few rows to hold one of each class.
    #[error(
        "a part of {rows} rows cannot hold all {classes} classes: expected a share of at least \
         {classes} rows"
    )]
    SmallPart {
        /// The number of rows in the part.
        rows: usize,
        /// The number of classes that have rows.
        classes: usize,
    },
    /// There are too many rows to number in memory.
    #[error("got {rows} rows: expected at most {most}")]
    TooManyRows {
        /// The number of rows.
        rows: usize,
        /// The largest number allowed.
        most: usize,
    },
    /// Inputs and targets have different numbers of rows.
    #[error(
        "{inputs} numbers in rows of {input_width} and {targets} in rows of {target_width}: expected \
         the same number of whole rows"
    )]
    Rows {
        /// The count of input numbers.
        inputs: usize,
        /// The inputs in a row.
        input_width: usize,
        /// The count of target numbers.
        targets: usize,
        /// The targets in a row.
        target_width: usize,
    },
    /// The numbers do not form whole rows.
    #[error(
        "{numbers} numbers do not form rows of width {width}: expected a multiple of a width ≥ 1"
    )]
    Ragged {
        /// The count of numbers.
        numbers: usize,
        /// The numbers in a row.
        width: usize,
    },
    /// A number is NaN or infinite.
    #[error("row {row}, column {column} of the {part} holds {value}: expected finite numbers")]
    NotFinite {
        /// The part of the data: inputs or targets.
        part: &'static str,
        /// The row, from 0.
        row: usize,
        /// The column, from 0.
        column: usize,
        /// The number.
        value: f32,
    },
    /// A row number is out of range.
    #[error("there is no row {row}: expected a number below {rows}")]
    NoSuchRow {
        /// The row asked for.
        row: usize,
        /// The number of rows.
        rows: usize,
    },
    /// The number of items differs from what was expected.
    #[error("got {got} {what}, expected {expected}")]
    Count {
        /// The name of the items.
        what: &'static str,
        /// The number expected.
        expected: usize,
        /// The number given.
        got: usize,
    },
    /// Resampled rows cannot be split or evaluated: copies of them may be in the training data.
    #[error(
        "the rows to {what} were resampled: expected original rows; split first, then resample the \
         training part alone"
    )]
    Resampled {
        /// The operation, as a verb.
        what: &'static str,
    },
    /// A target is not a class.
    #[error("row {row} has the target {}: expected one whole number from 0 for a class{below}",
        number(*value), below = below.map(|n| format!(", below {n}")).unwrap_or_default())]
    NotAClass {
        /// The row, from 0.
        row: usize,
        /// The target.
        value: f32,
        /// The number of classes, if known.
        below: Option<usize>,
    },
    /// A column has only missing numbers.
    #[error("column {column} has no number, only missing ones: expected at least one")]
    MissingColumn {
        /// The column, from 0.
        column: usize,
    },
    /// A number is infinite; only finite numbers and NaN (missing) are allowed.
    #[error("row {row}, column {column} holds {value}: expected a finite number or NaN for none")]
    Infinite {
        /// The row, from 0.
        row: usize,
        /// The column, from 0.
        column: usize,
        /// The number.
        value: f32,
    },
}
