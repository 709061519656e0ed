//! What a low-rank adaptation adds to a fully connected layer.

use tch::Tensor;

use super::{NetworkError, Parameter, ParametersBuilder};
use crate::init::{Fans, Init};

/// `scale · (x A) B`, which a layer `y = x W + b` adds to `y`: `A` is `[inputs, rank]`, `B`
/// `[rank, outputs]`.
#[derive(Debug)]
pub(crate) struct LowRank {
    a: Parameter,
    b: Parameter,
    scale: f64,
}

impl LowRank {
    /// Declares `layer.lora_a`, drawn as the weights of a layer, and `layer.lora_b`, zeros: nothing is
    /// added at first.
    pub(crate) fn new(
        layer: &str,
        (inputs, outputs): (usize, usize),
        rank: usize,
        scale: f64,
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        builder.scope(layer);
        let fans = Fans { fan_in: inputs, fan_out: rank };
        let a = builder.of_layer("lora_a", &[inputs, rank], Init::LinearDefault, fans)?;
        let b = builder.of_layer("lora_b", &[rank, outputs], Init::Zeros, fans)?;
        Ok(Self { a, b, scale })
    }

    /// `[B, inputs]` to `[B, outputs]`.
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        x.matmul(self.a.view()).matmul(self.b.view()) * self.scale
    }

    /// What is added to `W`: `[inputs, outputs]`.
    pub(crate) fn weight(&self) -> Tensor {
        crate::nn::no_grad(|| self.a.view().matmul(self.b.view()) * self.scale)
    }
}

/// Additions to the layers of a [`Sequential`](super::Sequential), at their places.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    pub(crate) encoder: Vec<Option<LowRank>>,
    pub(crate) head: Vec<Option<LowRank>>,
}
