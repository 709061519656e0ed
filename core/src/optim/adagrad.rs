//! Adagrad.

use serde::{Deserialize, Serialize};

use super::{
    OptimError, Optimizer, OptimizerState, ParamGroups, check_length, check_squares, check_step,
    nonnegative, positive,
};
use crate::nn::Parameters;
use crate::simd::{multiply_add, wide};

/// Adagrad's settings, with PyTorch's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdagradConfig {
    /// The learning rate, if the caller has no schedule; ≥ 0.
    pub lr: f64,
    /// The growth of each step's divisor, relative to the first learning rate; ≥ 0.
    pub lr_decay: f64,
    /// The weight decay (L2 penalty); ≥ 0. 0: none.
    pub weight_decay: f64,
    /// The initial value of the sums of squared gradients; ≥ 0.
    pub initial_accumulator_value: f64,
    /// A constant added to the denominator to avoid division by zero; > 0.
    pub eps: f64,
}

impl Default for AdagradConfig {
    fn default() -> Self {
        Self {
            lr: 1e-2,
            lr_decay: 0.0,
            weight_decay: 0.0,
            initial_accumulator_value: 0.0,
            eps: 1e-10,
        }
    }
}

/// Adagrad (Duchi, Hazan and Singer 2011, <https://jmlr.org/papers/v12/duchi11a.html>), in PyTorch's
/// form.
#[derive(Debug, Clone)]
pub struct Adagrad {
    config: AdagradConfig,
    groups: ParamGroups,
    /// The sum of squared gradients.
    sum: Vec<f32>,
    /// The number of steps taken.
    step: u64,
}

impl Adagrad {
    /// Creates an optimiser for these parameters, before its first step.
    pub fn new(config: AdagradConfig, parameters: &Parameters) -> Result<Self, OptimError> {
        let AdagradConfig { lr, lr_decay, weight_decay, initial_accumulator_value, eps } = config;
        nonnegative("lr", lr)?;
        nonnegative("lr_decay", lr_decay)?;
        nonnegative("weight_decay", weight_decay)?;
        nonnegative("initial_accumulator_value", initial_accumulator_value)?;
        positive("eps", eps)?;
        let sum = vec![initial_accumulator_value as f32; parameters.len()];
        Ok(Self { config, groups: ParamGroups::all(parameters), sum, step: 0 })
    }

    /// Returns the settings.
    pub fn config(&self) -> &AdagradConfig {
        &self.config
    }
}

impl Optimizer for Adagrad {
    fn step(&mut self, parameters: &mut Parameters, lr: f64) -> Result<(), OptimError> {
        check_step(parameters, self.sum.len(), &self.groups, lr)?;
        let lr = lr / (1.0 + self.step as f64 * self.config.lr_decay);
        self.step += 1;
        let (values, gradients) = parameters.values_and_gradients();
        let mut are_finite = true;
        for group in self.groups.segments() {
            let range = || group.range.clone();
            let weight_decay = group.weight_decay.unwrap_or(self.config.weight_decay);
            let factors = Factors {
                lr: (lr * group.lr_factor) as f32,
                eps: self.config.eps as f32,
                weight_decay: weight_decay as f32,
            };
            let sum = &mut self.sum[range()];
            are_finite &= update(&mut values[range()], &gradients[range()], sum, factors);
        }
        check_squares(&self.sum, are_finite)
    }

    fn state_dict(&self) -> OptimizerState {
        OptimizerState::new(Some(self.step), [("sum", &self.sum)])
    }

    fn load_state_dict(&mut self, state: &OptimizerState) -> Result<(), OptimError> {
        let step = state.step()?;
        state.copy_to([("sum", &mut self.sum)])?;
        self.step = step;
        Ok(())
    }

    fn groups(&self) -> &ParamGroups {
        &self.groups
    }

    fn set_groups(&mut self, groups: ParamGroups) -> Result<(), OptimError> {
        check_length("groups", self.sum.len(), groups.len())?;
        self.groups = groups;
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Factors {
    lr: f32,
    eps: f32,
    weight_decay: f32,
}

wide! {
    /// Returns whether all `sum` are finite.
    fn update<FMA>(values: &mut [f32], gradients: &[f32], sum: &mut [f32], by: Factors) -> bool {
        let mut lost = 0;
        for ((value, &gradient), sum) in values.iter_mut().zip(gradients).zip(sum) {
            let gradient = multiply_add::<FMA>(by.weight_decay, *value, gradient);
            *sum = multiply_add::<FMA>(gradient, gradient, *sum);
            lost |= u32::from(!sum.is_finite()); // without a branch: wide instructions have none
            *value = multiply_add::<FMA>(-by.lr, gradient / (sum.sqrt() + by.eps), *value);
        }
        lost == 0
    }
}
