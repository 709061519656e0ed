//! Reads tables from CSV files.
//!
//! ```
//! use gymnast_core::data::csv::{CsvConfig, TargetKind, from_reader};
//!
//! let file = "mass,height,kind\n2.0,1.5,cat\n9.5,NA,dog\n";
//! let config = CsvConfig {
//!     targets: vec!["kind".into()],
//!     target_kind: TargetKind::Classes,
//!     missing: vec!["NA".to_owned()],
//!     ..CsvConfig::default()
//! };
//! let raw = from_reader(file.as_bytes(), &config)?;
//! assert_eq!(raw.class_names, ["cat", "dog"]);
//! assert!(raw.inputs.values()[3].is_nan() && raw.into_dataset().is_err()); // impute it before
//! # Ok::<(), gymnast_core::data::csv::CsvError>(())
//! ```

mod error;
mod labels;
mod plain;
#[cfg(test)]
mod tests;

pub use error::CsvError;

use labels::{classes_of, is_label};

use std::{fs::File, io::Read, path::Path};

use serde::{Deserialize, Serialize};

use super::{DataError, Dataset, Table};

/// How to read a CSV file. By default: commas, a header, numeric columns, the last column is the
/// target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CsvConfig {
    /// The character between two fields; ASCII.
    pub delimiter: char,
    /// Whether the first line holds the column names.
    pub has_header: bool,
    /// The target columns, in this order; empty: the last column. All other columns are inputs.
    pub targets: Vec<Column>,
    /// Whether targets are numbers or classes.
    pub target_kind: TargetKind,
    /// The fields that stand for a missing input, for example `""` or `"NA"`; they become NaN. Any
    /// other field that is not a number is an error, and so is a missing target.
    pub missing: Vec<String>,
    /// The largest file size, in bytes; a larger file is an error.
    pub max_bytes: u64,
    /// The largest number of rows; more are an error.
    pub max_rows: usize,
}

impl Default for CsvConfig {
    /// Allows at most 256 MiB and ten million rows.
    fn default() -> Self {
        Self {
            delimiter: ',',
            has_header: true,
            targets: Vec::new(),
            target_kind: TargetKind::Numbers,
            missing: Vec::new(),
            max_bytes: 1 << 28,
            max_rows: 10_000_000,
        }
    }
}

/// A column, given by name or by number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// The column's number, from 0.
    Number(usize),
    /// The column's name in the header.
    Name(String),
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<usize> for Column {
    fn from(number: usize) -> Self {
        Self::Number(number)
    }
}

/// The kind of targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// Real numbers.
    #[default]
    Numbers,
    /// The labels of one column, numbered from 0 in sorted order, as scikit-learn's `LabelEncoder`
    /// does: numerically if all are numbers (`1` and `1.0` are the same), otherwise alphabetically.
    /// NaN and infinity, in any spelling, are not labels.
    Classes,
}

/// The contents of a file. Inputs may be missing: impute them before making a [`Dataset`].
#[derive(Debug, Clone, PartialEq)]
pub struct RawDataset {
    /// The columns that are not targets; NaN where a number is missing.
    pub inputs: Table,
    /// The target columns; classes as numbers.
    pub targets: Table,
    /// The labels of the classes, class 0 first; empty if targets are numbers.
    pub class_names: Vec<String>,
}

impl RawDataset {
    /// Converts the tables to a dataset.
    ///
    /// # Errors
    /// [`DataError::NotFinite`] if an input is missing.
    pub fn into_dataset(self) -> Result<Dataset, DataError> {
        let data = Dataset::from_tables(self.inputs, self.targets)?;
        if self.class_names.is_empty() { Ok(data) } else { data.with_class_names(self.class_names) }
    }
}

/// Reads a CSV file.
///
/// # Errors
/// [`CsvError`].
pub fn from_path(path: impl AsRef<Path>, config: &CsvConfig) -> Result<RawDataset, CsvError> {
    let file = File::open(path)?;
    let length = file.metadata()?.len().min(config.max_bytes);
    let mut bytes = Vec::new();
    _ = bytes.try_reserve(length as usize); // to save time alone
    read(file, bytes, config)
}

/// Reads CSV text. Blanks around a field are ignored.
///
/// # Errors
/// [`CsvError`].
pub fn from_reader(reader: impl Read, config: &CsvConfig) -> Result<RawDataset, CsvError> {
    read(reader, Vec::new(), config)
}

fn read(source: impl Read, mut bytes: Vec<u8>, config: &CsvConfig) -> Result<RawDataset, CsvError> {
    source.take(config.max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > config.max_bytes {
        return Err(CsvError::TooLarge { max_bytes: config.max_bytes });
    }
    let delimiter = config.delimiter;
    if !delimiter.is_ascii() || ['"', '\n', '\r'].contains(&delimiter) {
        return Err(CsvError::Delimiter(delimiter));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes); // a byte order mark
    let mut reader = reader(bytes, config);
    let names: Vec<String> =
        reader.headers().map_err(csv_error)?.iter().map(String::from).collect();
    let columns = Columns::new(names, config)?;
    let start = if config.has_header { reader.position().byte() as usize } else { 0 };
    let Values { inputs, mut targets, labels, .. } =
        match plain::read(&bytes[start..], &columns, config) {
            Some(values) => values,
            None => columns.read_carefully(&mut reader, config)?,
        };
    let (class_names, classes) = classes_of(labels);
    targets.extend(classes.into_iter().map(|class| class as f32));
    let table = |values, columns: &[usize], names: &[String]| {
        let table = Table::new(values, columns.len())?;
        let names = columns.iter().map(|&column| names[column].as_str());
        if config.has_header { table.with_names(names) } else { Ok(table) }
    };
    Ok(RawDataset {
        inputs: table(inputs, &columns.inputs, &columns.names)?,
        targets: table(targets, &columns.targets, &columns.names)?,
        class_names,
    })
}

fn reader<'a>(bytes: &'a [u8], config: &CsvConfig) -> ::csv::Reader<&'a [u8]> {
    ::csv::ReaderBuilder::new()
        .delimiter(config.delimiter as u8)
        .has_headers(config.has_header)
        .trim(::csv::Trim::All)
        .from_reader(bytes)
}

