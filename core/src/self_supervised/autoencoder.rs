//! Pretraining by reconstruction, with a decoder as head.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::data::{Batch, DataError, Dataset};
use crate::loss::Loss;
use crate::nn::Network;
use crate::supervised::{FitError, Objective};

/// Returns the rows with themselves as targets, for [`Denoising`] and [`MaskedReconstruction`]:
/// augmentations change only the inputs, so the network has to restore the original.
///
/// # Errors
/// None for the rows of a valid dataset.
pub fn reconstruction(data: &Dataset) -> Result<Dataset, DataError> {
    let rows = Dataset::from_tables(data.input_table().clone(), data.input_table().clone())?;
    Ok(if data.is_resampled() { rows.into_resampled() } else { rows })
}

/// The objective of a denoising autoencoder: the mean squared error of all numbers, for rows of
/// [`reconstruction`].
///
/// Unlike [`Loss::Mse`](crate::loss::Loss::Mse) it augments held-out rows too: otherwise the
/// identity function would score best.
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

/// The objective of a masked autoencoder: the mean squared error of the numbers that an
/// augmentation changed, for rows of [`reconstruction`]. Unmasked numbers do not count: mask with a
/// number that no row contains. If nothing is masked in any row, training returns an error.
///
/// Source: He et al., "Masked Autoencoders Are Scalable Vision Learners" (2022),
/// <https://arxiv.org/abs/2111.06377>; that paper masks whole patches, and its encoder does not see
/// them.
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

    /// Returns the number of masked numbers.
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
