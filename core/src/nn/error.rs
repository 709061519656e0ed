//! Errors of networks.

use tch::{Device, Kind};
use thiserror::Error;

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
    /// There is not enough memory for the parameters.
    #[error(
        "the parameters need {bytes} bytes of memory, more than there are: make the network smaller"
    )]
    Memory {
        /// What they need, in bytes.
        bytes: usize,
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

/// Returns libtorch's message without the C++ stack trace.
fn first_line(error: &tch::TchError) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