/// The numbers of the rows, and their labels if targets are classes.
#[derive(Default)]
struct Values {
    rows: usize,
    inputs: Vec<f32>,
    targets: Vec<f32>,
    labels: Vec<String>,
}

/// The roles of the columns.
struct Columns {
    names: Vec<String>,
    inputs: Vec<usize>,
    targets: Vec<usize>,
}

impl Columns {
    fn new(first_line: Vec<String>, config: &CsvConfig) -> Result<Self, CsvError> {
        let width = first_line.len();
        if width == 0 {
            return Err(CsvError::Empty);
        }
        let numbers = || (0..width).map(|number| number.to_string()).collect();
        let names: Vec<String> = if config.has_header { first_line } else { numbers() };
        let find = |column: &Column| {
            let places: Vec<usize> = match column {
                Column::Number(number) => (0..width).filter(|place| place == number).collect(),
                Column::Name(_) if !config.has_header => Vec::new(),
                Column::Name(name) => (0..width).filter(|&place| names[place] == *name).collect(),
            };
            let [place] = *places else {
                let column = match column {
                    Column::Number(number) => number.to_string(),
                    Column::Name(name) => format!("{name:?}"),
                };
                let (found, columns) = (places.len(), names.join(", "));
                return Err(CsvError::NoSuchColumn { column, found, columns });
            };
            Ok(place)
        };
        let targets = match config.targets.as_slice() {
            [] => vec![width - 1],
            columns => columns.iter().map(find).collect::<Result<_, _>>()?,
        };
        let (what, expected, got) = ("target columns", 1, targets.len());
        if config.target_kind == TargetKind::Classes && got != expected {
            return Err(DataError::Count { what, expected, got }.into());
        }
        if let Some(&again) = targets
            .iter()
            .enumerate()
            .find_map(|(i, place)| targets[..i].contains(place).then_some(place))
        {
            return Err(CsvError::RepeatedTarget { column: names[again].clone() });
        }
        let inputs: Vec<usize> = (0..width).filter(|place| !targets.contains(place)).collect();
        if inputs.is_empty() {
            return Err(CsvError::NoInputs { targets: names.join(", ") });
        }
        Ok(Self { names, inputs, targets })
    }

    /// Reads all rows of a file in which any field may be quoted, and says what is wrong with it.
    fn read_carefully(
        &self,
        reader: &mut ::csv::Reader<&[u8]>,
        config: &CsvConfig,
    ) -> Result<Values, CsvError> {
        let (mut values, mut record) = (Values::default(), ::csv::StringRecord::new());
        while reader.read_record(&mut record).map_err(csv_error)? {
            values.rows += 1;
            if values.rows > config.max_rows {
                return Err(CsvError::TooManyRows { max_rows: config.max_rows });
            }
            let is_missing = |column| config.missing.iter().any(|text| *text == record[column]);
            for &column in &self.inputs {
                let missing = is_missing(column);
                values.inputs.push(if missing { f32::NAN } else { self.number(&record, column)? });
            }
            for &column in &self.targets {
                if is_missing(column) {
                    return Err(self.missing_target(&record, column));
                }
                match config.target_kind {
                    TargetKind::Numbers => values.targets.push(self.number(&record, column)?),
                    TargetKind::Classes => values.labels.push(self.label(&record, column)?),
                }
            }
        }
        if values.rows == 0 { Err(CsvError::Empty) } else { Ok(values) }
    }

    fn number(&self, record: &::csv::StringRecord, column: usize) -> Result<f32, CsvError> {
        finite(&record[column]).ok_or_else(|| CsvError::NotANumber {
            line: line(record.position()),
            column: self.names[column].clone(),
            text: start(&record[column]),
        })
    }

    fn missing_target(&self, record: &::csv::StringRecord, column: usize) -> CsvError {
        CsvError::MissingTarget {
            line: line(record.position()),
            column: self.names[column].clone(),
            text: start(&record[column]),
        }
    }

    fn label(&self, record: &::csv::StringRecord, column: usize) -> Result<String, CsvError> {
        let (line, label) = (line(record.position()), &record[column]);
        let column = || self.names[column].clone();
        if label.is_empty() {
            return Err(CsvError::NoLabel { line, column: column() });
        }
        if !is_label(label) {
            return Err(CsvError::NotALabel { line, column: column(), text: start(label) });
        }
        Ok(label.to_owned())
    }
}

fn finite(field: &str) -> Option<f32> {
    field.parse().ok().filter(|number: &f32| number.is_finite())
}

/// Returns the beginning of a field, for a message.
fn start(field: &str) -> String {
    field.chars().take(40).collect()
}

fn line(position: Option<&::csv::Position>) -> u64 {
    position.map_or(0, ::csv::Position::line)
}

fn csv_error(error: ::csv::Error) -> CsvError {
    use ::csv::ErrorKind;
    match error.into_kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => CsvError::RaggedRow {
            line: line(pos.as_ref()),
            expected: expected_len as usize,
            got: len as usize,
        },
        ErrorKind::Utf8 { pos, .. } => CsvError::Encoding { line: line(pos.as_ref()) },
        ErrorKind::Io(error) => CsvError::Io(error),
        other => CsvError::Io(std::io::Error::other(format!("{other:?}"))),
    }
}
