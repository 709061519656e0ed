//! Optimisers as settings.

use serde::{Deserialize, Serialize};

use super::{
    Adagrad, AdagradConfig, Adam, AdamConfig, AdamWConfig, OptimError, Optimizer, RmsProp,
    RmsPropConfig, Sgd, SgdConfig,
};
use crate::nn::Parameters;

/// An optimiser and its settings. The default is Adam with PyTorch's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OptimizerConfig {
    /// Stochastic gradient descent, optionally with momentum.
    Sgd(SgdConfig),
    /// RMSprop.
    RmsProp(RmsPropConfig),
    /// Adagrad.
    Adagrad(AdagradConfig),
    /// Adam.
    Adam(AdamConfig),
    /// AdamW: Adam with decoupled weight decay.
    AdamW(AdamWConfig),
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::Adam(AdamConfig::default())
    }
}

impl OptimizerConfig {
    /// Creates the optimiser for these parameters, before its first step.
    ///
    /// # Errors
    /// [`OptimError::Setting`].
    pub fn build(&self, parameters: &Parameters) -> Result<Box<dyn Optimizer>, OptimError> {
        Ok(match *self {
            Self::Sgd(config) => Box::new(Sgd::new(config, parameters)?),
            Self::RmsProp(config) => Box::new(RmsProp::new(config, parameters)?),
            Self::Adagrad(config) => Box::new(Adagrad::new(config, parameters)?),
            Self::Adam(config) => Box::new(Adam::new(config, parameters)?),
            Self::AdamW(config) => Box::new(Adam::new(config.into(), parameters)?),
        })
    }

    /// Returns the learning rate. The caller multiplies it by the factor of its schedule and passes
    /// it to each step.
    pub fn lr(&self) -> f64 {
        match self {
            Self::Sgd(config) => config.lr,
            Self::RmsProp(config) => config.lr,
            Self::Adagrad(config) => config.lr,
            Self::Adam(config) => config.lr,
            Self::AdamW(config) => config.lr,
        }
    }
}
