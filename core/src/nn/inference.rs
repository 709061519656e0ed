//! Evaluating a network without libtorch, whose calls cost more than a small network's arithmetic.
//!
//! The weights are read where they lie, by rows of `[inputs, outputs]`. Each output is one sum over
//! the inputs, first to last, so a row gives the same bits alone and in any batch.

use super::{
    Activation, DuelingHead, Linear, Network, NetworkError, PictureShape, check_batch,
    check_length, cnn::Conv, matmul,
};

/// The steps that evaluate a network: plain data, where a network's tensors are tied to libtorch.
#[derive(Debug, Clone)]
pub struct Plan {
    inputs: usize,
    pub(super) steps: Vec<Step>,
    widest: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Dense(Dense),
    Convolution(Convolution),
    Dueling(Dueling),
}

#[derive(Debug, Clone)]
pub(super) struct Dense {
    pub(super) weight: std::ops::Range<usize>,
    pub(super) bias: std::ops::Range<usize>,
    pub(super) outputs: usize,
    activation: Activation,
}

/// A dense layer over each place of a kernel.
#[derive(Debug, Clone)]
pub(super) struct Convolution {
    pub(super) dense: Dense,
    pub(super) input: PictureShape,
    output: PictureShape,
    kernel: usize,
    stride: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Dueling {
    pub(super) value: Dense,
    pub(super) advantage: Dense,
}

/// A fully connected layer of a plan: `y = f(x W + b)`, `W` and `b` where they lie in the flat vector.
#[derive(Debug, Clone)]
pub(crate) struct DenseLayer {
    pub(crate) weight: std::ops::Range<usize>,
    pub(crate) bias: std::ops::Range<usize>,
    pub(crate) outputs: usize,
    pub(crate) activation: Activation,
}

/// Memory for what flows between layers. One serves any number of networks.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    from: Vec<f32>,
    to: Vec<f32>,
    /// What a layer needs for itself.
    aside: Vec<f32>,
}

impl Dense {
    fn new(layer: &Linear, activation: Activation) -> Self {
        let (weight, bias) = (layer.weight.range(), layer.bias.range());
        Self { weight, bias, outputs: layer.outputs(), activation }
    }

    /// `out = x W + b`, row by row.
    fn affine(&self, values: &[f32], x: &[f32], out: &mut [f32]) {
        let bias = &values[self.bias.clone()];
        out.chunks_exact_mut(self.outputs).for_each(|row| row.copy_from_slice(bias));
        matmul::add_product(x, &values[self.weight.clone()], self.outputs, out);
    }
}

impl Convolution {
    /// Picture by picture: the places of the kernel become rows, the rows pixels.
    fn affine(&self, values: &[f32], x: &[f32], places: &mut Vec<f32>, out: &mut [f32]) {
        let pictures = x.chunks_exact(self.input.size());
        for (picture, out) in pictures.zip(out.chunks_exact_mut(self.output.size())) {
            places.clear();
            self.lines(|line| places.extend_from_slice(&picture[line]));
            self.dense.affine(values, places, out);
        }
    }

    /// The stretches of a picture that the kernel covers, place by place, row by row of the kernel.
    pub(super) fn lines(&self, mut line: impl FnMut(std::ops::Range<usize>)) {
        let length = self.kernel * self.input.channels;
        for row in 0..self.output.height {
            for column in 0..self.output.width {
                for kernel_row in 0..self.kernel {
                    let pixels = (row * self.stride + kernel_row) * self.input.width;
                    let start = (pixels + column * self.stride) * self.input.channels;
                    line(start..start + length);
                }
            }
        }
    }
}

impl Dueling {
    fn affine(&self, values: &[f32], x: &[f32], state_values: &mut [f32], out: &mut [f32]) {
        self.value.affine(values, x, state_values);
        self.advantage.affine(values, x, out);
        let (outputs, atoms) = (self.advantage.outputs, self.value.outputs);
        let rows = out.chunks_exact_mut(outputs).zip(state_values.chunks_exact(atoms));
        for (row, state_values) in rows {
            for (atom, value) in state_values.iter().enumerate() {
                let of_atom = || (atom..outputs).step_by(atoms);
                let mean = of_atom().map(|i| row[i]).sum::<f32>() / (outputs / atoms) as f32;
                of_atom().for_each(|i| row[i] = *value + row[i] - mean);
            }
        }
    }
}

impl Step {
    /// The width of a row that it returns.
    pub(super) fn outputs(&self) -> usize {
        match self {
            Self::Dense(layer) => layer.outputs,
            Self::Convolution(layer) => layer.output.size(),
            Self::Dueling(head) => head.advantage.outputs,
        }
    }

    /// Where its parameters end.
    fn end(&self) -> usize {
        match self {
            Self::Dense(layer) => layer.bias.end,
            Self::Convolution(layer) => layer.dense.bias.end,
            Self::Dueling(head) => head.advantage.bias.end,
        }
    }

    /// What follows its sums.
    pub(super) fn activation(&self) -> Activation {
        match self {
            Self::Dense(layer) => layer.activation,
            Self::Convolution(layer) => layer.dense.activation,
            Self::Dueling(_) => Activation::Identity,
        }
    }

