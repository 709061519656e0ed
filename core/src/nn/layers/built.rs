//! A built layer with its parameters.

use std::fmt;

use tch::{Kind, Tensor};

use super::Layers;
use crate::init::{Fans, Init};
use crate::nn::dropout::Masks;
use crate::nn::normalization::Normalization;
use crate::nn::placed::PlacedLayer;
use crate::nn::plan::{Convolution, Pool as PoolStep};
use crate::nn::{
    Activation, LayerConfig, LayerForward, LayerShape, Linear, Module as _, NetworkError,
    Parameter, ParametersBuilder, Plan,
};

#[derive(Debug)]
pub(super) enum Built {
    Linear(Linear),
    Conv2d { weight: Parameter, bias: Parameter, kernel: usize, stride: usize, padding: usize },
    Activation { activation: Activation, overwrites: bool },
    PRelu(Parameter),
    Softmax,
    Normalization(Normalization),
    Dropout { p: f64 },
    MaxPool(Pool),
    AvgPool(Pool),
    GlobalAvgPool,
    Flatten,
    Residual(Layers),
    Custom(Custom),
}

#[derive(Debug)]
pub(super) struct Pool {
    kernel: usize,
    stride: usize,
    padding: usize,
}

/// A custom layer.
pub(super) struct Custom(LayerForward);

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Custom")
    }
}

/// Both sides of a square.
fn both(n: usize) -> [i64; 2] {
    [n as i64; 2]
}

impl Built {
    pub(super) fn new(
        layer: &PlacedLayer,
        before: Option<&Self>,
        dropout_seed: u64,
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        let input = layer.input;
        if let Some(normalization) = Normalization::new(&layer.config, input, builder)? {
            return Ok(Self::Normalization(normalization));
        }
        let pool = |kernel: usize, stride: Option<usize>, padding: usize| Pool {
            kernel,
            stride: stride.unwrap_or(kernel),
            padding,
        };
        Ok(match layer.config {
            LayerConfig::Linear { outputs, weight, bias } => {
                Self::Linear(Linear::new(input.size(), outputs, weight, bias, builder)?)
            }
            LayerConfig::Conv2d { channels, kernel, stride, padding, weight, bias } => {
                let (from, area) = (input.channels(), kernel * kernel);
                let fans = Fans { fan_in: from * area, fan_out: channels * area };
                let shape = [channels, from, kernel, kernel];
                let weight = builder.of_layer("weight", &shape, weight, fans)?;
                let bias = builder.of_layer("bias", &[channels], bias, fans)?;
                Self::Conv2d { weight, bias, kernel, stride, padding }
            }
            // Overwriting saves memory, but is right only if nothing else needs the old values:
            // neither the caller, nor a layer that differentiates by its output.
            LayerConfig::Activation(activation) => Self::Activation {
                activation,
                overwrites: matches!(
                    before,
                    Some(Self::Linear(_) | Self::Conv2d { .. } | Self::Normalization(_))
                ),
            },
            LayerConfig::PRelu { per_channel, slope } => {
                let slopes = if per_channel { input.channels() } else { 1 };
                let (init, fans) =
                    (Init::Constant { value: slope }, Fans { fan_in: 1, fan_out: 1 });
                Self::PRelu(builder.of_layer("weight", &[slopes], init, fans)?)
            }
            LayerConfig::Softmax => Self::Softmax,
            LayerConfig::BatchNorm { .. }
            | LayerConfig::LayerNorm { .. }
            | LayerConfig::InstanceNorm { .. }
            | LayerConfig::GroupNorm { .. }
            | LayerConfig::RmsNorm { .. } => unreachable!("normalisations were made above"),
            LayerConfig::Dropout { p } => Self::Dropout { p },
            LayerConfig::MaxPool { kernel, stride, padding } => {
                Self::MaxPool(pool(kernel, stride, padding))
            }
            LayerConfig::AvgPool { kernel, stride, padding } => {
                Self::AvgPool(pool(kernel, stride, padding))
            }
            LayerConfig::GlobalAvgPool => Self::GlobalAvgPool,
            LayerConfig::Flatten => Self::Flatten,
            LayerConfig::Residual { ref layers } => {
                Self::Residual(Layers::new(layers, &layer.name, input, dropout_seed, builder)?)
            }
            LayerConfig::Custom(ref custom) => {
                let before = builder.len();
                let forward = custom.declare(input, builder)?;
                let declared = builder.len() - before;
                if declared != layer.parameters {
                    return Err(NetworkError::Layer {
                        layer: layer.name.clone(),
                        kind: layer.config.kind(),
                        need: "as many parameters as `Layer::parameters` says",
                        got: format!("{declared} declared, {} said", layer.parameters),
                    });
                }
                Self::Custom(Custom(forward))
            }
        })
    }

