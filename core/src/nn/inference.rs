//! Evaluating a network without libtorch, whose calls cost more than a small network's arithmetic.
//!
//! The weights are read where they lie, by rows of `[inputs, outputs]`. Each output is one sum over
//! the inputs, first to last, so a row gives the same bits alone and in any batch.

use super::{Activation, Linear, Network, NetworkError, check_length, matmul};

/// The steps that evaluate a network: plain data, where a network's tensors are tied to libtorch.
#[derive(Debug, Clone)]
pub struct Plan {
    inputs: usize,
    pub(super) layers: Vec<Dense>,
    pub(super) head: Option<DuelingHead>,
    widest: usize,
}

#[derive(Debug, Clone)]
pub(super) struct Dense {
    pub(super) weight: std::ops::Range<usize>,
    pub(super) bias: std::ops::Range<usize>,
    pub(super) outputs: usize,
    pub(super) activation: Activation,
}

#[derive(Debug, Clone)]
pub(super) struct DuelingHead {
    pub(super) value: Dense,
    pub(super) advantage: Dense,
}

/// Memory for what flows between layers. One serves any number of networks.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    from: Vec<f32>,
    to: Vec<f32>,
}

impl Dense {
    fn new(layer: &Linear, activation: Activation) -> Self {
        let (weight, bias) = (layer.weight.range(), layer.bias.range());
        Self { weight, bias, outputs: layer.outputs(), activation }
    }

    fn run(&self, values: &[f32], x: &[f32], out: &mut [f32]) {
        self.affine(values, x, out);
        self.activation.apply(out);
    }

    /// `out = x W + b`, row by row.
    pub(super) fn affine(&self, values: &[f32], x: &[f32], out: &mut [f32]) {
        let bias = &values[self.bias.clone()];
        out.chunks_exact_mut(self.outputs).for_each(|row| row.copy_from_slice(bias));
        matmul::add_product(x, &values[self.weight.clone()], self.outputs, out);
    }
}

impl Plan {
    /// Returns its inputs as they are.
    pub fn new(inputs: usize) -> Self {
        Self { inputs, layers: Vec::new(), head: None, widest: inputs }
    }

    /// Adds a layer.
    ///
    /// # Panics
    /// If the layer's inputs are not as many as the outputs so far.
    pub fn then(mut self, layer: &Linear, activation: Activation) -> Self {
        assert!(self.head.is_none(), "a head comes last");
        assert_eq!(layer.inputs(), self.outputs(), "layers fit together");
        self.widest = self.widest.max(layer.outputs());
        self.layers.push(Dense::new(layer, activation));
        self
    }

    /// Ends with the two heads of a [`Dueling`](super::Dueling) network.
    ///
    /// # Panics
    /// If the heads' inputs are not as many as the outputs so far, or there is a head already.
    pub fn dueling(mut self, value: &Linear, advantage: &Linear) -> Self {
        assert!(self.head.is_none(), "one head");
        assert_eq!(value.inputs(), self.outputs(), "layers fit together");
        assert_eq!(advantage.inputs(), self.outputs(), "layers fit together");
        assert_eq!(value.outputs(), 1, "a state has one value");
        self.head = Some(DuelingHead {
            value: Dense::new(value, Activation::Identity),
            advantage: Dense::new(advantage, Activation::Identity),
        });
        self
    }

    /// The width of a row that it reads.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The width of a row that it returns.
    pub fn outputs(&self) -> usize {
        match &self.head {
            Some(head) => head.advantage.outputs,
            None => self.layers.last().map_or(self.inputs, |layer| layer.outputs),
        }
    }

    /// An error where there are fewer numbers in the flat vector than the last layer's end.
    pub(super) fn check_parameters(&self, flat: &[f32]) -> Result<(), NetworkError> {
        let last = self.head.as_ref().map(|head| &head.advantage).or(self.layers.last());
        let end = last.map_or(0, |layer| layer.bias.end);
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
        check_length("a network's inputs", batch * self.inputs, inputs.len())?;
        check_length("a network's outputs", batch * self.outputs(), out.len())?;
        self.check_parameters(values)?;
        let Scratch { from, to } = scratch;
        for buffer in [&mut *from, &mut *to] {
            if buffer.len() < batch * self.widest {
                buffer.resize(batch * self.widest, 0.0);
            }
        }
        let (layers, last) = match (&self.head, self.layers.split_last()) {
            (None, Some((last, before))) => (before, Some(last)),
            _ => (self.layers.as_slice(), None),
        };
        let mut x = inputs;
        for layer in layers {
            let y = &mut to[..batch * layer.outputs];
            layer.run(values, x, y);
            std::mem::swap(from, to);
            x = &from[..batch * layer.outputs];
        }
        match (&self.head, last) {
            (Some(head), _) => head.run(values, x, &mut to[..batch], out),
            (None, Some(last)) => last.run(values, x, out),
            (None, None) => out.copy_from_slice(x),
        }
        Ok(())
    }
}

impl DuelingHead {
    pub(super) fn run(&self, values: &[f32], x: &[f32], state_values: &mut [f32], out: &mut [f32]) {
        self.value.run(values, x, state_values);
        self.advantage.run(values, x, out);
        let actions = self.advantage.outputs;
        for (row, value) in out.chunks_exact_mut(actions).zip(state_values) {
            let mean = row.iter().sum::<f32>() / actions as f32;
            row.iter_mut().for_each(|q| *q = *value + *q - mean);
        }
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
    /// Copies the network's parameters.
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
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use tch::Tensor;

    use super::*;
    use crate::nn::{Dueling, Mlp, MlpConfig};

    fn networks(inputs: usize, hidden: &[usize], outputs: usize) -> [Box<dyn Network>; 2] {
        let activation = if inputs.is_multiple_of(2) { Activation::Relu } else { Activation::Tanh };
        let config = MlpConfig { hidden: hidden.to_vec(), activation, ..MlpConfig::default() };
        let rng = &mut ChaCha8Rng::seed_from_u64(3);
        [
            Box::new(Mlp::new(&config, inputs, outputs, rng).unwrap()),
            Box::new(Dueling::new(&config, inputs, outputs, rng).unwrap()),
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
