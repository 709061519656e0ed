//! Callbacks: observe a training and end it.

use std::ops::ControlFlow;

use indicatif::{ProgressBar, ProgressStyle};

use super::History;
use crate::text::rounded;

/// The progress of a training within an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The current epoch, from 1.
    pub epoch: usize,
    /// The number of epochs, unless the training stops early.
    pub epochs: usize,
    /// The rows of the epoch processed so far.
    pub rows: usize,
    /// The number of rows in an epoch.
    pub total_rows: usize,
}

/// Observes a training. It must not change the training: with or without it, the same seed gives
/// the same bits.
pub trait Callback {
    /// Called after every optimiser step; must be quick. Return `Break` to end the training.
    fn on_step(&mut self, progress: &Progress) -> ControlFlow<()> {
        let _ = progress;
        ControlFlow::Continue(())
    }

    /// Called after every epoch, with its scores computed. Return `Break` to end the training.
    fn on_epoch(&mut self, history: &History) -> ControlFlow<()> {
        let _ = history;
        ControlFlow::Continue(())
    }
}

/// A progress bar on standard error: epochs, losses and the time left. Shows nothing unless
/// standard error is a terminal.
#[derive(Debug, Clone)]
pub struct EpochBar {
    bar: ProgressBar,
}

impl EpochBar {
    /// Creates a bar that starts with the first step.
    #[must_use]
    pub fn on_stderr() -> Self {
        let style = "{bar:24} epoch {pos}/{len}  {msg}  {eta} left";
        let style = ProgressStyle::with_template(style).expect("the template is valid");
        Self { bar: ProgressBar::no_length().with_style(style.progress_chars("━╸ ")) }
    }
}

impl Callback for EpochBar {
    fn on_step(&mut self, progress: &Progress) -> ControlFlow<()> {
        if self.bar.length() != Some(progress.epochs as u64) {
            self.bar.set_length(progress.epochs as u64);
        }
        ControlFlow::Continue(())
    }

    fn on_epoch(&mut self, history: &History) -> ControlFlow<()> {
        self.bar.set_position(history.epochs.len() as u64);
        if let Some(epoch) = history.epochs.last() {
            let mut message = format!("loss {}", rounded(epoch.train_loss, 4));
            if let Some(loss) = epoch.validation_loss {
                message += &format!(", validation {}", rounded(loss, 4));
            }
            for (name, scores) in &epoch.scores {
                if let Some(score) = scores.validation.or(scores.train) {
                    message += &format!(", {name} {}", rounded(score, 3));
                }
            }
            self.bar.set_message(message);
        }
        ControlFlow::Continue(())
    }
}

impl Drop for EpochBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
