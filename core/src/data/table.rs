//! A table of numbers, some possibly missing.

use serde::{Deserialize, Serialize};

use super::DataError;

/// Rows of numbers, all of one width; a missing number is NaN. Columns may have names.
///
/// ```
/// use gymnast_core::data::Table;
///
/// let table = Table::new(vec![1.0, 2.0, 3.0, f32::NAN], 2)?.with_names(["mass", "height"])?;
/// assert_eq!((table.len(), table.row(1)?[0]), (2, 3.0));
/// # Ok::<(), gymnast_core::data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Table {
    values: Vec<f32>, // [N, width]
    width: usize,
    names: Vec<String>, // [width], or none
}

/// A table read from a file, not yet checked.
#[derive(Deserialize)]
struct Unchecked {
    values: Vec<f32>,
    width: usize,
    names: Vec<String>,
}

impl TryFrom<Unchecked> for Table {
    type Error = DataError;

    fn try_from(Unchecked { values, width, names }: Unchecked) -> Result<Self, DataError> {
        let table = Self::new(values, width)?;
        if names.is_empty() { Ok(table) } else { table.with_names(names) }
    }
}

impl Table {
    /// Creates a table from numbers in row-major order.
    ///
    /// # Errors
    /// [`DataError::Ragged`].
    pub fn new(values: Vec<f32>, width: usize) -> Result<Self, DataError> {
        if width == 0 || !values.len().is_multiple_of(width) {
            return Err(DataError::Ragged { numbers: values.len(), width });
        }
        Ok(Self { values, width, names: Vec::new() })
    }

    /// Names the columns.
    ///
    /// # Errors
    /// [`DataError::Count`] unless there are as many names as columns.
    pub fn with_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, DataError> {
        self.names = names.into_iter().map(Into::into).collect();
        let (what, expected, got) = ("column names", self.width, self.names.len());
        if got == expected { Ok(self) } else { Err(DataError::Count { what, expected, got }) }
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Returns the number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns all numbers, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Returns the names of the columns; empty if they are unnamed.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns one row.
    ///
    /// # Errors
    /// [`DataError::NoSuchRow`].
    pub fn row(&self, row: usize) -> Result<&[f32], DataError> {
        let rows = self.len();
        self.values.chunks_exact(self.width).nth(row).ok_or(DataError::NoSuchRow { row, rows })
    }

    /// Returns one row for writing.
    ///
    /// # Errors
    /// [`DataError::NoSuchRow`].
    pub(crate) fn row_mut(&mut self, row: usize) -> Result<&mut [f32], DataError> {
        let rows = self.len();
        let mut all = self.values.chunks_exact_mut(self.width);
        all.nth(row).ok_or(DataError::NoSuchRow { row, rows })
    }

    /// Returns the rows of these numbers, in this order.
    ///
    /// # Errors
    /// [`DataError::NoSuchRow`].
    pub fn select(&self, rows: &[usize]) -> Result<Self, DataError> {
        // Before memory is taken: a table without rows may be of any width.
        rows.iter().try_for_each(|&row| self.row(row).map(drop))?;
        let mut values = Vec::with_capacity(rows.len() * self.width);
        for &row in rows {
            values.extend_from_slice(self.row(row)?);
        }
        Ok(Self { values, ..self.emptied() })
    }

    /// Returns a table of other numbers with these column names.
    ///
    /// # Errors
    /// [`DataError::Ragged`].
    pub(in crate::data) fn with_values(&self, values: Vec<f32>) -> Result<Self, DataError> {
        Ok(Self { names: self.names.clone(), ..Self::new(values, self.width)? })
    }

    /// Returns the first number that is NaN or infinite, with its row and column.
    pub(super) fn first_not_finite(&self) -> Option<(usize, usize, f32)> {
        let place = self.values.iter().position(|x| !x.is_finite())?;
        Some((place / self.width, place % self.width, self.values[place]))
    }

    fn emptied(&self) -> Self {
        Self { values: Vec::new(), width: self.width, names: self.names.clone() }
    }
}
