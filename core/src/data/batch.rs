//! A minibatch: some rows of a dataset, ready to become tensors.

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
    /// Returns the number of rows B.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Returns how many views of each row the batch holds: 1, or more after
    /// [`gather_views`](super::Dataset::gather_views). Returns 0 for an empty batch that nothing
    /// was gathered into.
    pub fn views(&self) -> usize {
        self.views
    }

    /// Returns the number of distinct rows of the dataset: B divided by the [views](Self::views).
    pub fn rows_of_data(&self) -> usize {
        self.rows / self.views.max(1)
    }

    /// Returns the numbers of all inputs, row by row.
    pub fn input_numbers(&self) -> &[f32] {
        &self.inputs
    }

    /// Returns the numbers of all inputs for writing, row by row, for example to augment them.
    pub fn input_numbers_mut(&mut self) -> &mut [f32] {
        &mut self.inputs
    }

    /// Returns the numbers of all targets, row by row.
    pub fn target_numbers(&self) -> &[f32] {
        &self.targets
    }
}

#[cfg(feature = "torch")]
impl Batch {
    /// Returns the inputs as a tensor, `[B, input_width]`.
    pub fn inputs(&self) -> Tensor {
        self.rows_of(&self.inputs)
    }

    /// Returns the targets as a tensor, `[B, target_width]`.
    pub fn targets(&self) -> Tensor {
        self.rows_of(&self.targets)
    }

    /// Makes a tensor of rows; without rows the width is unknown: `[0, 0]`.
    fn rows_of(&self, numbers: &[f32]) -> Tensor {
        let width = numbers.len().checked_div(self.rows).unwrap_or(0);
        Tensor::from_slice(numbers).view([self.rows as i64, width as i64])
    }

    /// Returns the targets as class numbers, `[B]`.
    ///
    /// # Errors
    /// [`DataError::NotAClass`] if a target is negative or not whole.
    pub fn classes(&self) -> Result<Tensor, DataError> {
        let class = |(row, &value)| class_of(row, value).map(|class| class as i64);
        let classes = self.targets.iter().enumerate().map(class);
        Ok(Tensor::from_slice(&classes.collect::<Result<Vec<i64>, _>>()?))
    }
}
