use thiserror::Error;

use super::History;
use crate::SettingError;
use crate::checkpoint::CheckpointError;
use crate::data::DataError;
use crate::loss::LossError;
use crate::nn::NetworkError;
use crate::optim::OptimError;
use crate::text::number;

/// Why a network cannot be fitted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FitError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// There are no rows to train with.
    #[error("got no rows to train with: expected at least one")]
    Empty,
    /// The rows have another width than the network's input.
    #[error("the {what} have {got} columns: expected {expected}, the network's inputs")]
    Width {
        /// The name of the rows.
        what: &'static str,
        /// The width of the network's input.
        expected: usize,
        /// The width of the rows.
        got: usize,
    },
    /// The objective compares another number of views.
    #[error("the objective compares {expected} views of each row, got {got}: set `views`")]
    Views {
        /// The views that the objective compares.
        expected: usize,
        /// The views in a minibatch.
        got: usize,
    },
    /// A minibatch has too few rows for an objective that compares them.
    #[error(
        "the objective compares at least {least} rows with each other, and the last minibatch of the \
         {what} has {got}: choose a batch size that leaves no smaller rest, or leave those rows out (in \
         training, `drop_last`)"
    )]
    Rows {
        /// The name of the rows.
        what: &'static str,
        /// The smallest number allowed.
        least: usize,
        /// The number of rows in the minibatch.
        got: usize,
    },
    /// All rows have the weight 0, or no numbers were masked.
    #[error(
        "all rows have the weight 0: expected a class with a weight above 0, or an augmentation that \
         masks numbers with a value that no row holds"
    )]
    NoWeight,
    /// An objective returned an invalid weight.
    #[error("an objective's weight of a minibatch must be finite and ≥ 0, got {}", number(*got))]
    Weight {
        /// The weight returned.
        got: f64,
    },
    /// The rows changed in the middle of an epoch, or the checkpoint belongs to another training.
    #[error(
        "{done} rows of the epoch are done, but it has only {rows}: continue with the rows that the \
         training started with"
    )]
    OtherRows {
        /// The rows of the epoch processed so far.
        done: usize,
        /// The number of rows in the epoch now.
        rows: usize,
    },
    /// The loss, a gradient or a weight of the network is not finite, or the square of a gradient
    /// is not.
    #[error(
        "the loss became {loss} in epoch {epoch}, minibatch {batch}: try a lower learning rate{}",
        kept(history)
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: usize,
        /// The minibatch of the epoch, from 1.
        batch: usize,
        /// The loss; NaN if the loss was finite but gradients or weights were not.
        loss: f64,
        /// The epochs before.
        history: Box<History>,
    },
    /// The loss of an epoch in a history is not finite.
    #[error("the loss of epoch {epoch} is {loss}: expected finite losses; the training diverged")]
    NotFinite {
        /// The epoch, from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
    },
    /// The rows are invalid.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The loss cannot be computed from these outputs and targets.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// The optimiser returned an error.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// The learning-rate schedule is invalid.
    #[error("lr_schedule: {0}")]
    Schedule(#[source] SettingError),
    /// The network returned an error.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A training with a checkpoint file needs an objective with a description.
    #[error(
        "the objective has no description, so a checkpoint could be another training's: implement \
         `Objective` with `description` for a type of your own, or leave the checkpoint out"
    )]
    Undescribed,
    /// The training could not be saved or resumed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Which weights a network is left with.
fn kept(history: &History) -> String {
    match history.best_epoch {
        Some(epoch) => format!(" (the weights of epoch {} are kept)", epoch + 1),
        None => String::new(),
    }
}
