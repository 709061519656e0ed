//! What can be wrong with data.

use thiserror::Error;

use crate::text::number;

/// Why rows cannot be made, prepared or learned from. Rows and columns count from 0.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DataError {
    /// A setting is out of its range.
    #[error("{key} must be {allowed}, got {}", number(*value))]
    Setting {
        /// The setting's name.
        key: &'static str,
        /// What it was set to.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// There are too few rows for what was asked for.
    #[error("there are {rows} rows: expected at least {needed}")]
    TooFewRows {
        /// How many are needed.
        needed: usize,
        /// How many there are.
        rows: usize,
    },
    /// A class has too few rows for what was asked for.
    #[error("class {class} has {rows} rows: expected at least {needed} of each class")]
    SmallClass {
        /// The class.
        class: usize,
        /// How many rows it has.
        rows: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A part of a stratified split has too few rows to hold one of each class.
    #[error(
        "a part of {rows} rows cannot hold all {classes} classes: expected a share of at least \
         {classes} rows"
    )]
    SmallPart {
        /// How many rows the part would have.
        rows: usize,
        /// How many classes have rows.
        classes: usize,
    },
    /// There are more rows than can be numbered in memory.
    #[error("there are {rows} rows: expected at most {most}")]
    TooManyRows {
        /// How many there are.
        rows: usize,
        /// The most.
        most: usize,
    },
    /// Inputs and targets are no rows of the same number.
    #[error(
        "{inputs} numbers in rows of {input_width} and {targets} in rows of {target_width}: expected \
         whole rows, as many of the one as of the other"
    )]
    Rows {
        /// The numbers of all inputs.
        inputs: usize,
        /// The numbers of one row of inputs.
        input_width: usize,
        /// The numbers of all targets.
        targets: usize,
        /// The numbers of one row of targets.
        target_width: usize,
    },
    /// Numbers make no whole rows.
    #[error("{numbers} numbers make no whole rows of {width}: expected a multiple of a width ≥ 1")]
    Ragged {
        /// How many numbers came.
        numbers: usize,
        /// The numbers of one row.
        width: usize,
    },
    /// A number is NaN or infinite.
    #[error("row {row}, column {column} of the {part} holds {value}: expected finite numbers")]
    NotFinite {
        /// Inputs or targets.
        part: &'static str,
        /// Which row.
        row: usize,
        /// Which column.
        column: usize,
        /// The number.
        value: f32,
    },
    /// A row that is not there.
    #[error("there is no row {row}: there are {rows}, counted from 0")]
    NoSuchRow {
        /// The row asked for.
        row: usize,
        /// How many there are.
        rows: usize,
    },
    /// So many things of one kind were given for so many of another.
    #[error("got {got} {what}, expected {expected}")]
    Count {
        /// What was counted.
        what: &'static str,
        /// How many were expected.
        expected: usize,
        /// How many came.
        got: usize,
    },
    /// Rows of a resampled set would be judged by, though copies of them, or what they were made of,
    /// were learned from.
    #[error(
        "the rows to {what} were resampled: expected original ones; split first, then resample the \
         training part alone"
    )]
    Resampled {
        /// What was to happen to them.
        what: &'static str,
    },
    /// A target is no class.
    #[error("row {row} has the target {}: expected one whole number from 0 for a class{below}",
        number(*value), below = below.map(|n| format!(", below {n}")).unwrap_or_default())]
    NotAClass {
        /// Which row.
        row: usize,
        /// Its target.
        value: f32,
        /// How many classes there are, where that is known.
        below: Option<usize>,
    },
    /// A column has no number at all.
    #[error("column {column} has no number, only missing ones: expected at least one")]
    MissingColumn {
        /// Which column.
        column: usize,
    },
    /// A number is infinite where only missing ones (NaN) may be other than finite.
    #[error("row {row}, column {column} holds {value}: expected a finite number or NaN for none")]
    Infinite {
        /// Which row.
        row: usize,
        /// Which column.
        column: usize,
        /// The number.
        value: f32,
    },
}

impl DataError {
    /// A setting that has to hold.
    pub(crate) fn require(
        holds: bool,
        key: &'static str,
        value: f64,
        allowed: &'static str,
    ) -> Result<(), Self> {
        if holds { Ok(()) } else { Err(Self::Setting { key, value, allowed }) }
    }
}
