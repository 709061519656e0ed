use thiserror::Error;

use super::History;
use crate::checkpoint::CheckpointError;
use crate::data::DataError;
use crate::loss::LossError;
use crate::lr_schedule::ScheduleError;
use crate::nn::NetworkError;
use crate::optim::OptimError;
use crate::text::number;

/// Why a network cannot be fitted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FitError {
    /// A setting is out of its range.
    #[error("{key} must be {allowed}, got {}", number(*value))]
    Setting {
        /// The setting's name.
        key: &'static str,
        /// What it was set to.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// There is nothing to learn from.
    #[error("there are no rows to train with")]
    Empty,
    /// The rows are not as wide as the network reads.
    #[error("the {what} have {got} columns, the network reads {expected}")]
    Width {
        /// Which rows.
        what: &'static str,
        /// What the network reads.
        expected: usize,
        /// What they have.
        got: usize,
    },
    /// The objective compares views of each row, and there are more or fewer.
    #[error("the objective compares {expected} views of each row, got {got}: set `views`")]
    Views {
        /// How many it compares.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// A minibatch has too few rows for an objective that compares them with each other.
    #[error(
        "the objective compares at least {least} rows with each other, and the last minibatch of the \
         {what} has {got}: choose a batch size that leaves no smaller rest, or leave those rows out (in \
         training, `drop_last`)"
    )]
    Rows {
        /// Which rows.
        what: &'static str,
        /// The fewest.
        least: usize,
        /// How many there are.
        got: usize,
    },
    /// No row counts: all have the weight 0, or nothing in them was masked.
    #[error(
        "no row counts for the loss: expected a class with a weight above 0, or an augmentation that \
         masks something, with a number that no row holds"
    )]
    NoWeight,
    /// A minibatch's weight is no weight.
    #[error("an objective's weight of a minibatch must be finite and ≥ 0, got {}", number(*got))]
    Weight {
        /// What the objective returned.
        got: f64,
    },
    /// The rows changed in the middle of an epoch, or a checkpoint holds another training.
    #[error(
        "{done} rows of the epoch are learned from, but it has {rows}: go on with the rows that the \
         training began with"
    )]
    OtherRows {
        /// The rows of the epoch that were learned from.
        done: usize,
        /// The rows that an epoch has now.
        rows: usize,
    },
    /// The loss, a gradient or a weight of the network is no longer finite, or a gradient so large that its
    /// square is not.
    #[error(
        "the loss became {loss} in epoch {epoch}, minibatch {batch}: try a lower learning rate{}",
        kept(history)
    )]
    Diverged {
        /// Which epoch, from 1.
        epoch: usize,
        /// Which of its minibatches, from 1.
        batch: usize,
        /// The loss; NaN where it was still finite, but gradients or weights no longer are.
        loss: f64,
        /// The epochs before.
        history: Box<History>,
    },
    /// A history to judge by holds a loss that is not finite.
    #[error("the loss of epoch {epoch} is {loss}: expected finite losses; the training diverged")]
    NotFinite {
        /// Which epoch, from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
    },
    /// The rows are not fit to be learned from.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The loss cannot be computed of such outputs and targets.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// The optimiser refused.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// The learning rate's schedule cannot be.
    #[error("lr_schedule: {0}")]
    Schedule(#[from] ScheduleError),
    /// The network refused.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A training with a checkpoint file by an objective that cannot be told from others.
    #[error(
        "the objective has no description, so a checkpoint could be another training's: implement \
         `Objective` with `description` for a type of your own, or leave the checkpoint out"
    )]
    Undescribed,
    /// The training could not be saved or taken up.
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
