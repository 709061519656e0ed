//! Some rows of a dataset, on their way to a network.

#[cfg(feature = "torch")]
use tch::Tensor;

#[cfg(feature = "torch")]
use super::{DataError, class_of};

/// Some rows of a [`Dataset`](super::Dataset).
#[derive(Debug, Clone, Default)]
pub struct Batch {
    pub(in crate::data) rows: usize,
    pub(in crate::data) inputs: Vec<f32>,  // [B, input_width]
    pub(in crate::data) targets: Vec<f32>, // [B, target_width]
    pub(in crate::data) views: usize,
}

impl Batch {
    /// The number of rows B.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is not one row.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// How often each row of the dataset is there: 1, or more where each is to be looked at in several
    /// views ([`gather_views`](super::Dataset::gather_views)). An empty batch that nothing was gathered
    /// into has none.
    pub fn views(&self) -> usize {
        self.views
    }

    /// The rows of the dataset, each once: B over the [views](Self::views).
    pub fn rows_of_data(&self) -> usize {
        self.rows / self.views.max(1)
    }

    /// The numbers of all inputs, row by row.
    pub fn input_numbers(&self) -> &[f32] {
        &self.inputs
    }

    /// The numbers of all inputs, row by row, to change: augmentations do.
    pub fn input_numbers_mut(&mut self) -> &mut [f32] {
        &mut self.inputs
    }

    /// The numbers of all targets, row by row.
    pub fn target_numbers(&self) -> &[f32] {
        &self.targets
    }
}

#[cfg(feature = "torch")]
impl Batch {
    /// What the network reads: `[B, input_width]`.
    pub fn inputs(&self) -> Tensor {
        self.rows_of(&self.inputs)
    }

    /// What it should answer: `[B, target_width]`.
    pub fn targets(&self) -> Tensor {
        self.rows_of(&self.targets)
    }

    /// Of no rows nobody knows the width: `[0, 0]`.
    fn rows_of(&self, numbers: &[f32]) -> Tensor {
        let width = numbers.len().checked_div(self.rows).unwrap_or(0);
        Tensor::from_slice(numbers).view([self.rows as i64, width as i64])
    }

    /// The targets as whole numbers, for classes: `[B]`.
    ///
    /// # Errors
    /// [`DataError::NotAClass`] if one is negative or not whole.
    pub fn classes(&self) -> Result<Tensor, DataError> {
        let class = |(row, &value)| class_of(row, value).map(|class| class as i64);
        let classes = self.targets.iter().enumerate().map(class);
        Ok(Tensor::from_slice(&classes.collect::<Result<Vec<i64>, _>>()?))
    }
}
