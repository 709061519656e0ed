//! Callbacks: observe a training and end it.

use gymnast_envs::Restored;

use crate::{Episode, Evaluation};

/// Whether a training continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The training continues.
    Continue,
    /// The training ends after this step, with everything saved.
    Stop,
}

impl Flow {
    /// Returns `Stop` if `condition` holds, else `Continue`.
    #[must_use]
    pub fn stop_if(condition: bool) -> Self {
        if condition { Self::Stop } else { Self::Continue }
    }

    /// Returns `Stop` if one of the two is `Stop`.
    pub(crate) fn or(self, other: Self) -> Self {
        Self::stop_if(self == Self::Stop || other == Self::Stop)
    }
}

/// The progress of a training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The env steps taken.
    pub env_steps: u64,
    /// The env steps of the whole training.
    pub total_env_steps: u64,
    /// The episodes finished.
    pub episodes: u64,
}

/// Observes a training. It must not change the run: with or without it, the same seed gives the
/// same bits.
pub trait Callback {
    /// Called once before the first step if the training was resumed from a checkpoint.
    fn on_resume(&mut self, env_steps: u64, restored: Restored) {
        let _ = (env_steps, restored);
    }

    /// Called with warnings about a resumed run, for example that a checkpoint was damaged and an
    /// older one is used.
    fn on_warning(&mut self, message: &str) {
        let _ = message;
    }

    /// Called after every vector step, or each time an [asynchronous](crate::Asynchronous) agent
    /// returns; must be quick.
    fn on_step(&mut self, progress: &Progress) -> Flow {
        let _ = progress;
        Flow::Continue
    }

    /// Called when an episode of training ends.
    fn on_episode(&mut self, episode: &Episode) {
        let _ = episode;
    }

    /// Called before every vector step of an evaluation; must be quick. On `Stop` the evaluation is
    /// abandoned and the training ends; a resumed training repeats the evaluation.
    fn on_evaluation_step(&mut self) -> Flow {
        Flow::Continue
    }

    /// Called after every evaluation.
    fn on_evaluation(&mut self, evaluation: &Evaluation) -> Flow {
        let _ = evaluation;
        Flow::Continue
    }
}
