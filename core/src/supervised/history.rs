//! The result of a training, epoch by epoch.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::plot::Picture as _;
use crate::plot::{Axis, Line, LinePlot, PlotError, capitalized};

/// The result of one epoch.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean loss of the training rows, measured during training: with dropout, and before the
    /// following steps.
    pub train_loss: f64,
    /// The mean loss of the held-out rows after the epoch; `None` without such rows.
    pub validation_loss: Option<f64>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// The requested scores, by name.
    pub scores: BTreeMap<String, EpochScores>,
}

/// One score after an epoch, over all rows of each part; `None` if it is undefined (`None` or not
/// finite).
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EpochScores {
    /// Over the training rows.
    pub train: Option<f64>,
    /// Over the held-out rows.
    pub validation: Option<f64>,
}

impl Epoch {
    /// Returns the loss that epochs are compared by: the validation loss or, without one, the
    /// training loss.
    pub fn loss(&self) -> f64 {
        self.validation_loss.unwrap_or(self.train_loss)
    }
}

/// The result of a training run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    /// The epochs, in order.
    pub epochs: Vec<Epoch>,
    /// The epoch with the lowest loss, from 0: the network has its weights. The last epoch if the
    /// objective does not [rank epochs](super::Objective::ranks_epochs).
    pub best_epoch: Option<usize>,
    /// Whether the training stopped early because the loss no longer improved.
    pub stopped_early: bool,
}

impl History {
    /// Returns the epoch whose weights are kept: the one with the lowest loss, or the last one.
    pub fn best(&self) -> Option<&Epoch> {
        self.epochs.get(self.best_epoch?)
    }

    /// Plots the losses over the epochs.
    pub fn loss_curves(&self) -> LinePlot {
        self.curves("loss", |epoch| (Some(epoch.train_loss), epoch.validation_loss))
    }

    /// Plots a score over the epochs; the plot is empty if the score was not requested.
    pub fn score_curves(&self, name: &str) -> LinePlot {
        self.curves(name, |epoch| {
            let scores = epoch.scores.get(name).copied().unwrap_or_default();
            (scores.train, scores.validation)
        })
    }

    /// Saves a plot of the losses over the epochs; the extension, `.svg` or `.png`, chooses the
    /// format.
    ///
    /// # Errors
    /// [`PlotError`], also if no epoch is complete.
    pub fn save_loss_curves(&self, path: &Path) -> Result<(), PlotError> {
        self.loss_curves().save(path)
    }

    fn curves(&self, name: &str, of: impl Fn(&Epoch) -> (Option<f64>, Option<f64>)) -> LinePlot {
        let (mut train, mut held_out) = (Vec::new(), Vec::new());
        for (i, epoch) in (1..).zip(&self.epochs) {
            let (on_train, on_held_out) = of(epoch);
            train.extend(on_train.map(|y| (f64::from(i), y)));
            held_out.extend(on_held_out.map(|y| (f64::from(i), y)));
        }
        let lines = [("training", train), ("validation", held_out)];
        LinePlot {
            title: format!("{} by epoch", capitalized(name)),
            x_axis: Axis::new("epoch"),
            y_axis: Axis::new(name),
            lines: lines
                .into_iter()
                .filter(|(_, points)| !points.is_empty())
                .map(|(label, points)| Line::new(label, points))
                .collect(),
            ..LinePlot::default()
        }
    }
}
