//! Supervised training: fit a network to rows of inputs and targets by minimising a loss.
//!
//! ```text
//! for each epoch:
//!     shuffle the rows
//!     for each minibatch: one step of the optimiser down the gradient of its loss
//!     the validation loss: that of the rows held out, nothing learned from them
//!     stop where it has not fallen by more than min_delta for `patience` epochs
//! keep the weights of the epoch whose validation loss was the least, or the last where losses of
//! different epochs tell nothing (Objective::ranks_epochs)
//! ```
//!
//! [`fit`] does all of this in one call. A [`Trainer`] adds scores, a progress bar and other
//! callbacks, and a checkpoint file. [`Fit`] takes one step at a time, for callers that act in
//! between. Shuffling depends only on the stream and the epoch, so a training resumes from its
//! checkpoint bit for bit.
//!
//! ```
//! use gymnast_core::loss::Loss;
//! use gymnast_core::nn::MlpConfig;
//! use gymnast_core::supervised::{Dataset, FitConfig, Trainer};
//! use rand::SeedableRng;
//! use rand_chacha::ChaCha8Rng;
//!
//! // Which of two numbers is the greater?
//! let inputs: Vec<f32> = (0..400).map(|i| ((i * 37) % 101) as f32 / 101.0).collect();
//! let classes: Vec<f32> = inputs.chunks(2).map(|x| f32::from(u8::from(x[1] > x[0]))).collect();
//! let mut rng = ChaCha8Rng::seed_from_u64(0);
//! let (train, validation) = Dataset::new(inputs, 2, classes, 1)?.split(0.2, &mut rng)?;
//!
//! let mut network = MlpConfig::default().build(2, 2, &mut rng)?;
//! let config = FitConfig { epochs: 40, batch_size: 16, ..FitConfig::adam(1e-2) };
//! let mut trainer = Trainer::new(config, rng)?.score("accuracy", |predictions| {
//!     let (found, truth) = (predictions.classes().ok()?, predictions.true_classes().ok()?);
//!     let hits = found.iter().zip(&truth).filter(|(found, truth)| found == truth).count();
//!     (!truth.is_empty()).then(|| hits as f64 / truth.len() as f64)
//! });
//! let history = trainer.fit(&mut network, &train, &validation, &Loss::cross_entropy())?;
//! assert!(history.best().expect("at least one epoch").loss() < 0.1);
//! assert!(trainer.evaluate(&network, &validation, &Loss::cross_entropy())?.scores["accuracy"] > Some(0.9));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod callback;
mod config;
mod error;
mod fit;
mod gradient;
mod history;
mod mean_loss;
mod objective;
mod predictions;
mod pruning;
mod sequences;
#[cfg(test)]
mod tests;
mod trainer;

pub use crate::data::{Batch, Dataset};
pub use callback::{EpochProgress, FitCallback};
pub use config::FitConfig;
pub use error::FitError;
pub use fit::Fit;
pub use history::{Epoch, EpochScores, History};
pub use objective::{Objective, OutputLoss};
pub use predictions::{Predictions, predict};
pub use pruning::Pruning;
pub use sequences::Ctc;
pub use trainer::{FitEvaluation, Trainer};

use rand_chacha::ChaCha8Rng;

use crate::nn::Network;

/// Trains a network and leaves it with the weights of the epoch with the lowest loss, also if it
/// stopped early.
///
/// The objective is a [`Loss`](crate::loss::Loss) or a closure of network and minibatch. Without
/// `validation` rows epochs are compared by their training loss.
///
/// # Errors
/// [`FitError`]. The network then has the weights of the best epoch so far or, before the end of
/// the first, its initial ones; [`Trainer::history`] returns the epochs.
pub fn fit<N: Network>(
    network: &mut N,
    train: &Dataset,
    validation: &Dataset,
    config: &FitConfig,
    rng: ChaCha8Rng,
    objective: &(impl Objective<N> + ?Sized),
) -> Result<History, FitError> {
    Trainer::new(config.clone(), rng)?.fit(network, train, validation, objective)
}
