//! Callbacks: observe a training and end it.

use std::ops::ControlFlow;

use super::History;

/// The progress of a training within an epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochProgress {
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
pub trait FitCallback {
    /// Called after every optimiser step; must be quick. Return `Break` to end the training.
    fn on_step(&mut self, progress: &EpochProgress) -> ControlFlow<()> {
        let _ = progress;
        ControlFlow::Continue(())
    }

    /// Called after every epoch, with its scores computed. Return `Break` to end the training.
    fn on_epoch(&mut self, history: &History) -> ControlFlow<()> {
        let _ = history;
        ControlFlow::Continue(())
    }
}
