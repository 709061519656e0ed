//! Prefix tuning.

use rand::Rng;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{TransferError, check, check_size};
use crate::init::{Fans, Init};
use crate::nn::{
    Network, Parameter, Parameters, ParametersBuilder, Prefix, Transformer, described_with_numbers,
};

/// How long the prefixes are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PrefixTuningConfig {
    /// The places in front of the sequence, for each block; ≥ 1.
    pub length: usize,
    /// The standard deviation of the keys and values that they begin as; > 0.
    pub std: f32,
}

impl Default for PrefixTuningConfig {
    /// Eight places, at 1: about as large as the keys and values of a normalised sequence.
    fn default() -> Self {
        Self { length: 8, std: 1.0 }
    }
}

/// A transformer with keys and values in front of those of its sequence, in each block, which alone are
/// trained (Li and Liang 2021, <https://arxiv.org/abs/2101.00190>).
///
/// [`parameters`](Network::parameters) are, for each block, its keys and then its values, `[length,
/// width]` each. They are trained as they are; the network that the paper puts between them and what is
/// trained, against unsteadiness in long trainings, is left out.
#[derive(Debug)]
pub struct PrefixTuning {
    base: Transformer,
    prefixes: Vec<[Parameter; 2]>,
    parameters: Parameters,
}

impl PrefixTuning {
    /// Puts prefixes before the blocks of a transformer, which stays as it is.
    ///
    /// # Errors
    /// [`TransferError::Setting`]; [`TransferError::Network`] where the prefixes have more than
    /// [`MAX_PARAMETERS`](crate::nn::MAX_PARAMETERS) parameters.
    pub fn new<R: Rng + ?Sized>(
        mut base: Transformer,
        config: &PrefixTuningConfig,
        rng: &mut R,
    ) -> Result<Self, TransferError> {
        let &PrefixTuningConfig { length, std } = config;
        check(length > 0, "length", length as f64, "at least 1")?;
        check(std > 0.0 && std.is_finite(), "std", f64::from(std), "positive and finite")?;
        let (width, layers) = (base.config().width, base.config().layers);
        check(layers > 0, "layers", 0.0, "at least 1, for there is no attention without a block")?;
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

    /// The transformer underneath.
    pub fn base(&self) -> &Transformer {
        &self.base
    }

    /// The transformer underneath; the prefixes are lost.
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
        let tensor = |parameter: &Parameter| parameter.view().shallow_clone();
        let prefixes: Vec<_> = (self.prefixes.iter())
            .map(|[key, value]| Prefix { key: tensor(key), value: tensor(value) })
            .collect();
        self.base.forward_prefixed(input, &prefixes)
    }

    fn description(&self) -> String {
        format!("prefixes of {}", described_with_numbers(&self.base))
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    fn after_step(&mut self) -> Result<(), crate::nn::NetworkError> {
        Ok(())
    }

    crate::nn::parameters_are_all!();
}
