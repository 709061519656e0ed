//! The agents that a seed of a run saved.

use crate::{
    CheckpointError, RunIdentity, SeedDir, StateDict, TrainError,
    trainer::{BEST, read_best},
};

/// Which of the agents that a run saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The agent of the newest valid checkpoint.
    #[default]
    Newest,
    /// The agent of the best evaluation so far, which a run saves with
    /// [`keep_best`](crate::Training::keep_best). The best of many noisy evaluations is biased
    /// upwards: evaluate the agent again before you report it.
    Best,
}

/// An agent that a seed saved.
#[derive(Debug)]
pub struct Saved<T> {
    /// The result of restoring its state.
    pub state: T,
    /// The env steps that it was trained for.
    pub env_steps: u64,
    /// Newer checkpoints that could not be used, each with the reason.
    pub passed_over: Vec<CheckpointError>,
}

impl SeedDir {
    /// Restores an agent that the seed saved; `None` if it saved none. `take_up` gets a state with
    /// the part `agent`; for the newest as in [`CheckpointDir::newest`].
    ///
    /// # Errors
    /// As [`CheckpointDir::newest`]; [`CheckpointError`] if the file of the best agent is damaged;
    /// the errors of `take_up`.
    ///
    /// [`CheckpointDir::newest`]: crate::CheckpointDir::newest
    pub fn saved<T>(
        &self,
        which: Which,
        identity: &RunIdentity,
        mut take_up: impl FnMut(&StateDict) -> Result<T, TrainError>,
    ) -> Result<Option<Saved<T>>, TrainError> {
        if which == Which::Newest {
            let newest = self.checkpoints().newest(identity, |_, state| take_up(&state))?;
            return Ok(newest.map(|newest| Saved {
                state: newest.state,
                env_steps: newest.manifest.env_steps,
                passed_over: newest.damaged,
            }));
        }
        let Some((state, best)) = read_best(&self.path.join(BEST))? else { return Ok(None) };
        let state = take_up(&state)?;
        Ok(Some(Saved { state, env_steps: best.env_step, passed_over: Vec::new() }))
    }
}
