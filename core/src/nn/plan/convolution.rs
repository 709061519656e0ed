//! Convolutions of pictures whose channels lie side by side, `[H, W, C]`.
//!
//! The numbers under each position of the kernel are the rows of a matrix `U`,
//! `[H' · W', C · k · k]`. With PyTorch's weights `W`, `[C', C · k · k]`,
//!
//! ```text
//! Y = U Wᵀ + b                   [H' · W', C']: the picture
//! ∂L/∂Wᵀ = Uᵀ ∂L/∂Y,   ∂L/∂b = the sum of ∂L/∂Y's rows
//! ∂L/∂U = ∂L/∂Y W                whose numbers are added where they were taken from
//! ```
//!
//! `U` is not written down: its number in row `i` and column `j` lies at `starts[i] + offsets[j]` of
//! the picture, with its padding. Pictures with few positions are processed together.

use std::ops::Range;

use super::gathered::add_gathered_product;
use super::tape::Gradient;
use crate::nn::matmul::{self, Start};
use crate::nn::{Activation, PictureShape};
use crate::simd::wide;

/// The number of kernel positions that are processed together, at least: sums are kept in registers
/// while they grow by that many products.
const PLACES: usize = 64;

#[derive(Debug, Clone)]
pub(in crate::nn) struct Convolution {
    pub(super) weight: Range<usize>,
    pub(super) bias: Range<usize>,
    pub(super) input: PictureShape,
    pub(super) output: PictureShape,
    pub(super) activation: Activation,
    kernel: usize,
    padding: usize,
    padded: PictureShape,
    /// The first number under each position of the kernel, in as many padded pictures as are
    /// processed together.
    starts: Vec<usize>,
    /// The distance of each number under the kernel from the first, in the order of the weights.
    offsets: Vec<usize>,
}

/// Memory for the work of a convolution.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    padded: Vec<f32>,
    weight: Vec<f32>,    // in another order
    unfolded: Vec<f32>,  // [places, k · k · C]
    by_weight: Vec<f32>, // [C · k · k, C']
    by_bias: Vec<f32>,   // [C']
}

impl Convolution {
    pub(in crate::nn) fn new(
        [weight, bias]: [Range<usize>; 2],
        [input, output]: [PictureShape; 2],
        [kernel, stride, padding]: [usize; 3],
    ) -> Self {
        let padded = PictureShape {
            height: input.height + 2 * padding,
            width: input.width + 2 * padding,
            ..input
        };
        let pixel = |row: usize, column: usize| (row * padded.width + column) * input.channels;
        let of_picture = |picture: usize| {
            let places = (0..output.height).flat_map(|y| (0..output.width).map(move |x| (y, x)));
            places.map(move |(y, x)| picture * padded.size() + pixel(y * stride, x * stride))
        };
        let together = (PLACES / (output.height * output.width)).max(1);
        let kernel_pixels = || (0..kernel).flat_map(|y| (0..kernel).map(move |x| (y, x)));
        let of_channel = |channel| kernel_pixels().map(move |(y, x)| channel + pixel(y, x));
        Self {
            starts: (0..together).flat_map(of_picture).collect(),
            offsets: (0..input.channels).flat_map(of_channel).collect(),
            activation: Activation::Identity,
            weight,
            bias,
            input,
            output,
            kernel,
            padding,
            padded,
        }
    }

    /// Returns whether there is padding, which sends the gradient by inputs through a copy.
    pub(super) fn is_padded(&self) -> bool {
        self.padding > 0
    }

    /// Returns the number of kernel positions.
    fn places(&self) -> usize {
        self.output.height * self.output.width
    }

    /// Returns the number of pictures that are processed together.
    fn together(&self) -> usize {
        self.starts.len() / self.places()
    }

    /// `out = U Wᵀ + b`.
    pub(super) fn affine(&self, values: &[f32], x: &[f32], memory: &mut Memory, out: &mut [f32]) {
        let (weight, bias) = (&values[self.weight.clone()], &values[self.bias.clone()]);
        let (channels, covered) = (self.output.channels, self.offsets.len());
        let Memory { padded, weight: transposed, .. } = memory;
        transposed.resize(weight.len(), 0.0);
        matmul::transpose(weight, covered, transposed);
        out.chunks_exact_mut(channels).for_each(|place| place.copy_from_slice(bias));
        let pictures = x.chunks(self.together() * self.input.size());
        for (x, out) in pictures.zip(out.chunks_mut(self.starts.len() * channels)) {
            let (x, starts) = (self.pad(x, padded), &self.starts[..out.len() / channels]);
            add_gathered_product(x, starts, &self.offsets, transposed, channels, out);
        }
    }

