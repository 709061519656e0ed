//! The loss of minibatches as numbers: checked, weighted, and the mean of all of them.

use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use super::{FitConfig, FitError, Objective};
use crate::data::{Batch, Compose, Dataset};
use crate::nn::{Network, NetworkError, Scratch, check_scalar};

/// The mean loss of rows that nothing is learned from; `None` where there are none.
pub(super) fn mean_loss<N: Network>(
    network: &N,
    data: &Dataset,
    objective: &(impl Objective<N> + ?Sized),
    (config, rng): (&FitConfig, &ChaCha8Rng),
) -> Result<Option<f64>, FitError> {
    if data.is_empty() {
        return Ok(None);
    }
    let _guard = tch::no_grad_guard();
    let rows: Vec<usize> = (0..data.len()).collect();
    let (mut sum, mut total, batch) = (0.0, 0.0, &mut Batch::default());
    let (by_plan, scratch) =
        (network.plan().is_some() && !network.training(), &mut Scratch::default());
    let outputs = &mut Vec::new();
    // They are augmented the same way each time, so that losses can be compared.
    let augmentation = (config.views > 1 || objective.augments_held_out())
        .then(|| Compose::new(config.augmentations.clone(), data.input_width()))
        .transpose()?;
    let mut rng = rng.clone();
    rng.set_stream(u64::MAX / 2); // far from those of the steps and of the epochs
    for rows in rows.chunks(config.batch_size) {
        data.gather_views(rows, config.views, batch)?;
        if let Some(augmentation) = &augmentation {
            augmentation.apply(batch.input_numbers_mut(), &mut rng)?;
        }
        let loss = match objective.of_outputs().filter(|_| by_plan) {
            Some(loss) => {
                outputs.resize(batch.len() * network.outputs(), 0.0);
                network.evaluate(batch.input_numbers(), batch.len(), scratch, outputs)?;
                let outputs = Tensor::from_slice(outputs).f_view([batch.len() as i64, -1]);
                loss.loss_of_outputs(&outputs.map_err(NetworkError::from)?, batch)?
            }
            None => objective.loss(network, batch)?,
        };
        let weight = weight(objective, batch)?;
        check_scalar(&loss)?;
        sum += loss.double_value(&[]) * weight;
        total += weight;
    }
    weighted_mean(sum, total).map(Some)
}

/// What the mean of a minibatch divides by, where it is a weight.
pub(super) fn weight<N>(
    objective: &(impl Objective<N> + ?Sized),
    batch: &Batch,
) -> Result<f64, FitError> {
    let got = objective.weight(batch);
    if got.is_finite() && got >= 0.0 { Ok(got) } else { Err(FitError::Weight { got }) }
}

pub(super) fn weighted_mean(sum: f64, weight: f64) -> Result<f64, FitError> {
    if weight > 0.0 { Ok(sum / weight) } else { Err(FitError::NoWeight) }
}
