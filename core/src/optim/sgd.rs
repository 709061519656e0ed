//! Stochastic gradient descent.

use serde::{Deserialize, Serialize};

use super::{
    OptimError, Optimizer, OptimizerState, ParamGroups, check_length, check_step, nonnegative,
};
use crate::nn::Parameters;
use crate::simd::{flush, multiply_add, wide};

/// The settings of stochastic gradient descent, with PyTorch's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdConfig {
    /// The learning rate, if the caller has no schedule; ≥ 0.
    pub lr: f64,
    /// The momentum: the fraction of the last step's direction that is kept; ≥ 0. 0: none.
    pub momentum: f64,
    /// Whether to use Nesterov momentum.
    pub nesterov: bool,
    /// The weight decay (L2 penalty); ≥ 0. 0: none.
    pub weight_decay: f64,
}

impl Default for SgdConfig {
    fn default() -> Self {
        Self { lr: 1e-3, momentum: 0.0, nesterov: false, weight_decay: 0.0 }
    }
}

/// Stochastic gradient descent with momentum, in PyTorch's form (Sutskever et al. 2013, but with
/// the learning rate outside the momentum).
#[derive(Debug, Clone)]
pub struct Sgd {
    config: SgdConfig,
    groups: ParamGroups,
    momentum: Vec<f32>,
}

impl Sgd {
    /// Creates an optimiser for these parameters, before its first step.
    pub fn new(config: SgdConfig, parameters: &Parameters) -> Result<Self, OptimError> {
        nonnegative("lr", config.lr)?;
        nonnegative("momentum", config.momentum)?;
        nonnegative("weight_decay", config.weight_decay)?;
        let groups = ParamGroups::all(parameters);
        Ok(Self { config, groups, momentum: vec![0.0; parameters.len()] })
    }

    /// Returns the settings.
    pub fn config(&self) -> &SgdConfig {
        &self.config
    }
}

impl Optimizer for Sgd {
    fn step(&mut self, parameters: &mut Parameters, lr: f64) -> Result<(), OptimError> {
        check_step(parameters, self.momentum.len(), &self.groups, lr)?;
        let momentum = self.config.momentum as f32;
        // The step is `along` times the new momentum plus `direct` times the gradient.
        let (along, direct) = if self.config.nesterov { (momentum, 1.0) } else { (1.0, 0.0) };
        let (values, gradients) = parameters.values_and_gradients();
        for group in self.groups.segments() {
            let range = || group.range.clone();
            let weight_decay = group.weight_decay.unwrap_or(self.config.weight_decay);
            let factors = Factors {
                momentum,
                along,
                direct,
                lr: (lr * group.lr_factor) as f32,
                weight_decay: weight_decay as f32,
            };
            let momenta = &mut self.momentum[range()];
            update(&mut values[range()], &gradients[range()], momenta, factors);
        }
        Ok(())
    }

    fn state_dict(&self) -> OptimizerState {
        OptimizerState::new(None, [("momentum_buffer", &self.momentum)])
    }

    fn load_state_dict(&mut self, state: &OptimizerState) -> Result<(), OptimError> {
        state.copy_to([("momentum_buffer", &mut self.momentum)])
    }

    fn groups(&self) -> &ParamGroups {
        &self.groups
    }

    fn set_groups(&mut self, groups: ParamGroups) -> Result<(), OptimError> {
        check_length("groups", self.momentum.len(), groups.len())?;
        self.groups = groups;
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Factors {
    momentum: f32,
    along: f32,
    direct: f32,
    lr: f32,
    weight_decay: f32,
}

wide! {
    fn update<FMA>(values: &mut [f32], gradients: &[f32], momentum: &mut [f32], by: Factors) {
        for ((value, &gradient), momentum) in values.iter_mut().zip(gradients).zip(momentum) {
            let gradient = multiply_add::<FMA>(by.weight_decay, *value, gradient);
            *momentum = flush(multiply_add::<FMA>(by.momentum, *momentum, gradient));
            let direction = multiply_add::<FMA>(by.along, *momentum, by.direct * gradient);
            *value = multiply_add::<FMA>(-by.lr, direction, *value);
        }
    }
}
