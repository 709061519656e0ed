//! Computes a network's gradients without libtorch, whose calls cost more than a small network's
//! arithmetic.
//!
//! Backpropagation (Rumelhart, Hinton and Williams 1986) over the layers of a [`Plan`]. A layer
//! maps rows X to Y = f(Z), where Z = X W + b. Given ∂L/∂Y of a loss L,
//!
//! ```text
//! ∂L/∂Z = ∂L/∂Y · f'(Z)          number by number
//! ∂L/∂W = Xᵀ ∂L/∂Z
//! ∂L/∂b = the sum of the rows of ∂L/∂Z
//! ∂L/∂X = ∂L/∂Z Wᵀ               the layer before's ∂L/∂Y
//! ```
//!
//! Each of these numbers is one sum in a fixed order: the same inputs give the same bits.

use std::ops::Range;

use super::step::Step;
use super::{Plan, Work, batch_norm, convolution, nested};
use crate::nn::{NetworkError, check_batch, check_length};

/// A record of a forward pass, as backpropagation needs it. It can be reused for any number of
/// networks, one after another, and allocates only to grow.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    batch: usize,
    inputs: Vec<f32>,      // [B, inputs]
    layers: Vec<Recorded>, // of each step
    outputs: Vec<f32>,     // [B, outputs]
    work: Work,
    gradient: Gradient,
}

/// The recorded output of one layer.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorded {
    before: Vec<f32>,           // [B, outputs], where the activation remembers its input
    pub(super) after: Vec<f32>, // [B, outputs]
    pub(super) inner: Vec<Tape>, // of plans within the step
    /// The means of batch normalisation, then the scales, and the number of rows that they are of.
    pub(super) statistics: Vec<f32>,
    pub(super) rows: usize,
}

/// Gradients on their way back, and memory for the steps.
#[derive(Debug, Clone, Default)]
pub(super) struct Gradient {
    pub(super) by_output: Vec<f32>, // [B, a layer's outputs]
    pub(super) by_input: Vec<f32>,  // [B, its inputs]
    pub(super) results: Vec<f32>,
    pub(super) aside: Vec<f32>,
    pub(super) convolution: convolution::Memory,
    pub(super) batch_norm: batch_norm::Memory,
}

impl Tape {
    /// Returns the network's outputs, row by row.
    pub fn outputs(&self) -> &[f32] {
        &self.outputs
    }

    /// Returns the outputs mutably, for terms added before the loss. [`backward`](Plan::backward)
    /// does not read them.
    pub fn outputs_mut(&mut self) -> &mut [f32] {
        &mut self.outputs
    }

    /// Keeps these rows of the forward pass, which must ascend, for a gradient of theirs alone.
    /// With batch normalisation, whose rows depend on each other, there is none: then
    /// [`backward`](Plan::backward) returns an error.
    ///
    /// # Panics
    /// If a row is not among those of the forward pass.
    pub fn keep_rows(&mut self, rows: &[usize]) {
        let Self { batch, inputs, layers, outputs, .. } = self;
        for numbers in [inputs, outputs] {
            keep_rows(numbers, *batch, rows);
        }
        for Recorded { before, after, inner, .. } in layers {
            keep_rows(before, *batch, rows);
            keep_rows(after, *batch, rows);
            let used = inner.iter_mut().filter(|tape| tape.batch == *batch);
            used.for_each(|tape| tape.keep_rows(rows));
        }
        *batch = rows.len();
    }

    pub(super) fn inputs_mut(&mut self) -> &mut Vec<f32> {
        &mut self.inputs
    }

    pub(super) fn batch(&self) -> usize {
        self.batch
    }
}

impl Plan {
    /// Evaluates `batch` rows in training mode with the flat parameters `values` and records what
    /// [`backward`](Self::backward) needs. Batch normalisation uses the statistics of the batch and
    /// updates the running ones of the network; all else gives the same bits as [`run`](Self::run).
    ///
    /// # Errors
    /// [`NetworkError::Length`] if the sizes do not fit; [`NetworkError::Rows`] for too few rows.
    pub fn forward(
        &self,
        values: &[f32],
        inputs: &[f32],
        batch: usize,
        tape: &mut Tape,
    ) -> Result<(), NetworkError> {
        check_batch("a network's inputs", batch, self.inputs, inputs.len())?;
        self.check_parameters(values)?;
        self.check_rows(batch)?;
        self.record(values, inputs, batch, tape);
        Ok(())
    }

    /// [`forward`](Self::forward), for slices of the right size.
    pub(super) fn record(&self, values: &[f32], inputs: &[f32], batch: usize, tape: &mut Tape) {
        refill(&mut tape.inputs, inputs);
        self.record_inputs(values, batch, tape);
    }

    /// [`forward`](Self::forward), for inputs that the tape already holds.
    pub(super) fn record_inputs(&self, values: &[f32], batch: usize, tape: &mut Tape) {
        tape.batch = batch;
        tape.layers.resize_with(self.steps.len(), Recorded::default);
        let mut x = &tape.inputs;
        for (step, recorded) in self.steps.iter().zip(&mut tape.layers) {
            recorded.after.resize(batch * step.outputs(), 0.0);
            step.record(values, x, batch, &mut tape.work, recorded);
            let activation = step.activation();
            if activation.remembers_input() {
                refill(&mut recorded.before, &recorded.after);
            }
            activation.apply(&mut recorded.after);
            x = &recorded.after;
        }
        refill(&mut tape.outputs, x);
    }

