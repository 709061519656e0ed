//! Normalisation layers. libtorch does the arithmetic.

use tch::Tensor;

use super::plan::Norm;
use super::{LayerConfig, LayerShape, NetworkError, Parameter, ParametersBuilder};
use crate::init::{Fans, Init};

/// A normalisation layer.
#[derive(Debug)]
pub(super) enum Normalization {
    Batch { weight: Parameter, bias: Parameter, running: Running, momentum: f64, eps: f64 },
    Layer { weight: Parameter, bias: Parameter, shape: Vec<i64>, eps: f64 },
    Instance { affine: Option<(Parameter, Parameter)>, eps: f64 },
    Group { weight: Parameter, bias: Parameter, groups: i64, eps: f64 },
    Rms { weight: Parameter, shape: Vec<i64>, eps: Option<f64> },
}

/// Running statistics of each channel. libtorch updates them in place when it normalises a batch in
/// training.
#[derive(Debug)]
pub(super) struct Running {
    mean: Tensor,
    variance: Tensor,
}

impl Running {
    fn new(channels: usize) -> Result<Self, NetworkError> {
        let channels = [channels as i64];
        let mean = Tensor::f_zeros(channels, tch::kind::FLOAT_CPU)?;
        Ok(Self { mean, variance: Tensor::f_ones(channels, tch::kind::FLOAT_CPU)? })
    }

    /// Returns the number of values.
    pub(super) fn len(&self) -> usize {
        2 * self.mean.numel()
    }

    /// Appends the means, then the variances.
    pub(super) fn append_to(&self, numbers: &mut Vec<f32>) {
        for tensor in [&self.mean, &self.variance] {
            let start = numbers.len();
            numbers.resize(start + tensor.numel(), 0.0);
            tensor.copy_data(&mut numbers[start..], tensor.numel());
        }
    }

    /// Sets the values.
    pub(super) fn load(&mut self, numbers: &[f32]) {
        let (mean, variance) = numbers.split_at(self.mean.numel());
        self.mean.copy_(&Tensor::from_slice(mean));
        self.variance.copy_(&Tensor::from_slice(variance));
    }
}

impl Normalization {
    /// Declares the layer's parameters. `None` if the layer is of another kind.
    pub(super) fn new(
        config: &LayerConfig,
        input: LayerShape,
        builder: &mut ParametersBuilder,
    ) -> Result<Option<Self>, NetworkError> {
        let (ones, fans) = (Init::Constant { value: 1.0 }, Fans { fan_in: 1, fan_out: 1 });
        let mut declare = |name: &str, shape: &[usize]| {
            let init = if name == "weight" { ones } else { Init::Zeros };
            builder.of_layer(name, shape, init, fans)
        };
        let (channels, shape) = ([input.channels()], input.dimensions());
        let dimensions = || shape.iter().map(|&n| n as i64).collect();
        Ok(Some(match *config {
            LayerConfig::BatchNorm { momentum, eps } => Self::Batch {
                weight: declare("weight", &channels)?,
                bias: declare("bias", &channels)?,
                running: Running::new(input.channels())?,
                momentum,
                eps,
            },
            LayerConfig::LayerNorm { eps } => Self::Layer {
                weight: declare("weight", &shape)?,
                bias: declare("bias", &shape)?,
                shape: dimensions(),
                eps,
            },
            LayerConfig::InstanceNorm { eps, affine: false } => {
                Self::Instance { affine: None, eps }
            }
            LayerConfig::InstanceNorm { eps, affine: true } => {
                let affine = (declare("weight", &channels)?, declare("bias", &channels)?);
                Self::Instance { affine: Some(affine), eps }
            }
            LayerConfig::GroupNorm { groups, eps } => Self::Group {
                weight: declare("weight", &channels)?,
                bias: declare("bias", &channels)?,
                groups: groups as i64,
                eps,
            },
            LayerConfig::RmsNorm { eps } => {
                Self::Rms { weight: declare("weight", &shape)?, shape: dimensions(), eps }
            }
            _ => return Ok(None),
        }))
    }

    pub(super) fn forward(&self, x: &Tensor, training: bool) -> Tensor {
        const CUDNN: bool = false; // parameters lie on the CPU
        match self {
            Self::Batch { weight, bias, running: Running { mean, variance }, momentum, eps } => {
                let affine = (Some(weight.view()), Some(bias.view()));
                let running = (Some(mean.shallow_clone()), Some(variance.shallow_clone()));
                x.batch_norm(
                    affine.0, affine.1, running.0, running.1, training, *momentum, *eps, CUDNN,
                )
            }
            Self::Layer { weight, bias, shape, eps } => {
                x.layer_norm(shape, Some(weight.view()), Some(bias.view()), *eps, CUDNN)
            }
            Self::Instance { affine, eps } => {
                let (weight, bias) = affine.as_ref().map_or((None, None), |(weight, bias)| {
                    (Some(weight.view()), Some(bias.view()))
                });
                // Always its own statistics; without running ones the momentum has no effect.
                x.instance_norm(weight, bias, None, None, true, 0.0, *eps, CUDNN)
            }
            Self::Group { weight, bias, groups, eps } => {
                x.group_norm(*groups, Some(weight.view()), Some(bias.view()), *eps, CUDNN)
            }
            Self::Rms { weight, shape, eps } => x.rms_norm(shape, Some(weight.view()), *eps),
        }
    }

    /// Returns the step that evaluates the layer without libtorch. `None` if only libtorch can.
    pub(super) fn step(&self) -> Option<Norm> {
        match self {
            Self::Layer { weight, bias, eps, .. } => {
                let (weight, bias) = (weight.range(), Some(bias.range()));
                Some(Norm { weight, bias, eps: *eps as f32 })
            }
            Self::Rms { weight, eps, .. } => {
                let eps = eps.map_or(f32::EPSILON, |eps| eps as f32);
                Some(Norm { weight: weight.range(), bias: None, eps })
            }
            _ => None,
        }
    }

    /// Returns the running statistics, if any.
    pub(super) fn running(&self) -> Option<&Running> {
        match self {
            Self::Batch { running, .. } => Some(running),
            _ => None,
        }
    }

    /// Returns the running statistics, if any, mutably.
    pub(super) fn running_mut(&mut self) -> Option<&mut Running> {
        match self {
            Self::Batch { running, .. } => Some(running),
            _ => None,
        }
    }
}
