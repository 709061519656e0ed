//! Several augmentations in a row.

use rand::Rng;
use serde::Serialize;

use super::Augmentation;
use crate::data::{DataError, Dataset, Table};

/// Augmentations one after the other, checked against the width of the rows; torchvision's `Compose`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compose {
    steps: Vec<Augmentation>,
    width: usize,
}

impl Compose {
    /// These augmentations, in order, for rows of this width. Without any, rows stay as they are.
    ///
    /// # Errors
    /// [`DataError::Setting`] if a setting is out of its range, [`DataError::Count`] if a shape has
    /// another number of pixels than a row has numbers.
    pub fn new(steps: Vec<Augmentation>, width: usize) -> Result<Self, DataError> {
        steps.iter().try_for_each(|step| step.check(width))?;
        Ok(Self { steps, width })
    }

    /// The width of the rows.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Changes rows in place, each by draws of its own: `[N, width]`, row after row.
    ///
    /// # Errors
    /// [`DataError::Ragged`] unless they are whole rows.
    pub fn apply<R: Rng + ?Sized>(&self, rows: &mut [f32], rng: &mut R) -> Result<(), DataError> {
        let (numbers, width) = (rows.len(), self.width);
        if width == 0 || !numbers.is_multiple_of(width) {
            return Err(DataError::Ragged { numbers, width });
        }
        for row in rows.chunks_exact_mut(width) {
            self.steps.iter().for_each(|step| step.change(row, rng));
        }
        Ok(())
    }

    /// The dataset with changed inputs.
    ///
    /// # Errors
    /// [`DataError::Count`] unless the inputs have its width; [`DataError::NotFinite`] if a number grew
    /// too large.
    pub fn apply_to_inputs<R: Rng + ?Sized>(
        &self,
        data: &Dataset,
        rng: &mut R,
    ) -> Result<Dataset, DataError> {
        let table: &Table = data.input_table();
        if table.width() != self.width {
            let (expected, got) = (self.width, table.width());
            return Err(DataError::Count { what: "columns", expected, got });
        }
        let mut values = table.values().to_vec();
        self.apply(&mut values, rng)?;
        data.with_inputs(table.with_values(values)?)
    }
}
