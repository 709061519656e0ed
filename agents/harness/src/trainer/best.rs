//! Saves the best agent.

use std::path::PathBuf;

use gymnast_core::{checkpoint, files};

use crate::{AgentError, Checkpoint, CheckpointError, Evaluation, Flow, StateDict};

/// What the file holds beside the agent.
const MEAN_RETURN: &str = "save_best/mean_return";

/// Saves the agent to a file whenever an evaluation's mean return is the best so far; pass it to
/// [`Trainer::look_when_evaluated`](super::Trainer::look_when_evaluated). An existing file counts,
/// so that a resumed training keeps its best: delete the file to start anew.
///
/// To restore the agent, create one with the same settings and load the file's state:
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
/// The best of many noisy evaluations is biased upwards: evaluate it again before you report it.
pub fn save_best<G: Checkpoint + ?Sized>(
    path: impl Into<PathBuf>,
) -> impl FnMut(&G, &Evaluation) -> Result<Flow, AgentError> {
    let (path, mut best) = (path.into(), None);
    move |agent, evaluation| {
        let before = match best {
            Some(best) => best,
            None => saved_before(&path)?,
        };
        best = Some(before.max(evaluation.mean_return));
        if evaluation.mean_return > before {
            let mut state = StateDict::new();
            agent.save(&mut state)?;
            state.insert(MEAN_RETURN, &evaluation.mean_return)?;
            checkpoint::save(&path, &state)?;
        }
        Ok(Flow::Continue)
    }
}

/// The mean return of the agent in the file; −∞ where there is no file.
fn saved_before(path: &std::path::Path) -> Result<f64, CheckpointError> {
    let read = |source| CheckpointError::Read { path: path.to_owned(), source };
    match files::metadata(path).map_err(read)? {
        None => Ok(f64::NEG_INFINITY),
        Some(_) => checkpoint::load(path)?.get(MEAN_RETURN),
    }
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
            number.load(&checkpoint::load(&path).unwrap()).unwrap();
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
