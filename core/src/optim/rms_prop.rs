//! RMSprop.

use serde::{Deserialize, Serialize};

use super::{
    OptimError, Optimizer, OptimizerState, ParamGroups, check_length, check_squares, check_step,
    nonnegative, positive,
};
use crate::nn::Parameters;
use crate::require;
use crate::simd::{flush, multiply_add, wide};

/// RMSprop's settings, with PyTorch's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsPropConfig {
    /// The learning rate, if the caller has no schedule; ≥ 0.
    pub lr: f64,
    /// The decay rate of the running means; in [0, 1).
    pub alpha: f64,
    /// A constant added to the root, outside it as in PyTorch, to avoid division by zero; > 0.
    pub eps: f64,
    /// Whether to add `eps` under the root instead, as TensorFlow does.
    pub eps_under_root: bool,
    /// The weight decay (L2 penalty); ≥ 0. 0: none.
    pub weight_decay: f64,
    /// The momentum: the fraction of the last step's direction that is kept; ≥ 0. 0: none.
    pub momentum: f64,
    /// Whether to divide by the standard deviation of the gradients instead of their root mean
    /// square.
    pub centered: bool,
}

impl Default for RmsPropConfig {
    fn default() -> Self {
        Self {
            lr: 1e-2,
            alpha: 0.99,
            eps: 1e-8,
            eps_under_root: false,
            weight_decay: 0.0,
            momentum: 0.0,
            centered: false,
        }
    }
}

/// RMSprop (Hinton's lecture 6e of 2012; centred: Graves 2013, <https://arxiv.org/abs/1308.0850>).
#[derive(Debug, Clone)]
pub struct RmsProp {
    config: RmsPropConfig,
    groups: ParamGroups,
    /// The running mean of squared gradients.
    square: Vec<f32>,
    /// The running mean of gradients; zero unless centred.
    mean: Vec<f32>,
    /// The direction of the last step.
    momentum: Vec<f32>,
}

impl RmsProp {
    /// Creates an optimiser for these parameters, before its first step.
    pub fn new(config: RmsPropConfig, parameters: &Parameters) -> Result<Self, OptimError> {
        let RmsPropConfig { lr, alpha, eps, weight_decay, momentum, .. } = config;
        nonnegative("lr", lr)?;
        require((0.0..1.0).contains(&alpha), "alpha", alpha, "in [0, 1)")?;
        positive("eps", eps)?;
        nonnegative("weight_decay", weight_decay)?;
        nonnegative("momentum", momentum)?;
        let zeros = vec![0.0; parameters.len()];
        let groups = ParamGroups::all(parameters);
        Ok(Self { config, groups, square: zeros.clone(), mean: zeros.clone(), momentum: zeros })
    }

    /// Returns the settings.
    pub fn config(&self) -> &RmsPropConfig {
        &self.config
    }
}

impl Optimizer for RmsProp {
    fn step(&mut self, parameters: &mut Parameters, lr: f64) -> Result<(), OptimError> {
        check_step(parameters, self.square.len(), &self.groups, lr)?;
        let RmsPropConfig { alpha, eps, eps_under_root, momentum, centered, .. } = self.config;
        let (values, gradients) = parameters.values_and_gradients();
        let mut are_finite = true;
        for group in self.groups.segments() {
            let range = || group.range.clone();
            let weight_decay = group.weight_decay.unwrap_or(self.config.weight_decay);
            let factors = Factors {
                keep: alpha as f32,
                take: (1.0 - alpha) as f32,
                take_mean: if centered { (1.0 - alpha) as f32 } else { 0.0 },
                eps: if eps_under_root { 0.0 } else { eps as f32 },
                eps_under_root: if eps_under_root { eps as f32 } else { 0.0 },
                momentum: momentum as f32,
                lr: (lr * group.lr_factor) as f32,
                weight_decay: weight_decay as f32,
            };
            are_finite &= update(
                &mut values[range()],
                &gradients[range()],
                &mut self.square[range()],
                &mut self.mean[range()],
                &mut self.momentum[range()],
                factors,
            );
        }
        check_squares(&self.square, are_finite)
    }

    fn state_dict(&self) -> OptimizerState {
        let arrays = [
            ("square_avg", self.square.as_slice()),
            ("grad_avg", &self.mean),
            ("momentum_buffer", &self.momentum),
        ];
        OptimizerState::new(None, arrays)
    }

    fn load_state_dict(&mut self, state: &OptimizerState) -> Result<(), OptimError> {
        state.copy_to([
            ("square_avg", self.square.as_mut_slice()),
            ("grad_avg", &mut self.mean),
            ("momentum_buffer", &mut self.momentum),
        ])
    }

    fn groups(&self) -> &ParamGroups {
        &self.groups
    }

    fn set_groups(&mut self, groups: ParamGroups) -> Result<(), OptimError> {
        check_length("groups", self.square.len(), groups.len())?;
        self.groups = groups;
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Factors {
    keep: f32,
    take: f32,
    take_mean: f32,
    eps: f32,
    eps_under_root: f32,
    momentum: f32,
    lr: f32,
    weight_decay: f32,
}

wide! {
    /// Returns whether all `square` are finite.
    fn update<FMA>(
        values: &mut [f32],
        gradients: &[f32],
        square: &mut [f32],
        mean: &mut [f32],
        momentum: &mut [f32],
        by: Factors,
    ) -> bool {
        let mut lost = 0;
        let moments = square.iter_mut().zip(mean).zip(momentum);
        for ((value, &gradient), ((square, mean), momentum)) in
            values.iter_mut().zip(gradients).zip(moments)
        {
            let gradient = multiply_add::<FMA>(by.weight_decay, *value, gradient);
            *square = flush(multiply_add::<FMA>(by.take * gradient, gradient, by.keep * *square));
            lost |= u32::from(!square.is_finite()); // without a branch: wide instructions have none
            *mean = flush(multiply_add::<FMA>(by.take_mean, gradient - *mean, *mean));
            let variance = multiply_add::<FMA>(-*mean, *mean, *square).max(0.0); // < 0 by rounding
            let root = (variance + by.eps_under_root).sqrt();
            *momentum = flush(multiply_add::<FMA>(by.momentum, *momentum, gradient / (root + by.eps)));
            *value = multiply_add::<FMA>(-by.lr, *momentum, *value);
        }
        lost == 0
    }
}
