//! A fully connected layer with weights of one byte.

use serde::{Deserialize, Serialize};

use super::{CompressionError, Quantization, check_finite};
use crate::checkpoint::StateDict;
use crate::nn::Activation;
use crate::require;
use crate::simd::wide;

/// The largest number of a byte that has an opposite.
const LARGEST: f32 = 127.0;

/// `y = f(x W + b)`, with `W ≈ scale · q` for whole numbers `q` from −127 to 127.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct QuantizedLinear {
    weight: Vec<i8>,            // [outputs, inputs]
    pub(super) scale: Vec<f32>, // [outputs]
    bias: Vec<f32>,             // [outputs]
    pub(super) inputs: usize,
    activation: Activation,
}

#[derive(Serialize, Deserialize)]
struct Form {
    inputs: usize,
    outputs: usize,
    activation: Activation,
}

impl QuantizedLinear {
    /// Of the weights `[inputs, outputs]`, each output with a scale of its own: its largest weight is
    /// ±127.
    pub(super) fn new(
        weight: &[f32],
        bias: &[f32],
        activation: Activation,
    ) -> Result<Self, CompressionError> {
        check_finite("the weights", weight)?;
        check_finite("the biases", bias)?;
        let outputs = bias.len();
        let inputs = weight.len() / outputs;
        let mut quantized = vec![0; weight.len()];
        let mut column = vec![0.0; inputs];
        let rows = quantized.chunks_exact_mut(inputs).enumerate();
        let scale = rows.map(|(unit, row)| {
            let weights = weight[unit..].iter().step_by(outputs);
            column.iter_mut().zip(weights).for_each(|(to, from)| *to = *from);
            quantize(&column, row)
        });
        let scale = scale.collect();
        Ok(Self { weight: quantized, scale, bias: bias.to_vec(), inputs, activation })
    }

    pub(super) fn outputs(&self) -> usize {
        self.bias.len()
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(self.weight.as_slice())
            + size_of_val(self.scale.as_slice())
            + size_of_val(self.bias.as_slice())
    }

    /// Rows `[B, inputs]` to `[B, outputs]`; `bytes` is memory for one row.
    pub(super) fn forward(
        &self,
        x: &[f32],
        quantization: Quantization,
        bytes: &mut Vec<i8>,
        out: &mut [f32],
    ) {
        bytes.resize(self.inputs, 0);
        for (x, out) in x.chunks_exact(self.inputs).zip(out.chunks_exact_mut(self.outputs())) {
            match quantization {
                Quantization::Dynamic => {
                    let of_row = quantize(x, bytes);
                    integer_products(&self.weight, bytes, out);
                    out.iter_mut().for_each(|y| *y *= of_row);
                }
                Quantization::WeightOnly => products(&self.weight, x, out),
            }
            for ((y, scale), bias) in out.iter_mut().zip(&self.scale).zip(&self.bias) {
                *y = *y * scale + bias;
            }
            self.activation.apply(out);
        }
    }

    pub(super) fn save(&self, name: &str, state: &mut StateDict) -> Result<(), CompressionError> {
        let (inputs, outputs, activation) = (self.inputs, self.outputs(), self.activation);
        state.insert_array(&format!("{name}/weight"), &[outputs, inputs], &self.weight);
        state.insert_array(&format!("{name}/scale"), &[outputs], &self.scale);
        state.insert_array(&format!("{name}/bias"), &[outputs], &self.bias);
        Ok(state.insert(&format!("{name}/form"), &Form { inputs, outputs, activation })?)
    }

    pub(super) fn load(name: &str, state: &StateDict) -> Result<Self, CompressionError> {
        let Form { inputs, outputs, activation } = state.get(&format!("{name}/form"))?;
        require(inputs > 0, "a layer's inputs", inputs as f64, "at least 1")?;
        require(outputs > 0, "a layer's outputs", outputs as f64, "at least 1")?;
        let weight: Vec<i8> = state.array(&format!("{name}/weight"), &[outputs, inputs])?;
        require(!weight.contains(&i8::MIN), "a weight", i8::MIN.into(), "from -127 to 127")?;
        let scale: Vec<f32> = state.array(&format!("{name}/scale"), &[outputs])?;
        let bias: Vec<f32> = state.array(&format!("{name}/bias"), &[outputs])?;
        check_finite("the scales", &scale)?;
        check_finite("the biases", &bias)?;
        Ok(Self { weight, scale, bias, inputs, activation })
    }
}

/// Writes the nearest whole numbers of `x / scale` and returns the scale, by which the largest
/// magnitude is 127. Of zeros it is zero.
fn quantize(x: &[f32], out: &mut [i8]) -> f32 {
    let scale = magnitude(x) / LARGEST;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    round(x, inverse, out);
    scale
}

/// The largest magnitude; NaN where one is NaN, so that the products with it are too.
fn magnitude(x: &[f32]) -> f32 {
    let larger = |largest: f32, x: &f32| match x.abs() {
        x if x > largest || x.is_nan() => x,
        _ => largest,
    };
    x.iter().fold(0.0, larger)
}

wide! {
    fn round<FMA>(x: &[f32], inverse: f32, out: &mut [i8]) {
        for (out, x) in out.iter_mut().zip(x) {
            *out = (x * inverse).round_ties_even() as i8; // a cast that saturates
        }
    }
}

wide! {
    /// For each row of `weight` its product with `x`, exact: 2¹⁷ products of two bytes fit into an `i32`.
    fn integer_products<FMA>(weight: &[i8], x: &[i8], out: &mut [f32]) {
        for (row, out) in weight.chunks_exact(x.len()).zip(out) {
            let products = row.iter().zip(x).map(|(&w, &x)| i32::from(w) * i32::from(x));
            *out = products.sum::<i32>() as f32;
        }
    }
}

wide! {
    /// The same with numbers `x`, in sixteen sums side by side.
    fn products<FMA>(weight: &[i8], x: &[f32], out: &mut [f32]) {
        for (row, out) in weight.chunks_exact(x.len()).zip(out) {
            let mut sums = [0.0_f32; 16];
            let (chunks, rest) = x.as_chunks::<16>();
            let (rows, tail) = row.as_chunks::<16>();
            for (x, w) in chunks.iter().zip(rows) {
                for i in 0..16 {
                    sums[i] = crate::simd::multiply_add::<FMA>(x[i], f32::from(w[i]), sums[i]);
                }
            }
            let rest: f32 = rest.iter().zip(tail).map(|(x, &w)| x * f32::from(w)).sum();
            *out = sums.iter().sum::<f32>() + rest;
        }
    }
}
