//! Pretraining by making rows anew: the head is a decoder.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::data::{Batch, DataError, Dataset};
use crate::nn::Network;
use crate::supervised::{FitError, Objective};

/// The rows with themselves as their targets. As augmentations change inputs alone, a network that
/// descends [`Loss::Mse`](crate::loss::Loss::Mse) on them is a denoising autoencoder: Vincent et al.,
/// "Extracting and Composing Robust Features with Denoising Autoencoders" (2008).
///
/// # Errors
/// None that rows of a dataset have.
pub fn reconstruction(data: &Dataset) -> Result<Dataset, DataError> {
    Dataset::from_tables(data.input_table().clone(), data.input_table().clone())
}

/// The mean squared error of the numbers that an augmentation changed, for rows of [`reconstruction`]:
/// a masked autoencoder. What was not masked counts nothing, and a batch in which nothing was masked
/// counts 0: mask with a number that no row holds.
///
/// Source: He et al., "Masked Autoencoders Are Scalable Vision Learners" (2022),
/// <https://arxiv.org/abs/2111.06377>; there whole patches are masked, and the encoder does not see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MaskedReconstruction;

impl<N: Network> Objective<N> for MaskedReconstruction {
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
        let (inputs, targets) = (batch.inputs(), batch.targets()); // [B, width] both
        let outputs = network.forward(&inputs);
        let width = inputs.size()[1] as usize;
        for got in [targets.size()[1] as usize, outputs.size()[1] as usize] {
            if got != width {
                let what = "targets and outputs of a reconstruction";
                return Err(FitError::Width { what, expected: width, got });
            }
        }
        let masked = inputs.not_equal_tensor(&targets).to_kind(Kind::Float);
        let count = masked.sum(Kind::Float).clamp_min(1.0);
        Ok(((outputs - targets).square() * masked).sum(Kind::Float) / count)
    }
}
