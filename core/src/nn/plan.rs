//! Evaluates a network without libtorch, whose calls cost more than a small network's arithmetic.
//!
//! The weights are read in place. Each output is one sum over the inputs, first to last, so a row
//! gives the same bits alone and in any batch (in training not behind batch normalisation). Between layers, pictures have their channels first, as
//! in libtorch; convolutions and pooling read and write them channels last, so that what lies side
//! by side is computed alike, and steps that only change this order and back are left out.

use std::ops::Range;
use std::sync::Arc;

mod batch_norm;
mod convolution;
mod dense;
mod dueling;
mod gathered;
mod layout;
mod nested;
mod norm;
mod pool;
mod snapshot;
mod step;
mod tape;
#[cfg(test)]
mod tests;

pub(crate) use dense::DenseLayer;
pub use snapshot::Snapshot;
pub use tape::Tape;

pub(super) use batch_norm::BatchNorm;
pub(super) use convolution::Convolution;
pub(super) use norm::Norm;
pub(super) use pool::Pool;

use dense::Dense;
use dueling::Dueling;
use layout::Layout;
use nested::{Part, SideBySide};
use step::Step;

use super::matmul::Precision;
use super::{
    Activation, DuelingHead, Linear, NetworkError, PictureShape, check_batch, check_length,
};

/// The steps that evaluate a network: plain data, unlike a network's tensors, which belong to
/// libtorch. [`run`](Self::run) evaluates in evaluation mode, [`forward`](Self::forward) in training
/// mode. Batch normalisation shares its running statistics with the network, also in a clone.
#[derive(Debug, Clone)]
pub struct Plan {
    inputs: usize,
    steps: Arc<Vec<Step>>,
    widest: usize,
    /// The end of the parameters that the steps read.
    end: usize,
}

/// Memory for the values between layers. It can be reused for any number of networks.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    from: Vec<f32>,
    to: Vec<f32>,
    work: Work,
}

/// Memory for the work within a step.
#[derive(Debug, Clone, Default)]
struct Work {
    aside: Vec<f32>,
    results: Vec<f32>,
    convolution: convolution::Memory,
    batch_norm: batch_norm::Memory,
    /// Memory for the steps within a step.
    inner: Option<Box<Scratch>>,
}

impl Plan {
    /// Creates a plan that returns its inputs unchanged.
    pub fn new(inputs: usize) -> Self {
        Self { inputs, steps: Arc::default(), widest: inputs, end: 0 }
    }

    /// Appends a fully connected layer.
    ///
    /// # Panics
    /// If the layer's number of inputs differs from the current number of outputs.
    pub fn then(self, layer: &Linear, activation: Activation) -> Self {
        self.then_at(layer.weight.range(), layer.bias.range(), activation)
    }

    /// Appends a fully connected layer with its weight `[inputs, outputs]` and bias `[outputs]` at
    /// these ranges of the flat vector, for example of one of several networks in one vector.
    ///
    /// # Panics
    /// If the weight's range does not fit the current number of outputs and the bias.
    #[must_use]
    pub fn then_at(self, weight: Range<usize>, bias: Range<usize>, activation: Activation) -> Self {
        assert_eq!(weight.len(), self.outputs() * bias.len(), "layers fit together");
        let outputs = bias.len();
        let precision = Precision::default();
        self.with(Step::Dense(Dense { weight, bias, outputs, activation, precision }))
    }

    /// Appends an activation, applied to every number.
    #[must_use]
    pub fn activation(mut self, activation: Activation) -> Self {
        let width = self.outputs();
        // It does not matter in which order the numbers lie.
        let layer = Arc::make_mut(&mut self.steps)
            .iter_mut()
            .rev()
            .find(|step| !matches!(step, Step::Layout(_)));
        match layer.and_then(Step::follows) {
            Some(follows @ Activation::Identity) => *follows = activation,
            _ if activation == Activation::Identity => {}
            _ => return self.with(Step::Activation { activation, width }),
        }
        self
    }

    /// Appends a dueling head, as the last step.
    ///
    /// # Panics
    /// If the head's number of inputs differs from the current number of outputs.
    pub fn dueling(self, head: &DuelingHead) -> Self {
        assert_eq!(head.value.inputs(), self.outputs(), "layers fit together");
        self.with(Step::Dueling(Dueling::new(head)))
    }

    /// Appends a convolution of pictures with their channels first.
    pub(super) fn convolution(self, layer: Convolution) -> Self {
        assert_eq!(layer.input.size(), self.outputs(), "layers fit together");
        let (input, output) = (layer.input, layer.output);
        self.channels_last(input).with(Step::Convolution(layer)).channels_first(output)
    }

    /// Appends a normalisation of each row.
    pub(super) fn norm(self, norm: Norm) -> Self {
        assert_eq!(norm.width(), self.outputs(), "layers fit together");
        self.with(Step::Norm(norm))
    }

    /// Appends a batch normalisation of rows, or of pictures with their channels last.
    pub(super) fn batch_norm(self, layer: BatchNorm) -> Self {
        assert_eq!(layer.outputs, self.outputs(), "layers fit together");
        self.with(Step::BatchNorm(layer))
    }

