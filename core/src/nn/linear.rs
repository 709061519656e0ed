//! A fully connected layer.

use tch::Tensor;

use super::{NetworkError, Parameter, ParametersBuilder};
use crate::init::{Fans, Init};

/// `y = x W + b`, with `W` of shape `[inputs, outputs]`.
///
/// PyTorch stores the transpose. In this layout a row holds the weights from one input to
/// neighbouring outputs, which suits SIMD instructions
/// ([`Network::evaluate`](super::Network::evaluate)), and differentiating needs no transposition.
#[derive(Debug)]
pub struct Linear {
    pub(super) weight: Parameter,
    pub(super) bias: Parameter,
    inputs: usize,
    outputs: usize,
}

impl Linear {
    /// Declares the weight, then the bias.
    pub fn new(
        inputs: usize,
        outputs: usize,
        weight: Init,
        bias: Init,
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        for (what, width) in [("a layer's inputs", inputs), ("a layer's outputs", outputs)] {
            if width == 0 {
                return Err(NetworkError::Empty { what });
            }
        }
        let fans = Fans { fan_in: inputs, fan_out: outputs };
        builder.begin_layer();
        Ok(Self {
            weight: builder.of_layer("weight", &[inputs, outputs], weight, fans)?,
            bias: builder.of_layer("bias", &[outputs], bias, fans)?,
            inputs,
            outputs,
        })
    }

    /// Returns the number of inputs.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Returns the number of outputs.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Returns the ranges of the weight and of the bias in the flat vector.
    pub fn ranges(&self) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        (self.weight.range(), self.bias.range())
    }

    /// Maps `[B, inputs]` to `[B, outputs]`.
    ///
    /// # Panics
    /// If `input` has the wrong width or is not `f32`.
    pub fn forward(&self, input: &Tensor) -> Tensor {
        self.bias.view().addmm(input, &self.weight.view())
    }
}
