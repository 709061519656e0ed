//! Errors of CSV files.

use thiserror::Error;

use crate::data::DataError;

/// Why a CSV file cannot be read as a table. Lines count from 1, as editors do.
#[derive(Debug, Error)]
pub enum CsvError {
    /// The file cannot be opened or read.
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
    /// The file is larger than allowed.
    #[error("the file has more than {max_bytes} bytes: raise max_bytes to read it")]
    TooLarge {
        /// The limit, in bytes.
        max_bytes: u64,
    },
    /// The file has more rows than allowed.
    #[error("the file has more than {max_rows} rows: raise max_rows to read it")]
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
        /// The line, from 1.
        line: u64,
        /// The number of fields in the first line.
        expected: usize,
        /// The number of fields in this line.
        got: usize,
    },
    /// A field is not a finite number.
    #[error("line {line}, column {column} holds {text:?}: expected a finite number")]
    NotANumber {
        /// The line, from 1.
        line: u64,
        /// The column's name or, without a header, its number from 0.
        column: String,
        /// The field, or its beginning if it is long.
        text: String,
    },
    /// A label is empty.
    #[error("line {line}, column {column} is empty: expected the label of a class")]
    NoLabel {
        /// The line, from 1.
        line: u64,
        /// The column's name or, without a header, its number from 0.
        column: String,
    },
    /// A target is missing.
    #[error(
        "line {line}, column {column} holds {text:?}, which stands for a missing number: expected a \
         target; remove such rows"
    )]
    MissingTarget {
        /// The line, from 1.
        line: u64,
        /// The column's name or, without a header, its number from 0.
        column: String,
        /// The field, or its beginning if it is long.
        text: String,
    },
    /// A label is NaN or infinite, which names no class.
    #[error("line {line}, column {column} holds {text:?}: expected the label of a class")]
    NotALabel {
        /// The line, from 1.
        line: u64,
        /// The column's name or, without a header, its number from 0.
        column: String,
        /// The field.
        text: String,
    },
    /// Every column is a target; no inputs are left.
    #[error(
        "no column is left for inputs: {targets} are targets; expected at least one more column"
    )]
    NoInputs {
        /// The columns.
        targets: String,
    },
    /// A column is named as a target twice.
    #[error("column {column} is named as a target twice: expected each column once")]
    RepeatedTarget {
        /// The column's name or, without a header, its number from 0.
        column: String,
    },
    /// A target column is missing from the file, or occurs more than once.
    #[error("expected one column {column}, got {found}; the columns are {columns}")]
    NoSuchColumn {
        /// The column's name or number, from 0.
        column: String,
        /// The number of columns of this name.
        found: usize,
        /// The columns of the file.
        columns: String,
    },
    /// The file has no rows.
    #[error("the file has no rows: expected at least one")]
    Empty,
    /// A line is not UTF-8.
    #[error("line {line} is not valid UTF-8")]
    Encoding {
        /// The line, from 1.
        line: u64,
    },
    /// The rows are invalid.
    #[error(transparent)]
    Data(#[from] DataError),
}
