//! Series of numbers over env steps: their names and their order.

use std::path::Path;

use super::{ForeignError, MAX_STEP, Program, seed::Series};
use crate::report::{ReturnAt, TrainingReturns, mean_alone};

/// The most names that are kept for a message.
pub(super) const MOST_NAMES: usize = 1000;

/// What a series of returns holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// Mean returns of evaluations.
    Evaluations,
    /// Returns of training episodes, one by one.
    Episodes,
    /// Means over training episodes.
    Means,
}

/// The series that are read unless the user names one; of each meaning the first that is there.
const KNOWN: [(&str, Meaning, Program); 5] = [
    ("eval/mean_reward", Meaning::Evaluations, Program::StableBaselines3),
    ("eval/mean_return", Meaning::Evaluations, Program::TensorBoard),
    ("charts/episodic_return", Meaning::Episodes, Program::CleanRl),
    ("train/return", Meaning::Episodes, Program::TensorBoard),
    ("rollout/ep_rew_mean", Meaning::Means, Program::StableBaselines3),
];

/// Returns whether a series is to be read: the user's, or without one a known one.
pub(super) fn is_wanted(name: &str, tag: Option<&str>) -> bool {
    match tag {
        Some(tag) => name == tag,
        None => KNOWN.iter().any(|(known, ..)| *known == name),
    }
}

/// Returns the names of the series that are expected, for a message.
pub(super) fn expected(tag: Option<&str>) -> String {
    let known = || KNOWN.map(|(name, ..)| name).join(" or ");
    tag.map_or_else(known, str::to_owned)
}

/// What a series of this name holds. A name that is not known holds evaluations if it says so.
fn meaning(name: &str) -> (Meaning, Option<Program>) {
    if let Some(&(_, meaning, program)) = KNOWN.iter().find(|(known, ..)| *known == name) {
        return (meaning, Some(program));
    }
    let says_eval =
        name.split(['/', '_', '.']).any(|word| word.starts_with("eval") || word == "test");
    (if says_eval { Meaning::Evaluations } else { Meaning::Means }, None)
}

/// The place of a series among those that are known; those that are not come first.
pub(super) fn rank(name: &str) -> Option<usize> {
    KNOWN.iter().position(|(known, ..)| *known == name)
}

/// Makes a training's results of its series, by name; `None` if no series has a point.
pub(super) fn results(series: Vec<(String, Vec<ReturnAt>)>) -> Option<Series> {
    let mut results = Series::default();
    let mut is_empty = true;
    let mut series = series;
    series.sort_by_key(|(name, _)| rank(name));
    for (name, points) in series {
        if points.is_empty() {
            continue;
        }
        is_empty = false;
        let (meaning, program) = meaning(&name);
        results.program = results.program.or(program);
        let is_free = results.training.is_empty();
        match meaning {
            Meaning::Evaluations if results.evaluations.is_empty() => {
                results.evaluations = points.iter().map(mean_alone).collect();
            }
            Meaning::Episodes if is_free => results.training = TrainingReturns::Episodes(points),
            Meaning::Means if is_free => results.training = TrainingReturns::Means(points),
            _ => {}
        }
    }
    (!is_empty).then_some(results)
}

/// Checks env steps one after another.
pub(super) struct Steps<'a> {
    path: &'a Path,
    what: &'a str,
    last: u64,
}

impl<'a> Steps<'a> {
    pub(super) fn new(path: &'a Path, what: &'a str) -> Self {
        Self { path, what, last: 0 }
    }

    /// Returns a number as an env step.
    ///
    /// # Errors
    /// [`ForeignError::Invalid`] if it is no whole number from 0 to [`MAX_STEP`], or less than the one
    /// before.
    pub(super) fn next(&mut self, step: f64) -> Result<u64, ForeignError> {
        let is_step = step >= 0.0 && step <= MAX_STEP as f64 && step.fract() == 0.0;
        let what = self.what;
        if !is_step {
            let reason =
                format!("`{what}`: expected whole numbers from 0 to {MAX_STEP}, got {step}");
            return Err(ForeignError::invalid(self.path, reason));
        }
        let (step, last) = (step as u64, self.last);
        if step < last {
            let reason = format!(
                "`{what}`: expected steps that do not decrease, but {step} comes after {last}"
            );
            return Err(ForeignError::invalid(self.path, reason));
        }
        self.last = step;
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(value: f64) -> Vec<ReturnAt> {
        vec![ReturnAt { env_step: 1, wall_time_s: 0.0, value }]
    }

    #[test]
    fn a_series_is_what_its_name_says() {
        for (name, expected) in [
            ("eval/mean_reward", Meaning::Evaluations),
            ("evaluation/return", Meaning::Evaluations),
            ("metrics/eval_return", Meaning::Evaluations),
            ("test/reward", Meaning::Evaluations),
            ("charts/episodic_return", Meaning::Episodes),
            ("rollout/ep_rew_mean", Meaning::Means),
            ("losses/value_loss", Meaning::Means),
            ("reward/medieval", Meaning::Means),
        ] {
            assert_eq!(meaning(name).0, expected, "{name}");
        }
    }

    #[test]
    fn evaluations_and_training_are_kept_apart() {
        let series = vec![
            ("rollout/ep_rew_mean".to_owned(), points(1.0)),
            ("eval/mean_reward".to_owned(), points(2.0)),
        ];
        let results = results(series).unwrap();
        assert_eq!(results.evaluations[0].mean_return, 2.0);
        assert_eq!(results.training, TrainingReturns::Means(points(1.0)));
        assert_eq!(results.program, Some(Program::StableBaselines3));
    }
}