    pub(super) fn backward(
        &self,
        values: &[f32],
        x: &[f32],
        gradient: &mut Gradient,
        mut gradients: Option<&mut [f32]>,
    ) {
        let Gradient { by_output, by_input, convolution: memory, .. } = gradient;
        let Memory { padded, weight, unfolded, by_weight, by_bias } = memory;
        let (channels, covered) = (self.output.channels, self.offsets.len());
        by_weight.clear();
        by_weight.resize(covered * channels, 0.0);
        by_bias.resize(channels, 0.0);
        if !by_input.is_empty() {
            self.channels_last(&values[self.weight.clone()], weight);
        }
        let mut by_pictures = by_input.chunks_mut(self.together() * self.input.size());
        let pictures = x.chunks(self.together() * self.input.size());
        for (x, by_output) in pictures.zip(by_output.chunks(self.starts.len() * channels)) {
            let starts = &self.starts[..by_output.len() / channels];
            if let Some(gradients) = gradients.as_deref_mut() {
                let x = self.pad(x, padded);
                add_gathered_product(x, &self.offsets, starts, by_output, channels, by_weight);
                for by_output in by_output.chunks_exact(self.places() * channels) {
                    by_bias.fill(0.0);
                    matmul::add_rows(by_output, by_bias);
                    super::nested::add(&mut gradients[self.bias.clone()], by_bias);
                }
            }
            if let Some(by_pictures) = by_pictures.next() {
                unfolded.resize(starts.len() * covered, 0.0);
                matmul::product(by_output, weight, covered, Start::Zeros, unfolded);
                self.fold(unfolded, starts, padded, by_pictures);
            }
        }
        if let Some(gradients) = gradients {
            let transposed = weight;
            transposed.resize(by_weight.len(), 0.0);
            matmul::transpose(by_weight, channels, transposed);
            super::nested::add(&mut gradients[self.weight.clone()], transposed);
        }
    }

    /// Returns the pictures with their padding of zeros.
    fn pad<'a>(&self, x: &'a [f32], padded: &'a mut Vec<f32>) -> &'a [f32] {
        if self.padding == 0 {
            return x;
        }
        padded.clear();
        padded.resize(x.len() / self.input.size() * self.padded.size(), 0.0);
        let rows = x.chunks_exact(self.input.width * self.input.channels);
        self.inside(padded).zip(rows).for_each(|(to, from)| to.copy_from_slice(from));
        padded
    }

    /// Returns the rows within the padding of pictures.
    fn inside<'a>(&self, padded: &'a mut [f32]) -> impl Iterator<Item = &'a mut [f32]> {
        let Self { padding, input, padded: shape, .. } = *self;
        let width = shape.width * shape.channels;
        padded.chunks_exact_mut(shape.size()).flat_map(move |picture| {
            let rows = picture.chunks_exact_mut(width).skip(padding).take(input.height);
            rows.map(move |row| {
                &mut row[padding * shape.channels..][..input.width * shape.channels]
            })
        })
    }

    /// Reorders the weights as the numbers under the kernel lie in a picture, `[C', k · k · C]`.
    fn channels_last(&self, weight: &[f32], to: &mut Vec<f32>) {
        to.resize(weight.len(), 0.0);
        let filters = weight.chunks_exact(self.offsets.len());
        for (filter, to) in filters.zip(to.chunks_exact_mut(self.offsets.len())) {
            matmul::transpose(filter, self.kernel * self.kernel, to);
        }
    }

    /// Adds the numbers of each position to the pictures from which they would have been taken.
    fn fold(
        &self,
        unfolded: &[f32],
        starts: &[usize],
        padded: &mut Vec<f32>,
        pictures: &mut [f32],
    ) {
        let channels = self.input.channels;
        let sizes = [self.kernel, self.kernel * channels, self.padded.width * channels];
        if self.padding == 0 {
            return add_where_taken(unfolded, starts, sizes, pictures);
        }
        padded.clear();
        padded.resize(pictures.len() / self.input.size() * self.padded.size(), 0.0);
        add_where_taken(unfolded, starts, sizes, padded);
        let rows = pictures.chunks_exact_mut(self.input.width * self.input.channels);
        rows.zip(self.inside(padded)).for_each(|(to, from)| to.copy_from_slice(from));
    }
}

