//! Networks whose parameters are one flat vector.
//!
//! All networks are described by the same data: [`LayerConfig`]s for fully connected layers,
//! convolutions, normalisation, dropout, pooling, residual blocks and [custom layers](Layer).
//! [`Layers`] are several layers in sequence. [`Joined`] is an encoder for each part of an
//! observation and a head. Both are a [`Module`], and [`Net`] turns a module into a [`Network`].
//!
//! [`MlpConfig`] builds the usual network, a multilayer perceptron. [`QNetworkConfig`] builds that
//! of the DQN family, with an optional dueling head, distributions and noise ([`Noise`]).
//! [`Sequential`] is built from a [`NetworkConfig`] and can be saved to a file. [`Transformer`]
//! reads a row as a sequence. To compose another network, declare its layers on one
//! [`ParametersBuilder`], then build:
//!
//! ```
//! use gymnast_core::init::Init;
//! use gymnast_core::nn::{LayerShape, Layers, Linear, MlpConfig, Module, ParametersBuilder};
//! use rand::SeedableRng;
//!
//! let mut builder = ParametersBuilder::new();
//! let (layers, input) = (MlpConfig::default().hidden_layers(), LayerShape::Row(4));
//! let body = Layers::new(&layers, "body", input, 0, &mut builder)?;
//! builder.scope("policy");
//! let policy = Linear::new(body.outputs(), 2, Init::Orthogonal { gain: 0.01 }, Init::Zeros, &mut builder)?;
//! builder.scope("value");
//! let value = Linear::new(body.outputs(), 1, Init::LinearDefault, Init::Zeros, &mut builder)?;
//! let parameters = builder.build(&mut rand_chacha::ChaCha8Rng::seed_from_u64(1))?;
//!
//! let features = body.forward(&tch::Tensor::zeros([32, 4], tch::kind::FLOAT_CPU), false); // [32, 64]
//! assert_eq!(policy.forward(&features).size(), [32, 2]);
//! assert_eq!(value.forward(&features).size(), [32, 1]);
//! assert_eq!(parameters.len(), 4 * 64 + 64 + 64 * 64 + 64 + 64 * 2 + 2 + 64 + 1);
//! # Ok::<(), gymnast_core::nn::NetworkError>(())
//! ```
//!
//! [`forward`](Network::forward) uses libtorch and is differentiable by it. A [`Plan`] works
//! without libtorch: [`run`](Plan::run) for acting, [`forward`](Plan::forward) and
//! [`backward`](Plan::backward) if the gradient of a loss with respect to the outputs is known in
//! closed form. A plan needs only slices, so each thread can compute its own gradients.

mod activation;
mod attention;
mod buffers;
mod checkpoint;
mod cnn;
mod compiled;
mod dropout;
mod dueling;
mod error;
mod joined;
mod layer;
mod layer_config;
mod layer_shape;
mod layers;
mod linear;
mod low_rank;
pub(crate) mod matmul;
mod mlp;
mod module;
mod network;
mod noise;
mod normalization;
mod parameters;
mod placed;
mod plan;
mod q_network;
mod sequential;
#[cfg(test)]
mod tests;
mod transformer;

pub use activation::Activation;
pub use attention::{MultiheadAttention, Prefix, TransformerEncoderLayer};
pub use buffers::Buffers;
pub(crate) use buffers::parameters_are_all;
pub use cnn::{ConvConfig, PictureShape};
pub use compiled::{Compiled, Engine, Recorded};
pub use dueling::DuelingHead;
pub use error::NetworkError;
pub use joined::{EncodedPart, Joined};
pub use layer::{Layer, LayerForward};
pub use layer_config::{LayerConfig, NetworkConfig};
use layer_shape::limited;
pub use layer_shape::{LayerShape, MAX_ACTIVATIONS, MAX_LAYERS, MAX_PARAMETERS, MAX_WIDTH};
pub use layers::Layers;
pub use linear::Linear;
pub(crate) use low_rank::{Additions, LowRank};
pub use mlp::MlpConfig;
pub use module::{Module, Net};
pub use network::Network;
pub use noise::Noise;
pub use parameters::{NamedParameter, Parameter, Parameters, ParametersBuilder};
pub(crate) use parameters::{check_differentiable, check_scalar};
pub(crate) use placed::PlacedLayer;
pub(crate) use plan::DenseLayer;
pub use plan::{Plan, Scratch, Snapshot, Tape};
pub use q_network::QNetworkConfig;
pub use sequential::Sequential;
pub use transformer::{Transformer, TransformerConfig};

use tch::{Device, Kind, Tensor};

use crate::checkpoint::fingerprint;

/// Runs `work` without gradients. Unlike `tch::no_grad`, it switches them on again if `work`
/// panics.
pub(crate) fn no_grad<T>(work: impl FnOnce() -> T) -> T {
    let _guard = tch::no_grad_guard();
    work()
}

/// Checks that `input` is `[B, width]` of `f32` on the CPU.
fn check_rows(input: &Tensor, width: usize) -> Result<(), NetworkError> {
    if input.kind() != Kind::Float {
        return Err(NetworkError::Kind { got: input.kind() });
    }
    if input.device() != Device::Cpu {
        return Err(NetworkError::Device { got: input.device() });
    }
    match input.size().as_slice() {
        &[_, got] if got == width as i64 => Ok(()),
        _ => Err(NetworkError::Input { width, got: input.size() }),
    }
}

fn check_length(what: &'static str, expected: usize, got: usize) -> Result<(), NetworkError> {
    if expected == got { Ok(()) } else { Err(NetworkError::Length { what, expected, got }) }
}

/// Checks that a slice holds `batch` rows of this width.
fn check_batch(
    what: &'static str,
    rows: usize,
    width: usize,
    got: usize,
) -> Result<(), NetworkError> {
    check_length(what, rows.saturating_mul(width), got)
}

/// Checks that a network, which may be custom, returned rows of the shape that it declares.
pub(crate) fn check_outputs(
    outputs: &Tensor,
    rows: usize,
    width: usize,
) -> Result<(), NetworkError> {
    let (kind, shape) = (outputs.kind(), outputs.size());
    if kind == Kind::Float && shape == [rows as i64, width as i64] {
        return Ok(());
    }
    Err(NetworkError::Output { expected: [rows, width], got: format!("{shape:?} ({kind:?})") })
}

/// Returns a network's [description](Network::description) with a fingerprint of all its numbers,
/// for users that keep the numbers fixed.
pub(crate) fn described_with_numbers(network: &(impl Network + ?Sized)) -> String {
    let (parameters, buffers) = (network.parameters().values(), network.buffers().numbers);
    format!("{} {}", network.description(), fingerprint(parameters.iter().chain(&buffers)))
}
