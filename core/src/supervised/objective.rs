//! What a training descends.

use tch::Tensor;

use super::FitError;
use crate::data::Batch;
use crate::loss::Loss;
use crate::nn::Network;

/// What a training descends: a [`Loss`] between outputs and targets, or a closure of network and
/// minibatch for anything else.
pub trait Objective<N> {
    /// The mean loss of a minibatch: `[]`, differentiable.
    ///
    /// # Errors
    /// What is wrong with outputs or targets.
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError>;
}

impl<N: Network> Objective<N> for Loss {
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
        let outputs = network.try_forward(&batch.inputs())?; // [B, outputs]
        let targets = batch.targets(); // [B, target_width]
        // A column of classes, not rows of distributions.
        let targets = match self.compares_classes() && targets.size()[1] == 1 {
            true => batch.classes(), // [B]
            false => targets,
        };
        Ok(self.compute(&outputs, &targets)?)
    }
}

impl<N, F: Fn(&N, &Batch) -> Tensor> Objective<N> for F {
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
        Ok(self(network, batch))
    }
}
