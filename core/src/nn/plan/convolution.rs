//! Convolutions, computed as one matrix product per picture.
//!
//! The numbers under each position of the kernel form the columns of a matrix `U`,
//! `[C · k · k, H' · W']`. With PyTorch's weights `W`, `[C', C · k · k]`,
//!
//! ```text
//! Y = W U + b                    [C', H' · W']: the picture, channels first
//! ∂L/∂W = ∂L/∂Y Uᵀ,   ∂L/∂b = the sums of ∂L/∂Y's rows
//! ∂L/∂U = Wᵀ ∂L/∂Y               whose numbers are added where they were taken from
//! ```

use std::ops::Range;

use super::tape::Gradient;
use crate::nn::{Activation, PictureShape, matmul};

#[derive(Debug, Clone)]
pub(in crate::nn) struct Convolution {
    pub(in crate::nn) weight: Range<usize>,
    pub(in crate::nn) bias: Range<usize>,
    pub(in crate::nn) input: PictureShape,
    pub(in crate::nn) output: PictureShape,
    pub(in crate::nn) kernel: usize,
    pub(in crate::nn) stride: usize,
    pub(in crate::nn) padding: usize,
    pub(in crate::nn) activation: Activation,
    /// Whether the input pictures have their channels last. The output pictures never do.
    pub(in crate::nn) channels_last: bool,
}

impl Convolution {
    /// Returns the number of kernel positions.
    fn places(&self) -> usize {
        self.output.height * self.output.width
    }

    /// Returns the number of values under the kernel.
    fn covered(&self) -> usize {
        self.input.channels * self.kernel * self.kernel
    }

    /// `out = W U + b`, picture by picture.
    pub(super) fn affine(
        &self,
        values: &[f32],
        x: &[f32],
        unfolded: &mut Vec<f32>,
        out: &mut [f32],
    ) {
        let (weight, bias) = (&values[self.weight.clone()], &values[self.bias.clone()]);
        let pictures = x.chunks_exact(self.input.size());
        for (picture, out) in pictures.zip(out.chunks_exact_mut(self.output.size())) {
            self.unfold(picture, unfolded);
            let channels = out.chunks_exact_mut(self.places());
            channels.zip(bias).for_each(|(channel, bias)| channel.fill(*bias));
            matmul::add_product(weight, unfolded, self.places(), out);
        }
    }

    pub(super) fn backward(
        &self,
        values: &[f32],
        x: &[f32],
        gradient: &mut Gradient,
        mut gradients: Option<&mut [f32]>,
    ) {
        let Gradient { by_output, by_input, unfolded, by_place, aside } = gradient;
        let (places, covered, channels) = (self.places(), self.covered(), self.output.channels);
        let mut by_picture = by_input.chunks_exact_mut(self.input.size());
        let by_weight = aside; // [C · k · k, C'], the transpose
        by_weight.clear();
        by_weight.resize(covered * channels, 0.0);
        let pictures = x.chunks_exact(self.input.size());
        for (picture, by_output) in pictures.zip(by_output.chunks_exact(self.output.size())) {
            if let Some(gradients) = gradients.as_deref_mut() {
                self.unfold(picture, unfolded);
                let start = matmul::Start::Sum;
                matmul::product_with_transpose(unfolded, by_output, channels, start, by_weight);
                let by_bias = gradients[self.bias.clone()].iter_mut();
                by_bias
                    .zip(by_output.chunks_exact(places))
                    .for_each(|(sum, by_output)| *sum += by_output.iter().sum::<f32>());
            }
            if let Some(by_picture) = by_picture.next() {
                by_place.clear();
                by_place.resize(covered * places, 0.0);
                let weight = &values[self.weight.clone()];
                matmul::add_transposed_product(weight, by_output, places, by_place);
                self.fold(by_place, by_picture);
            }
        }
        if let Some(gradients) = gradients {
            let transposed = by_place;
            transposed.resize(by_weight.len(), 0.0);
            matmul::transpose(by_weight, channels, transposed);
            super::nested::add(&mut gradients[self.weight.clone()], transposed);
        }
    }

    /// Writes the numbers under each kernel position, `[C · k · k, H' · W']`, with zero padding.
    fn unfold(&self, picture: &[f32], unfolded: &mut Vec<f32>) {
        unfolded.resize(self.covered() * self.places(), 0.0);
        if self.padding > 0 {
            unfolded.fill(0.0);
        }
        self.lines(|line, first, step| match step {
            1 => {
                let from = &picture[first..][..line.len()];
                unfolded[line].copy_from_slice(from);
            }
            _ => {
                let from = picture[first..].iter().step_by(step);
                unfolded[line].iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
        });
    }

    /// Adds the numbers of each position back to where [`unfold`](Self::unfold) took them from.
    fn fold(&self, unfolded: &[f32], picture: &mut [f32]) {
        self.lines(|line, first, step| {
            let to = picture[first..].iter_mut().step_by(step);
            to.zip(&unfolded[line]).for_each(|(sum, x)| *sum += x);
        });
    }

    /// Calls `line` with each run of unfolded numbers that lies in one row of the picture: its
    /// range, its first index in the picture, and the step between neighbours.
    fn lines(&self, mut line: impl FnMut(Range<usize>, usize, usize)) {
        let Self { input, output, kernel, stride, padding, .. } = *self;
        let (channel_step, row_step, pixel_step) = match self.channels_last {
            true => (1, input.width * input.channels, input.channels),
            false => (input.height * input.width, input.width, 1),
        };
        let mut start = 0;
        for channel in 0..input.channels {
            for (row, column) in (0..kernel).flat_map(|row| (0..kernel).map(move |c| (row, c))) {
                let rows = inside(row, input.height, output.height, stride, padding);
                let columns = inside(column, input.width, output.width, stride, padding);
                if !columns.is_empty() {
                    let left = columns.start * stride + column - padding;
                    for place in rows {
                        let top = place * stride + row - padding;
                        let first = channel * channel_step + top * row_step + left * pixel_step;
                        let at = start + place * output.width;
                        line(at + columns.start..at + columns.end, first, stride * pixel_step);
                    }
                }
                start += output.width * output.height;
            }
        }
    }
}

/// Returns the kernel positions along one side whose element `offset` lies in the picture.
fn inside(
    offset: usize,
    length: usize,
    places: usize,
    stride: usize,
    padding: usize,
) -> Range<usize> {
    let first = padding.saturating_sub(offset).div_ceil(stride);
    // place · stride + offset − padding < length
    let end = (length + padding).saturating_sub(offset).div_ceil(stride).min(places);
    first..end.max(first)
}
