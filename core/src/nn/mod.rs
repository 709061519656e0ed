//! Networks whose parameters are one flat vector.
//!
//! Layers are data, [`LayerConfig`]s, and one language for all networks: fully connected layers,
//! convolutions, normalisation, dropout, pooling, residual blocks and [layers of your own](Layer).
//! [`Layers`] are some of them one after another, [`Joined`] an encoder for each part of an observation
//! and a head, [`QNetwork`] what the DQN family ends with: a dueling head, distributions and noise
//! ([`Noise`]) as switches. Each is a [`Module`], of which [`Net`] makes a [`Network`]. [`Mlp`] is the
//! usual network, [`Sequential`] whatever a [`NetworkConfig`] lists, which can be saved to a file;
//! [`Transformer`] reads a row as a sequence. To compose another, declare its layers on one
//! [`ParametersBuilder`], then build:
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
mod attention;
mod buffers;
mod checkpoint;
mod cnn;
mod dropout;
mod dueling;
mod joined;
mod layer;
mod layer_config;
mod layer_shape;
mod layers;
mod linear;
mod low_rank;
mod matmul;
mod mlp;
mod module;
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
pub use dueling::DuelingHead;
pub use joined::{EncodedPart, Joined};
pub use layer::{Layer, LayerForward};
pub use layer_config::{LayerConfig, NetworkConfig};
use layer_shape::limited;
pub use layer_shape::{LayerShape, MAX_ACTIVATIONS, MAX_LAYERS, MAX_PARAMETERS, MAX_WIDTH};
pub use layers::Layers;
pub use linear::Linear;
pub(crate) use low_rank::{Additions, LowRank};
pub use mlp::{Mlp, MlpConfig, MlpLayers};
pub use module::{Module, Net};
pub use noise::Noise;
pub use parameters::{NamedParameter, Parameter, Parameters, ParametersBuilder};
pub(crate) use parameters::{check_differentiable, check_scalar};
pub(crate) use placed::PlacedLayer;
pub(crate) use plan::DenseLayer;
pub use plan::{Plan, Scratch, Snapshot, Tape};
pub use q_network::{QNetwork, QNetworkConfig};
pub use sequential::Sequential;
pub use transformer::{Transformer, TransformerConfig};

use tch::{Device, Kind, Tensor};
use thiserror::Error;

