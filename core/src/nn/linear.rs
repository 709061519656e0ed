//! A fully connected layer.

use tch::Tensor;

use super::{NetworkError, Parameter, ParametersBuilder};
use crate::init::{Fans, Init};

/// `y = x W + b`, with `W` of shape `[inputs, outputs]`.
///
/// PyTorch keeps the transpose. This way round, one row holds what one input does to neighbouring
/// outputs, which is what wide instructions want ([`Network::evaluate`](super::Network::evaluate)),
/// and differentiating needs no transposition.
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

    /// The width of a row that it reads.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The width of a row that it returns.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Where its weight and its bias lie in the flat vector.
    pub fn ranges(&self) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        (self.weight.range(), self.bias.range())
    }

    /// `[B, inputs]` to `[B, outputs]`.
    ///
    /// # Panics
    /// If `input` has another width or another kind than `f32`.
    pub fn forward(&self, input: &Tensor) -> Tensor {
        self.bias.view().addmm(input, self.weight.view())
    }
}
