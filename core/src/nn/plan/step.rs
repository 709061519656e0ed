//! One step of a plan.

use std::ops::Range;

use super::dense::{Dense, DenseLayer};
use super::dueling::Dueling;
use super::layout::Layout;
use super::nested::{self, SideBySide};
use super::tape::{Gradient, Recorded};
use super::{BatchNorm, Convolution, Norm, Plan, Pool, Work};
use crate::nn::matmul::{Precision, Start};
use crate::nn::{Activation, NetworkError};

#[derive(Debug, Clone)]
pub(super) enum Step {
    Dense(Dense),
    Convolution(Convolution),
    Activation { activation: Activation, width: usize },
    Norm(Norm),
    BatchNorm(BatchNorm),
    Pool(Pool),
    Layout(Layout),
    Dueling(Dueling),
    Residual(Plan),
    SideBySide(SideBySide),
}

impl Step {
    /// Returns the number of outputs.
    pub(super) fn outputs(&self) -> usize {
        match self {
            Self::Dense(layer) => layer.outputs,
            Self::Convolution(layer) => layer.output.size(),
            Self::Activation { width, .. } => *width,
            Self::Norm(norm) => norm.width(),
            Self::BatchNorm(layer) => layer.outputs,
            Self::Pool(pool) => pool.output.size(),
            Self::Layout(layout) => layout.picture.size(),
            Self::Dueling(head) => head.advantage.outputs,
            Self::Residual(body) => body.outputs(),
            Self::SideBySide(parts) => parts.outputs,
        }
    }

    /// Returns the end of its parameters.
    pub(super) fn end(&self) -> usize {
        match self {
            Self::Dense(layer) => layer.bias.end,
            Self::Convolution(layer) => layer.bias.end,
            Self::Activation { .. } | Self::Pool(_) | Self::Layout(_) => 0,
            Self::Norm(norm) => norm.end(),
            Self::BatchNorm(layer) => layer.bias.end,
            Self::Dueling(head) => head.advantage.bias.end,
            Self::Residual(body) => body.end,
            Self::SideBySide(parts) => parts.end(),
        }
    }

    /// Returns the activation that follows.
    pub(super) fn activation(&self) -> Activation {
        match self {
            Self::Dense(layer) => layer.activation,
            Self::Convolution(layer) => layer.activation,
            Self::BatchNorm(layer) => layer.activation,
            Self::Activation { activation, .. } => *activation,
            _ => Activation::Identity,
        }
    }

    /// Returns the activation applied to its sums, mutably.
    pub(super) fn follows(&mut self) -> Option<&mut Activation> {
        match self {
            Self::Dense(layer) => Some(&mut layer.activation),
            Self::Convolution(layer) => Some(&mut layer.activation),
            Self::BatchNorm(layer) => Some(&mut layer.activation),
            _ => None,
        }
    }

    /// Sets what the products of fully connected layers round their factors to.
    pub(super) fn set_precision(&mut self, precision: Precision) {
        match self {
            Self::Dense(layer) => layer.precision = precision,
            Self::Dueling(head) => head.set_precision(precision),
            Self::Residual(body) => body.set_precision(precision),
            Self::SideBySide(side_by_side) => {
                side_by_side.parts.iter_mut().for_each(|part| part.plan.set_precision(precision));
            }
            _ => {}
        }
    }

    /// Returns the layer if it is fully connected.
    pub(super) fn dense_layer(&self) -> Option<DenseLayer> {
        match self {
            Self::Dense(layer) => Some(layer.describe()),
            _ => None,
        }
    }

    /// Returns the plans within it.
    pub(super) fn within(&self) -> impl Iterator<Item = &Plan> {
        let (body, parts) = match self {
            Self::Residual(body) => (Some(body), &[][..]),
            Self::SideBySide(side_by_side) => (None, side_by_side.parts.as_slice()),
            _ => (None, &[][..]),
        };
        body.into_iter().chain(parts.iter().map(|part| &part.plan))
    }

    /// Returns an error if the rows of a batch are too few to train it.
    pub(super) fn check_rows(&self, batch: usize) -> Result<(), NetworkError> {
        match self {
            Self::BatchNorm(layer) => layer.check_rows(batch),
            _ => self.within().try_for_each(|plan| plan.check_rows(batch)),
        }
    }

    /// Stops sharing running statistics with the module.
    pub(super) fn detach(&mut self) {
        match self {
            Self::BatchNorm(layer) => layer.detach(),
            Self::Residual(body) => body.detach(),
            Self::SideBySide(parts) => parts.parts.iter_mut().for_each(|part| part.plan.detach()),
            _ => {}
        }
    }

