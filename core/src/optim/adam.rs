//! Adam and AdamW.

use serde::{Deserialize, Serialize};

use super::{
    OptimError, Optimizer, OptimizerState, ParamGroups, check_length, check_squares, check_step,
    nonnegative, positive,
};
use crate::nn::Parameters;
use crate::require;
use crate::simd::{flush, multiply_add, wide};

/// Adam's settings, with PyTorch's names and defaults.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// The learning rate, if the caller has no schedule; ≥ 0.
    pub lr: f64,
    /// The decay rates of the running means of the gradients and of their squares; in [0, 1).
    pub betas: (f64, f64),
    /// A constant added to the denominator to avoid division by zero; > 0.
    pub eps: f64,
    /// The weight decay; ≥ 0. 0: none.
    pub weight_decay: f64,
    /// Whether weight decay shrinks the parameters directly (AdamW) or is added to their gradients.
    pub decoupled: bool,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-8, weight_decay: 0.0, decoupled: false }
    }
}

/// AdamW's settings, with PyTorch's names and defaults: those of [`AdamConfig`], with decoupled
/// weight decay switched on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamWConfig {
    /// The learning rate, if the caller has no schedule; ≥ 0.
    pub lr: f64,
    /// The decay rates of the running means of the gradients and of their squares; in [0, 1).
    pub betas: (f64, f64),
    /// A constant added to the denominator to avoid division by zero; > 0.
    pub eps: f64,
    /// The decoupled weight decay, which shrinks the parameters directly; ≥ 0. 0: none.
    pub weight_decay: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        let AdamConfig { lr, betas, eps, .. } = AdamConfig::default();
        Self { lr, betas, eps, weight_decay: 1e-2 }
    }
}

impl From<AdamWConfig> for AdamConfig {
    fn from(AdamWConfig { lr, betas, eps, weight_decay }: AdamWConfig) -> Self {
        Self { lr, betas, eps, weight_decay, decoupled: true }
    }
}

/// The Adam optimiser (Kingma and Ba 2015, <https://arxiv.org/abs/1412.6980>), and AdamW
/// (Loshchilov and Hutter 2019, <https://arxiv.org/abs/1711.05101>).
///
/// Moments too small to be normal numbers count as zero. Otherwise results differ from PyTorch's in
/// the last bits only.
///
/// The loop is our own at every size. Against libtorch's fused kernel, which tch does not offer and a
/// script has to call (`benches/optim.rs`, one thread, µs a step, the least of two runs): 0.68 to 5.1 of
/// 1 000 parameters, 55 to 81 of 100 000, 11 900 to 12 300 of 10 million, where both wait for memory.
/// tch's own optimiser took 11, 161 and 67 600.
#[derive(Debug, Clone)]
pub struct Adam {
    config: AdamConfig,
    groups: ParamGroups,
    m: Vec<f32>,
    v: Vec<f32>,
    step: u64,
}

/// The state of Adam, borrowed for a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamState<'a> {
    /// The running mean of gradients, PyTorch's `exp_avg`.
    pub m: &'a [f32],
    /// The running mean of squared gradients, PyTorch's `exp_avg_sq`.
    pub v: &'a [f32],
    /// The number of steps taken.
    pub step: u64,
}

impl Adam {
    /// Creates an optimiser for these parameters, before its first step.
    pub fn new(config: AdamConfig, parameters: &Parameters) -> Result<Self, OptimError> {
        let AdamConfig { lr, betas, eps, weight_decay, .. } = config;
        nonnegative("lr", lr)?;
        require((0.0..1.0).contains(&betas.0), "betas.0", betas.0, "in [0, 1)")?;
        require((0.0..1.0).contains(&betas.1), "betas.1", betas.1, "in [0, 1)")?;
        positive("eps", eps)?;
        nonnegative("weight_decay", weight_decay)?;
        let zeros = vec![0.0; parameters.len()];
        let groups = ParamGroups::all(parameters);
        Ok(Self { config, groups, m: zeros.clone(), v: zeros, step: 0 })
    }

