//! Rows to learn from.

use rand::{Rng, seq::SliceRandom as _};
use tch::{Kind, Tensor};

use super::FitError;

/// Rows of inputs, and what should become of each: rows of targets. A class stands as its number.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    inputs: Vec<f32>,  // [N, input_width]
    targets: Vec<f32>, // [N, target_width]
    input_width: usize,
    target_width: usize,
}

impl Dataset {
    /// These rows, one after the other.
    ///
    /// # Errors
    /// [`FitError::Rows`] if they are not as many inputs as targets, [`FitError::NotFinite`].
    pub fn new(
        inputs: Vec<f32>,
        input_width: usize,
        targets: Vec<f32>,
        target_width: usize,
    ) -> Result<Self, FitError> {
        let rows = |numbers: usize, width| numbers.is_multiple_of(width).then(|| numbers / width);
        let is_empty = input_width == 0 || target_width == 0;
        if is_empty || rows(inputs.len(), input_width) != rows(targets.len(), target_width) {
            let (inputs, targets) = (inputs.len(), targets.len());
            return Err(FitError::Rows { inputs, input_width, targets, target_width });
        }
        for (numbers, width) in [(&inputs, input_width), (&targets, target_width)] {
            if let Some(place) = numbers.iter().position(|x| !x.is_finite()) {
                return Err(FitError::NotFinite { row: place / width, value: numbers[place] });
            }
        }
        Ok(Self { inputs, targets, input_width, target_width })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.inputs.len() / self.input_width
    }

    /// Whether there is not one.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The numbers of all inputs, row by row.
    pub fn inputs(&self) -> &[f32] {
        &self.inputs
    }

    /// The numbers of all targets, row by row.
    pub fn targets(&self) -> &[f32] {
        &self.targets
    }

    /// The rows in two parts: those to train with and, drawn at random, a share to hold out.
    ///
    /// # Errors
    /// [`FitError::Setting`] unless `share` lies in [0, 1).
    pub fn split<R: Rng + ?Sized>(
        &self,
        share: f64,
        rng: &mut R,
    ) -> Result<(Self, Self), FitError> {
        if !(0.0..1.0).contains(&share) {
            return Err(FitError::Setting { key: "share", value: share, allowed: "in [0, 1)" });
        }
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(rng);
        let (held_out, train) = order.split_at((share * self.len() as f64) as usize);
        Ok((self.part(train), self.part(held_out)))
    }

    /// Some of the rows, by their numbers.
    ///
    /// # Panics
    /// If there is no row of such a number.
    pub fn batch(&self, rows: &[usize]) -> Batch {
        let mut batch = Batch::default();
        self.gather(rows, &mut batch);
        batch
    }

    fn part(&self, rows: &[usize]) -> Self {
        let Batch { inputs, targets, .. } = self.batch(rows);
        Self { inputs, targets, ..*self }
    }

    /// Copies rows into a batch, whose memory is used again.
    pub(super) fn gather(&self, rows: &[usize], batch: &mut Batch) {
        batch.rows = rows.len();
        for (from, width, to) in [
            (&self.inputs, self.input_width, &mut batch.inputs),
            (&self.targets, self.target_width, &mut batch.targets),
        ] {
            to.clear();
            rows.iter().for_each(|row| to.extend_from_slice(&from[row * width..][..width]));
        }
    }
}

/// Some rows of a [`Dataset`].
#[derive(Debug, Clone, Default)]
pub struct Batch {
    rows: usize,
    inputs: Vec<f32>,  // [B, input_width]
    targets: Vec<f32>, // [B, target_width]
}

impl Batch {
    /// What the network reads: `[B, input_width]`.
    pub fn inputs(&self) -> Tensor {
        Tensor::from_slice(&self.inputs).view([self.rows as i64, -1])
    }

    /// What it should answer: `[B, target_width]`.
    pub fn targets(&self) -> Tensor {
        Tensor::from_slice(&self.targets).view([self.rows as i64, -1])
    }

    /// The targets as whole numbers, for classes: `[B]`.
    pub fn classes(&self) -> Tensor {
        Tensor::from_slice(&self.targets).to_kind(Kind::Int64)
    }

    /// The numbers of all targets, row by row.
    pub fn target_numbers(&self) -> &[f32] {
        &self.targets
    }
}
