//! The progress bar of a supervised training.

use std::ops::ControlFlow;

use gymnast_core::{
    supervised::{EpochProgress, FitCallback, History},
    text::rounded,
};
use indicatif::{ProgressBar, ProgressStyle};

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

impl FitCallback for EpochBar {
    fn on_step(&mut self, progress: &EpochProgress) -> ControlFlow<()> {
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