use crate::checkpoint::fingerprint;
use crate::init::InitError;
use crate::text::number;

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
    /// A layer does not fit what reaches it, or a setting of it is out of its range.
    #[error("layer {layer} ({kind}) needs {need}, got {got}")]
    Layer {
        /// The layer's name.
        layer: String,
        /// What kind of layer it is.
        kind: &'static str,
        /// What it needs.
        need: &'static str,
        /// What there is instead.
        got: String,
    },
    /// A network would take more memory than one may.
    #[error("{what} are more than {limit}: a network may not be that large")]
    TooLarge {
        /// What is too many.
        what: &'static str,
        /// The most that may be.
        limit: usize,
    },
    /// An example is neither a row nor a picture.
    #[error("an example has the shape [N], [H, W] or [H, W, C], got {shape:?}")]
    InputShape {
        /// The shape.
        shape: Vec<usize>,
    },
    /// Too few rows to normalise a batch by itself.
    #[error(
        "in training the batches of this network need at least {least} rows, got {got}: choose a batch \
         size that leaves no smaller rest, or drop the last batch (`drop_last`)"
    )]
    Rows {
        /// The fewest.
        least: i64,
        /// How many came.
        got: i64,
    },
    /// An encoder of other layers or inputs.
    #[error(
        "the encoders differ: the other must begin with the same layers and read the same shape"
    )]
    Encoders,
    /// A layer that is not there.
    #[error("the encoder has {layers} layers, counted from 0: there is no layer {layer}")]
    NoSuchLayer {
        /// The layer asked for.
        layer: usize,
        /// How many there are.
        layers: usize,
    },
    /// A moving average that would not move, or overshoot.
    #[error("tau must be in (0, 1], got {}", number(*got))]
    Rate {
        /// What it was set to.
        got: f32,
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
    /// Numbers of another kind.
    #[error("a network reads numbers of kind Float (f32), got {got:?}: convert with `to_kind`")]
    Kind {
        /// Their kind.
        got: Kind,
    },
    /// Numbers on another device.
    #[error("a network's parameters lie on the CPU, got an input on {got:?}")]
    Device {
        /// Where they lie.
        got: Device,
    },
    /// An input of another shape.
    #[error("a network reads rows of shape [B, {width}], got {got:?}")]
    Input {
        /// The width of a row.
        width: usize,
        /// The input's shape.
        got: Vec<i64>,
    },
    /// Two parameters of one name.
    #[error("two parameters are called {name:?}: give each layer a scope of its own, or a prefix")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// No parameter of that name.
    #[error("no parameter is called {name:?}: there are {known:?}")]
    UnknownParameter {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// The rows that a network returned are not those that it says it returns.
    #[error("the network says that it returns rows of shape {expected:?} (f32), it returned {got}")]
    Output {
        /// The shape that was expected.
        expected: [usize; 2],
        /// Kind and shape of what came.
        got: String,
    },
    /// A loss that cannot be descended.
    #[error("a loss must be {expected}, got {got}")]
    Loss {
        /// What it must be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// Noise of no such size.
    #[error("the noise's sigma must be finite and at least 0, got {}", number(*got))]
    Sigma {
        /// What it was set to.
        got: f32,
    },
    /// The network has layers that only libtorch evaluates.
    #[error("this network has layers that only libtorch evaluates: it cannot be copied as a plan")]
    NoPlan,
    /// libtorch refused.
    #[error("libtorch: {}", first_line(.0))]
    Torch(#[from] tch::TchError),
}

/// Runs `work` without gradients. Unlike `tch::no_grad` it does not leave them off where `work` panics.
pub(crate) fn no_grad<T>(work: impl FnOnce() -> T) -> T {
    let _guard = tch::no_grad_guard();
    work()
}

/// What libtorch says, without the frames of C++ that it came through.
fn first_line(error: &tch::TchError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// Says whether `input` is `[B, width]` of `f32` on the CPU.
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

/// That a slice holds so many rows of this width.
fn check_batch(
    what: &'static str,
    rows: usize,
    width: usize,
    got: usize,
) -> Result<(), NetworkError> {
    check_length(what, rows.saturating_mul(width), got)
}

/// That a network returned what it says it returns: it may be somebody else's.
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

/// A network that maps rows to rows and owns its parameters.
pub trait Network: Send {
    /// The width of a row that it reads.
    fn inputs(&self) -> usize;
    /// The width of a row that it returns.
    fn outputs(&self) -> usize;
    /// `[B, inputs]` to `[B, outputs]`, differentiable.
    ///
    /// # Panics
    /// If `input` has another width or another kind than `f32`, or in training mode too few rows:
    /// [`check_input`](Self::check_input) says so before.
    fn forward(&self, input: &Tensor) -> Tensor;
    /// Its parameters.
    fn parameters(&self) -> &Parameters;
    /// Its parameters, to change.
    fn parameters_mut(&mut self) -> &mut Parameters;
    /// Its parameters by name: to freeze, load or count groups of them.
    fn named_parameters(&self) -> Vec<NamedParameter> {
        self.parameters().named()
    }
    /// How it is evaluated without libtorch, in evaluation mode; `None` where libtorch must do it.
    fn plan(&self) -> Option<&Plan> {
        None
    }

    /// Whether it is in training mode, where dropout drops and batches are normalised by themselves.
    /// A new network is in evaluation mode; one whose layers know no difference always is.
    fn training(&self) -> bool;
    /// Puts every layer into training mode or back into evaluation mode, as PyTorch's `train()` and
    /// `eval()`. Nothing for a network whose layers know no difference.
    fn set_training(&mut self, training: bool);
    /// Updates state derived from the parameters (noise, a moving average). Call after every optimiser
    /// step.
    ///
    /// # Errors
    /// What is wrong with the network.
    fn after_step(&mut self) -> Result<(), NetworkError>;
    /// Its architecture, completely: layers, widths, activations, normalisation, dropout; and a
    /// [fingerprint] of numbers that are neither parameters nor buffers, those of a network under an
    /// adapter for example. Two networks of one description compute the same with the same numbers: a
    /// checkpoint holds it, and is refused by a network of another.
    fn description(&self) -> String;
    /// What training changes besides the parameters, for a checkpoint; [`Buffers::default`] where that is
    /// nothing.
    fn buffers(&self) -> Buffers;
    /// What the numbers of [`buffers`](Self::buffers) are called and where each lies among them, as
    /// PyTorch's `named_buffers`: what weights are taken over by. None where there are no such numbers.
    fn named_buffers(&self) -> Vec<NamedParameter>;
    /// Sets what [`buffers`](Self::buffers) told, from a checkpoint.
    ///
    /// # Errors
    /// [`NetworkError::Length`] where there are more or fewer; see [`Buffers::check_none`].
    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError>;

    /// Says whether [`forward`](Self::forward) takes these rows: their kind, place and width, and in
    /// training mode whether they are enough for the layers that normalise over the batch. Once for
    /// a data set is enough, and once for its smallest batch. Looks at no number: a NaN passes.
    fn check_input(&self, input: &Tensor) -> Result<(), NetworkError> {
        check_rows(input, self.inputs())
    }
    /// [`forward`](Self::forward) after [`check_input`](Self::check_input).
    fn try_forward(&self, input: &Tensor) -> Result<Tensor, NetworkError> {
        self.check_input(input)?;
        let outputs = self.forward(input);
        check_outputs(&outputs, input.size()[0] as usize, self.outputs())?;
        Ok(outputs)
    }
    /// [`forward`](Self::forward) in evaluation mode, whatever the mode is, and without gradients.
    ///
    /// # Panics
    /// As `forward`.
    fn predict(&self, input: &Tensor) -> Tensor;

    /// The same as [`predict`](Self::predict) for slices, for acting: `batch` rows of `inputs`
    /// numbers to as many rows of `outputs`. With a [`plan`](Self::plan) in plain Rust: allocates
    /// nothing but `scratch` when that must grow, and a row's result does not depend on the rows
    /// beside it, to the last bit. Without one by libtorch, which promises neither.
    fn evaluate(
        &self,
        inputs: &[f32],
        batch: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) -> Result<(), NetworkError> {
        if let Some(plan) = self.plan() {
            return plan.run(self.parameters().effective(), inputs, batch, scratch, out);
        }
        check_batch("a network's inputs", batch, self.inputs(), inputs.len())?;
        check_batch("a network's outputs", batch, self.outputs(), out.len())?;
        if batch == 0 {
            return Ok(());
        }
        let rows = Tensor::from_slice(inputs).f_view([batch as i64, self.inputs() as i64])?;
        let outputs = self.predict(&rows).f_to_kind(Kind::Float)?.f_contiguous()?;
        check_outputs(&outputs, batch, self.outputs())?;
        Ok(outputs.f_copy_data(out, out.len())?)
    }
}

/// A network's [description](Network::description) with a fingerprint of all its numbers, for whoever
/// computes with them as they are.
pub(crate) fn described_with_numbers(network: &(impl Network + ?Sized)) -> String {
    let (parameters, buffers) = (network.parameters().values(), network.buffers().numbers);
    format!("{} {}", network.description(), fingerprint(parameters.iter().chain(&buffers)))
}
