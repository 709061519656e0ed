//! What may listen to a training and end it.

use gymnast_envs::Restored;

use crate::{Episode, Evaluation};

/// Whether a training goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It goes on.
    Continue,
    /// It ends after this step, with everything saved.
    Stop,
}

impl Flow {
    /// Stop where `condition` holds.
    #[must_use]
    pub fn stop_if(condition: bool) -> Self {
        if condition { Self::Stop } else { Self::Continue }
    }

    /// Stop where one of the two says so.
    pub(crate) fn or(self, other: Self) -> Self {
        Self::stop_if(self == Self::Stop || other == Self::Stop)
    }
}

/// Where a training stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// The env steps taken.
    pub env_steps: u64,
    /// The env steps to take in all.
    pub total_env_steps: u64,
    /// The episodes finished.
    pub episodes: u64,
}

/// Something that listens to a training. It reads and never changes the run: with or without it,
/// the same seed gives the same bits.
pub trait Callback {
    /// Called once before the first step where a training was taken up from a checkpoint.
    fn on_resume(&mut self, env_steps: u64, restored: Restored) {
        let _ = (env_steps, restored);
    }

    /// Called with what is worth knowing of a run that is taken up again: that a checkpoint was damaged, say,
    /// and an older one is used.
    fn on_warning(&mut self, message: &str) {
        let _ = message;
    }

    /// Called after every vector step, or each time that an [asynchronous](crate::Asynchronous)
    /// agent comes back; must be quick.
    fn on_step(&mut self, progress: &Progress) -> Flow {
        let _ = progress;
        Flow::Continue
    }

    /// Called when an episode of training ends.
    fn on_episode(&mut self, episode: &Episode) {
        let _ = episode;
    }

    /// Called before every vector step of an evaluation; must be quick. Where it says stop, the
    /// evaluation is abandoned and the training ends; it is done again where the training is resumed.
    fn on_evaluation_step(&mut self) -> Flow {
        Flow::Continue
    }

    /// Called after every evaluation.
    fn on_evaluation(&mut self, evaluation: &Evaluation) -> Flow {
        let _ = evaluation;
        Flow::Continue
    }
}