    /// Adds a loss's gradient to the flat `gradients`. `by_output` is the loss's gradient with
    /// respect to the outputs of [`forward`](Self::forward), row by row. `values` must not have
    /// changed since.
    pub fn backward(
        &self,
        values: &[f32],
        by_output: &[f32],
        tape: &mut Tape,
        gradients: &mut [f32],
    ) -> Result<(), NetworkError> {
        self.check_tape(values, by_output, tape)?;
        self.check_parameters(gradients)?;
        self.backpropagate(values, by_output, tape, Some(gradients), None);
        Ok(())
    }

    /// Sets `by_input` to the loss's gradient with respect to the inputs `columns`, row by row:
    /// `[B, columns]`. Computes none with respect to the parameters, which saves about half of the
    /// work. Otherwise as [`backward`](Self::backward).
    pub fn backward_inputs(
        &self,
        values: &[f32],
        by_output: &[f32],
        tape: &mut Tape,
        columns: Range<usize>,
        by_input: &mut [f32],
    ) -> Result<(), NetworkError> {
        self.check_tape(values, by_output, tape)?;
        check_batch("a gradient by inputs", tape.batch, columns.len(), by_input.len())?;
        if columns.start > columns.end || columns.end > self.inputs {
            let furthest = columns.start.max(columns.end);
            return Err(NetworkError::Length {
                what: "the inputs of a network",
                expected: self.inputs,
                got: furthest,
            });
        }
        self.backpropagate(values, by_output, tape, None, Some((columns, by_input)));
        Ok(())
    }

    fn check_tape(
        &self,
        values: &[f32],
        by_output: &[f32],
        tape: &Tape,
    ) -> Result<(), NetworkError> {
        self.check_recorded(tape)?;
        check_batch("a gradient by outputs", tape.batch, self.outputs(), by_output.len())?;
        self.check_parameters(values)
    }

    /// Checks that the rows of a batch are enough to train the network.
    pub(super) fn check_rows(&self, batch: usize) -> Result<(), NetworkError> {
        self.steps.iter().try_for_each(|step| step.check_rows(batch))
    }

    /// Checks that a tape fits this plan, including the plans within it.
    pub(super) fn check_recorded(&self, tape: &Tape) -> Result<(), NetworkError> {
        let Tape { batch, inputs, layers, .. } = tape;
        check_length("a tape's layers", self.steps.len(), layers.len())?;
        check_batch("a tape's inputs", *batch, self.inputs, inputs.len())?;
        for (step, layer) in self.steps.iter().zip(layers) {
            check_batch("a tape's layer", *batch, step.outputs(), layer.after.len())?;
            if step.activation().remembers_input() {
                check_batch("a tape's layer", *batch, step.outputs(), layer.before.len())?;
            }
            if let Step::BatchNorm(norm) = step {
                check_length("the rows of a batch normalised together", layer.rows, *batch)?;
                let statistics = 2 * norm.channels();
                check_length("a tape's statistics", statistics, layer.statistics.len())?;
            }
            for (i, plan) in step.within().enumerate() {
                let inner = layer.inner.get(i).filter(|inner| inner.batch == *batch);
                let Some(inner) = inner else {
                    return check_length("a tape's rows", *batch, 0);
                };
                plan.check_recorded(inner)?;
            }
        }
        Ok(())
    }

    /// [`backward`](Self::backward), for slices of the right size.
    pub(super) fn backpropagate(
        &self,
        values: &[f32],
        by_output: &[f32],
        tape: &mut Tape,
        mut gradients: Option<&mut [f32]>,
        wanted: Option<(Range<usize>, &mut [f32])>,
    ) {
        let Tape { inputs, layers, gradient, .. } = tape;
        refill(&mut gradient.by_output, by_output);
        for (i, step) in self.steps.iter().enumerate().rev() {
            let (earlier, later) = layers.split_at_mut(i);
            let (x, recorded) =
                (earlier.last().map_or(&*inputs, |layer| &layer.after), &mut later[0]);
            let Recorded { before, after, .. } = recorded;
            step.activation().backward(before, after, &mut gradient.by_output);
            let gradients = gradients.as_deref_mut();
            if !step.overwrites_input_gradient() {
                gradient.by_input.clear();
            }
            match &wanted {
                Some((columns, _)) if i == 0 => {
                    step.backward_columns(values, x, recorded, gradient, gradients, columns);
                }
                _ => {
                    gradient.by_input.resize(if i > 0 { x.len() } else { 0 }, 0.0);
                    step.backward(values, x, recorded, gradient, gradients);
                }
            }
            std::mem::swap(&mut gradient.by_output, &mut gradient.by_input);
        }
        let Some((columns, by_input)) = wanted else { return };
        if self.steps.is_empty() {
            let Gradient { by_output, aside, .. } = gradient;
            nested::take(by_output, self.inputs, columns.start, columns.len(), aside);
            by_input.copy_from_slice(aside);
        } else {
            by_input.copy_from_slice(&gradient.by_output);
        }
    }
}

/// Moves these rows of `batch` to the front and forgets the others.
fn keep_rows(numbers: &mut Vec<f32>, batch: usize, rows: &[usize]) {
    let width = numbers.len().checked_div(batch).unwrap_or(0);
    for (to, from) in rows.iter().enumerate() {
        numbers.copy_within(from * width..(from + 1) * width, to * width);
    }
    numbers.truncate(rows.len() * width);
}

fn refill(to: &mut Vec<f32>, from: &[f32]) {
    to.clear();
    to.extend_from_slice(from);
}
