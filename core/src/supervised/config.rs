//! The settings of a training.

use serde::{Deserialize, Serialize};

use super::FitError;
use crate::data::{Augmentation, Sampler};
use crate::lr_schedule::LrSchedule;
use crate::optim::{AdamConfig, AdamWConfig, OptimizerConfig, ParamGroup};
use crate::require;

/// The settings of a training.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// The maximum number of passes over the training rows; ≥ 1.
    pub epochs: usize,
    /// The rows of a minibatch, ≥ 1; the last one of an epoch may have fewer.
    pub batch_size: usize,
    /// Whether to drop a last minibatch that is not full, as PyTorch's `drop_last`. Batch
    /// normalisation needs more than one row, and so do objectives that compare rows.
    pub drop_last: bool,
    /// How the rows of an epoch are chosen and ordered.
    pub sampler: Sampler,
    /// The minibatches whose gradients are accumulated into one step, as if they were one large
    /// minibatch; ≥ 1. The result differs from one large minibatch where rows are compared with
    /// each other or normalised by the batch, because both stay within a minibatch
    /// ([`NtXent`](crate::self_supervised::NtXent), [`InfoNce`](crate::self_supervised::InfoNce)),
    /// and for [`OutlierExposure`](crate::ood::OutlierExposure), the sum of two means.
    pub accumulate: usize,
    /// The optimiser, with its learning rate.
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes from step to step.
    pub lr_schedule: LrSchedule,
    /// The augmentations applied to the inputs of each training row, in order, anew each time.
    pub augmentations: Vec<Augmentation>,
    /// The views of each row in a minibatch, ≥ 1, each augmented separately: 1, or 2 for objectives
    /// that compare views ([`self_supervised`](crate::self_supervised)). With more than 1, held-out
    /// rows are augmented too, in the same way each time; with 1, only if the objective
    /// [asks](super::Objective::augments_held_out) for it.
    pub views: usize,
    /// Groups of parameters with their own learning rate or weight decay, or frozen.
    pub param_groups: Vec<ParamGroup>,
    /// Clip the gradients to this norm; `None`: no clipping.
    pub max_grad_norm: Option<f32>,
    /// Stop after this number of epochs in a row without improvement; 0: never stop early.
    pub patience: usize,
    /// The least decrease of the loss that counts as an improvement; ≥ 0.
    pub min_delta: f64,
}

impl Default for FitConfig {
    /// Adam at 10⁻³.
    fn default() -> Self {
        Self {
            epochs: 200,
            batch_size: 64,
            drop_last: false,
            sampler: Sampler::Shuffled,
            accumulate: 1,
            optimizer: OptimizerConfig::Adam(AdamConfig { lr: 1e-3, ..AdamConfig::default() }),
            lr_schedule: LrSchedule::default(),
            augmentations: Vec::new(),
            views: 1,
            param_groups: Vec::new(),
            max_grad_norm: None,
            patience: 10,
            min_delta: 0.0,
        }
    }
}

impl FitConfig {
    /// Returns the defaults, with Adam at this learning rate.
    #[must_use]
    pub fn adam(lr: f64) -> Self {
        let optimizer = OptimizerConfig::Adam(AdamConfig { lr, ..AdamConfig::default() });
        Self { optimizer, ..Self::default() }
    }

    /// Returns the defaults, with AdamW: `weight_decay` shrinks the weights directly, not through
    /// the gradient.
    #[must_use]
    pub fn adam_w(lr: f64, weight_decay: f64) -> Self {
        let adam_w = AdamWConfig { lr, weight_decay, ..AdamWConfig::default() };
        Self { optimizer: OptimizerConfig::AdamW(adam_w), ..Self::default() }
    }

    pub(super) fn check(&self) -> Result<(), FitError> {
        for (key, value) in [
            ("epochs", self.epochs),
            ("batch_size", self.batch_size),
            ("accumulate", self.accumulate),
            ("views", self.views),
        ] {
            require(value > 0, key, value as f64, "at least 1")?;
        }
        let min_delta = self.min_delta;
        require(min_delta >= 0.0 && min_delta.is_finite(), "min_delta", min_delta, "at least 0")?;
        if let Some(norm) = self.max_grad_norm {
            require(norm > 0.0, "max_grad_norm", f64::from(norm), "positive")?;
        }
        self.lr_schedule.check().map_err(FitError::Schedule)
    }

    /// Returns the number of rows in an epoch, given all `rows`: fewer if the last minibatch is
    /// dropped.
    pub fn rows_per_epoch(&self, rows: usize) -> usize {
        if self.drop_last { rows - rows % self.batch_size.max(1) } else { rows }
    }

    /// Returns the rows of the smallest minibatch in an epoch of `rows` rows, at least 1.
    pub(super) fn smallest_batch(&self, rows: usize) -> usize {
        self.smallest_of_all(self.rows_per_epoch(rows))
    }

    /// Returns the rows of the smallest minibatch if none is dropped, as for held-out rows.
    pub(super) fn smallest_of_all(&self, rows: usize) -> usize {
        match rows % self.batch_size {
            0 => self.batch_size.min(rows),
            rest => rest,
        }
    }

    /// Returns the number of optimiser steps in an epoch of `rows` rows.
    pub fn steps_per_epoch(&self, rows: usize) -> u64 {
        let rows = self.rows_per_epoch(rows);
        rows.div_ceil(self.batch_size.saturating_mul(self.accumulate).max(1)) as u64
    }

    /// Returns the learning rate of a step; steps count from 0.
    pub(super) fn learning_rate(&self, step: u64, rows: usize) -> Result<f64, FitError> {
        let total = self.steps_per_epoch(rows).saturating_mul(self.epochs as u64);
        let factor = self.lr_schedule.at(step, total).map_err(FitError::Schedule)?;
        Ok(self.optimizer.lr() * factor)
    }
}
