//! Rows whose target is a sequence of labels, not aligned with the inputs.

use tch::{Kind, Tensor};

use super::{FitError, Objective, Predictions};
use crate::data::{Batch, DataError};
use crate::loss::{CtcConfig, LossError, ctc, ctc_greedy_decode};
use crate::nn::Network;

/// Trains a network to output sequences by [`ctc`], and decodes them.
///
/// A row of outputs holds the scores of all classes at the first step, then at the second, and so
/// on: `[B, steps · C]`, as a network returns for images of height 1 and width `steps`. A row of
/// targets holds labels, padded with −1 at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ctc {
    /// The number of time steps in a row of outputs.
    pub steps: usize,
    /// The settings of the loss.
    pub config: CtcConfig,
}

impl Ctc {
    /// Decodes the network's outputs by the likeliest path ([`ctc_greedy_decode`]).
    ///
    /// # Errors
    /// [`FitError::Loss`] if a row does not hold whole steps, or the decoder returns an error.
    pub fn decode(&self, predictions: &Predictions) -> Result<Vec<Vec<usize>>, FitError> {
        if predictions.is_empty() {
            return Ok(Vec::new());
        }
        let rows = [predictions.len() as i64, predictions.width as i64];
        let scores = self.by_step(&Tensor::from_slice(&predictions.outputs).view(rows))?;
        let lengths = vec![self.steps; predictions.len()];
        Ok(ctc_greedy_decode(&scores, &lengths, self.config.blank)?)
    }

    /// Returns the true labels of each row.
    ///
    /// # Errors
    /// [`DataError::NotAClass`] if a target is neither a label nor −1, or a label follows a −1.
    pub fn true_labels(&self, predictions: &Predictions) -> Result<Vec<Vec<usize>>, FitError> {
        labels(&predictions.targets, predictions.len())
    }

    /// Reshapes `[B, steps · C]` to `[steps, B, C]`.
    fn by_step(&self, outputs: &Tensor) -> Result<Tensor, FitError> {
        let (got, steps) = (outputs.size(), self.steps as i64);
        if steps == 0 || got[1] % steps != 0 {
            let expected = format!("[B, steps · C], steps = {steps}");
            return Err(LossError::Shape { what: "the prediction", expected, got }.into());
        }
        Ok(outputs.view([got[0], steps, got[1] / steps]).transpose(0, 1))
    }
}

impl<N: Network> Objective<N> for Ctc {
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
        let scores = self.by_step(&network.try_forward(&batch.inputs())?)?; // [T, B, C]
        let labels = labels(batch.target_numbers(), batch.len())?;
        let lengths: Vec<usize> = labels.iter().map(Vec::len).collect();
        let target = batch.targets().to_kind(Kind::Int64); // [B, S]
        let steps = vec![self.steps; batch.len()];
        Ok(ctc(&scores.log_softmax(-1, None::<Kind>), &target, &steps, &lengths, &self.config)?)
    }

    crate::mean_over_rows!();

    fn description(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

/// Returns the labels of `rows` rows of targets, without the padding.
fn labels(targets: &[f32], rows: usize) -> Result<Vec<Vec<usize>>, FitError> {
    let width = targets.len().checked_div(rows).unwrap_or(0);
    let read = |(row, targets): (usize, &[f32])| {
        let length = targets.iter().position(|&label| label == -1.0).unwrap_or(targets.len());
        let (labels, padding) = targets.split_at(length);
        let is_label = |label: f32| label >= 0.0 && label.fract() == 0.0;
        let wrong = labels.iter().find(|&&label| !is_label(label));
        match wrong.or(padding.iter().find(|&&label| label != -1.0)) {
            None => Ok(labels.iter().map(|&label| label as usize).collect()),
            Some(&value) => Err(DataError::NotAClass { row, value, below: None }.into()),
        }
    };
    targets.chunks_exact(width.max(1)).enumerate().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predictions(outputs: &[f32], width: usize, targets: &[f32]) -> Predictions {
        Predictions { outputs: outputs.to_vec(), width, targets: targets.to_vec() }
    }

    #[test]
    fn repetitions_count_once_and_blanks_part_them() {
        let best = |class: usize| (0..3).map(move |other| f32::from(u8::from(other == class)));
        let rows: Vec<f32> = [1, 1, 0, 1, 2, 0, 0, 0, 0, 0].into_iter().flat_map(best).collect();
        let task = Ctc { steps: 5, config: CtcConfig::default() };
        let spelled = task.decode(&predictions(&rows, 15, &[])).unwrap();
        assert_eq!(spelled, [vec![1, 1, 2], vec![]]);
        assert!(task.decode(&predictions(&rows[..8], 8, &[])).is_err());
        assert!(task.decode(&Predictions::default()).unwrap().is_empty());
    }

    #[test]
    fn targets_end_at_the_first_padding() {
        let task = Ctc { steps: 1, config: CtcConfig::default() };
        let read = |targets: &[f32]| task.true_labels(&predictions(&[0.0; 2], 1, targets));
        assert_eq!(read(&[3.0, 1.0, -1.0, -1.0]).unwrap(), [vec![3, 1], vec![]]);
        for wrong in [[-1.0, 2.0, 0.0, 0.0], [0.5, 1.0, 0.0, 0.0], [-2.0, 1.0, 0.0, 0.0]] {
            let error = read(&wrong).unwrap_err();
            assert!(matches!(error, FitError::Data(DataError::NotAClass { row: 0, .. })));
        }
    }

    #[test]
    fn a_network_learns_to_spell() {
        use rand::{RngExt as _, SeedableRng as _};

        use crate::metrics::token_error_rate;
        use crate::nn::{LayerConfig, NetworkConfig, Sequential};
        use crate::supervised::{Dataset, FitConfig, fit, predict};

        // Each label 1 to 3 lights its own pixel for two of the eight steps.
        let (steps, rows) = (8, 60);
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let (mut inputs, mut targets) = (vec![0.0; rows * steps * 3], Vec::new());
        for row in 0..rows {
            for place in 0..2 {
                let label = rng.random_range(1..=3);
                for step in 0..2 {
                    inputs[(row * steps + 4 * place + step) * 3 + label - 1] = 1.0;
                }
                targets.push(label as f32);
            }
            targets.push(-1.0);
        }
        let data = Dataset::new(inputs, steps * 3, targets, 3).unwrap();
        let layers = NetworkConfig::default().with_head(vec![LayerConfig::conv2d(4, 1, 0)]);
        let mut network = Sequential::new(&layers, &[1, steps, 3], &mut rng).unwrap();
        let task = Ctc { steps, config: CtcConfig::default() };
        let config = FitConfig { epochs: 30, batch_size: 20, ..FitConfig::adam(0.1) };
        fit(&mut network, &data, &data.select(&[]).unwrap(), &config, rng, &task).unwrap();
        let predictions = predict(&network, &data, 60).unwrap();
        let (truth, found) = (task.true_labels(&predictions), task.decode(&predictions));
        assert_eq!(token_error_rate(&truth.unwrap(), &found.unwrap()), Ok(0.0));
    }
}
