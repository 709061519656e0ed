//! The running mean of the weights, which exploitation acts by.

use gymnast_harness::{Checkpoint, CheckpointError, StateDict};

use crate::networks::learned::mean_rate;

/// The mean of the weights over about a share of all updates so far.
pub(super) struct WeightAverage {
    mean: Vec<f32>,
    share: f64,
    updates: u64,
}

impl WeightAverage {
    /// An average that begins with these weights; `None` for a share of 0.
    pub(super) fn new(share: f64, weights: &[f32]) -> Option<Self> {
        (share > 0.0).then(|| Self { mean: weights.to_vec(), share, updates: 0 })
    }

    pub(super) fn weights(&self) -> &[f32] {
        &self.mean
    }

    /// Takes in the weights after one more update.
    pub(super) fn follow(&mut self, newest: &[f32]) {
        self.updates += 1;
        let rate = mean_rate(self.share, self.updates) as f32;
        self.mean
            .iter_mut()
            .zip(newest)
            .for_each(|(mean, weight)| *mean += rate * (weight - *mean));
    }

    /// Begins anew with these weights.
    pub(super) fn restart(&mut self, weights: &[f32]) {
        self.mean.copy_from_slice(weights);
        self.updates = 0;
    }
}

impl Checkpoint for WeightAverage {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_array("mean", &[self.mean.len()], &self.mean);
        state.insert("updates", &self.updates)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.mean = state.finite_array("mean", &[self.mean.len()])?;
        self.updates = state.counter("updates")?;
        Ok(())
    }
}
