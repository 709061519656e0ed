//! Quantised networks with one-byte weights, evaluated without libtorch.

use serde::{Deserialize, Serialize};

use super::quantized_linear::QuantizedLinear;
use super::{CompressionError, check_length};
use crate::checkpoint::StateDict;
use crate::nn::{Activation, DenseLayer, Network, Plan};
use crate::require;

/// Which numbers are quantised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantization {
    /// Weights and, row by row, the inputs of each layer: products are computed in integers.
    Dynamic,
    /// Weights alone; nothing else is rounded.
    WeightOnly,
}

/// A network's fully connected layers with one-byte weights, symmetric about zero:
///
/// ```text
/// W ≈ s q,  q = round(W / s) from −127 to 127,  s = max |W| / 127    for each output (column of W)
/// x ≈ t p,  p = round(x / t),                   t = max |x| / 127    for each row, dynamic only
/// y = s t (p · q) + b
/// ```
///
/// A weight is off by at most s/2, an input by at most t/2, and an output before its activation by
/// at most Σ (s |x| + t |W|)/2 + s t/4. PyTorch's dynamic quantisation uses one scale for all rows
/// of a batch and a zero point; with one scale for each row, a row's result does not depend on the
/// others.
///
/// A layer may have up to 2¹⁷ inputs, the most for which `i32` can hold the sum of products.
#[derive(Debug, Clone, PartialEq)]
pub struct QuantizedNetwork {
    quantization: Quantization,
    layers: Vec<QuantizedLinear>,
}

/// Memory for the values between layers; it can be reused for any network.
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
    /// Quantises a network's current weights; for a noisy network their means.
    ///
    /// # Errors
    /// [`CompressionError::NotDense`] if it has layers other than fully connected ones and
    /// activations, or none; [`CompressionError::NotFinite`]; [`CompressionError::Setting`] for a
    /// layer with more than 2¹⁷ inputs.
    pub fn new(
        network: &dyn Network,
        quantization: Quantization,
    ) -> Result<Self, CompressionError> {
        Self::of_values(network, network.parameters().values(), quantization)
    }

    /// Like [`new`](Self::new), but subtracts the mean over outputs from the last layer before
    /// rounding. This changes all outputs of a row by the same number, which affects neither a
    /// softmax nor a comparison of outputs. If outputs differ little, as action values do, the
    /// whole range of a byte then represents their differences. A last layer followed by an
    /// activation is not changed.
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
            require(inputs <= MOST_INPUTS, "a layer's inputs", inputs as f64, "at most 131072")?;
            QuantizedLinear::new(&values[layer.weight], &values[layer.bias], layer.activation)
        });
        Ok(Self { quantization, layers: quantized.collect::<Result<_, _>>()? })
    }

    /// Returns which numbers are quantised.
    pub fn quantization(&self) -> Quantization {
        self.quantization
    }

    /// Returns the number of inputs of a row.
    pub fn inputs(&self) -> usize {
        self.layers[0].inputs
    }

    /// Returns the number of outputs of a row.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs()
    }

    /// Returns the bytes of weights, scales and biases. In `f32` each weight and bias would take
    /// four bytes.
    pub fn bytes(&self) -> usize {
        self.layers.iter().map(QuantizedLinear::bytes).sum()
    }

    /// Maps `batch` rows of `inputs` to rows of `outputs`, like [`Network::evaluate`]. A row with a
    /// number that is not finite becomes NaN.
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

    /// Returns the whole network for a [file](crate::checkpoint::save), with one byte for each
    /// weight.
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

    /// Restores a network from its [`state_dict`](Self::state_dict).
    ///
    /// # Errors
    /// [`CompressionError::Checkpoint`] if an entry is missing or has another type;
    /// [`CompressionError::Length`] if layers do not fit together; [`CompressionError::Setting`] if
    /// a layer has no inputs, no outputs or a weight of −128; [`CompressionError::NotFinite`];
    /// [`CompressionError::NotDense`] if there are no layers.
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
            require(inputs <= MOST_INPUTS, "a layer's inputs", inputs as f64, "at most 131072")?;
        }
        Ok(Self { quantization, layers })
    }
}
