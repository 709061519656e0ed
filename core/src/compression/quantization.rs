//! Networks with weights of one byte, evaluated without libtorch.

use serde::{Deserialize, Serialize};

use super::quantized_linear::QuantizedLinear;
use super::{CompressionError, check, check_length};
use crate::checkpoint::StateDict;
use crate::nn::{Activation, DenseLayer, Network, Plan};

/// What is kept and calculated in whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantization {
    /// Weights and, row by row as they come, what they are multiplied with: products of whole numbers.
    Dynamic,
    /// Weights alone: nothing else is rounded.
    WeightOnly,
}

/// A network's fully connected layers with weights of one byte, symmetric about zero:
///
/// ```text
/// W ≈ s q,  q = round(W / s) from −127 to 127,  s = max |W| / 127    for each output (column of W)
/// x ≈ t p,  p = round(x / t),                   t = max |x| / 127    for each row, dynamic only
/// y = s t (p · q) + b
/// ```
///
/// So a weight is off by at most s/2, an input by at most t/2, and an output before its activation by at
/// most Σ (s |x| + t |W|)/2 + s t/4. PyTorch's dynamic quantisation takes one scale for all rows of a batch
/// and a zero point; with one for each row, a row's result does not depend on those beside it.
///
/// A layer may have up to 2¹⁷ inputs, the most whose products an `i32` holds.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedNetwork {
    quantization: Quantization,
    layers: Vec<QuantizedLinear>,
}

/// Memory for what flows between layers. One serves any number of networks.
#[derive(Debug, Clone, Default)]
pub struct QuantizedScratch {
    from: Vec<f32>,
    to: Vec<f32>,
    bytes: Vec<i8>,
}

/// The most products of two bytes, at most 127² each, that an `i32` holds.
const MOST_INPUTS: usize = 1 << 17;

fn dense_layers(network: &dyn Network) -> Result<Vec<DenseLayer>, CompressionError> {
    let layers = network.plan().and_then(Plan::dense_layers);
    layers.filter(|layers| !layers.is_empty()).ok_or(CompressionError::NotDense)
}

impl QuantizedNetwork {
    /// Of a network's weights as they are now: of a noisy network the means.
    ///
    /// # Errors
    /// [`CompressionError::NotDense`] where it has other layers than fully connected ones and
    /// activations, or no layer; [`CompressionError::NotFinite`];
    /// [`CompressionError::Setting`] for a layer of more than 2¹⁷ inputs.
    pub fn new(
        network: &dyn Network,
        quantization: Quantization,
    ) -> Result<Self, CompressionError> {
        Self::of_values(network, network.parameters().values(), quantization)
    }

    /// The same, but for a number that is the same for all outputs of a row, which neither a softmax nor a
    /// comparison of the outputs notices: before the last layer is rounded, the mean over its outputs is
    /// taken from it. Where outputs differ by little, as values of actions do, a byte then has its whole
    /// range for the difference. Where an activation follows the last layer, that stays as it is.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn centred(
        network: &dyn Network,
        quantization: Quantization,
    ) -> Result<Self, CompressionError> {
        let mut values = network.parameters().to_vec();
        let last = dense_layers(network)?.pop();
        if let Some(last) = last.filter(|last| last.activation == Activation::Identity) {
            for range in [last.weight, last.bias] {
                for row in values[range].chunks_exact_mut(last.outputs) {
                    let mean = row.iter().sum::<f32>() / last.outputs as f32;
                    row.iter_mut().for_each(|x| *x -= mean);
                }
            }
        }
        Self::of_values(network, &values, quantization)
    }

    fn of_values(
        network: &dyn Network,
        values: &[f32],
        quantization: Quantization,
    ) -> Result<Self, CompressionError> {
        let layers = dense_layers(network)?;
        let quantized = layers.into_iter().map(|layer| {
            let inputs = layer.weight.len() / layer.outputs;
            check(inputs <= MOST_INPUTS, "a layer's inputs", inputs as f64, "at most 131072")?;
            QuantizedLinear::new(&values[layer.weight], &values[layer.bias], layer.activation)
        });
        Ok(Self { quantization, layers: quantized.collect::<Result<_, _>>()? })
    }

    /// What is kept and calculated in whole numbers.
    pub fn quantization(&self) -> Quantization {
        self.quantization
    }

    /// The width of a row that it reads.
    pub fn inputs(&self) -> usize {
        self.layers[0].inputs
    }

    /// The width of a row that it returns.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs()
    }

    /// The bytes of its weights, scales and biases. In `f32` there would be four of each weight and bias.
    pub fn bytes(&self) -> usize {
        self.layers.iter().map(QuantizedLinear::bytes).sum()
    }

    /// `batch` rows of `inputs` numbers to as many rows of `outputs`, as [`Network::evaluate`]. A number
    /// that is not finite has no nearest whole one: a row with one becomes NaN.
    ///
    /// # Errors
    /// [`CompressionError::Length`].
    pub fn evaluate(
        &self,
        inputs: &[f32],
        batch: usize,
        scratch: &mut QuantizedScratch,
        out: &mut [f32],
    ) -> Result<(), CompressionError> {
        check_length("a network's inputs", batch.saturating_mul(self.inputs()), inputs.len())?;
        check_length("a network's outputs", batch.saturating_mul(self.outputs()), out.len())?;
        let QuantizedScratch { from, to, bytes } = scratch;
        from.clear();
        from.extend_from_slice(inputs);
        for layer in &self.layers {
            to.resize(batch * layer.outputs(), 0.0);
            layer.forward(from, self.quantization, bytes, to);
            std::mem::swap(from, to);
        }
        out.copy_from_slice(from);
        for (row, out) in
            inputs.chunks_exact(self.inputs()).zip(out.chunks_exact_mut(self.outputs()))
        {
            if !row.iter().all(|x| x.is_finite()) {
                out.fill(f32::NAN);
            }
        }
        Ok(())
    }

    /// Everything, for a [file](crate::checkpoint::save): a byte for each weight there too.
    ///
    /// # Errors
    /// [`CompressionError::Checkpoint`].
    pub fn state_dict(&self) -> Result<StateDict, CompressionError> {
        let mut state = StateDict::new();
        state.insert("quantization", &self.quantization)?;
        state.insert("layers", &self.layers.len())?;
        for (i, layer) in self.layers.iter().enumerate() {
            layer.save(&format!("layer{i}"), &mut state)?;
        }
        Ok(state)
    }

    /// The network that [`state_dict`](Self::state_dict) wrote down.
    ///
    /// # Errors
    /// [`CompressionError::Checkpoint`] where something is missing or has another form;
    /// [`CompressionError::Length`] where layers do not fit together; [`CompressionError::Setting`]
    /// where one has no inputs, no outputs or a weight of −128; [`CompressionError::NotFinite`];
    /// [`CompressionError::NotDense`] where there is no layer.
    pub fn from_state_dict(state: &StateDict) -> Result<Self, CompressionError> {
        let (quantization, layers) = (state.get("quantization")?, state.get::<usize>("layers")?);
        let layers = (0..layers).map(|i| QuantizedLinear::load(&format!("layer{i}"), state));
        let layers: Vec<_> = layers.collect::<Result<_, _>>()?;
        if layers.is_empty() {
            return Err(CompressionError::NotDense);
        }
        for [before, after] in layers.array_windows() {
            check_length("a layer's inputs", before.outputs(), after.inputs)?;
        }
        for layer in &layers {
            let inputs = layer.inputs;
            check(inputs <= MOST_INPUTS, "a layer's inputs", inputs as f64, "at most 131072")?;
        }
        Ok(Self { quantization, layers })
    }
}
