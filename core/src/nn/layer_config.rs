//! What the layers of a network are, as plain data.

use serde::{Deserialize, Serialize};

use super::{Activation, Layer};
use crate::init::Init;

/// One layer. Names, formulas and defaults are those of `torch.nn`, but for `bias`, which is always
/// there.
///
/// A layer reads rows, `[B, N]`, or pictures, `[B, C, H, W]`: either, where it does not say which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LayerConfig {
    /// `y = x W + b` of rows ([`Linear`](super::Linear): `W` is `[inputs, outputs]`).
    Linear {
        /// The width of a row that it returns.
        outputs: usize,
        /// Initial weights.
        #[serde(default = "linear_default")]
        weight: Init,
        /// Initial biases.
        #[serde(default = "linear_default")]
        bias: Init,
    },
    /// A convolution of pictures, with zeros around them; `W` is `[C', C, kernel, kernel]`.
    Conv2d {
        /// The channels `C'` that it returns.
        channels: usize,
        /// The height and width of its kernel.
        kernel: usize,
        /// The pixels from one place of the kernel to the next.
        #[serde(default = "one")]
        stride: usize,
        /// The zeros on each side, fewer than `kernel`.
        #[serde(default)]
        padding: usize,
        /// Initial weights.
        #[serde(default = "linear_default")]
        weight: Init,
        /// Initial biases.
        #[serde(default = "linear_default")]
        bias: Init,
    },
    /// A function of each number.
    Activation(Activation),
    /// `x` where positive, `a x` elsewhere, with a learned `a` (He et al. 2015).
    PRelu {
        /// One `a` for each channel (of a row: for each number) instead of one for all.
        #[serde(default)]
        per_channel: bool,
        /// What `a` starts from.
        #[serde(default = "quarter")]
        slope: f32,
    },
    /// `eˣⁱ / Σⱼ eˣʲ` over a row, or over the channels of a pixel. A loss that takes logits wants
    /// none.
    Softmax,
    /// Takes each channel's mean over the batch (and over a picture's pixels) off and divides by its
    /// deviation, then scales and shifts by learned numbers (Ioffe and Szegedy 2015). Evaluation
    /// goes by running statistics. Training needs two numbers a channel, so two rows.
    BatchNorm {
        /// How much of a batch's statistics goes into the running ones, in [0, 1].
        #[serde(default = "tenth")]
        momentum: f64,
        /// Added to a variance, > 0.
        #[serde(default = "eps")]
        eps: f64,
    },
    /// The same over all numbers of each row or picture (Ba, Kiros and Hinton 2016); no difference
    /// between training and evaluation.
    LayerNorm {
        /// Added to a variance, > 0.
        #[serde(default = "eps")]
        eps: f64,
    },
    /// The same over the pixels of each channel of each picture (Ulyanov et al. 2016).
    InstanceNorm {
        /// Added to a variance, > 0.
        #[serde(default = "eps")]
        eps: f64,
        /// Scales and shifts by learned numbers.
        #[serde(default)]
        affine: bool,
    },
    /// The same over groups of neighbouring channels (Wu and He 2018).
    GroupNorm {
        /// Their number, which divides the channels (of a row: its width).
        groups: usize,
        /// Added to a variance, > 0.
        #[serde(default = "eps")]
        eps: f64,
    },
    /// Divides by the root of the mean square over each row or picture, then scales by learned
    /// numbers (Zhang and Sennrich 2019).
    RmsNorm {
        /// Added to a mean square, > 0; without one, the smallest step above 1 of `f32`.
        #[serde(default)]
        eps: Option<f64>,
    },
    /// In training sets numbers to zero with probability `p` and divides the others by `1 − p`
    /// (Srivastava et al. 2014).
    Dropout {
        /// In [0, 1).
        p: f64,
    },
    /// The largest number under a kernel.
    MaxPool {
        /// Its height and width.
        kernel: usize,
        /// The pixels from one place to the next; without one, `kernel`.
        #[serde(default)]
        stride: Option<usize>,
        /// The pixels on each side that are never the largest, at most half of `kernel`.
        #[serde(default)]
        padding: usize,
    },
    /// The mean under a kernel.
    AvgPool {
        /// Its height and width.
        kernel: usize,
        /// The pixels from one place to the next; without one, `kernel`.
        #[serde(default)]
        stride: Option<usize>,
        /// The zeros on each side, which the mean counts; at most half of `kernel`.
        #[serde(default)]
        padding: usize,
    },
    /// The mean of each channel: pictures to rows.
    GlobalAvgPool,
    /// Pictures to rows, channel by channel as PyTorch does.
    Flatten,
    /// `y = x + f(x)` (He et al. 2016), where the layers `f` return the shape that they read.
    Residual {
        /// The layers, first to last, called `layer.0` and so on.
        layers: Vec<LayerConfig>,
    },
    /// A layer of one's own.
    Custom(Box<dyn Layer>),
}