    /// Appends a pooling layer for pictures with their channels first.
    pub(super) fn pool(self, pool: Pool) -> Self {
        assert_eq!(pool.input.size(), self.outputs(), "layers fit together");
        let (input, output) = (pool.input, pool.output);
        self.channels_last(input).with(Step::Pool(pool)).channels_first(output)
    }

    /// Moves the channels of pictures from last to first.
    pub(super) fn channels_first(self, picture: PictureShape) -> Self {
        self.layout(Layout { picture, channels_last: false })
    }

    /// Moves the channels of pictures from first to last.
    pub(super) fn channels_last(self, picture: PictureShape) -> Self {
        self.layout(Layout { picture, channels_last: true })
    }

    fn layout(mut self, layout: Layout) -> Self {
        if layout.is_nothing() {
            return self;
        }
        if let Some(Step::Layout(before)) = self.steps.last()
            && before.picture == layout.picture
            && before.channels_last != layout.channels_last
        {
            Arc::make_mut(&mut self.steps).pop();
            return self;
        }
        self.with(Step::Layout(layout))
    }

    /// Appends a residual block: adds the outputs of `body`, which keeps the width, to the rows.
    pub(super) fn residual(self, body: Self) -> Self {
        let width = self.outputs();
        assert_eq!((body.inputs, body.outputs()), (width, width), "layers fit together");
        self.with(Step::Residual(body))
    }

    /// Appends plans that each read a part of the rows, and joins their outputs.
    pub(super) fn side_by_side(self, parts: Vec<Self>) -> Self {
        if parts.iter().all(|part| part.steps.is_empty()) {
            return self;
        }
        let (mut from, mut to) = (0, 0);
        let part = |plan: Self| {
            let part = Part { from, to, plan };
            (from, to) = (from + part.plan.inputs, to + part.plan.outputs());
            part
        };
        let parts: Vec<_> = parts.into_iter().map(part).collect();
        assert_eq!(from, self.outputs(), "layers fit together");
        self.with(Step::SideBySide(SideBySide { parts, inputs: from, outputs: to }))
    }

    /// Sets what the products of fully connected layers round their factors to.
    pub(super) fn set_precision(&mut self, precision: Precision) {
        Arc::make_mut(&mut self.steps).iter_mut().for_each(|step| step.set_precision(precision));
    }

    fn with(mut self, step: Step) -> Self {
        self.widest = self.widest.max(step.outputs());
        self.end = self.end.max(step.end());
        Arc::make_mut(&mut self.steps).push(step);
        self
    }

    /// Returns the number of inputs.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Returns the number of outputs.
    pub fn outputs(&self) -> usize {
        self.steps.last().map_or(self.inputs, Step::outputs)
    }

    /// Returns the layers, if all of them are fully connected.
    pub(crate) fn dense_layers(&self) -> Option<Vec<DenseLayer>> {
        self.steps.iter().map(Step::dense_layer).collect()
    }

    /// Returns whether it reads running statistics.
    fn has_running(&self) -> bool {
        let has = |step: &Step| {
            matches!(step, Step::BatchNorm(_)) || step.within().any(Self::has_running)
        };
        self.steps.iter().any(has)
    }

    /// Stops sharing running statistics with the module.
    fn detach(&mut self) {
        if self.has_running() {
            Arc::make_mut(&mut self.steps).iter_mut().for_each(Step::detach);
        }
    }

    /// Returns an error if the flat vector is shorter than the steps need.
    fn check_parameters(&self, flat: &[f32]) -> Result<(), NetworkError> {
        if flat.len() < self.end {
            check_length("a network's parameters", self.end, flat.len())?;
        }
        Ok(())
    }

    /// Evaluates `batch` rows in evaluation mode with the flat parameters `values`; see
    /// [`Network::evaluate`](super::Network::evaluate).
    pub fn run(
        &self,
        values: &[f32],
        inputs: &[f32],
        batch: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) -> Result<(), NetworkError> {
        check_batch("a network's inputs", batch, self.inputs, inputs.len())?;
        check_batch("a network's outputs", batch, self.outputs(), out.len())?;
        self.check_parameters(values)?;
        self.evaluate(values, inputs, batch, scratch, out);
        Ok(())
    }

    /// [`run`](Self::run), for slices of the right size.
    fn evaluate(
        &self,
        values: &[f32],
        inputs: &[f32],
        batch: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) {
        let Scratch { from, to, work } = scratch;
        for buffer in [&mut *from, &mut *to] {
            if buffer.len() < batch * self.widest {
                buffer.resize(batch * self.widest, 0.0);
            }
        }
        let Some((last, before)) = self.steps.split_last() else {
            out.copy_from_slice(inputs);
            return;
        };
        let mut x = inputs;
        for step in before {
            let width = batch * step.outputs();
            step.affine(values, x, batch, work, &mut to[..width]);
            step.activation().apply(&mut to[..width]);
            std::mem::swap(from, to);
            x = &from[..width];
        }
        last.affine(values, x, batch, work, out);
        last.activation().apply(out);
    }
}