    /// All but the activation.
    pub(super) fn affine(
        &self,
        values: &[f32],
        x: &[f32],
        batch: usize,
        aside: &mut Vec<f32>,
        out: &mut [f32],
    ) {
        match self {
            Self::Dense(layer) => layer.affine(values, x, out),
            Self::Convolution(layer) => layer.affine(values, x, aside, out),
            Self::Dueling(head) => {
                aside.resize(batch * head.value.outputs, 0.0);
                head.affine(values, x, aside, out);
            }
        }
    }
}

impl Plan {
    /// Returns its inputs as they are.
    pub fn new(inputs: usize) -> Self {
        Self { inputs, steps: Vec::new(), widest: inputs }
    }

    /// Adds a layer.
    ///
    /// # Panics
    /// If the layer's inputs are not as many as the outputs so far.
    pub fn then(self, layer: &Linear, activation: Activation) -> Self {
        assert_eq!(layer.inputs(), self.outputs(), "layers fit together");
        self.with(Step::Dense(Dense::new(layer, activation)))
    }

    /// Adds a convolution.
    pub(super) fn then_conv(self, layer: &Conv, activation: Activation) -> Self {
        assert_eq!(layer.input.size(), self.outputs(), "layers fit together");
        let Conv { input, output, kernel, stride, .. } = *layer;
        let (weight, bias) = (layer.weight.range(), layer.bias.range());
        let dense = Dense { weight, bias, outputs: output.channels, activation };
        self.with(Step::Convolution(Convolution { dense, input, output, kernel, stride }))
    }

    /// Ends with a dueling head.
    ///
    /// # Panics
    /// If the head's inputs are not as many as the outputs so far.
    pub fn dueling(self, head: &DuelingHead) -> Self {
        let DuelingHead { value, advantage, .. } = head;
        assert_eq!(value.inputs(), self.outputs(), "layers fit together");
        let dense = |layer| Dense::new(layer, Activation::Identity);
        self.with(Step::Dueling(Dueling { value: dense(value), advantage: dense(advantage) }))
    }

    fn with(mut self, step: Step) -> Self {
        self.widest = self.widest.max(step.outputs());
        self.steps.push(step);
        self
    }

    /// The width of a row that it reads.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The width of a row that it returns.
    pub fn outputs(&self) -> usize {
        self.steps.last().map_or(self.inputs, Step::outputs)
    }

    /// Its layers, where all of them are fully connected.
    pub(crate) fn dense_layers(&self) -> Option<Vec<DenseLayer>> {
        let layers = self.steps.iter().map(|step| match step {
            Step::Dense(Dense { weight, bias, outputs, activation }) => Some(DenseLayer {
                weight: weight.clone(),
                bias: bias.clone(),
                outputs: *outputs,
                activation: *activation,
            }),
            Step::Convolution(_) | Step::Dueling(_) => None,
        });
        layers.collect()
    }

    /// An error where there are fewer numbers in the flat vector than the last layer's end.
    pub(super) fn check_parameters(&self, flat: &[f32]) -> Result<(), NetworkError> {
        let end = self.steps.last().map_or(0, Step::end);
        if flat.len() < end {
            check_length("a network's parameters", end, flat.len())?;
        }
        Ok(())
    }

    /// Evaluates `batch` rows with the flat parameters `values`; see [`Network::evaluate`].
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
        let Scratch { from, to, aside } = scratch;
        for buffer in [&mut *from, &mut *to] {
            if buffer.len() < batch * self.widest {
                buffer.resize(batch * self.widest, 0.0);
            }
        }
        let Some((last, before)) = self.steps.split_last() else {
            out.copy_from_slice(inputs);
            return Ok(());
        };
        let mut x = inputs;
        for step in before {
            let width = batch * step.outputs();
            step.affine(values, x, batch, aside, &mut to[..width]);
            step.activation().apply(&mut to[..width]);
            std::mem::swap(from, to);
            x = &from[..width];
        }
        last.affine(values, x, batch, aside, out);
        last.activation().apply(out);
        Ok(())
    }
}

/// A network's parameters at one moment and how to evaluate them: what a policy on another thread
/// needs.
#[derive(Debug, Clone)]
pub struct Snapshot {
    plan: Plan,
    values: Vec<f32>,
}

impl Snapshot {
    /// Copies the network's parameters: of a noisy network the means.
    ///
    /// # Errors
    /// [`NetworkError::NoPlan`] where only libtorch evaluates the network.
    pub fn of(network: &dyn Network) -> Result<Self, NetworkError> {
        let plan = network.plan().ok_or(NetworkError::NoPlan)?.clone();
        Ok(Self { plan, values: network.parameters().to_vec() })
    }

    /// Copies the parameters again, from the same network or one like it.
    pub fn refresh(&mut self, network: &dyn Network) -> Result<(), NetworkError> {
        let values = network.parameters().values();
        check_length("a snapshot's parameters", self.values.len(), values.len())?;
        self.values.copy_from_slice(values);
        Ok(())
    }

    /// See [`Network::evaluate`].
    pub fn evaluate(
        &self,
        inputs: &[f32],
        batch: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) -> Result<(), NetworkError> {
        self.plan.run(&self.values, inputs, batch, scratch, out)
    }
}

#[cfg(test)]
mod tests;