fn linear_default() -> Init {
    Init::LinearDefault
}

fn one() -> usize {
    1
}

fn quarter() -> f32 {
    0.25
}

fn tenth() -> f64 {
    0.1
}

fn eps() -> f64 {
    1e-5
}

impl LayerConfig {
    /// A fully connected layer, initialised like PyTorch's.
    pub fn linear(outputs: usize) -> Self {
        Self::Linear { outputs, weight: Init::LinearDefault, bias: Init::LinearDefault }
    }

    /// A convolution of step 1, initialised like PyTorch's. With an odd kernel and `kernel / 2` as
    /// the padding, pictures keep their size.
    pub fn conv2d(channels: usize, kernel: usize, padding: usize) -> Self {
        let (weight, bias) = (Init::LinearDefault, Init::LinearDefault);
        Self::Conv2d { channels, kernel, stride: 1, padding, weight, bias }
    }

    /// Batch normalisation with PyTorch's settings.
    pub fn batch_norm() -> Self {
        Self::BatchNorm { momentum: tenth(), eps: eps() }
    }

    /// Layer normalisation with PyTorch's settings.
    pub fn layer_norm() -> Self {
        Self::LayerNorm { eps: eps() }
    }

    /// The largest number of every `kernel` by `kernel` pixels.
    pub fn max_pool(kernel: usize) -> Self {
        Self::MaxPool { kernel, stride: None, padding: 0 }
    }

    /// What the layer is called.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Linear { .. } => "linear",
            Self::Conv2d { .. } => "conv2d",
            Self::Activation(activation) => activation.name(),
            Self::PRelu { .. } => "p_relu",
            Self::Softmax => "softmax",
            Self::BatchNorm { .. } => "batch_norm",
            Self::LayerNorm { .. } => "layer_norm",
            Self::InstanceNorm { .. } => "instance_norm",
            Self::GroupNorm { .. } => "group_norm",
            Self::RmsNorm { .. } => "rms_norm",
            Self::Dropout { .. } => "dropout",
            Self::MaxPool { .. } => "max_pool",
            Self::AvgPool { .. } => "avg_pool",
            Self::GlobalAvgPool => "global_avg_pool",
            Self::Flatten => "flatten",
            Self::Residual { .. } => "residual",
            Self::Custom(layer) => layer.typetag_name(),
        }
    }

    /// Whether it, or a layer within it, normalises batches: it then has running statistics.
    pub fn has_batch_norm(&self) -> bool {
        match self {
            Self::BatchNorm { .. } => true,
            Self::Residual { layers } => layers.iter().any(Self::has_batch_norm),
            _ => false,
        }
    }

    /// The layer without its initial values.
    pub(super) fn uninitialised(&self) -> Self {
        let (weight, bias) = (Init::Zeros, Init::Zeros);
        match self {
            &Self::Linear { outputs, .. } => Self::Linear { outputs, weight, bias },
            &Self::Conv2d { channels, kernel, stride, padding, .. } => {
                Self::Conv2d { channels, kernel, stride, padding, weight, bias }
            }
            &Self::PRelu { per_channel, .. } => Self::PRelu { per_channel, slope: 0.0 },
            Self::Residual { layers } => {
                Self::Residual { layers: layers.iter().map(Self::uninitialised).collect() }
            }
            other => other.clone(),
        }
    }

    /// The layer without what matters only before or while it is trained.
    pub(super) fn evaluated(&self) -> Self {
        match self.uninitialised() {
            Self::Dropout { .. } => Self::Dropout { p: 0.0 },
            Self::Residual { layers } => {
                Self::Residual { layers: layers.iter().map(Self::evaluated).collect() }
            }
            other => other,
        }
    }

    /// Sets the rules for the initial weights and biases of linear layers and convolutions.
    fn set_init(&mut self, weight_rule: Init, bias_rule: Init) {
        match self {
            Self::Linear { weight, bias, .. } | Self::Conv2d { weight, bias, .. } => {
                (*weight, *bias) = (weight_rule, bias_rule);
            }
            Self::Residual { layers } => {
                layers.iter_mut().for_each(|layer| layer.set_init(weight_rule, bias_rule));
            }
            _ => {}
        }
    }
}

