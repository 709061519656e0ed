//! The layers of a network, as plain data.

use serde::{Deserialize, Serialize};

use super::{Activation, Layer};
use crate::init::Init;

/// A layer. Names, formulas and defaults are those of `torch.nn`, except that every layer with
/// weights has a bias.
///
/// A layer reads rows, `[B, N]`, or pictures, `[B, C, H, W]`. Layers whose documentation names
/// neither read both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LayerConfig {
    /// A fully connected layer for rows: `y = x W + b` ([`Linear`](super::Linear): `W` is
    /// `[inputs, outputs]`).
    Linear {
        /// The width of its output rows.
        outputs: usize,
        /// The initialiser of the weights.
        #[serde(default = "linear_default")]
        weight: Init,
        /// The initialiser of the biases.
        #[serde(default = "linear_default")]
        bias: Init,
    },
    /// A convolution of pictures with zero padding; `W` is `[C', C, kernel, kernel]`.
    Conv2d {
        /// The number of output channels `C'`.
        channels: usize,
        /// The height and width of its kernel.
        kernel: usize,
        /// The step of the kernel, in pixels.
        #[serde(default = "one")]
        stride: usize,
        /// The width of the zero padding on each side; less than `kernel`.
        #[serde(default)]
        padding: usize,
        /// The initialiser of the weights.
        #[serde(default = "linear_default")]
        weight: Init,
        /// The initialiser of the biases.
        #[serde(default = "linear_default")]
        bias: Init,
    },
    /// An activation function, applied to each number.
    Activation(Activation),
    /// `x` where positive, `a x` elsewhere, with a learned `a` (He et al. 2015).
    PRelu {
        /// Whether each channel (for rows, each number) has its own `a`. Otherwise they share one.
        #[serde(default)]
        per_channel: bool,
        /// The initial value of `a`.
        #[serde(default = "quarter")]
        slope: f32,
    },
    /// `eˣⁱ / Σⱼ eˣʲ` over a row or over the channels of a pixel. Do not add it before a loss that
    /// takes logits.
    Softmax,
    /// Batch normalisation (Ioffe and Szegedy 2015): subtracts each channel's mean over the batch
    /// (and over the pixels of pictures), divides by its standard deviation, then scales and shifts
    /// by learned numbers. Evaluation uses running statistics. Training needs at least two values
    /// per channel, so at least two rows, or pixels.
    BatchNorm {
        /// The weight of a batch's statistics in the update of the running ones, in [0, 1].
        #[serde(default = "tenth")]
        momentum: f64,
        /// A constant added to the variance, > 0.
        #[serde(default = "eps")]
        eps: f64,
    },
    /// Layer normalisation (Ba, Kiros and Hinton 2016): as batch normalisation, but over all
    /// numbers of each row or picture. Training and evaluation compute the same.
    LayerNorm {
        /// A constant added to the variance, > 0.
        #[serde(default = "eps")]
        eps: f64,
    },
    /// Instance normalisation (Ulyanov et al. 2016): over the pixels of each channel of each
    /// picture.
    InstanceNorm {
        /// A constant added to the variance, > 0.
        #[serde(default = "eps")]
        eps: f64,
        /// Whether to scale and shift by learned numbers.
        #[serde(default)]
        affine: bool,
    },
    /// Group normalisation (Wu and He 2018): over groups of neighbouring channels.
    GroupNorm {
        /// The number of groups, which divides the number of channels (for rows, the width).
        groups: usize,
        /// A constant added to the variance, > 0.
        #[serde(default = "eps")]
        eps: f64,
    },
    /// RMS normalisation (Zhang and Sennrich 2019): divides by the root of the mean square of each
    /// row or picture, then scales by learned numbers.
    RmsNorm {
        /// A constant added to the mean square, > 0. Default: `f32::EPSILON`.
        #[serde(default)]
        eps: Option<f64>,
    },
    /// Dropout (Srivastava et al. 2014): in training sets numbers to zero with probability `p` and
    /// divides the others by `1 − p`.
    Dropout {
        /// The probability of setting a number to zero, in [0, 1).
        p: f64,
    },
    /// Max pooling: the largest number under a kernel.
    MaxPool {
        /// The height and width of the kernel.
        kernel: usize,
        /// The step of the kernel, in pixels. Default: `kernel`.
        #[serde(default)]
        stride: Option<usize>,
        /// The width of the padding on each side, at most half of `kernel`. Padding is never the
        /// largest.
        #[serde(default)]
        padding: usize,
    },
    /// Average pooling: the mean under a kernel.
    AvgPool {
        /// The height and width of the kernel.
        kernel: usize,
        /// The step of the kernel, in pixels. Default: `kernel`.
        #[serde(default)]
        stride: Option<usize>,
        /// The width of the zero padding on each side, at most half of `kernel`. The mean includes
        /// it.
        #[serde(default)]
        padding: usize,
    },
    /// Global average pooling: the mean of each channel, which turns pictures into rows.
    GlobalAvgPool,
    /// Turns pictures into rows, channel by channel as PyTorch does.
    Flatten,
    /// A residual block, `y = x + f(x)` (He et al. 2016). The layers `f` must keep the shape.
    Residual {
        /// The layers, first to last, called `layer.0` and so on.
        layers: Vec<LayerConfig>,
    },
    /// A custom layer.
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
    /// Creates a fully connected layer, initialised like PyTorch's.
    pub fn linear(outputs: usize) -> Self {
        Self::Linear { outputs, weight: Init::LinearDefault, bias: Init::LinearDefault }
    }

    /// Creates a convolution of stride 1, initialised like PyTorch's. With an odd kernel and a
    /// padding of `kernel / 2`, pictures keep their size.
    pub fn conv2d(channels: usize, kernel: usize, padding: usize) -> Self {
        let (weight, bias) = (Init::LinearDefault, Init::LinearDefault);
        Self::Conv2d { channels, kernel, stride: 1, padding, weight, bias }
    }

    /// Creates batch normalisation with PyTorch's settings.
    pub fn batch_norm() -> Self {
        Self::BatchNorm { momentum: tenth(), eps: eps() }
    }

    /// Creates layer normalisation with PyTorch's settings.
    pub fn layer_norm() -> Self {
        Self::LayerNorm { eps: eps() }
    }

    /// Creates max pooling over blocks of `kernel` by `kernel` pixels.
    pub fn max_pool(kernel: usize) -> Self {
        Self::MaxPool { kernel, stride: None, padding: 0 }
    }

    /// Returns the name of the layer's kind.
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

    /// Returns whether the layer, or a layer within it, is batch normalisation and so has running
    /// statistics.
    pub fn has_batch_norm(&self) -> bool {
        match self {
            Self::BatchNorm { .. } => true,
            Self::Residual { layers } => layers.iter().any(Self::has_batch_norm),
            _ => false,
        }
    }

    /// Returns the layer without its initialisers.
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

    /// Returns the layer without the settings that matter only for initialising and training.
    pub(super) fn evaluated(&self) -> Self {
        match self.uninitialised() {
            Self::Dropout { .. } => Self::Dropout { p: 0.0 },
            Self::Residual { layers } => {
                Self::Residual { layers: layers.iter().map(Self::evaluated).collect() }
            }
            other => other,
        }
    }

    /// Sets the initialisers of linear layers and convolutions.
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

