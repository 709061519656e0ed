//! Max and average pooling of pictures whose channels lie side by side.

use super::tape::Gradient;
use crate::nn::PictureShape;
use crate::simd::wide;

/// The number of channels that are pooled at once.
const LANES: usize = 16;

#[derive(Debug, Clone)]
pub(in crate::nn) struct Pool {
    pub(super) input: PictureShape,
    pub(super) output: PictureShape,
    /// Where each pixel under each position of the kernel begins in a picture.
    windows: Vec<Vec<usize>>,
    /// What a mean multiplies the sum with; without it, this is max pooling.
    share: Option<f32>,
}

impl Pool {
    /// Pools with a kernel of this height and width.
    pub(in crate::nn) fn new(
        [input, output]: [PictureShape; 2],
        kernel: [usize; 2],
        [stride, padding]: [usize; 2],
        largest: bool,
    ) -> Self {
        let under = |at: usize, kernel: usize, length: usize| {
            let start = (at * stride).saturating_sub(padding);
            start..(at * stride + kernel - padding).min(length)
        };
        let window = |y: usize, x: usize| {
            let columns = under(x, kernel[1], input.width);
            let pixel = |row, column| (row * input.width + column) * input.channels;
            let rows = under(y, kernel[0], input.height);
            rows.flat_map(|row| columns.clone().map(move |column| pixel(row, column))).collect()
        };
        let places = (0..output.height).flat_map(|y| (0..output.width).map(move |x| (y, x)));
        let windows = places.map(|(y, x)| window(y, x)).collect();
        let share = (!largest).then_some(1.0 / (kernel[0] * kernel[1]) as f32);
        Self { input, output, windows, share }
    }

    pub(super) fn forward(&self, x: &[f32], out: &mut [f32]) {
        let pictures = x.chunks_exact(self.input.size());
        for (x, out) in pictures.zip(out.chunks_exact_mut(self.output.size())) {
            forward(self, x, out);
        }
    }

    pub(super) fn backward(&self, x: &[f32], gradient: &mut Gradient) {
        let Gradient { by_output, by_input, .. } = gradient;
        let pictures = x.chunks_exact(self.input.size());
        let gradients = by_output.chunks_exact(self.output.size());
        let by_pictures = by_input.chunks_exact_mut(self.input.size()); // none if they are not wanted
        for ((x, by_output), by_picture) in pictures.zip(gradients).zip(by_pictures) {
            backward(self, x, by_output, by_picture);
        }
    }

    /// Returns the largest or mean numbers of `C` channels, from `first` on.
    #[inline(always)]
    fn pool<const C: usize>(&self, x: &[f32], window: &[usize], first: usize) -> [f32; C] {
        let Some(share) = self.share else { return largest(x, window, first).0 };
        let mut sums = [0.0; C];
        for pixel in window {
            let x = &x[pixel + first..][..C];
            for lane in 0..C {
                sums[lane] += x[lane];
            }
        }
        sums.map(|sum| sum * share)
    }

    #[inline(always)]
    fn add_gradient<const C: usize>(
        &self,
        x: &[f32],
        window: &[usize],
        first: usize,
        by: &[f32; C],
        by_input: &mut [f32],
    ) {
        let pixels = if self.share.is_none() { largest(x, window, first).1 } else { [0; C] };
        for pixel in window {
            let sums = &mut by_input[pixel + first..][..C];
            if let Some(share) = self.share {
                for lane in 0..C {
                    sums[lane] += by[lane] * share;
                }
            } else {
                // The compiler would branch for each lane of a choice between two numbers.
                for lane in 0..C {
                    let mask = u32::from(pixels[lane] == *pixel as u32).wrapping_neg();
                    sums[lane] += f32::from_bits(by[lane].to_bits() & mask);
                }
            }
        }
    }
}

/// Returns the first of the largest numbers, or the last NaN, of `C` channels from `first` on, and
/// where its pixel begins.
#[inline(always)]
fn largest<const C: usize>(x: &[f32], window: &[usize], first: usize) -> ([f32; C], [u32; C]) {
    let start = window.first().map_or(0, |pixel| *pixel as u32);
    let (mut numbers, mut pixels) = ([f32::NEG_INFINITY; C], [start; C]);
    for pixel in window {
        let x = &x[pixel + first..][..C];
        for lane in 0..C {
            let is_larger = (x[lane] > numbers[lane]) | x[lane].is_nan();
            numbers[lane] = if is_larger { x[lane] } else { numbers[lane] };
            pixels[lane] = if is_larger { *pixel as u32 } else { pixels[lane] };
        }
    }
    (numbers, pixels)
}

wide! {
    /// Pools one picture.
    fn forward<FMA>(pool: &Pool, x: &[f32], out: &mut [f32]) {
        let channels = pool.input.channels;
        for (window, out) in pool.windows.iter().zip(out.chunks_exact_mut(channels)) {
            let (blocks, rest) = out.as_chunks_mut::<LANES>();
            let wide = blocks.len() * LANES;
            for (i, out) in blocks.iter_mut().enumerate() {
                *out = pool.pool(x, window, i * LANES);
            }
            for (i, out) in rest.iter_mut().enumerate() {
                [*out] = pool.pool(x, window, wide + i);
            }
        }
    }
}

wide! {
    /// Adds the gradient by one picture.
    fn backward<FMA>(pool: &Pool, x: &[f32], by_output: &[f32], by_input: &mut [f32]) {
        let channels = pool.input.channels;
        for (window, by) in pool.windows.iter().zip(by_output.chunks_exact(channels)) {
            let (blocks, rest) = by.as_chunks::<LANES>();
            let wide = blocks.len() * LANES;
            for (i, by) in blocks.iter().enumerate() {
                pool.add_gradient(x, window, i * LANES, by, by_input);
            }
            for (i, by) in rest.iter().enumerate() {
                pool.add_gradient(x, window, wide + i, &[*by], by_input);
            }
        }
    }
}
