//! Objectives that compare two views of each row.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::data::Batch;
use crate::loss::{Direction, formula, info_nce, negative_cosine_similarity, nt_xent};
use crate::nn::{Network, Sequential};
use crate::supervised::{FitError, Objective, OutputLoss};

/// Implements the other methods of an [`Objective`] without negative pairs.
macro_rules! without_negative_pairs {
    () => {
        /// A collapsed network has the lowest loss, and the loss rises when embeddings spread out.
        fn ranks_epochs(&self) -> bool {
            false
        }

        fn weight(&self, batch: &Batch) -> f64 {
            batch.rows_of_data() as f64
        }

        fn augments_held_out(&self) -> bool {
            false
        }

        fn description(&self) -> Option<String> {
            Some(format!("{self:?}"))
        }
    };
}
pub(super) use without_negative_pairs;

/// Implements an [`Objective`] with negative pairs by its [`OutputLoss`].
macro_rules! compares_views {
    () => {
        fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
            check_views(batch)?;
            self.loss_of_outputs(&network.try_forward(&batch.inputs())?, batch)
        }

        fn of_outputs(&self) -> Option<&dyn OutputLoss> {
            Some(self)
        }

        crate::mean_over_rows!();

        fn least_rows(&self) -> usize {
            2
        }

        fn description(&self) -> Option<String> {
            Some(format!("{self:?}"))
        }
    };
}

/// The objective of SimCLR: [`nt_xent`] of the network's outputs for the two views. Both views go
/// through the network in one batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NtXent {
    /// The temperature; > 0.
    pub temperature: f64,
}

impl<N: Network> Objective<N> for NtXent {
    compares_views!();
}

impl OutputLoss for NtXent {
    fn loss_of_outputs(&self, outputs: &Tensor, batch: &Batch) -> Result<Tensor, FitError> {
        check_views(batch)?;
        let [first, second] = halves(outputs);
        Ok(nt_xent(&first, &second, self.temperature)?)
    }

    fn differentiate(
        &self,
        outputs: &[f32],
        batch: &Batch,
        by_outputs: &mut [f32],
    ) -> Result<Option<f64>, FitError> {
        let width = width_of_views(outputs, batch)?;
        Ok(formula::nt_xent(outputs, width, self.temperature, by_outputs))
    }
}

/// The objective [`info_nce`] of the network's outputs for the two views. Both go through the
/// network in one batch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InfoNce {
    /// The temperature; > 0.
    pub temperature: f64,
    /// The direction of the search between the views.
    #[serde(default)]
    pub direction: Direction,
}

impl<N: Network> Objective<N> for InfoNce {
    compares_views!();
}

impl OutputLoss for InfoNce {
    fn loss_of_outputs(&self, outputs: &Tensor, batch: &Batch) -> Result<Tensor, FitError> {
        check_views(batch)?;
        let [first, second] = halves(outputs);
        Ok(info_nce(&first, &second, self.temperature, self.direction)?)
    }

    fn differentiate(
        &self,
        outputs: &[f32],
        batch: &Batch,
        by_outputs: &mut [f32],
    ) -> Result<Option<f64>, FitError> {
        let width = width_of_views(outputs, batch)?;
        Ok(formula::info_nce(outputs, width, self.temperature, self.direction, by_outputs))
    }
}

/// The objective of SimSiam: the head, a predictor, predicts the other view's embedding from one
/// view's, with the gradient stopped at the target; the mean of both directions. From −1 to 1.
/// There are no negative pairs; only predictor and stopped gradient prevent a collapse.
///
/// The network's encoder consists of the layers to keep, followed by the projector; its head is the
/// predictor. [`load_encoder`](Sequential::load_encoder) takes from the encoder the layers that
/// another network starts with.
///
/// Source: Chen and He, "Exploring Simple Siamese Representation Learning" (2021), algorithm 1,
/// <https://arxiv.org/abs/2011.10566>. Departure: both views go through the network in one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SimSiam;

impl Objective<Sequential> for SimSiam {
    fn loss(&self, network: &Sequential, batch: &Batch) -> Result<Tensor, FitError> {
        check_views(batch)?;
        let inputs = batch.inputs(); // [2N, width]
        network.check_input(&inputs)?;
        let z = network.encode(&inputs); // [2N, D]
        predict_each_other(&network.forward_head(&z), &z)
    }

    without_negative_pairs!();
}

/// Computes the mean negative cosine of each view's prediction `[2N, D]` and the other view's
/// embedding.
pub(super) fn predict_each_other(p: &Tensor, z: &Tensor) -> Result<Tensor, FitError> {
    let ([p1, p2], [z1, z2]) = (halves(p), halves(z));
    Ok((negative_cosine_similarity(&p1, &z2)? + negative_cosine_similarity(&p2, &z1)?) / 2.0)
}

pub(super) fn check_views(batch: &Batch) -> Result<(), FitError> {
    let (expected, got) = (2, batch.views());
    if got == expected { Ok(()) } else { Err(FitError::Views { expected, got }) }
}

/// Returns the width of two views' rows.
fn width_of_views(rows: &[f32], batch: &Batch) -> Result<usize, FitError> {
    check_views(batch)?;
    Ok(rows.len() / batch.len().max(1))
}

/// Splits rows into first and second views: `[2N, D]` to twice `[N, D]`.
fn halves(rows: &Tensor) -> [Tensor; 2] {
    let n = rows.size()[0] / 2;
    [rows.narrow(0, 0, n), rows.narrow(0, n, n)]
}
