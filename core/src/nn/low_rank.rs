//! Low-rank adaptations of fully connected layers.

use tch::Tensor;

use super::{NetworkError, Parameter, ParametersBuilder};
use crate::init::{Fans, Init};

/// The term `scale · (x A) B` added to the output of a layer `y = x W + b`: `A` is
/// `[inputs, rank]`, `B` is `[rank, outputs]`.
#[derive(Debug)]
pub(crate) struct LowRank {
    a: Parameter,
    b: Parameter,
    scale: f64,
}

impl LowRank {
    /// Declares `layer.lora_a`, initialised like a layer's weights, and `layer.lora_b`, initialised
    /// with zeros, so that the term is zero at first.
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

    /// Maps `[B, inputs]` to `[B, outputs]`.
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        x.matmul(&self.a.view()).matmul(&self.b.view()) * self.scale
    }

    /// Returns the matrix added to `W`: `[inputs, outputs]`.
    pub(crate) fn weight(&self) -> Tensor {
        crate::nn::no_grad(|| self.a.view().matmul(&self.b.view()) * self.scale)
    }
}

/// The terms added to the layers of a [`Sequential`](super::Sequential), by layer.
#[derive(Debug, Default)]
pub(crate) struct Additions {
    pub(crate) encoder: Vec<Option<LowRank>>,
    pub(crate) head: Vec<Option<LowRank>>,
}
