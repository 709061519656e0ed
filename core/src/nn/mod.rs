//! Networks whose parameters are one flat vector.
//!
//! [`Mlp`] is the usual network, [`QNetwork`] that of the DQN family: with convolutions
//! ([`ConvLayers`]), a dueling head, distributions and noise ([`Noise`]) as switches. Both are
//! [`Network`]s. To compose another, declare its layers on one [`ParametersBuilder`], then build:
//!
//! ```
//! use gymnast_core::init::Init;
//! use gymnast_core::nn::{Linear, MlpConfig, MlpLayers, ParametersBuilder};
//! use rand::SeedableRng;
//!
//! let mut builder = ParametersBuilder::new();
//! let body = MlpLayers::body(&MlpConfig::default(), 4, &mut builder)?;
//! let policy = Linear::new(body.outputs(), 2, Init::Orthogonal { gain: 0.01 }, Init::Zeros, &mut builder)?;
//! let value = Linear::new(body.outputs(), 1, Init::LinearDefault, Init::Zeros, &mut builder)?;
//! let parameters = builder.build(&mut rand_chacha::ChaCha8Rng::seed_from_u64(1))?;
//!
//! let features = body.forward(&tch::Tensor::zeros([32, 4], tch::kind::FLOAT_CPU)); // [32, 64]
//! assert_eq!(policy.forward(&features).size(), [32, 2]);
//! assert_eq!(value.forward(&features).size(), [32, 1]);
//! assert_eq!(parameters.len(), 4 * 64 + 64 + 64 * 64 + 64 + 64 * 2 + 2 + 64 + 1);
//! # Ok::<(), gymnast_core::nn::NetworkError>(())
//! ```
//!
//! [`forward`](Network::forward) is libtorch's and differentiable by it. A [`Plan`] does without:
//! [`run`](Plan::run) for acting, [`forward`](Plan::forward) and [`backward`](Plan::backward) where
//! a loss's gradient by the outputs is known in closed form. All it needs is slices, so any thread
//! may have gradients of its own.

mod activation;
mod backpropagation;
mod cnn;
mod dueling;
mod inference;
mod linear;
mod matmul;
mod mlp;
mod noise;
mod parameters;
mod q_network;

pub use activation::Activation;
pub use backpropagation::Tape;
pub use cnn::{ConvConfig, ConvLayers, PictureShape};
pub use dueling::DuelingHead;
pub use inference::{Plan, Scratch, Snapshot};
pub use linear::Linear;
pub use mlp::{Mlp, MlpConfig, MlpLayers};
pub use noise::Noise;
pub use parameters::{Parameter, Parameters, ParametersBuilder};
pub use q_network::{QNetwork, QNetworkConfig};

use tch::Tensor;
use thiserror::Error;

use crate::init::InitError;

/// Why a network cannot be built or fed.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// A layer would have nothing to read or nothing to say.
    #[error("{what} must be at least 1, got 0")]
    Empty {
        /// Which width.
        what: &'static str,
    },
    /// A kernel does not fit into the picture.
    #[error("a kernel of {kernel} by {kernel} does not fit into {height} by {width} pixels")]
    Kernel {
        /// The kernel's height and width.
        kernel: usize,
        /// The picture's height.
        height: usize,
        /// The picture's width.
        width: usize,
    },
    /// Convolutions read pictures.
    #[error(
        "convolutions read pictures of shape [H, W, C] or [H, W], got {shape:?}: leave them out"
    )]
    NotAPicture {
        /// The shape.
        shape: Vec<usize>,
    },
    /// The initialiser does not fit.
    #[error(transparent)]
    Init(#[from] InitError),
    /// A slice or a tensor of another size.
    #[error("{what}: expected {expected} numbers, got {got}")]
    Length {
        /// What was given.
        what: &'static str,
        /// How many numbers it should hold.
        expected: usize,
        /// How many it holds.
        got: usize,
    },
    /// Two networks that should be alike are not.
    #[error("the networks differ: shapes {expected:?} here, {got:?} there")]
    Shapes {
        /// The shapes here.
        expected: Vec<Vec<usize>>,
        /// The shapes of the other.
        got: Vec<Vec<usize>>,
    },
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
}

fn check_length(what: &'static str, expected: usize, got: usize) -> Result<(), NetworkError> {
    if expected == got { Ok(()) } else { Err(NetworkError::Length { what, expected, got }) }
}

/// A network that maps rows to rows and owns its parameters.
pub trait Network: Send {
    /// The width of a row that it reads.
    fn inputs(&self) -> usize;
    /// The width of a row that it returns.
    fn outputs(&self) -> usize;
    /// `[B, inputs]` to `[B, outputs]`, differentiable.
    ///
    /// # Panics
    /// If `input` has another width or another kind than `f32`: check what a user gave before.
    fn forward(&self, input: &Tensor) -> Tensor;
    /// Its parameters.
    fn parameters(&self) -> &Parameters;
    /// Its parameters, to change.
    fn parameters_mut(&mut self) -> &mut Parameters;
    /// How it is evaluated without libtorch.
    fn plan(&self) -> &Plan;

    /// The same as [`forward`](Self::forward) in plain Rust, for acting: `batch` rows of `inputs`
    /// numbers to as many rows of `outputs`. Allocates nothing but `scratch` when that must grow. A
    /// row's result does not depend on the rows beside it, to the last bit.
    fn evaluate(
        &self,
        inputs: &[f32],
        batch: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) -> Result<(), NetworkError> {
        self.plan().run(self.parameters().effective(), inputs, batch, scratch, out)
    }
}
