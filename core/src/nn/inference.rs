//! Evaluating a network without libtorch, whose calls cost more than a small network's arithmetic.
//!
//! The weights are read where they lie, by rows of `[inputs, outputs]`. Each output is one sum over
//! the inputs, first to last; what varies with the batch is only how many such sums are under way at
//! once. So a row gives the same bits alone and in any batch.

use super::{
    Activation, DuelingHead, Linear, Network, NetworkError, PictureShape, check_length, cnn::Conv,
};
use crate::simd::{multiply_add, wide};

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
                    let pixel = (row * self.stride + kernel_row) * self.input.width
                        + column * self.stride;
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

wide! {
    /// `out = x W + b`, row by row.
    fn dense<FMA>(weight: &[f32], bias: &[f32], x: &[f32], out: &mut [f32]) {
        let outputs = bias.len();
        let inputs = weight.len() / outputs;
        let (mut x, mut out) = (x, out);
        while !x.is_empty() {
            let rows = (x.len() / inputs).min(6);
            let (some_x, more_x) = x.split_at(rows * inputs);
            let (some_out, more_out) = out.split_at_mut(rows * outputs);
            match rows {
                6 => columns::<6, FMA>(weight, bias, some_x, some_out),
                5 => columns::<5, FMA>(weight, bias, some_x, some_out),
                4 => columns::<4, FMA>(weight, bias, some_x, some_out),
                3 => columns::<3, FMA>(weight, bias, some_x, some_out),
                2 => columns::<2, FMA>(weight, bias, some_x, some_out),
                _ => columns::<1, FMA>(weight, bias, some_x, some_out),
            }
            (x, out) = (more_x, more_out);
        }
    }
}

/// All outputs of `R` rows: as many at once as the processor has registers for their sums.
#[inline(always)]
fn columns<const R: usize, const FMA: bool>(
    weight: &[f32],
    bias: &[f32],
    x: &[f32],
    out: &mut [f32],
) {
    let outputs = bias.len();
    let mut column = 0;
    while column < outputs {
        column += match outputs - column {
            64.. if R == 1 => tile::<R, 64, FMA>(weight, bias, x, out, column),
            16.. => tile::<R, 16, FMA>(weight, bias, x, out, column),
            8.. => tile::<R, 8, FMA>(weight, bias, x, out, column),
            4.. => tile::<R, 4, FMA>(weight, bias, x, out, column),
            2.. => tile::<R, 2, FMA>(weight, bias, x, out, column),
            _ => tile::<R, 1, FMA>(weight, bias, x, out, column),
        };
    }
}

/// `R` rows times `C` outputs, returning `C`.
#[inline(always)]
fn tile<const R: usize, const C: usize, const FMA: bool>(
    weight: &[f32],
    bias: &[f32],
    x: &[f32],
    out: &mut [f32],
    column: usize,
) -> usize {
    let outputs = bias.len();
    let inputs = x.len() / R;
    let x: [&[f32]; R] = std::array::from_fn(|r| &x[r * inputs..][..inputs]);
    let mut sums = [[0.0; C]; R];
    for sums in &mut sums {
        sums.copy_from_slice(&bias[column..][..C]);
    }
    for (i, weight) in weight.chunks_exact(outputs).enumerate().take(inputs) {
        let weight = &weight[column..][..C];
        for r in 0..R {
            let x = x[r][i];
            for c in 0..C {
                sums[r][c] = multiply_add::<FMA>(weight[c], x, sums[r][c]);
            }
        }
    }
    for (out, sums) in out.chunks_exact_mut(outputs).zip(&sums) {
        out[column..][..C].copy_from_slice(sums);
    }
    C
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use tch::Tensor;

    use super::*;
    use crate::nn::{Mlp, MlpConfig, QNetwork, QNetworkConfig};

    fn networks(inputs: usize, hidden: &[usize], outputs: usize) -> [Box<dyn Network>; 2] {
        let activation = if inputs.is_multiple_of(2) { Activation::Relu } else { Activation::Tanh };
        let config = MlpConfig { hidden: hidden.to_vec(), activation, ..MlpConfig::default() };
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        let dueling =
            QNetworkConfig { mlp: config.clone(), dueling: true, ..QNetworkConfig::default() };
        [
            Box::new(Mlp::new(&config, inputs, outputs, rng).unwrap()),
            Box::new(QNetwork::new(&dueling, &[inputs], outputs, rng).unwrap()),
        ]
    }

    fn rows(batch: usize, inputs: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        (0..batch * inputs).map(|_| 4.0 * rng.random::<f32>() - 2.0).collect()
    }

    #[test]
    fn agrees_with_libtorch() {
        let scratch = &mut Scratch::default();
        for (inputs, hidden, outputs) in
            [(4, &[64, 64][..], 2), (17, &[256, 256], 6), (3, &[5], 1), (9, &[], 3)]
        {
            for network in networks(inputs, hidden, outputs) {
                for batch in [0, 1, 2, 3, 7, 64] {
                    let x = rows(batch, inputs);
                    let mut ours = vec![f32::NAN; batch * outputs];
                    network.evaluate(&x, batch, scratch, &mut ours).unwrap();
                    let x = Tensor::from_slice(&x).view([batch as i64, inputs as i64]);
                    let theirs = tch::no_grad(|| network.forward(&x));
                    let theirs = Vec::<f32>::try_from(theirs.reshape(-1)).unwrap();
                    for (a, b) in ours.iter().zip(&theirs) {
                        assert!((a - b).abs() <= 1e-5 * (1.0 + b.abs()), "{batch}: {a} {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_row_gives_the_same_bits_in_any_batch() {
        let scratch = &mut Scratch::default();
        for network in networks(17, &[70, 33], 5) {
            let x = rows(11, 17);
            let mut together = vec![0.0; 11 * 5];
            network.evaluate(&x, 11, scratch, &mut together).unwrap();
            for (x, expected) in x.chunks(17).zip(together.chunks(5)) {
                let mut alone = vec![0.0; 5];
                network.evaluate(x, 1, scratch, &mut alone).unwrap();
                assert_eq!(alone, expected);
            }
        }
    }

    #[test]
    fn a_snapshot_keeps_its_moment() {
        let [mut network, _] = networks(4, &[8], 2);
        let mut snapshot = Snapshot::of(network.as_ref());
        let scratch = &mut Scratch::default();
        let (mut before, mut after) = ([0.0; 2], [0.0; 2]);
        network.evaluate(&[1.0; 4], 1, scratch, &mut before).unwrap();
        network.parameters_mut().values_mut().fill(0.5);
        snapshot.evaluate(&[1.0; 4], 1, scratch, &mut after).unwrap();
        assert_eq!(before, after);
        snapshot.refresh(network.as_ref()).unwrap();
        snapshot.evaluate(&[1.0; 4], 1, scratch, &mut after).unwrap();
        assert_eq!(after, [10.5; 2]); // 8 · 0.5 · (4 · 0.5 + 0.5) + 0.5
    }

    #[test]
    fn wrong_lengths_are_errors() {
        let [network, _] = networks(4, &[8], 2);
        let scratch = &mut Scratch::default();
        assert!(network.evaluate(&[0.0; 3], 1, scratch, &mut [0.0; 2]).is_err());
        assert!(network.evaluate(&[0.0; 4], 1, scratch, &mut [0.0; 3]).is_err());
    }
}