    /// Computes everything but the activation, in evaluation mode.
    pub(super) fn affine(
        &self,
        values: &[f32],
        x: &[f32],
        batch: usize,
        work: &mut Work,
        out: &mut [f32],
    ) {
        match self {
            Self::Dense(layer) => layer.affine(values, x, out),
            Self::Convolution(layer) => layer.affine(values, x, &mut work.convolution, out),
            Self::Activation { .. } => out.copy_from_slice(x),
            Self::Norm(norm) => norm.forward(values, x, out),
            Self::BatchNorm(layer) => layer.evaluate(values, x, &mut work.batch_norm, out),
            Self::Pool(pool) => pool.forward(x, out),
            Self::Layout(layout) => layout.forward(x, out),
            Self::Dueling(head) => head.affine(values, x, batch, &mut work.aside, out),
            Self::Residual(body) => {
                body.evaluate(values, x, batch, work.inner.get_or_insert_default(), out);
                nested::add(out, x);
            }
            Self::SideBySide(parts) => parts.evaluate(values, x, batch, work, out),
        }
    }

    /// Computes the step, in training mode, into `recorded.after` and records what [`backward`](Self::backward) needs.
    pub(super) fn record(
        &self,
        values: &[f32],
        x: &[f32],
        batch: usize,
        work: &mut Work,
        recorded: &mut Recorded,
    ) {
        if let Self::BatchNorm(layer) = self {
            return layer.record(values, x, batch, &mut work.batch_norm, recorded);
        }
        let Recorded { after, inner, rows, .. } = recorded;
        *rows = 0; // not normalised together
        match self {
            Self::Residual(body) => {
                inner.resize_with(inner.len().max(1), Default::default);
                body.record(values, x, batch, &mut inner[0]);
                after.copy_from_slice(inner[0].outputs());
                nested::add(after, x);
            }
            Self::SideBySide(parts) => parts.record(values, x, batch, inner, after),
            _ => self.affine(values, x, batch, work, after),
        }
    }

    /// Returns whether [`backward`](Self::backward) overwrites `gradient.by_input`; otherwise it
    /// expects zeros there.
    pub(super) fn overwrites_input_gradient(&self) -> bool {
        match self {
            Self::Convolution(layer) => layer.is_padded(),
            Self::Pool(_) | Self::Dueling(_) | Self::Residual(_) | Self::SideBySide(_) => false,
            _ => true,
        }
    }

    /// Turns the gradient with respect to the outputs, in `gradient.by_output`, into the gradient
    /// with respect to the inputs. Skips it if `gradient.by_input` is empty: for the first step it
    /// is rarely needed.
    pub(super) fn backward(
        &self,
        values: &[f32],
        x: &[f32],
        recorded: &mut Recorded,
        gradient: &mut Gradient,
        gradients: Option<&mut [f32]>,
    ) {
        match self {
            Self::Dense(layer) => layer.backward(values, x, gradient, gradients),
            Self::Convolution(layer) => layer.backward(values, x, gradient, gradients),
            Self::Activation { .. } => {
                let wanted = gradient.by_input.len();
                gradient.by_input.copy_from_slice(&gradient.by_output[..wanted]);
            }
            Self::Norm(norm) => norm.backward(values, x, gradient, gradients),
            Self::BatchNorm(layer) => layer.backward(values, x, recorded, gradient, gradients),
            Self::Pool(pool) => pool.backward(x, gradient),
            Self::Layout(layout) => layout.backward(gradient),
            Self::Dueling(head) => head.backward(values, x, gradient, gradients),
            Self::Residual(body) => {
                let Gradient { by_output, by_input, .. } = gradient;
                let wanted =
                    (!by_input.is_empty()).then_some((0..body.inputs, by_input.as_mut_slice()));
                body.backpropagate(values, by_output, &mut recorded.inner[0], gradients, wanted);
                let wanted = by_input.len();
                nested::add(by_input, &by_output[..wanted]);
            }
            Self::SideBySide(parts) => {
                let inputs = 0..parts.inputs;
                parts.backward(values, &mut recorded.inner, gradient, gradients, &inputs);
            }
        }
    }

    /// [`backward`](Self::backward) for the first step, of which only the inputs `columns` are
    /// wanted: turns `gradient.by_output` into the gradient with respect to those.
    pub(super) fn backward_columns(
        &self,
        values: &[f32],
        x: &[f32],
        recorded: &mut Recorded,
        gradient: &mut Gradient,
        gradients: Option<&mut [f32]>,
        columns: &Range<usize>,
    ) {
        let batch = gradient.by_output.len() / self.outputs().max(1);
        let inputs = x.len().checked_div(batch).unwrap_or(0);
        match self {
            Self::Dense(layer) => {
                gradient.by_input.resize(batch * columns.len(), 0.0);
                let Gradient { by_output, by_input, .. } = gradient;
                if let Some(gradients) = gradients {
                    layer.add_gradients(x, by_output, gradients);
                }
                layer.input_gradient(values, by_output, columns.start, Start::Zeros, by_input);
                return;
            }
            Self::SideBySide(parts) => {
                gradient.by_input.resize(x.len(), 0.0);
                parts.backward(values, &mut recorded.inner, gradient, gradients, columns);
            }
            _ => {
                gradient.by_input.resize(x.len(), 0.0);
                self.backward(values, x, recorded, gradient, gradients);
            }
        }
        if columns.len() < inputs {
            let Gradient { by_input, aside, .. } = gradient;
            nested::take(by_input, inputs, columns.start, columns.len(), aside);
            std::mem::swap(by_input, aside);
        }
    }
}
