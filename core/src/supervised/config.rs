//! How to train.

use serde::{Deserialize, Serialize};

use super::FitError;
use crate::data::{Augmentation, Sampler};
use crate::lr_schedule::LrSchedule;
use crate::optim::{AdamConfig, AdamWConfig, OptimizerConfig, ParamGroup};

/// How to train.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// The passes over the training rows, at most; ≥ 1.
    pub epochs: usize,
    /// The rows of a minibatch; the last of an epoch may have fewer; ≥ 1.
    pub batch_size: usize,
    /// Whether a last minibatch of fewer rows is left out of each epoch, as PyTorch's `drop_last`. Layers
    /// that normalise over a batch refuse one of a single row, and so do objectives that compare rows with
    /// each other.
    pub drop_last: bool,
    /// Which rows the minibatches of an epoch are made of.
    pub sampler: Sampler,
    /// The minibatches whose gradients make one step, as one large minibatch would that memory does not
    /// hold; ≥ 1. Not quite so where rows are compared with each other, or normalised by the batch: both
    /// stay within a minibatch ([`NtXent`](crate::self_supervised::NtXent),
    /// [`InfoNce`](crate::self_supervised::InfoNce)). Nor for
    /// [`OutlierExposure`](crate::ood::OutlierExposure), the sum of two means.
    pub accumulate: usize,
    /// What takes the steps, with its learning rate.
    pub optimizer: OptimizerConfig,
    /// What becomes of the learning rate, step by step.
    pub lr_schedule: LrSchedule,
    /// What happens to the inputs of each training row, anew each time, one after the other.
    pub augmentations: Vec<Augmentation>,
    /// The views of each row in a minibatch, each augmented on its own: 1, or 2 for objectives that
    /// compare them ([`self_supervised`](crate::self_supervised)). Rows held out are augmented then as
    /// well, in the same way each time; with 1 they are where the objective
    /// [asks](super::Objective::augments_held_out) for it. ≥ 1.
    pub views: usize,
    /// Parts of the parameters that learn otherwise, or not at all.
    pub param_groups: Vec<ParamGroup>,
    /// The gradients' norm is clipped to this; `None`: it is not.
    pub max_grad_norm: Option<f32>,
    /// The epochs in a row without improvement after which it stops; 0: it never stops early.
    pub patience: usize,
    /// By how much the loss has to fall to count as improved; ≥ 0.
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
    /// The defaults, with Adam at this learning rate.
    #[must_use]
    pub fn adam(lr: f64) -> Self {
        let optimizer = OptimizerConfig::Adam(AdamConfig { lr, ..AdamConfig::default() });
        Self { optimizer, ..Self::default() }
    }

    /// The defaults, with AdamW: `weight_decay` pulls weights to zero, apart from the gradient.
    #[must_use]
    pub fn adam_w(lr: f64, weight_decay: f64) -> Self {
        let adam_w = AdamWConfig { lr, weight_decay, ..AdamWConfig::default() };
        Self { optimizer: OptimizerConfig::AdamW(adam_w), ..Self::default() }
    }

    pub(super) fn check(&self) -> Result<(), FitError> {
        let check = |holds, key, value, allowed| match holds {
            true => Ok(()),
            false => Err(FitError::Setting { key, value, allowed }),
        };
        for (key, value) in [
            ("epochs", self.epochs),
            ("batch_size", self.batch_size),
            ("accumulate", self.accumulate),
            ("views", self.views),
        ] {
            check(value > 0, key, value as f64, "at least 1")?;
        }
        let min_delta = self.min_delta;
        check(min_delta >= 0.0 && min_delta.is_finite(), "min_delta", min_delta, "at least 0")?;
        if let Some(norm) = self.max_grad_norm {
            check(norm > 0.0, "max_grad_norm", f64::from(norm), "positive")?;
        }
        Ok(self.lr_schedule.check()?)
    }

    /// The rows that an epoch learns from, of so many: fewer where the last minibatch is dropped.
    pub fn rows_per_epoch(&self, rows: usize) -> usize {
        if self.drop_last { rows - rows % self.batch_size.max(1) } else { rows }
    }

    /// The rows of the smallest minibatch of an epoch of so many rows, which must not be 0.
    pub(super) fn smallest_batch(&self, rows: usize) -> usize {
        self.smallest_of_all(self.rows_per_epoch(rows))
    }

    /// The same where none is dropped, as of rows held out.
    pub(super) fn smallest_of_all(&self, rows: usize) -> usize {
        match rows % self.batch_size {
            0 => self.batch_size.min(rows),
            rest => rest,
        }
    }

    /// The steps of the optimiser that an epoch of so many rows takes.
    pub fn steps_per_epoch(&self, rows: usize) -> u64 {
        let rows = self.rows_per_epoch(rows);
        rows.div_ceil(self.batch_size.saturating_mul(self.accumulate).max(1)) as u64
    }

    /// The learning rate of a step, the first being 0.
    pub(super) fn learning_rate(&self, step: u64, rows: usize) -> Result<f64, FitError> {
        let total = self.steps_per_epoch(rows).saturating_mul(self.epochs as u64);
        Ok(self.optimizer.lr() * self.lr_schedule.at(step, total)?)
    }
}
