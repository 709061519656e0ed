//! Several augmentations, applied in order.

use rand::Rng;
use serde::Serialize;

use super::Augmentation;
use crate::data::{DataError, Dataset, Table};

/// Applies augmentations one after the other; they are checked once against the width of the rows.
/// Torchvision's `Compose`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compose {
    steps: Vec<Augmentation>,
    width: usize,
}

impl Compose {
    /// Composes augmentations for rows of this width. An empty list leaves rows unchanged.
    ///
    /// # Errors
    /// [`DataError::Setting`] if a setting is out of its range, [`DataError::Count`] if a shape's
    /// number of pixels differs from the width.
    pub fn new(steps: Vec<Augmentation>, width: usize) -> Result<Self, DataError> {
        steps.iter().try_for_each(|step| step.check(width))?;
        Ok(Self { steps, width })
    }

    /// Returns the width of the rows.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Augments rows in place, `[N, width]`; each row has its own random draws.
    ///
    /// # Errors
    /// [`DataError::Ragged`] unless the numbers form whole rows.
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

    /// Returns the dataset with augmented inputs.
    ///
    /// # Errors
    /// [`DataError::Count`] if the inputs have another width; [`DataError::NotFinite`] if a number
    /// overflows.
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