wide! {
    /// Adds the numbers of each position of the kernel, `[places, kernel, length]`, to pictures whose
    /// rows hold `width` numbers. From the last position to the first, so that each pixel's numbers
    /// are added in the order of the kernel.
    fn add_where_taken<FMA>(
        unfolded: &[f32], starts: &[usize], sizes: [usize; 3],
        pictures: &mut [f32],
    ) {
        let [kernel, length, width] = sizes;
        let places = unfolded.chunks_exact(kernel * length).zip(starts);
        for (place, &start) in places.rev() {
            let rows = place.chunks_exact(length).zip(pictures[start..].chunks_mut(width));
            for (from, to) in rows {
                to[..length].iter_mut().zip(from).for_each(|(sum, x)| *sum += x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(length: usize, step: usize) -> Vec<f32> {
        (0..length).map(|i| ((i * step % 101) as f32 - 50.0) / 7.0).collect()
    }

    /// `sum + a · b`, as this processor rounds it.
    fn add_product(sum: &mut f32, a: f32, b: f32) {
        matmul::product(&[a], &[b], 1, Start::Sum, std::slice::from_mut(sum));
    }

    fn picture(height: usize, width: usize, channels: usize) -> PictureShape {
        PictureShape { height, width, channels }
    }

    /// Each number is one sum in the order of the kernel: weights are `[C', C, k, k]`.
    #[test]
    fn sums_go_along_the_kernel_picture_by_picture() {
        let small = (picture(5, 4, 2), 3, [3, 1, 1]);
        let wide = (picture(8, 8, 16), 32, [3, 1, 1]);
        let strided = (picture(9, 7, 3), 17, [4, 2, 2]);
        for (input, channels, [kernel, stride, padding]) in [small, wide, strided] {
            let places = |length: usize| (length + 2 * padding - kernel) / stride + 1;
            let output = picture(places(input.height), places(input.width), channels);
            let area = kernel * kernel;
            let (weights, batch) = (channels * input.channels * area, 3);
            let (values, x) = (numbers(weights + channels, 37), numbers(batch * input.size(), 29));
            let by_output = numbers(batch * output.size(), 17);
            let (weight, bias) = values.split_at(weights);

            let mut out = Vec::new();
            let mut gradients = numbers(values.len(), 13);
            let (mut by_weight, mut by_input) = (vec![0.0; weights], vec![0.0; x.len()]);
            for b in 0..batch {
                for place in 0..output.height * output.width {
                    let (top, left) =
                        (place / output.width * stride, place % output.width * stride);
                    // The number of a weight and of the pixel under it.
                    let under = (0..input.channels * area).filter_map(|j| {
                        let (channel, y, x) = (j / area, j % area / kernel, j % kernel);
                        let (row, column) = (top + y, left + x);
                        let inside = (padding..input.height + padding).contains(&row)
                            && (padding..input.width + padding).contains(&column);
                        let pixel = |(row, column)| (b * input.height + row) * input.width + column;
                        inside.then(|| {
                            let pixel = pixel((row - padding, column - padding));
                            (j, pixel * input.channels + channel)
                        })
                    });
                    for channel in 0..channels {
                        let mut sum = bias[channel];
                        let by = by_output[(b * output.height * output.width + place) * channels..]
                            [channel];
                        for (j, pixel) in under.clone() {
                            let weight = channel * input.channels * area + j;
                            add_product(&mut sum, x[pixel], values[weight]);
                            add_product(&mut by_weight[weight], x[pixel], by);
                        }
                        out.push(sum);
                    }
                }
                for channel in 0..channels {
                    let by = by_output[b * output.size()..][..output.size()].iter();
                    let sum = by.skip(channel).step_by(channels).fold(0.0, |sum, by| sum + by);
                    gradients[weights + channel] += sum;
                }
                // Position by position of the kernel.
                for j in 0..input.channels * area {
                    let (channel, y, x) = (j / area, j % area / kernel, j % kernel);
                    for place in 0..output.height * output.width {
                        let row = (place / output.width * stride + y).wrapping_sub(padding);
                        let column = (place % output.width * stride + x).wrapping_sub(padding);
                        if row < input.height && column < input.width {
                            let by =
                                &by_output[(b * output.height * output.width + place) * channels..];
                            let mut sum = 0.0;
                            for (c, by) in by[..channels].iter().enumerate() {
                                add_product(&mut sum, *by, weight[c * input.channels * area + j]);
                            }
                            let pixel = (b * input.height + row) * input.width + column;
                            by_input[pixel * input.channels + channel] += sum;
                        }
                    }
                }
            }
            gradients.iter_mut().zip(&by_weight).for_each(|(sum, by)| *sum += by);

            let ranges = [0..weights, weights..values.len()];
            let layer = Convolution::new(ranges, [input, output], [kernel, stride, padding]);
            let mut ours = vec![f32::NAN; out.len()];
            layer.affine(&values, &x, &mut Memory::default(), &mut ours);
            assert_eq!(ours, out);
            let mut gradient =
                Gradient { by_output, by_input: vec![0.0; x.len()], ..Gradient::default() };
            let mut sums = numbers(values.len(), 13);
            layer.backward(&values, &x, &mut gradient, Some(&mut sums));
            assert_eq!(sums, gradients);
            assert_eq!(gradient.by_input, by_input);
        }
    }
}
