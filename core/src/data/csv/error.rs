//! What can be wrong with a file.

use thiserror::Error;

use crate::data::DataError;

/// Why a file is no table. Lines count from 1, as editors do.
#[derive(Debug, Error)]
pub enum CsvError {
    /// It cannot be opened or read.
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
    /// It is larger than allowed.
    #[error("the file has more than {max_bytes} bytes, the most that is read (max_bytes)")]
    TooLarge {
        /// The limit.
        max_bytes: u64,
    },
    /// It has more rows than allowed.
    #[error("the file has more than {max_rows} rows, the most that are read (max_rows)")]
    TooManyRows {
        /// The limit.
        max_rows: usize,
    },
    /// The delimiter is not one byte.
    #[error(
        "the delimiter must be an ASCII character other than a quote or a line's end, got {0:?}"
    )]
    Delimiter(char),
    /// A line has more or fewer fields than the first.
    #[error("line {line} has {got} fields: expected {expected}, as in the first")]
    RaggedRow {
        /// Which line.
        line: u64,
        /// The fields of the first line.
        expected: usize,
        /// The fields of this one.
        got: usize,
    },
    /// A field is not a finite number.
    #[error("line {line}, column {column} holds {text:?}: expected a finite number")]
    NotANumber {
        /// Which line.
        line: u64,
        /// The column's name or, without a header, its number from 0.
        column: String,
        /// The field, its beginning if it is long.
        text: String,
    },
    /// A label is empty.
    #[error("line {line}, column {column} is empty: expected the label of a class")]
    NoLabel {
        /// Which line.
        line: u64,
        /// The column's name or, without a header, its number from 0.
        column: String,
    },
    /// A target is a field that stands for a missing one.
    #[error(
        "line {line}, column {column} holds {text:?}, which stands for a missing number: expected a \
         target; leave out such rows"
    )]
    MissingTarget {
        /// Which line.
        line: u64,
        /// The column's name or, without a header, its number from 0.
        column: String,
        /// The field, its beginning if it is long.
        text: String,
    },
    /// A label is no number of a class, but no name of one either.
    #[error("line {line}, column {column} holds {text:?}: expected the label of a class")]
    NotALabel {
        /// Which line.
        line: u64,
        /// The column's name or, without a header, its number from 0.
        column: String,
        /// The field.
        text: String,
    },
    /// Every column is a target, so that there is nothing to predict it from.
    #[error(
        "no column is left for inputs: {targets} are targets; expected at least one more column"
    )]
    NoInputs {
        /// The columns, all of which are targets.
        targets: String,
    },
    /// A column is named as a target twice.
    #[error("column {column} is named as a target twice: expected each column once")]
    RepeatedTarget {
        /// The column's name or, without a header, its number from 0.
        column: String,
    },
    /// A target column is not in the file, or is there more than once.
    #[error("expected one column {column}, got {found}; the columns are {columns}")]
    NoSuchColumn {
        /// The column's name or number, from 0.
        column: String,
        /// How many there are.
        found: usize,
        /// Those that there are.
        columns: String,
    },
    /// It has no rows.
    #[error("the file has no rows")]
    Empty,
    /// It is not UTF-8.
    #[error("line {line} is not valid UTF-8")]
    Encoding {
        /// Which line.
        line: u64,
    },
    /// The rows are at fault.
    #[error(transparent)]
    Data(#[from] DataError),
}
