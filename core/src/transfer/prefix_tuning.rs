//! Prefix tuning.

use rand::Rng;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{TransferError, check_size};
use crate::init::{Fans, Init};
use crate::nn::{
    Network, Parameter, Parameters, ParametersBuilder, Prefix, Transformer, described_with_numbers,
};
use crate::require;

/// The settings of [`PrefixTuning`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrefixTuningConfig {
    /// The number of positions in front of the sequence, in each block; ≥ 1.
    pub length: usize,
    /// The standard deviation of the initial keys and values; > 0.
    pub std: f32,
}

impl Default for PrefixTuningConfig {
    /// Eight positions with standard deviation 1, about that of a normalised sequence's keys and
    /// values.
    fn default() -> Self {
        Self { length: 8, std: 1.0 }
    }
}

/// A frozen transformer with trainable keys and values in front of those of its sequence, in each
/// block (Li and Liang 2021, <https://arxiv.org/abs/2101.00190>).
///
/// The [`parameters`](Network::parameters) are the keys and then the values of each block,
/// `[length, width]` each. They are trained directly; the paper's reparametrisation by a network,
/// which stabilises long trainings, is left out.
#[derive(Debug)]
pub struct PrefixTuning {
    base: Transformer,
    prefixes: Vec<[Parameter; 2]>,
    parameters: Parameters,
}

impl PrefixTuning {
    /// Adds prefixes to the blocks of a transformer, which is frozen.
    ///
    /// # Errors
    /// [`TransferError::Setting`]; [`TransferError::Network`] if the prefixes have more than
    /// [`MAX_PARAMETERS`](crate::nn::MAX_PARAMETERS) parameters.
    pub fn new<R: Rng + ?Sized>(
        mut base: Transformer,
        config: &PrefixTuningConfig,
        rng: &mut R,
    ) -> Result<Self, TransferError> {
        let &PrefixTuningConfig { length, std } = config;
        require(length > 0, "length", length as f64, "at least 1")?;
        require(std > 0.0 && std.is_finite(), "std", f64::from(std), "positive and finite")?;
        let (width, layers) = (base.config().width, base.config().layers);
        require(layers > 0, "layers", 0.0, "at least 1: prefixes need a block with attention")?;
        check_size("the parameters of prefixes", length.saturating_mul(2 * width * layers))?;
        let mut builder = ParametersBuilder::new();
        let mut declare = || {
            let fans = Fans { fan_in: width, fan_out: width };
            builder.parameter(&[length, width], Init::Normal { mean: 0.0, std }, fans)
        };
        let prefixes = (0..layers)
            .map(|_| Ok([declare()?, declare()?]))
            .collect::<Result<_, TransferError>>()?;
        let parameters = builder.build(rng)?;
        base.parameters_mut().set_requires_grad(false);
        Ok(Self { base, prefixes, parameters })
    }

    /// Returns the base transformer.
    pub fn base(&self) -> &Transformer {
        &self.base
    }

    /// Returns the base transformer and drops the prefixes.
    pub fn into_base(mut self) -> Transformer {
        self.base.parameters_mut().set_requires_grad(true);
        self.base
    }
}

impl Network for PrefixTuning {
    fn inputs(&self) -> usize {
        self.base.inputs()
    }

    fn outputs(&self) -> usize {
        self.base.outputs()
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        let tensor = |parameter: &Parameter| parameter.view();
        let prefixes: Vec<_> = (self.prefixes.iter())
            .map(|[key, value]| Prefix { key: tensor(key), value: tensor(value) })
            .collect();
        self.base.forward_prefixed(input, &prefixes)
    }

    fn description(&self) -> String {
        format!("prefixes of {}", described_with_numbers(&self.base))
    }

    crate::nn::parameters_are_all!();
}
