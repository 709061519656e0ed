//! A trial: a training over several seeds.

use gymnast_core::tune::{SearchSpace, Stop, Trial};
use gymnast_harness::{Callback, Ending, Evaluation, Flow, Training, catch_seed_panic};

use super::definition::Definition;
use crate::command::{CommandError, Names, StopOnInterrupt, say};

/// Evaluates settings by training with them.
pub(super) struct Objective<'a> {
    definition: &'a Definition,
    space: SearchSpace,
    /// The env steps that each seed counts as, so that the same step belongs to the same seed in
    /// each trial.
    longest: u64,
    names: &'a Names,
    quiet: bool,
}

impl<'a> Objective<'a> {
    pub(super) fn new(
        definition: &'a Definition,
        names: &'a Names,
        quiet: bool,
    ) -> Result<Self, CommandError> {
        let (space, longest) = (definition.space()?, definition.longest(names)?);
        Ok(Self { definition, space, longest, names, quiet })
    }

    /// Returns the mean of the seeds' final returns.
    pub(super) fn evaluate(
        &self,
        trial: &mut Trial<'_>,
        interrupt: StopOnInterrupt,
    ) -> Result<f64, Stop> {
        let settings = self.space.suggest(trial)?;
        let result = self.train(trial, &settings, interrupt);
        let what = match &result {
            Ok(value) => format!("{value:.2}"),
            Err(Stop::Pruned) => "pruned".to_owned(),
            Err(Stop::Interrupted) => return result,
            Err(Stop::Failed(error)) => format!("failed: {error}"),
        };
        if !self.quiet {
            let settings = settings.iter().map(|(key, value)| format!("{key}={value}"));
            let settings = settings.collect::<Vec<_>>().join(" ");
            say(&format!("trial {}: {what}  {settings}", trial.number()));
        }
        result
    }

    fn train(
        &self,
        trial: &mut Trial<'_>,
        settings: &[(String, serde_json::Value)],
        mut interrupt: StopOnInterrupt,
    ) -> Result<f64, Stop> {
        let run = self.definition.run(settings, self.names)?;
        let mut finals = Vec::new();
        for (i, &seed) in self.definition.seeds.iter().enumerate() {
            let mut judge = Judge {
                trial,
                finals: &finals,
                before: i as u64 * self.longest,
                training: &run.training,
                is_last: i + 1 == self.definition.seeds.len(),
                is_pruned: false,
            };
            let summary = catch_seed_panic(seed, || {
                run.train_with_callbacks(seed, &mut [&mut interrupt, &mut judge])
            })?;
            if judge.is_pruned {
                return Err(Stop::Pruned);
            }
            if summary.ending == Ending::Stopped {
                return Err(Stop::Interrupted);
            }
            let last = summary.evaluations.last();
            finals.push(last.expect("a training ends with an evaluation").mean_return);
        }
        Ok(gymnast_core::statistics::mean(&finals).unwrap_or(f64::NAN))
    }
}

/// Reports each evaluation to the pruner: the mean of it and the final returns of earlier seeds, at
/// the total env steps, by which the pruner compares trials.
struct Judge<'a, 'b> {
    trial: &'a mut Trial<'b>,
    finals: &'a [f64],
    before: u64,
    training: &'a Training,
    /// Whether this is the last seed.
    is_last: bool,
    is_pruned: bool,
}

impl Callback for Judge<'_, '_> {
    fn on_evaluation(&mut self, evaluation: &Evaluation) -> Flow {
        let sum = self.finals.iter().sum::<f64>() + evaluation.mean_return;
        let is_end = evaluation.env_step == self.training.env_steps;
        // The step at which it was due: several environments overshoot it by up to their number.
        let late = evaluation.env_step.checked_rem(self.training.eval_every).unwrap_or(0);
        let step = if is_end { evaluation.env_step } else { evaluation.env_step - late };
        self.trial.report(self.before + step, sum / (self.finals.len() + 1) as f64);
        // At the very end nothing is left to save.
        self.is_pruned = !(is_end && self.is_last) && self.trial.should_prune();
        if self.is_pruned { Flow::Stop } else { Flow::Continue }
    }
}
