//! Layers one after another, whose parameters lie in somebody else's [`Parameters`](super::Parameters).

use tch::{Kind, Tensor};

use super::dropout::Masks;
use super::layer_shape::shapes;
use super::low_rank::LowRank;
use super::normalization::{Normalization, Running};
use super::{
    Activation, LayerConfig, LayerShape, Linear, NetworkError, Parameter, ParametersBuilder, Plan,
};
use crate::init::{Fans, Init};

#[derive(Debug)]
pub(super) struct Layers {
    layers: Vec<Layer>,
    shapes: Vec<LayerShape>,
}

#[derive(Debug)]
enum Layer {
    Linear(Linear),
    Conv2d { weight: Parameter, bias: Parameter, stride: [i64; 2], padding: [i64; 2] },
    Activation { activation: Activation, overwrites: bool },
    PRelu(Parameter),
    Softmax,
    Normalization(Normalization),
    Dropout { p: f64 },
    MaxPool(Pool),
    AvgPool(Pool),
    GlobalAvgPool,
    Flatten,
}

#[derive(Debug)]
struct Pool {
    kernel: [i64; 2],
    stride: [i64; 2],
    padding: [i64; 2],
}

impl Pool {
    fn new(kernel: usize, stride: Option<usize>, padding: usize) -> Self {
        let both = |n: usize| [n as i64; 2];
        let stride = both(stride.unwrap_or(kernel));
        Self { kernel: both(kernel), stride, padding: both(padding) }
    }
}

impl Layers {
    /// Declares the layers, called `scope.0`, `scope.1`, … What does not fit is an error before
    /// anything is allocated.
    pub(super) fn new(
        configs: &[LayerConfig],
        scope: &str,
        input: LayerShape,
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        let shapes = shapes(configs, scope, input)?;
        let mut layers = Vec::with_capacity(configs.len());
        for (i, config) in configs.iter().enumerate() {
            builder.scope(format!("{scope}.{i}"));
            let layer = Layer::new(config, shapes[i], layers.last(), builder)?;
            layers.push(layer);
        }
        Ok(Self { layers, shapes })
    }

    pub(super) fn input(&self) -> LayerShape {
        self.shapes[0]
    }

    pub(super) fn output(&self) -> LayerShape {
        self.shapes[self.layers.len()]
    }

    /// From what the first layer reads to what the last one returns. A fully connected layer adds what
    /// stands at its place among `additions`, which may be fewer than the layers.
    pub(super) fn forward(
        &self,
        x: Tensor,
        training: bool,
        masks: &Masks,
        additions: &[Option<LowRank>],
    ) -> Tensor {
        self.layers.iter().enumerate().fold(x, |x, (i, layer)| match additions.get(i) {
            Some(Some(addition)) => {
                layer.forward(x.shallow_clone(), training, masks) + addition.forward(&x)
            }
            _ => layer.forward(x, training, masks),
        })
    }

    /// The fewest rows that can be trained on: two numbers a channel for each layer that normalises a
    /// batch.
    pub(super) fn least_rows(&self) -> i64 {
        let least = self.layers.iter().zip(&self.shapes).map(|(layer, shape)| match layer {
            Layer::Normalization(Normalization::Batch { .. }) => {
                if shape.size() == shape.channels() { 2 } else { 1 }
            }
            _ => 0,
        });
        least.max().unwrap_or(0)
    }

    pub(super) fn running(&self) -> impl Iterator<Item = &Running> {
        self.layers.iter().filter_map(|layer| match layer {
            Layer::Normalization(normalization) => normalization.running(),
            _ => None,
        })
    }

    pub(super) fn running_mut(&mut self) -> impl Iterator<Item = &mut Running> {
        self.layers.iter_mut().filter_map(|layer| match layer {
            Layer::Normalization(normalization) => normalization.running_mut(),
            _ => None,
        })
    }

    /// Adds the layers to what comes before them, as they are in evaluation; `None` where one of
    /// them is for libtorch only.
    pub(super) fn append_to(&self, mut plan: Plan) -> Option<Plan> {
        let mut layers =
            self.layers.iter().zip(&self.shapes).filter(|(layer, shape)| match layer {
                Layer::Dropout { .. } => false, // does nothing in evaluation
                Layer::Flatten => !matches!(shape, LayerShape::Row(_)),
                _ => true,
            });
        let mut next = layers.next();
        while let Some((layer, _)) = next {
            let Layer::Linear(linear) = layer else { return None };
            next = layers.next();
            let mut follows = Activation::Identity;
            if let Some((Layer::Activation { activation, .. }, _)) = next {
                follows = *activation;
                next = layers.next();
            }
            plan = plan.then(linear, follows);
        }
        Some(plan)
    }
}

impl Layer {
    fn new(
        config: &LayerConfig,
        input: LayerShape,
        before: Option<&Self>,
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        if let Some(normalization) = Normalization::new(config, input, builder)? {
            return Ok(Self::Normalization(normalization));
        }
        Ok(match *config {
            LayerConfig::Linear { outputs, weight, bias } => {
                Self::Linear(Linear::new(input.size(), outputs, weight, bias, builder)?)
            }
            LayerConfig::Conv2d { channels, kernel, stride, padding, weight, bias } => {
                let (from, area) = (input.channels(), kernel * kernel);
                let fans = Fans { fan_in: from * area, fan_out: channels * area };
                let shape = [channels, from, kernel, kernel];
                Self::Conv2d {
                    weight: builder.of_layer("weight", &shape, weight, fans)?,
                    bias: builder.of_layer("bias", &[channels], bias, fans)?,
                    stride: [stride as i64; 2],
                    padding: [padding as i64; 2],
                }
            }
            // Overwriting saves memory, but is only right where nobody needs what was there: not of
            // the input, nor of a layer that differentiates by what it put out.
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
                Self::MaxPool(Pool::new(kernel, stride, padding))
            }
            LayerConfig::AvgPool { kernel, stride, padding } => {
                Self::AvgPool(Pool::new(kernel, stride, padding))
            }
            LayerConfig::GlobalAvgPool => Self::GlobalAvgPool,
            LayerConfig::Flatten => Self::Flatten,
        })
    }

    fn forward(&self, x: Tensor, training: bool, masks: &Masks) -> Tensor {
        match self {
            Self::Linear(linear) => linear.forward(&x),
            Self::Conv2d { weight, bias, stride, padding } => {
                let dilation = [1_i64; 2];
                x.conv2d(weight.view(), Some(bias.view()), stride, padding, dilation, 1)
            }
            Self::Activation { activation, overwrites: true } => activation.forward(x),
            Self::Activation { activation, overwrites: false } => activation.forward(x * 1.0),
            Self::PRelu(weight) => x.prelu(weight.view()),
            Self::Softmax => x.softmax(1, Kind::Float),
            Self::Normalization(normalization) => normalization.forward(&x, training),
            Self::Dropout { p } if training && *p > 0.0 => masks.drop(&x, *p),
            Self::Dropout { .. } => x,
            Self::MaxPool(Pool { kernel, stride, padding }) => {
                x.max_pool2d(kernel, stride, padding, [1_i64; 2], false)
            }
            Self::AvgPool(Pool { kernel, stride, padding }) => {
                x.avg_pool2d(kernel, stride, padding, false, true, None)
            }
            Self::GlobalAvgPool => x.mean_dim([2_i64, 3].as_slice(), false, Kind::Float),
            Self::Flatten => {
                let size = x.size();
                x.reshape([size[0], size[1..].iter().product()])
            }
        }
    }
}
