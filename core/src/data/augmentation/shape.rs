//! The layout of an image or a signal in a row.

use serde::{Deserialize, Serialize};

use crate::data::DataError;
use crate::require;

/// The shape of an image in a row, `[height, width, channels]`: a pixel's channels are adjacent.
///
/// A signal `[time, channels]` is an image of height 1: [`Shape::signal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shape {
    /// The rows of the image.
    pub height: usize,
    /// The columns of the image, or the steps of a signal.
    pub width: usize,
    /// The numbers of a pixel: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
}

impl Shape {
    /// Creates the shape of a signal of `steps` steps with `channels` numbers each.
    pub fn signal(steps: usize, channels: usize) -> Self {
        Self { height: 1, width: steps, channels }
    }

    pub(super) fn check(self, row_width: usize) -> Result<(), DataError> {
        let Self { height, width, channels } = self;
        let expected = height.saturating_mul(width).saturating_mul(channels);
        if expected == row_width && expected > 0 {
            return Ok(());
        }
        Err(DataError::Count { what: "numbers in a row", expected, got: row_width })
    }

    pub(super) fn check_signal(self, row_width: usize) -> Result<(), DataError> {
        require(self.height == 1, "height", self.height as f64, "1, the height of a signal")?;
        self.check(row_width)
    }

    /// Returns the index of a pixel's first number.
    pub(super) fn place(self, y: usize, x: usize) -> usize {
        (y * self.width + x) * self.channels
    }

    pub(super) fn flip_horizontally(self, row: &mut [f32]) {
        for line in row.chunks_exact_mut(self.width * self.channels) {
            let pixels = line.chunks_exact(self.channels).rev();
            let flipped: Vec<f32> = pixels.flatten().copied().collect();
            line.copy_from_slice(&flipped);
        }
    }

    pub(super) fn flip_vertically(self, row: &mut [f32]) {
        let lines = row.chunks_exact(self.width * self.channels).rev();
        let flipped: Vec<f32> = lines.flatten().copied().collect();
        row.copy_from_slice(&flipped);
    }
}