    /// Returns the settings.
    pub fn config(&self) -> &AdamConfig {
        &self.config
    }

    /// Returns the state to save.
    pub fn state(&self) -> AdamState<'_> {
        AdamState { m: &self.m, v: &self.v, step: self.step }
    }

    /// Restores a saved state.
    pub fn load_state(&mut self, state: AdamState<'_>) -> Result<(), OptimError> {
        let expected = self.m.len();
        check_length("m", expected, state.m.len())?;
        check_length("v", expected, state.v.len())?;
        self.m.copy_from_slice(state.m);
        self.v.copy_from_slice(state.v);
        self.step = state.step;
        Ok(())
    }
}

impl Optimizer for Adam {
    fn step(&mut self, parameters: &mut Parameters, lr: f64) -> Result<(), OptimError> {
        check_step(parameters, self.m.len(), &self.groups, lr)?;
        self.step += 1;
        let AdamConfig { betas: (beta1, beta2), eps, decoupled, .. } = self.config;
        let steps = self.step as f64;
        let (values, gradients) = parameters.values_and_gradients();
        let mut are_finite = true;
        for group in self.groups.segments() {
            let range = || group.range.clone();
            let lr = lr * group.lr_factor;
            let weight_decay = group.weight_decay.unwrap_or(self.config.weight_decay);
            let factors = Factors {
                gradient: (1.0 - beta1) as f32,
                beta2: beta2 as f32,
                square: (1.0 - beta2) as f32,
                step_size: (lr / (1.0 - beta1.powf(steps))) as f32,
                root: (1.0 / (1.0 - beta2.powf(steps)).sqrt()) as f32,
                eps: eps as f32,
                l2: if decoupled { 0.0 } else { weight_decay as f32 },
                keep: if decoupled { (1.0 - lr * weight_decay) as f32 } else { 1.0 },
            };
            let (m, v) = (&mut self.m[range()], &mut self.v[range()]);
            are_finite &= update(&mut values[range()], &gradients[range()], m, v, factors);
        }
        check_squares(&self.v, are_finite)
    }

    fn state_dict(&self) -> OptimizerState {
        let arrays = [("exp_avg", self.m.as_slice()), ("exp_avg_sq", &self.v)];
        OptimizerState::new(Some(self.step), arrays)
    }

    fn load_state_dict(&mut self, state: &OptimizerState) -> Result<(), OptimError> {
        let [m, v] = state.arrays(["exp_avg", "exp_avg_sq"])?;
        self.load_state(AdamState { m, v, step: state.step()? })
    }

    fn groups(&self) -> &ParamGroups {
        &self.groups
    }

    fn set_groups(&mut self, groups: ParamGroups) -> Result<(), OptimError> {
        check_length("groups", self.m.len(), groups.len())?;
        self.groups = groups;
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Factors {
    gradient: f32,
    beta2: f32,
    square: f32,
    step_size: f32,
    root: f32,
    eps: f32,
    l2: f32,
    keep: f32,
}

wide! {
    /// Returns whether all `v` are finite.
    fn update<FMA>(
        values: &mut [f32],
        gradients: &[f32],
        m: &mut [f32],
        v: &mut [f32],
        by: Factors,
    ) -> bool {
        let mut lost = 0;
        for (((value, &gradient), m), v) in values.iter_mut().zip(gradients).zip(m).zip(v) {
            let gradient = multiply_add::<FMA>(by.l2, *value, gradient);
            *m = flush(multiply_add::<FMA>(by.gradient, gradient - *m, *m));
            *v = flush(multiply_add::<FMA>(by.square * gradient, gradient, by.beta2 * *v));
            lost |= u32::from(!v.is_finite()); // without a branch: wide instructions have none
            let denominator = multiply_add::<FMA>(v.sqrt(), by.root, by.eps);
            *value = multiply_add::<FMA>(-by.step_size, *m / denominator, by.keep * *value);
        }
        lost == 0
    }
}