/// The layers of a network in two parts: the encoder computes features from the input, the head
/// computes the output from the features. Either may be empty.
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
    /// The seed of the dropout masks. Each mask depends on it and on the number of masks drawn
    /// before.
    pub dropout_seed: u64,
}

impl NetworkConfig {
    /// Creates a multilayer perceptron: fully connected layers of these widths, each followed by
    /// the activation. They form the encoder; add a head with [`linear_head`](Self::linear_head).
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

    /// Creates a small convolutional network. For each of `channels`: a convolution of 3 by 3 that
    /// keeps the size, batch normalisation, the activation, and max pooling of 2 by 2 pixels. Then:
    /// flatten, a fully connected layer of `features`, and the activation. They form the encoder.
    pub fn cnn(channels: &[usize], features: usize, activation: Activation) -> Self {
        let block = |&n: &usize| {
            let (conv, norm) = (LayerConfig::conv2d(n, 3, 1), LayerConfig::batch_norm());
            [conv, norm, activation.into(), LayerConfig::max_pool(2)]
        };
        let mut encoder: Vec<LayerConfig> = channels.iter().flat_map(block).collect();
        encoder.extend([LayerConfig::Flatten, LayerConfig::linear(features), activation.into()]);
        Self { encoder, ..Self::default() }
    }

    /// Replaces the head.
    pub fn with_head(self, head: Vec<LayerConfig>) -> Self {
        Self { head, ..self }
    }

    /// Replaces the head by one fully connected layer, the usual head for `outputs` classes or
    /// numbers.
    pub fn linear_head(self, outputs: usize) -> Self {
        self.with_head(vec![LayerConfig::linear(outputs)])
    }

    /// Sets the initialisers of the weights and biases of all linear layers and convolutions.
    pub fn with_init(mut self, weight_rule: Init, bias_rule: Init) -> Self {
        let layers = self.encoder.iter_mut().chain(&mut self.head);
        layers.for_each(|layer| layer.set_init(weight_rule, bias_rule));
        self
    }
}
