//! Keeps the best that was seen.

use std::path::PathBuf;

use gymnast_core::checkpoint;

use crate::{AgentError, Checkpoint, Evaluation, Flow, StateDict};

/// What [`Trainer::look_when_evaluated`](super::Trainer::look_when_evaluated) takes to save the agent to a
/// file whenever an evaluation's mean return is the best so far. To have it back, make an agent with the
/// same settings and load the file's state:
///
/// ```no_run
/// # use gymnast_core::checkpoint;
/// # use gymnast_harness::Checkpoint;
/// # fn back(agent: &mut dyn Checkpoint) -> Result<(), gymnast_harness::CheckpointError> {
/// agent.load(&checkpoint::load("best.safetensors".as_ref())?)?;
/// # Ok(())
/// # }
/// ```
///
/// The best of many noisy evaluations flatters itself: evaluate it anew before you report it.
pub fn save_best<G: Checkpoint + ?Sized>(
    path: impl Into<PathBuf>,
) -> impl FnMut(&G, &Evaluation) -> Result<Flow, AgentError> {
    let (path, mut best) = (path.into(), f64::NEG_INFINITY);
    move |agent, evaluation| {
        if evaluation.mean_return > best {
            let mut state = StateDict::new();
            agent.save(&mut state)?;
            checkpoint::save(&path, &state)?;
            best = evaluation.mean_return;
        }
        Ok(Flow::Continue)
    }
}
