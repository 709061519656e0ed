//! Layer normalisation and RMS normalisation.
//!
//! With x̂ = (x − μ) / σ, where σ² = var + ε (or the mean square + ε, and μ = 0), y = w x̂ + b. For
//! g = w ∂L/∂y,
//!
//! ```text
//! ∂L/∂w = Σ ∂L/∂y x̂,   ∂L/∂b = Σ ∂L/∂y,   ∂L/∂x = (g − mean g − x̂ mean(g x̂)) / σ
//! ```
//!
//! without the `mean g` where μ = 0.

use std::ops::Range;

use super::tape::Gradient;
use crate::simd::{multiply_add, wide};

#[derive(Debug, Clone)]
pub(in crate::nn) struct Norm {
    pub(in crate::nn) weight: Range<usize>,
    /// The bias. With one, the mean is subtracted.
    pub(in crate::nn) bias: Option<Range<usize>>,
    pub(in crate::nn) eps: f32,
}

impl Norm {
    /// Returns the width of a row.
    pub(super) fn width(&self) -> usize {
        self.weight.len()
    }

    /// Returns the end of its parameters.
    pub(super) fn end(&self) -> usize {
        self.bias.as_ref().unwrap_or(&self.weight).end
    }

    pub(super) fn forward(&self, values: &[f32], x: &[f32], out: &mut [f32]) {
        let weight = &values[self.weight.clone()];
        let bias = self.bias.clone().map_or(&[][..], |bias| &values[bias]);
        let rows = x.chunks_exact(self.width()).zip(out.chunks_exact_mut(self.width()));
        for (x, out) in rows {
            let (mean, scale) = self.statistics(x);
            normalise(x, mean, scale, out);
            scale_and_shift(weight, bias, out);
        }
    }

    pub(super) fn backward(
        &self,
        values: &[f32],
        x: &[f32],
        gradient: &mut Gradient,
        mut gradients: Option<&mut [f32]>,
    ) {
        let Gradient { by_output, by_input, aside: normal, .. } = gradient;
        let (width, weight) = (self.width(), &values[self.weight.clone()]);
        normal.resize(width, 0.0);
        let mut by_row = by_input.chunks_exact_mut(width);
        for (x, by_output) in x.chunks_exact(width).zip(by_output.chunks_exact_mut(width)) {
            let (mean, scale) = self.statistics(x);
            normalise(x, mean, scale, normal);
            if let Some(gradients) = gradients.as_deref_mut() {
                add_products(by_output, normal, &mut gradients[self.weight.clone()]);
                if let Some(bias) = self.bias.clone() {
                    super::nested::add(&mut gradients[bias], by_output);
                }
            }
            let Some(by_row) = by_row.next() else { continue };
            scale_and_shift(weight, &[], by_output); // g
            let n = width as f32;
            let shift = if self.bias.is_some() { sum(by_output) / n } else { 0.0 };
            let slope = dot(by_output, normal) / n;
            for ((by, g), x) in by_row.iter_mut().zip(&*by_output).zip(&*normal) {
                *by = (g - shift - x * slope) * scale;
            }
        }
    }

    /// Returns μ and 1 / σ.
    fn statistics(&self, x: &[f32]) -> (f32, f32) {
        let n = x.len() as f32;
        let mean = if self.bias.is_some() { sum(x) / n } else { 0.0 };
        let variance = sum_of_squares(x, mean) / n;
        (mean, 1.0 / (variance + self.eps).sqrt())
    }
}

/// The number of sums that run at once.
const LANES: usize = 16;

/// Sums `term` over all indices.
#[inline(always)]
fn lanes(length: usize, term: impl Fn(usize, f32) -> f32) -> f32 {
    let (mut sums, whole) = ([0.0; LANES], length / LANES * LANES);
    for start in (0..whole).step_by(LANES) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            *sum = term(start + lane, *sum);
        }
    }
    for (place, sum) in (whole..length).zip(&mut sums) {
        *sum = term(place, *sum);
    }
    sums.iter().sum()
}

wide! {
    fn sum<FMA>(x: &[f32]) -> f32 {
        lanes(x.len(), |i, sum| sum + x[i])
    }
}

wide! {
    fn dot<FMA>(x: &[f32], y: &[f32]) -> f32 {
        let y = &y[..x.len()];
        lanes(x.len(), |i, sum| multiply_add::<FMA>(x[i], y[i], sum))
    }
}

wide! {
    fn sum_of_squares<FMA>(x: &[f32], mean: f32) -> f32 {
        lanes(x.len(), |i, sum| multiply_add::<FMA>(x[i] - mean, x[i] - mean, sum))
    }
}

wide! {
    fn normalise<FMA>(x: &[f32], mean: f32, scale: f32, out: &mut [f32]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = (x - mean) * scale;
        }
    }
}

wide! {
    /// `out ← w out + b`; an empty `b` is zero.
    fn scale_and_shift<FMA>(weight: &[f32], bias: &[f32], out: &mut [f32]) {
        for (out, weight) in out.iter_mut().zip(weight) {
            *out *= weight;
        }
        for (out, bias) in out.iter_mut().zip(bias) {
            *out += bias;
        }
    }
}

wide! {
    fn add_products<FMA>(x: &[f32], y: &[f32], sum: &mut [f32]) {
        for ((sum, x), y) in sum.iter_mut().zip(x).zip(y) {
            *sum = multiply_add::<FMA>(*x, *y, *sum);
        }
    }
}