impl From<Activation> for LayerConfig {
    fn from(activation: Activation) -> Self {
        Self::Activation(activation)
    }
}

/// A network's layers in two parts: the encoder, which makes features of what comes in, and the head,
/// which makes of features what is asked for. Either may be empty.
///
/// With the shape of the input, the flat parameters and the
/// [`Buffers`](super::Buffers), this is all that a checkpoint needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// The layers from the input to the features.
    pub encoder: Vec<LayerConfig>,
    /// The layers from the features to the output.
    pub head: Vec<LayerConfig>,
    /// Dropout's masks follow from this and from how many have been drawn.
    pub dropout_seed: u64,
}

impl NetworkConfig {
    /// Fully connected layers of these widths, each followed by the activation. They are the
    /// encoder; a head may follow ([`linear_head`](Self::linear_head)).
    ///
    /// ```
    /// # use gymnast_core::nn::{Activation, Network, NetworkConfig, Sequential};
    /// # use rand::SeedableRng;
    /// let config = NetworkConfig::mlp(&[64, 64], Activation::Relu).linear_head(10);
    /// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    /// let network = Sequential::new(&config, &[784], &mut rng)?;
    /// assert_eq!((network.inputs(), network.features(), network.outputs()), (784, 64, 10));
    /// # Ok::<(), gymnast_core::nn::NetworkError>(())
    /// ```
    pub fn mlp(hidden: &[usize], activation: Activation) -> Self {
        let layers = hidden.iter().flat_map(|&n| [LayerConfig::linear(n), activation.into()]);
        Self { encoder: layers.collect(), ..Self::default() }
    }

    /// A small network for pictures: for each of `channels` a convolution of 3 by 3 that keeps the
    /// size, batch normalisation, the activation, and the largest of every 2 by 2 pixels; then the
    /// pixels as a row, a fully connected layer of `features` and the activation. They are the
    /// encoder.
    pub fn cnn(channels: &[usize], features: usize, activation: Activation) -> Self {
        let block = |&n: &usize| {
            let (conv, norm) = (LayerConfig::conv2d(n, 3, 1), LayerConfig::batch_norm());
            [conv, norm, activation.into(), LayerConfig::max_pool(2)]
        };
        let mut encoder: Vec<LayerConfig> = channels.iter().flat_map(block).collect();
        encoder.extend([LayerConfig::Flatten, LayerConfig::linear(features), activation.into()]);
        Self { encoder, ..Self::default() }
    }

    /// With this head instead.
    pub fn with_head(self, head: Vec<LayerConfig>) -> Self {
        Self { head, ..self }
    }

    /// With one fully connected layer as the head: the usual one for `outputs` classes or numbers.
    pub fn linear_head(self, outputs: usize) -> Self {
        self.with_head(vec![LayerConfig::linear(outputs)])
    }

    /// With these rules for the initial weights and biases of all linear layers and convolutions.
    pub fn with_init(mut self, weight_rule: Init, bias_rule: Init) -> Self {
        let layers = self.encoder.iter_mut().chain(&mut self.head);
        layers.for_each(|layer| layer.set_init(weight_rule, bias_rule));
        self
    }
}
