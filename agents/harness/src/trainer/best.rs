//! Saves the best agent.

use std::path::{Path, PathBuf};

use gymnast_core::{checkpoint, files};

use crate::{AgentError, Checkpoint, CheckpointError, Evaluation, Flow, StateDict};

/// The file of the best agent below a seed's directory.
pub(crate) const BEST: &str = "best.safetensors";
/// What the file holds beside the agent.
const EVALUATION: &str = "evaluation";

/// Saves the agent to a file whenever an evaluation's mean return is the best so far; pass it to
/// [`Trainer::look_when_evaluated`](super::Trainer::look_when_evaluated). An existing file counts,
/// so that a resumed training keeps its best: delete the file to start anew.
/// [`keep_best`](crate::Training::keep_best) does the same in the directory of a run.
///
/// To restore the agent, create one with the same settings and load the file's state:
///
/// ```no_run
/// # use gymnast_core::checkpoint;
/// # use gymnast_harness::Checkpoint;
/// # fn back(agent: &mut dyn Checkpoint) -> Result<(), gymnast_harness::CheckpointError> {
/// checkpoint::load("best.safetensors".as_ref())?.load_part("agent", agent)?;
/// # Ok(())
/// # }
/// ```
///
/// The best of many noisy evaluations is biased upwards: evaluate it again before you report it.
pub fn save_best<G: Checkpoint + ?Sized>(
    path: impl Into<PathBuf>,
) -> impl FnMut(&G, &Evaluation) -> Result<Flow, AgentError> {
    let (path, mut best) = (path.into(), None);
    move |agent, evaluation| {
        let before = match best {
            Some(best) => best,
            None => read_best(&path)?.map_or(f64::NEG_INFINITY, |(_, best)| best.mean_return),
        };
        best = Some(before.max(evaluation.mean_return));
        if evaluation.mean_return > before {
            let mut state = StateDict::new();
            state.insert_part("agent", agent)?;
            state.insert(EVALUATION, evaluation)?;
            checkpoint::save(&path, &state)?;
        }
        Ok(Flow::Continue)
    }
}

/// Reads a file of the best agent: the state with the part `agent`, and its evaluation. `None`
/// where there is no file.
pub(crate) fn read_best(path: &Path) -> Result<Option<(StateDict, Evaluation)>, CheckpointError> {
    let read = |source| CheckpointError::Read { path: path.to_owned(), source };
    if files::metadata(path).map_err(read)?.is_none() {
        return Ok(None);
    }
    let state = checkpoint::load(path)?;
    let evaluation = state.get(EVALUATION)?;
    Ok(Some((state, evaluation)))
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Number(u64);

    impl Checkpoint for Number {
        fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
            state.insert("number", &self.0)
        }

        fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
            self.0 = state.counter("number")?;
            Ok(())
        }
    }

    fn evaluation(mean_return: f64) -> Evaluation {
        Evaluation {
            env_step: 1,
            wall_time_s: 0.0,
            mean_return,
            std_return: 0.0,
            min_return: mean_return,
            max_return: mean_return,
            episodes: 1,
        }
    }

    #[test]
    fn the_best_is_kept_in_the_middle_and_over_sessions() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("best.safetensors");
        let kept = || {
            let mut number = Number(0);
            checkpoint::load(&path).unwrap().load_part("agent", &mut number).unwrap();
            number.0
        };
        let mut look = save_best(&path);
        for (number, mean_return, expected) in [(1, -5.0, 1), (2, 3.0, 2), (3, 2.0, 2), (4, 3.0, 2)]
        {
            look(&Number(number), &evaluation(mean_return)).unwrap();
            assert_eq!(kept(), expected);
        }
        let mut look = save_best(&path);
        for (number, mean_return, expected) in [(5, 1.0, 2), (6, 3.5, 6), (7, 0.0, 6)] {
            look(&Number(number), &evaluation(mean_return)).unwrap();
            assert_eq!(kept(), expected);
        }
    }

    #[test]
    fn a_file_that_is_something_else_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other");
        std::fs::write(&path, "somebody's").unwrap();
        assert!(save_best(&path)(&Number(1), &evaluation(1.0)).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "somebody's");
        let mut state = StateDict::new();
        Number(3).save(&mut state).unwrap();
        checkpoint::save(&path, &state).unwrap();
        assert!(save_best(&path)(&Number(1), &evaluation(1.0)).is_err());
    }
}
