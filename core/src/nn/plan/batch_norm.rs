//! Batch normalisation of rows, or of pictures whose channels lie side by side.
//!
//! For each channel, over all its n numbers in a batch, x̂ = (x − μ) s, where s = 1 / √(σ² + ε), and
//! y = w x̂ + b. For g = ∂L/∂y,
//!
//! ```text
//! ∂L/∂w = Σ g x̂,   ∂L/∂b = Σ g,   ∂L/∂x = w s (g − (Σ g + x̂ Σ g x̂) / n)
//! ```
//!
//! In evaluation, running statistics take the place of μ and σ². The channels of several pixels are
//! processed as one line, as if there were more of them, so that few channels fill the registers.

use std::ops::Range;
use std::sync::Arc;

use super::tape::{Gradient, Recorded};
use crate::nn::normalization::Running;
use crate::nn::{Activation, NetworkError, matmul};
use crate::simd::{multiply_add, wide};

/// The least width of a line.
const LINE: usize = 64;

/// So many lines are added in `f32`, the sums of those in `f64`.
const STRETCH: usize = 64;

#[derive(Debug, Clone)]
pub(in crate::nn) struct BatchNorm {
    weight: Range<usize>,
    pub(super) bias: Range<usize>,
    /// Shared with the module.
    running: Arc<Running>,
    momentum: f64,
    eps: f64,
    pub(super) outputs: usize,
    pub(super) activation: Activation,
}

/// Memory for lines and sums.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    lines: [Vec<f32>; 4],
    sums: Vec<f32>,
    totals: [Vec<f64>; 2], // of each channel
}

impl BatchNorm {
    pub(in crate::nn) fn new(
        [weight, bias]: [Range<usize>; 2],
        outputs: usize,
        running: &Arc<Running>,
        momentum: f64,
        eps: f64,
    ) -> Self {
        let (running, activation) = (Arc::clone(running), Activation::Identity);
        Self { weight, bias, running, momentum, eps, outputs, activation }
    }

    /// Stops sharing the running statistics.
    pub(super) fn detach(&mut self) {
        self.running = Arc::new(Running::clone(&self.running));
    }

    pub(super) fn channels(&self) -> usize {
        self.weight.len()
    }

    /// Returns an error if the rows of a batch are too few for a variance.
    pub(super) fn check_rows(&self, batch: usize) -> Result<(), NetworkError> {
        let least = if self.outputs == self.channels() { 2 } else { 1 };
        let got = batch as i64;
        if got < least { Err(NetworkError::Rows { least, got }) } else { Ok(()) }
    }

    /// Normalises by the running statistics.
    pub(super) fn evaluate(&self, values: &[f32], x: &[f32], memory: &mut Memory, out: &mut [f32]) {
        let running = self.running.numbers();
        let (means, variances) = running.split_at(self.channels());
        let scale = |channel: usize| scale(f64::from(variances[channel]), self.eps);
        self.normalise(values, x, means, scale, memory, out);
    }

    /// Normalises by the batch's statistics, which it records, and updates the running ones.
    pub(super) fn record(
        &self,
        values: &[f32],
        x: &[f32],
        batch: usize,
        memory: &mut Memory,
        recorded: &mut Recorded,
    ) {
        let (channels, n) = (self.channels(), (x.len() / self.channels()) as f64);
        let Recorded { after, statistics, rows, .. } = recorded;
        *rows = batch;
        statistics.resize(2 * channels, 0.0);
        let (means, scales) = statistics.split_at_mut(channels);
        let Memory { lines: [mean_line, ..], sums, totals: [totals, _] } = memory;
        sum_channels(x, channels, sums, totals, |x, _, sums| add(x, sums));
        means.iter_mut().zip(&*totals).for_each(|(mean, sum)| *mean = (sum / n) as f32);
        fill(mean_line, channels, |channel| means[channel]);
        sum_channels(x, channels, sums, totals, |x, _, sums| add_squares(x, mean_line, sums));
        let mut running = self.running.numbers();
        let (running_means, running_variances) = running.split_at_mut(channels);
        let mix = |running: &mut f32, of_batch: f64| {
            let momentum = self.momentum;
            *running = (momentum * of_batch + (1.0 - momentum) * f64::from(*running)) as f32;
        };
        for (channel, squares) in totals.iter().enumerate() {
            mix(&mut running_means[channel], f64::from(means[channel]));
            mix(&mut running_variances[channel], squares / (n - 1.0));
            scales[channel] = scale(squares / n, self.eps);
        }
        self.normalise(values, x, means, |channel| scales[channel], memory, after);
    }

    /// `out ← w (x − μ) s + b`.
    fn normalise(
        &self,
        values: &[f32],
        x: &[f32],
        means: &[f32],
        scale: impl Fn(usize) -> f32,
        memory: &mut Memory,
        out: &mut [f32],
    ) {
        let (weight, bias) = (&values[self.weight.clone()], &values[self.bias.clone()]);
        let [mean_line, slopes, biases, _] = &mut memory.lines;
        fill(mean_line, means.len(), |channel| means[channel]);
        fill(slopes, means.len(), |channel| weight[channel] * scale(channel));
        fill(biases, means.len(), |channel| bias[channel]);
        scale_and_shift(x, mean_line, slopes, biases, out);
    }

