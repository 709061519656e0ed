//! Max and average pooling, channel by channel.

use std::ops::Range;

use super::tape::Gradient;
use crate::nn::PictureShape;

#[derive(Debug, Clone)]
pub(in crate::nn) struct Pool {
    pub(in crate::nn) input: PictureShape,
    pub(in crate::nn) output: PictureShape,
    /// The kernel's height and width.
    pub(in crate::nn) kernel: [usize; 2],
    pub(in crate::nn) stride: usize,
    pub(in crate::nn) padding: usize,
    /// Whether this is max pooling instead of average pooling.
    pub(in crate::nn) largest: bool,
}

impl Pool {
    pub(super) fn forward(&self, x: &[f32], out: &mut [f32]) {
        let share = 1.0 / (self.kernel[0] * self.kernel[1]) as f32;
        self.places(x.len(), |place, channel, rows, columns| {
            let x = &x[channel];
            out[place] = if self.largest {
                x[self.largest(x, rows, columns)]
            } else {
                let row = |row: usize| x[row * self.input.width..][columns.clone()].iter();
                rows.flat_map(row).sum::<f32>() * share
            };
        });
    }

    pub(super) fn backward(&self, x: &[f32], gradient: &mut Gradient) {
        let Gradient { by_output, by_input, .. } = gradient;
        if by_input.is_empty() {
            return;
        }
        let share = 1.0 / (self.kernel[0] * self.kernel[1]) as f32;
        self.places(x.len(), |place, channel, rows, columns| {
            let (x, by_input) = (&x[channel.clone()], &mut by_input[channel]);
            if self.largest {
                by_input[self.largest(x, rows, columns)] += by_output[place];
            } else {
                for row in rows {
                    let by_row = &mut by_input[row * self.input.width..][columns.clone()];
                    by_row.iter_mut().for_each(|by| *by += by_output[place] * share);
                }
            }
        });
    }

    /// Returns the index of the first of the largest numbers under the kernel, or of the last NaN.
    fn largest(&self, x: &[f32], rows: Range<usize>, columns: Range<usize>) -> usize {
        let mut largest = rows.start * self.input.width + columns.start;
        for row in rows {
            for i in columns.clone().map(|column| row * self.input.width + column) {
                if x[i] > x[largest] || x[i].is_nan() {
                    largest = i;
                }
            }
        }
        largest
    }

    /// Calls a function with each kernel position in each channel of each picture: its index, the
    /// start of the channel, and the rows and columns of the picture under the kernel.
    fn places(
        &self,
        length: usize,
        mut place: impl FnMut(usize, Range<usize>, Range<usize>, Range<usize>),
    ) {
        let Self { input, output, kernel, stride, padding, .. } = *self;
        let pixels = input.height * input.width;
        let under = |at: usize, kernel: usize, length: usize| {
            let start = (at * stride).saturating_sub(padding);
            start..(at * stride + kernel - padding).min(length)
        };
        let mut number = 0;
        for channel in 0..length / pixels {
            for row in 0..output.height {
                let rows = under(row, kernel[0], input.height);
                for column in 0..output.width {
                    let columns = under(column, kernel[1], input.width);
                    let channel = channel * pixels..(channel + 1) * pixels;
                    place(number, channel, rows.clone(), columns);
                    number += 1;
                }
            }
        }
    }
}
