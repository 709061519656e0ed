//! Evaluating a network without libtorch, whose calls cost more than a small network's arithmetic.
//!
//! The weights are read where they lie, by rows of `[inputs, outputs]`. Each output is one sum over
//! the inputs, first to last; what varies with the batch is only how many such sums are under way at
//! once. So a row gives the same bits alone and in any batch.

mod dense;

use dense::dense;

use super::{
    Activation, DuelingHead, Linear, Network, NetworkError, PictureShape, check_length, cnn::Conv,
};

/// The steps that evaluate a network: plain data, where a network's tensors are tied to libtorch.
#[derive(Debug, Clone)]
pub struct Plan {
    inputs: usize,
    steps: Vec<Step>,
    widest: usize,
}

#[derive(Debug, Clone)]
enum Step {
    Dense(Dense),
    Convolution(Convolution),
    Dueling(Dueling),
}

#[derive(Debug, Clone)]
struct Dense {
    weight: std::ops::Range<usize>,
    bias: std::ops::Range<usize>,
    outputs: usize,
    activation: Activation,
}

/// A dense layer over each place of a kernel.
#[derive(Debug, Clone)]
struct Convolution {
    dense: Dense,
    input: PictureShape,
    output: PictureShape,
    kernel: usize,
    stride: usize,
}

#[derive(Debug, Clone)]
struct Dueling {
    value: Dense,
    advantage: Dense,
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

    fn run(&self, values: &[f32], x: &[f32], out: &mut [f32]) {
        dense(&values[self.weight.clone()], &values[self.bias.clone()], x, out);
        self.activation.apply(out);
    }
}

impl Convolution {
    /// Picture by picture: the places of the kernel become rows, the rows pixels.
    fn run(&self, values: &[f32], x: &[f32], places: &mut Vec<f32>, out: &mut [f32]) {
        let pictures = x.chunks_exact(self.input.size());
        for (picture, out) in pictures.zip(out.chunks_exact_mut(self.output.size())) {
            self.write_places(picture, places);
            self.dense.run(values, places, out);
        }
    }

    /// `[H, W, C]` to `[H' · W', kernel · kernel · C]`.
    fn write_places(&self, picture: &[f32], places: &mut Vec<f32>) {
        let line = self.kernel * self.input.channels;
        places.clear();
        for row in 0..self.output.height {
            for column in 0..self.output.width {
                for kernel_row in 0..self.kernel {
                    let pixel =
                        (row * self.stride + kernel_row) * self.input.width + column * self.stride;
                    let start = pixel * self.input.channels;
                    places.extend_from_slice(&picture[start..start + line]);
                }
            }
        }
    }
}

impl Dueling {
    fn run(&self, values: &[f32], x: &[f32], state_values: &mut [f32], out: &mut [f32]) {
        self.value.run(values, x, state_values);
        self.advantage.run(values, x, out);
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
    fn outputs(&self) -> usize {
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

    fn run(&self, values: &[f32], x: &[f32], batch: usize, aside: &mut Vec<f32>, out: &mut [f32]) {
        match self {
            Self::Dense(layer) => layer.run(values, x, out),
            Self::Convolution(layer) => layer.run(values, x, aside, out),
            Self::Dueling(head) => {
                aside.resize(batch * head.value.outputs, 0.0);
                head.run(values, x, aside, out);
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

    /// Evaluates `batch` rows with the flat parameters `values`; see [`Network::evaluate`].
    pub fn run(
        &self,
        values: &[f32],
        inputs: &[f32],
        batch: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) -> Result<(), NetworkError> {
        check_length("a network's inputs", batch * self.inputs, inputs.len())?;
        check_length("a network's outputs", batch * self.outputs(), out.len())?;
        let end = self.steps.iter().map(Step::end).max().unwrap_or_default();
        if values.len() < end {
            check_length("a network's parameters", end, values.len())?;
        }
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
            step.run(values, x, batch, aside, &mut to[..width]);
            std::mem::swap(from, to);
            x = &from[..width];
        }
        last.run(values, x, batch, aside, out);
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
    pub fn of(network: &dyn Network) -> Self {
        Self { plan: network.plan().clone(), values: network.parameters().to_vec() }
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
