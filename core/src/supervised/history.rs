//! What a training came to, epoch by epoch.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::plot::{Axis, Line, LinePlot, PlotError, capitalized};

/// What one epoch came to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean loss of the training rows, each as its minibatch came: with dropout, and before the
    /// steps that followed.
    pub train_loss: f64,
    /// The mean loss of the rows held out, after the epoch; `None` where there are none.
    pub validation_loss: Option<f64>,
    /// The learning rate of the epoch's last step.
    pub learning_rate: f64,
    /// The scores asked for, by name.
    pub scores: BTreeMap<String, Scores>,
}

/// One score after an epoch, over all rows of each part; `None` where it is undefined, that is `None` or
/// not finite.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Scores {
    /// Over the training rows.
    pub train: Option<f64>,
    /// Over the rows held out.
    pub validation: Option<f64>,
}

impl Epoch {
    /// What epochs are compared by: the validation loss, or the training loss where there is none.
    pub fn loss(&self) -> f64 {
        self.validation_loss.unwrap_or(self.train_loss)
    }
}

/// What a training came to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    /// Each epoch, in order.
    pub epochs: Vec<Epoch>,
    /// Which epoch had the least loss, from 0: the network has its weights. The last one where the
    /// objective does not [rank epochs](super::Objective::ranks_epochs).
    pub best_epoch: Option<usize>,
    /// Whether it stopped for want of improvement.
    pub stopped_early: bool,
}

impl History {
    /// The epoch whose weights are kept: that with the least loss, or the last one.
    pub fn best(&self) -> Option<&Epoch> {
        self.epochs.get(self.best_epoch?)
    }

    /// The losses over the epochs, to be drawn.
    pub fn loss_curves(&self) -> LinePlot {
        self.curves("loss", |epoch| (Some(epoch.train_loss), epoch.validation_loss))
    }

    /// A score over the epochs, to be drawn; without a point where nobody asked for it.
    pub fn score_curves(&self, name: &str) -> LinePlot {
        self.curves(name, |epoch| {
            let scores = epoch.scores.get(name).copied().unwrap_or_default();
            (scores.train, scores.validation)
        })
    }

    /// Draws the losses over the epochs; the name's end, `.svg` or `.png`, says how.
    ///
    /// # Errors
    /// [`PlotError`], also where no epoch is over.
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
