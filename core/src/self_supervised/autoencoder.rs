//! Pretraining by making rows anew: the head is a decoder.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::data::{Batch, DataError, Dataset};
use crate::loss::Loss;
use crate::nn::Network;
use crate::supervised::{FitError, Objective};

/// The rows with themselves as their targets, for [`Denoising`] and [`MaskedReconstruction`]: as
/// augmentations change inputs alone, what was there before remains to be found.
///
/// # Errors
/// None that rows of a dataset have.
pub fn reconstruction(data: &Dataset) -> Result<Dataset, DataError> {
    let rows = Dataset::from_tables(data.input_table().clone(), data.input_table().clone())?;
    Ok(if data.is_resampled() { rows.into_resampled() } else { rows })
}

/// The mean squared error of all numbers, for rows of [`reconstruction`]: a denoising autoencoder.
///
/// [`Loss::Mse`](crate::loss::Loss::Mse) is the same but for rows held out, which it leaves as they are:
/// by it the best network would be one that returns whatever it reads.
///
/// Source: Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders" (2008).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Denoising;

impl<N: Network> Objective<N> for Denoising {
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
        Loss::Mse.loss(network, batch)
    }

    fn augments_held_out(&self) -> bool {
        true
    }

    fn weight(&self, batch: &Batch) -> f64 {
        batch.rows_of_data() as f64
    }

    fn ranks_epochs(&self) -> bool {
        true
    }

    fn description(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

/// The mean squared error of the numbers that an augmentation changed, for rows of [`reconstruction`]:
/// a masked autoencoder. What was not masked counts nothing: mask with a number that no row holds. Where
/// nothing is masked in any row, that is an error.
///
/// Source: He et al., "Masked Autoencoders Are Scalable Vision Learners" (2022),
/// <https://arxiv.org/abs/2111.06377>; there whole patches are masked, and the encoder does not see them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MaskedReconstruction;

impl<N: Network> Objective<N> for MaskedReconstruction {
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
        let (inputs, targets) = (batch.inputs(), batch.targets()); // [B, width] both
        let outputs = network.try_forward(&inputs)?;
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

    /// How many numbers are masked.
    fn weight(&self, batch: &Batch) -> f64 {
        let numbers = batch.input_numbers().iter().zip(batch.target_numbers());
        numbers.filter(|(input, target)| input != target).count() as f64
    }

    fn augments_held_out(&self) -> bool {
        true
    }

    fn ranks_epochs(&self) -> bool {
        true
    }

    fn description(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}
