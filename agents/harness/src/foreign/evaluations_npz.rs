//! Stable-Baselines3's `evaluations.npz`, which `EvalCallback` writes.
//!
//! `timesteps` `[K]` are the env steps of each evaluation, `results` `[K, E]` the returns of its E
//! episodes. The episodes' lengths (`ep_lengths`) and `successes` are not needed.

use std::path::Path;

use gymnast_core::statistics::mean;

use super::{ForeignError, MAX_BYTES, npz::Npz, series::Steps};
use crate::Evaluation;

const STEPS: &str = "timesteps";
const RETURNS: &str = "results";

/// Whether an archive holds evaluations, by the names of its arrays.
pub(super) fn is_evaluations(arrays: &Npz<'_>) -> bool {
    [STEPS, RETURNS].iter().all(|name| arrays.names().any(|known| known == *name))
}

/// Reads the evaluations of an archive.
pub(super) fn read(path: &Path, arrays: &Npz<'_>) -> Result<Vec<Evaluation>, ForeignError> {
    let mut left = MAX_BYTES;
    let steps = arrays.read(STEPS, &mut left)?;
    let returns = arrays.read(RETURNS, &mut left)?;
    let (&[count], &[rows, episodes]) = (&steps.shape[..], &returns.shape[..]) else {
        let reason = format!(
            "expected `{STEPS}` [K] and `{RETURNS}` [K, episodes], got the shapes {:?} and {:?}",
            steps.shape, returns.shape
        );
        return Err(ForeignError::invalid(path, reason));
    };
    if count != rows || episodes == 0 {
        let reason = format!(
            "`{STEPS}` has {count} evaluations, `{RETURNS}` {rows} of {episodes} episodes: expected as many \
             evaluations in both, of at least one episode"
        );
        return Err(ForeignError::invalid(path, reason));
    }
    let mut order = Steps::new(path, STEPS);
    let rows = steps.values.iter().zip(returns.values.chunks_exact(episodes));
    rows.map(|(&step, returns)| Ok(evaluation(order.next(step)?, returns))).collect()
}

/// An evaluation of these returns. Its numbers are NaN if a return is.
fn evaluation(env_step: u64, returns: &[f64]) -> Evaluation {
    let mean_return = mean(returns).unwrap_or(f64::NAN);
    let squares = returns.iter().map(|x| (x - mean_return).powi(2)).sum::<f64>();
    let ends = |fold: fn(f64, f64) -> f64, start: f64| match mean_return.is_nan() {
        true => f64::NAN,
        false => returns.iter().copied().fold(start, fold),
    };
    Evaluation {
        env_step,
        wall_time_s: f64::NAN,
        mean_return,
        std_return: (squares / returns.len() as f64).sqrt(),
        min_return: ends(f64::min, f64::INFINITY),
        max_return: ends(f64::max, f64::NEG_INFINITY),
        episodes: returns.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::npz::tests::{archive, floats};

    fn read_back(files: &[(&str, Vec<u8>)]) -> Result<Vec<Evaluation>, String> {
        let (path, bytes) = (Path::new("evaluations.npz"), archive(files, false));
        let arrays = Npz::open(path, &bytes).map_err(|error| error.to_string())?;
        assert!(is_evaluations(&arrays));
        read(path, &arrays).map_err(|error| error.to_string())
    }

    fn with(steps: (&str, &[f64]), returns: (&str, &[f64])) -> Result<Vec<Evaluation>, String> {
        let [steps, returns] = [steps, returns].map(|(shape, values)| floats(shape, values));
        read_back(&[("timesteps.npy", steps), ("results.npy", returns)])
    }

    #[test]
    fn an_evaluation_has_the_statistics_of_its_episodes() {
        let evaluations =
            with(("(2,)", &[100.0, 200.0]), ("(2, 2)", &[1.0, 3.0, 5.0, 5.0])).unwrap();
        let first = evaluations[0];
        assert_eq!((first.env_step, first.mean_return, first.std_return), (100, 2.0, 1.0));
        assert_eq!((first.min_return, first.max_return, first.episodes), (1.0, 3.0, 2));
        assert!(first.wall_time_s.is_nan());
        assert_eq!((evaluations[1].env_step, evaluations[1].mean_return), (200, 5.0));
    }

    #[test]
    fn a_return_that_is_no_number_gives_none() {
        let evaluations = with(("(1,)", &[100.0]), ("(1, 2)", &[f64::NAN, 3.0])).unwrap();
        let Evaluation { mean_return, std_return, min_return, max_return, .. } = evaluations[0];
        assert!([mean_return, std_return, min_return, max_return].iter().all(|x| x.is_nan()));
    }

    #[test]
    fn shapes_and_steps_that_cannot_be_are_refused() {
        let two = ("(2,)", &[100.0, 200.0][..]);
        for (steps, returns, part) in [
            (two, ("(2,)", &[1.0, 2.0][..]), "expected `timesteps` [K]"),
            (two, ("(1, 2)", &[1.0, 2.0]), "as many"),
            (two, ("(2, 0)", &[]), "at least one episode"),
            (("(2,)", &[200.0, 100.0]), ("(2, 1)", &[1.0, 2.0]), "100 comes after 200"),
            (("(1,)", &[-1.0]), ("(1, 1)", &[1.0]), "got -1"),
            (("(1,)", &[0.5]), ("(1, 1)", &[1.0]), "got 0.5"),
            (("(1,)", &[f64::NAN]), ("(1, 1)", &[1.0]), "got NaN"),
            (("(1,)", &[1e17]), ("(1, 1)", &[1.0]), "expected whole numbers"),
        ] {
            let error = with(steps, returns).unwrap_err();
            assert!(error.contains(part), "`{part}`: {error}");
        }
    }
}