    pub(super) fn backward(
        &self,
        values: &[f32],
        x: &[f32],
        recorded: &Recorded,
        gradient: &mut Gradient,
        gradients: Option<&mut [f32]>,
    ) {
        let (channels, n) = (self.channels(), (x.len() / self.channels()) as f64);
        let Gradient { by_output: g, by_input, batch_norm, .. } = gradient;
        let Memory { lines, sums, totals: [by_bias, by_weight] } = batch_norm;
        let (means, scales) = recorded.statistics.split_at(channels);
        let [mean_line, factors, slopes, shifts] = lines;
        fill(mean_line, channels, |channel| means[channel]);
        sum_channels(g, channels, sums, by_bias, |g, _, sums| add(g, sums));
        sum_channels(g, channels, sums, by_weight, |g, from, sums| {
            add_products(g, &x[from..], mean_line, sums);
        });
        by_weight.iter_mut().zip(scales).for_each(|(sum, scale)| *sum *= f64::from(*scale));
        if let Some(gradients) = gradients {
            for (range, totals) in [(&self.weight, &*by_weight), (&self.bias, by_bias)] {
                let sums = gradients[range.clone()].iter_mut().zip(totals);
                sums.for_each(|(sum, total)| *sum += *total as f32);
            }
        }
        if by_input.is_empty() {
            return;
        }
        let weight = &values[self.weight.clone()];
        fill(factors, channels, |channel| weight[channel] * scales[channel]);
        fill(slopes, channels, |channel| scales[channel] * (by_weight[channel] / n) as f32);
        fill(shifts, channels, |channel| (by_bias[channel] / n) as f32);
        combine(g, x, [factors, mean_line, slopes, shifts], by_input);
    }
}

/// 1 / √(σ² + ε).
fn scale(variance: f64, eps: f64) -> f32 {
    (1.0 / (variance + eps).sqrt()) as f32
}

/// Fills a line with a number for each channel, again and again.
fn fill(line: &mut Vec<f32>, channels: usize, number: impl Fn(usize) -> f32) {
    line.clear();
    while line.len() < LINE {
        line.extend((0..channels).map(&number));
    }
}

/// Sets `totals` to the sums of each channel. `add` adds some lines, which begin at that number of `x`,
/// to sums as wide as a line.
fn sum_channels(
    x: &[f32],
    channels: usize,
    sums: &mut Vec<f32>,
    totals: &mut Vec<f64>,
    add: impl Fn(&[f32], usize, &mut [f32]),
) {
    totals.clear();
    totals.resize(channels, 0.0);
    let width = LINE.div_ceil(channels) * channels;
    for (i, lines) in x.chunks(STRETCH * width).enumerate() {
        sums.clear();
        sums.resize(width, 0.0);
        add(lines, i * STRETCH * width, sums);
        for sums in sums.chunks_exact(channels) {
            totals.iter_mut().zip(sums).for_each(|(total, sum)| *total += f64::from(*sum));
        }
    }
}

/// Adds lines, of which the last may be a part of one.
fn add(x: &[f32], sums: &mut [f32]) {
    let (whole, rest) = x.split_at(x.len() / sums.len() * sums.len());
    matmul::add_rows(whole, sums);
    sums.iter_mut().zip(rest).for_each(|(sum, x)| *sum += x);
}

wide! {
    /// Adds `(x − μ)²`.
    fn add_squares<FMA>(x: &[f32], means: &[f32], sums: &mut [f32]) {
        for x in x.chunks(sums.len()) {
            for ((sum, x), mean) in sums.iter_mut().zip(x).zip(means) {
                *sum = multiply_add::<FMA>(x - mean, x - mean, *sum);
            }
        }
    }
}

wide! {
    /// Adds `g (x − μ)`.
    fn add_products<FMA>(g: &[f32], x: &[f32], means: &[f32], sums: &mut [f32]) {
        for (g, x) in g.chunks(sums.len()).zip(x.chunks(sums.len())) {
            for (((sum, g), x), mean) in sums.iter_mut().zip(g).zip(x).zip(means) {
                *sum = multiply_add::<FMA>(*g, x - mean, *sum);
            }
        }
    }
}

wide! {
    /// `out ← (x − μ) slope + bias`.
    fn scale_and_shift<FMA>(
        x: &[f32], means: &[f32], slopes: &[f32], biases: &[f32], out: &mut [f32],
    ) {
        for (x, out) in x.chunks(means.len()).zip(out.chunks_mut(means.len())) {
            let of_channel = means.iter().zip(slopes).zip(biases);
            for ((out, x), ((mean, slope), bias)) in out.iter_mut().zip(x).zip(of_channel) {
                *out = multiply_add::<FMA>(x - mean, *slope, *bias);
            }
        }
    }
}

wide! {
    /// `out ← factor (g − shift − slope (x − μ))`.
    fn combine<FMA>(g: &[f32], x: &[f32], lines: [&[f32]; 4], out: &mut [f32]) {
        let [factors, means, slopes, shifts] = lines;
        let width = means.len();
        let lines = g.chunks(width).zip(x.chunks(width)).zip(out.chunks_mut(width));
        for ((g, x), out) in lines {
            let of_channel = factors.iter().zip(means).zip(slopes).zip(shifts);
            let numbers = out.iter_mut().zip(g).zip(x).zip(of_channel);
            for (((out, g), x), (((factor, mean), slope), shift)) in numbers {
                *out = factor * (g - multiply_add::<FMA>(x - mean, *slope, *shift));
            }
        }
    }
}
