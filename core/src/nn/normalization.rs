//! Normalisation layers, as libtorch computes them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tch::Tensor;

use super::plan::{BatchNorm, Norm};
use super::{LayerConfig, LayerShape, NetworkError, Parameter, ParametersBuilder, Plan};
use crate::init::{Fans, Init};

/// A normalisation layer.
#[derive(Debug)]
pub(super) enum Normalization {
    Batch { weight: Parameter, bias: Parameter, running: Arc<Running>, momentum: f64, eps: f64 },
    Layer { weight: Parameter, bias: Parameter, shape: Vec<i64>, eps: f64 },
    Instance { affine: Option<(Parameter, Parameter)>, eps: f64 },
    Group { weight: Parameter, bias: Parameter, groups: i64, eps: f64 },
    Rms { weight: Parameter, shape: Vec<i64>, eps: Option<f64> },
}

/// The running statistics of each channel, which training updates. A plan of the layer shares them.
#[derive(Debug)]
pub(super) struct Running(Mutex<Vec<f32>>);

impl Running {
    fn new(channels: usize) -> Arc<Self> {
        let numbers = [vec![0.0; channels], vec![1.0; channels]].concat();
        Arc::new(Self(Mutex::new(numbers)))
    }

    /// Returns the means, then the variances.
    pub(super) fn numbers(&self) -> MutexGuard<'_, Vec<f32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for Running {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.numbers().clone()))
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
                running: Running::new(input.channels()),
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
            Self::Batch { weight, bias, running, momentum, eps } => {
                let (weight, bias) = (Some(weight.view()), Some(bias.view()));
                let mut numbers = running.numbers();
                let statistics = Tensor::from_slice(&numbers);
                let halves = statistics.chunk(2, 0);
                let [mean, variance] = [0, 1].map(|half| Some(halves[half].shallow_clone()));
                let (momentum, eps) = (*momentum, *eps);
                let y = x.batch_norm(weight, bias, mean, variance, training, momentum, eps, CUDNN);
                if training {
                    let length = numbers.len();
                    statistics.copy_data(&mut numbers, length); // libtorch has updated them in place
                }
                y
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

    /// Appends the layer to a plan. `None` if only libtorch can evaluate it.
    pub(super) fn append_to(&self, plan: Plan, input: LayerShape) -> Option<Plan> {
        match self {
            Self::Batch { weight, bias, running, momentum, eps } => {
                let ranges = [weight.range(), bias.range()];
                let layer = BatchNorm::new(ranges, input.size(), running, *momentum, *eps);
                Some(match input {
                    LayerShape::Row(_) => plan.batch_norm(layer),
                    LayerShape::Picture(picture) => {
                        plan.channels_last(picture).batch_norm(layer).channels_first(picture)
                    }
                })
            }
            Self::Layer { weight, bias, eps, .. } => {
                let (weight, bias) = (weight.range(), Some(bias.range()));
                Some(plan.norm(Norm { weight, bias, eps: *eps as f32 }))
            }
            Self::Rms { weight, eps, .. } => {
                let eps = eps.map_or(f32::EPSILON, |eps| eps as f32);
                Some(plan.norm(Norm { weight: weight.range(), bias: None, eps }))
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
}
