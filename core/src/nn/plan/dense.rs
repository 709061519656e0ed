//! Fully connected layers: `y = f(x W + b)`.

use std::ops::Range;

use super::tape::Gradient;
use crate::nn::matmul::{self, Precision, Start};
use crate::nn::{Activation, Linear};

#[derive(Debug, Clone)]
pub(super) struct Dense {
    pub(super) weight: Range<usize>,
    pub(super) bias: Range<usize>,
    pub(super) outputs: usize,
    pub(super) activation: Activation,
    pub(super) precision: Precision,
}

/// A fully connected layer of a plan, `y = f(x W + b)`, with the ranges of `W` and `b` in the flat
/// vector.
#[derive(Debug, Clone)]
pub(crate) struct DenseLayer {
    pub(crate) weight: Range<usize>,
    pub(crate) bias: Range<usize>,
    pub(crate) outputs: usize,
    pub(crate) activation: Activation,
}

impl Dense {
    pub(super) fn new(layer: &Linear, activation: Activation) -> Self {
        let (weight, bias) = (layer.weight.range(), layer.bias.range());
        let precision = Precision::default();
        Self { weight, bias, outputs: layer.outputs(), activation, precision }
    }

    pub(super) fn describe(&self) -> DenseLayer {
        let Self { weight, bias, outputs, activation, .. } = self.clone();
        DenseLayer { weight, bias, outputs, activation }
    }

    /// Computes `out = x W + b`, row by row.
    pub(super) fn affine(&self, values: &[f32], x: &[f32], out: &mut [f32]) {
        let (weight, bias) = (&values[self.weight.clone()], &values[self.bias.clone()]);
        self.precision.product(x, weight, self.outputs, Start::Row(bias), out);
    }

    pub(super) fn backward(
        &self,
        values: &[f32],
        x: &[f32],
        gradient: &mut Gradient,
        gradients: Option<&mut [f32]>,
    ) {
        let Gradient { by_output, by_input, .. } = gradient;
        if let Some(gradients) = gradients {
            self.add_gradients(x, by_output, gradients);
        }
        if !by_input.is_empty() {
            self.input_gradient(values, by_output, 0, Start::Zeros, by_input);
        }
    }

    /// Adds ∂L/∂W = Xᵀ ∂L/∂Z and ∂L/∂b.
    pub(super) fn add_gradients(&self, x: &[f32], by_output: &[f32], gradients: &mut [f32]) {
        let by_weight = &mut gradients[self.weight.clone()];
        self.precision.add_transposed_product(x, by_output, self.outputs, by_weight);
        matmul::add_rows(by_output, &mut gradients[self.bias.clone()]);
    }

    /// Computes ∂L/∂X = ∂L/∂Z Wᵀ, of as many inputs as fit into `by_input`, from `first` on.
    pub(super) fn input_gradient(
        &self,
        values: &[f32],
        by_output: &[f32],
        first: usize,
        start: Start<'_>,
        by_input: &mut [f32],
    ) {
        let Some(batch) = by_output.len().checked_div(self.outputs).filter(|&batch| batch > 0)
        else {
            return;
        };
        let inputs = by_input.len() / batch;
        if inputs == 0 {
            return;
        }
        let weight = &values[self.weight.clone()][first * self.outputs..][..inputs * self.outputs];
        self.precision.product_with_transpose(by_output, weight, inputs, start, by_input);
    }
}
