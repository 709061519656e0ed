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
pub use compiled::{Compiled, Engine, Recorded};
pub use dueling::DuelingHead;
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
use thiserror::Error;

use crate::checkpoint::fingerprint;
use crate::init::InitError;
use crate::text::number;

/// Why a network cannot be built or evaluated.
#[derive(Debug, Error)]
pub enum NetworkError {
    /// A layer has no inputs or no outputs.
    #[error("{what} must be at least 1, got 0")]
    Empty {
        /// The width that is 0.
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
    /// A layer does not fit its input, or one of its settings is out of range.
    #[error("layer {layer} ({kind}) needs {need}, got {got}")]
    Layer {
        /// The layer's name.
        layer: String,
        /// The kind of layer.
        kind: &'static str,
        /// What it needs.
        need: &'static str,
        /// What it got instead.
        got: String,
    },
    /// A network is too large.
    #[error("{what} are more than {limit}: a network may not be that large")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// An example is neither a row nor a picture.
    #[error("an example has the shape [N], [H, W] or [H, W, C], got {shape:?}")]
    InputShape {
        /// The shape.
        shape: Vec<usize>,
    },
    /// A training batch has too few rows for batch normalisation.
    #[error(
        "in training the batches of this network need at least {least} rows, got {got}: choose a batch \
         size that leaves no smaller last batch, or drop the last batch (`drop_last`)"
    )]
    Rows {
        /// The minimum number of rows.
        least: i64,
        /// The number of rows given.
        got: i64,
    },
    /// The encoders have different layers or inputs.
    #[error(
        "the encoders differ: the other must begin with the same layers and read the same shape"
    )]
    Encoders,
    /// The layer does not exist.
    #[error("the encoder has {layers} layers, counted from 0: there is no layer {layer}")]
    NoSuchLayer {
        /// The layer asked for.
        layer: usize,
        /// The number of layers.
        layers: usize,
    },
    /// The rate of a moving average is out of its range.
    #[error("tau must be in (0, 1], got {}", number(*got))]
    Rate {
        /// The rate given.
        got: f32,
    },
    /// The initialiser does not fit.
    #[error(transparent)]
    Init(#[from] InitError),
    /// A slice or a tensor has the wrong size.
    #[error("{what}: expected {expected} numbers, got {got}")]
    Length {
        /// What has the wrong size.
        what: &'static str,
        /// The expected size.
        expected: usize,
        /// The size given.
        got: usize,
    },
    /// Two networks have different shapes.
    #[error("the networks differ: shapes {expected:?} here, {got:?} there")]
    Shapes {
        /// The shapes of this network.
        expected: Vec<Vec<usize>>,
        /// The shapes of the other network.
        got: Vec<Vec<usize>>,
    },
    /// The input has another kind than `f32`.
    #[error("a network reads numbers of kind Float (f32), got {got:?}: convert with `to_kind`")]
    Kind {
        /// The kind of the input.
        got: Kind,
    },
    /// The input is on another device than the CPU.
    #[error("a network's parameters lie on the CPU, got an input on {got:?}")]
    Device {
        /// The device of the input.
        got: Device,
    },
    /// The input has the wrong shape.
    #[error("a network reads rows of shape [B, {width}], got {got:?}")]
    Input {
        /// The width of a row.
        width: usize,
        /// The shape of the input.
        got: Vec<i64>,
    },
    /// Two parameters have the same name.
    #[error("two parameters are called {name:?}: give each layer a scope of its own, or a prefix")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// No parameter has this name.
    #[error("no parameter is called {name:?}: the names are {known:?}")]
    UnknownParameter {
        /// The name.
        name: String,
        /// The available names.
        known: Vec<String>,
    },
    /// A network returned rows of another shape than it declares.
    #[error("the network declares rows of shape {expected:?} (f32) as outputs, it returned {got}")]
    Output {
        /// The expected shape.
        expected: [usize; 2],
        /// The shape and kind returned.
        got: String,
    },
    /// The loss cannot be differentiated.
    #[error("a loss must be {expected}, got {got}")]
    Loss {
        /// What a loss must be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// The noise's sigma is out of range.
    #[error("the noise's sigma must be finite and at least 0, got {}", number(*got))]
    Sigma {
        /// The sigma given.
        got: f32,
    },
    /// Only libtorch can evaluate some layers of the network.
    #[error("this network has layers that only libtorch evaluates: it cannot be copied as a plan")]
    NoPlan,
    /// libtorch returned an error.
    #[error("libtorch: {}", first_line(.0))]
    Torch(#[from] tch::TchError),
}

/// Runs `work` without gradients. Unlike `tch::no_grad`, it switches them on again if `work`
/// panics.
pub(crate) fn no_grad<T>(work: impl FnOnce() -> T) -> T {
    let _guard = tch::no_grad_guard();
    work()
}

/// Returns libtorch's message without the C++ stack trace.
fn first_line(error: &tch::TchError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
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

/// A network that maps rows to rows and owns its parameters.
pub trait Network: Send {
    /// Returns the number of inputs.
    fn inputs(&self) -> usize;
    /// Returns the number of outputs.
    fn outputs(&self) -> usize;
    /// Maps `[B, inputs]` to `[B, outputs]`, differentiably.
    ///
    /// # Panics
    /// If `input` has the wrong width or is not `f32`, or has too few rows in training mode.
    /// [`check_input`](Self::check_input) returns these as errors.
    fn forward(&self, input: &Tensor) -> Tensor;
    /// Returns the parameters.
    fn parameters(&self) -> &Parameters;
    /// Returns the parameters, mutably.
    fn parameters_mut(&mut self) -> &mut Parameters;
    /// Returns the parameters by name, to freeze, load or count groups of them.
    fn named_parameters(&self) -> Vec<NamedParameter> {
        self.parameters().named()
    }
    /// Returns the plan that evaluates the network, in evaluation mode, without libtorch. `None` if
    /// only libtorch can evaluate it.
    fn plan(&self) -> Option<&Plan> {
        None
    }
    /// Returns the plan that trains the network without libtorch: it computes in training mode what
    /// [`forward`](Self::forward) does. `None` if only libtorch can train it.
    fn training_plan(&self) -> Option<&Plan> {
        None
    }

    /// Returns whether the network is in training mode, in which dropout is active and batch
    /// normalisation uses the statistics of the batch. A new network is in evaluation mode. A
    /// network whose layers have only one mode always is.
    fn training(&self) -> bool;
    /// Switches every layer to training mode or back to evaluation mode, as PyTorch's `train()` and
    /// `eval()`. Does nothing if the layers have only one mode.
    fn set_training(&mut self, training: bool);
    /// Updates state derived from the parameters (noise, a moving average). Call after every optimiser
    /// step.
    ///
    /// # Errors
    /// An error of the network.
    fn after_step(&mut self) -> Result<(), NetworkError>;
    /// Returns the complete architecture: layers, widths, activations, normalisation, dropout; and
    /// a [fingerprint] of numbers that are neither parameters nor buffers, for example those of a
    /// network under an adapter. Two networks with the same description, parameters and buffers
    /// compute the same. A checkpoint stores it and loads only into a network with the same
    /// description.
    fn description(&self) -> String;
    /// Returns the buffers (what training changes besides the parameters), for a checkpoint.
    /// [`Buffers::default`] if there are none.
    fn buffers(&self) -> Buffers;
    /// Returns the names and ranges of the numbers in [`buffers`](Self::buffers), as PyTorch's
    /// `named_buffers`. Weights are matched by these names. Empty if there are no such numbers.
    fn named_buffers(&self) -> Vec<NamedParameter>;
    /// Sets the [`buffers`](Self::buffers), from a checkpoint.
    ///
    /// # Errors
    /// [`NetworkError::Length`] if their number is wrong; see [`Buffers::check_none`].
    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError>;

    /// Checks that [`forward`](Self::forward) accepts these rows: their kind, device and width, and
    /// in training mode their number. One check per data set suffices, with one for its smallest
    /// batch. Does not look at the values: NaN passes.
    fn check_input(&self, input: &Tensor) -> Result<(), NetworkError> {
        check_rows(input, self.inputs())
    }
    /// Calls [`check_input`](Self::check_input), then [`forward`](Self::forward).
    fn try_forward(&self, input: &Tensor) -> Result<Tensor, NetworkError> {
        self.check_input(input)?;
        let outputs = self.forward(input);
        check_outputs(&outputs, input.size()[0] as usize, self.outputs())?;
        Ok(outputs)
    }
    /// Evaluates the network in evaluation mode, whatever its mode, and without gradients.
    ///
    /// # Panics
    /// As `forward`.
    fn predict(&self, input: &Tensor) -> Tensor;

    /// [`predict`](Self::predict) for slices, for acting: maps `batch` rows of `inputs` numbers to
    /// `batch` rows of `outputs` numbers. With a [`plan`](Self::plan) it runs in plain Rust,
    /// allocates only to grow `scratch`, and gives each row the same bits in any batch. Without a
    /// plan it uses libtorch, which guarantees neither.
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

/// Returns a network's [description](Network::description) with a fingerprint of all its numbers,
/// for users that keep the numbers fixed.
pub(crate) fn described_with_numbers(network: &(impl Network + ?Sized)) -> String {
    let (parameters, buffers) = (network.parameters().values(), network.buffers().numbers);
    format!("{} {}", network.description(), fingerprint(parameters.iter().chain(&buffers)))
}