    pub(super) fn forward(&self, x: Tensor, training: bool, masks: &Masks) -> Tensor {
        match self {
            Self::Linear(linear) => linear.forward(&x),
            Self::Conv2d { weight, bias, stride, padding, .. } => {
                let (stride, padding) = (both(*stride), both(*padding));
                x.conv2d(&weight.view(), Some(bias.view()), stride, padding, both(1), 1)
            }
            Self::Activation { activation, overwrites: true } => activation.forward(x),
            Self::Activation { activation, overwrites: false } => activation.forward(x * 1.0),
            Self::PRelu(weight) => x.prelu(&weight.view()),
            Self::Softmax => x.softmax(1, Kind::Float),
            Self::Normalization(normalization) => normalization.forward(&x, training),
            Self::Dropout { p } if training && *p > 0.0 => masks.drop(&x, *p),
            Self::Dropout { .. } => x,
            Self::MaxPool(Pool { kernel, stride, padding }) => {
                x.max_pool2d(both(*kernel), both(*stride), both(*padding), both(1), false)
            }
            Self::AvgPool(Pool { kernel, stride, padding }) => {
                x.avg_pool2d(both(*kernel), both(*stride), both(*padding), false, true, None)
            }
            Self::GlobalAvgPool => x.mean_dim([2_i64, 3].as_slice(), false, Kind::Float),
            Self::Flatten => {
                let size = x.size();
                x.reshape([size[0], size[1..].iter().product()])
            }
            Self::Residual(layers) => &x + layers.run(x.shallow_clone(), training, masks, &[]),
            Self::Custom(Custom(forward)) => forward(&x, training),
        }
    }

    /// Returns whether the layer computes the same in training and evaluation mode.
    pub(super) fn trains_as_evaluated(&self) -> bool {
        match self {
            Self::Dropout { p } => *p == 0.0,
            Self::Normalization(normalization) => normalization.running().is_none(),
            Self::Residual(layers) => layers.trains_as_evaluated(),
            Self::Custom(_) => false, // what it does is not known
            _ => true,
        }
    }

    /// Returns whether a plan computes in training mode what the layer does.
    pub(super) fn trains_by_plan(&self) -> bool {
        match self {
            Self::Normalization(_) => true,
            Self::Residual(layers) => layers.trains_by_plan(),
            other => other.trains_as_evaluated(),
        }
    }

    /// Appends the layer to a plan; pictures have their channels first. `None`
    /// if only libtorch can evaluate it.
    pub(super) fn append_to(
        &self,
        plan: Plan,
        input: LayerShape,
        output: LayerShape,
    ) -> Option<Plan> {
        let pool = |pool: &Pool, largest: bool| {
            let (LayerShape::Picture(input), LayerShape::Picture(output)) = (input, output) else {
                return None;
            };
            let &Pool { kernel, stride, padding } = pool;
            Some(PoolStep::new([input, output], [kernel; 2], [stride, padding], largest))
        };
        Some(match self {
            Self::Linear(linear) => plan.then(linear, Activation::Identity),
            &Self::Conv2d { ref weight, ref bias, kernel, stride, padding } => {
                let (LayerShape::Picture(input), LayerShape::Picture(output)) = (input, output)
                else {
                    return None;
                };
                let ranges = [weight.range(), bias.range()];
                let sizes = [kernel, stride, padding];
                plan.convolution(Convolution::new(ranges, [input, output], sizes))
            }
            Self::Activation { activation, .. } => plan.activation(*activation),
            Self::Normalization(normalization) => normalization.append_to(plan, input)?,
            Self::Dropout { .. } | Self::Flatten => plan, // nothing to do
            Self::MaxPool(of) => plan.pool(pool(of, true)?),
            Self::AvgPool(of) => plan.pool(pool(of, false)?),
            Self::GlobalAvgPool => {
                let LayerShape::Picture(input) = input else { return None };
                let output = crate::nn::PictureShape { height: 1, width: 1, ..input };
                let kernel = [input.height, input.width];
                plan.pool(PoolStep::new([input, output], kernel, [1, 0], false))
            }
            Self::Residual(layers) => {
                let body = layers.append_inner(Plan::new(input.size()))?;
                plan.residual(body)
            }
            Self::PRelu(_) | Self::Softmax | Self::Custom(_) => return None,
        })
    }
}
