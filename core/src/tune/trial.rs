//! A running trial.

use std::error::Error;

use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use serde_json::Value;

use super::sampler::{Request, stream};
use super::{Distribution, Param, Scale, StudyConfig, TrialOutcome, TrialRecord, TuneError};

/// Why a trial ends without a value. Any error converts to it with `?`.
#[derive(Debug)]
pub enum Stop {
    /// The trial is pruned: [`Trial::should_prune`] returned true.
    Pruned,
    /// The study ends now; this trial runs again when the study is resumed.
    Interrupted,
    /// The trial failed; the error is recorded.
    Failed(Box<dyn Error + Send + Sync>),
}

// As in `anyhow`: because `Stop` is no error itself, every error may become one.
impl<E: Error + Send + Sync + 'static> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(Box::new(error))
    }
}

/// A running trial: suggests parameters and receives reports on the training.
#[derive(Debug)]
pub struct Trial<'a> {
    config: &'a StudyConfig,
    /// What its parameters are drawn by and what it is compared with.
    history: &'a [TrialRecord],
    number: u64,
    /// Parameters that were drawn together, with their places.
    joint: Vec<(Param, f64)>,
    params: Vec<Param>,
    reports: Vec<(u64, f64)>,
    /// What was reported wrongly: it makes the trial fail.
    wrong: Option<String>,
    /// A parameter was asked for wrongly: it ends the study.
    is_misasked: bool,
}

impl<'a> Trial<'a> {
    pub(super) fn new(
        config: &'a StudyConfig,
        history: &'a [TrialRecord],
        number: u64,
    ) -> Result<Self, TuneError> {
        let mut trial = Self {
            config,
            history,
            number,
            joint: Vec::new(),
            params: Vec::new(),
            reports: Vec::new(),
            wrong: None,
            is_misasked: false,
        };
        trial.joint = trial.draw_together()?;
        Ok(trial)
    }

    /// Returns the number of the trial, from 0.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Creates a random stream for the trial's own draws; it depends only on the study's seed and
    /// the trial's number.
    pub fn rng(&self) -> ChaCha8Rng {
        stream(self.config.seed, self.number, "trial")
    }

    /// Suggests a number from `low` to `high`.
    ///
    /// # Errors
    /// As [`suggest`](Self::suggest).
    pub fn suggest_float(
        &mut self,
        name: &str,
        low: f64,
        high: f64,
        scale: Scale,
    ) -> Result<f64, TuneError> {
        let value = self.suggest(name, &Distribution::Float { low, high, scale })?;
        Ok(value.as_f64().expect("a float's value is a number"))
    }

    /// Suggests a whole number from `low` to `high`, both included.
    ///
    /// # Errors
    /// As [`suggest`](Self::suggest).
    pub fn suggest_int(
        &mut self,
        name: &str,
        low: i64,
        high: i64,
        scale: Scale,
    ) -> Result<i64, TuneError> {
        let value = self.suggest(name, &Distribution::Int { low, high, scale })?;
        Ok(value.as_i64().expect("an int's value is whole"))
    }

    /// Suggests one of `choices`, which must differ as JSON.
    ///
    /// # Errors
    /// As [`suggest`](Self::suggest).
    pub fn suggest_categorical<'c, T: Serialize>(
        &mut self,
        name: &str,
        choices: &'c [T],
    ) -> Result<&'c T, TuneError> {
        // What cannot be JSON becomes null, and two of these are a repeated choice.
        let as_json = |choice: &T| gymnast_json::to_value(choice).unwrap_or(Value::Null);
        let distribution =
            Distribution::Categorical { choices: choices.iter().map(as_json).collect() };
        let value = self.suggest(name, &distribution)?;
        let index = distribution.coordinate(&value).expect("the value is one of the choices");
        Ok(&choices[index as usize])
    }

    /// Suggests a value from a distribution; asking again returns the same value.
    ///
    /// # Errors
    /// [`TuneError::Range`], [`TuneError::Choices`], [`TuneError::Redefined`],
    /// [`TuneError::NotInGrid`]. They end the study, because every trial would fail with them.
    pub fn suggest(&mut self, name: &str, distribution: &Distribution) -> Result<Value, TuneError> {
        let value = self.choose(name, distribution);
        self.is_misasked |= value.is_err();
        value
    }

    fn choose(&mut self, name: &str, distribution: &Distribution) -> Result<Value, TuneError> {
        if let Some(param) = self.params.iter().find(|param| param.name == name) {
            if param.distribution == *distribution {
                return Ok(param.value.clone());
            }
            return Err(TuneError::Redefined {
                name: name.to_owned(),
                was: param.distribution.to_string(),
                is: distribution.to_string(),
            });
        }
        distribution.check(name)?;
        let drawn = self
            .joint
            .iter()
            .find(|(param, _)| param.name == name && param.distribution == *distribution);
        let place = match drawn {
            Some((_, place)) => *place,
            None => self.draw(&[(name, distribution)])?[0],
        };
        let value = distribution.value(place);
        let (name, distribution) = (name.to_owned(), distribution.clone());
        self.params.push(Param { name, distribution, value: value.clone() });
        Ok(value)
    }

    /// Reports the value of the trial after `step` (an epoch, env steps) to the pruner.
    ///
    /// A value that is not finite, or a step that does not increase, makes the trial fail, whatever
    /// it returns; [`should_prune`](Self::should_prune) is then true.
    pub fn report(&mut self, step: u64, value: f64) {
        if self.wrong.is_some() {
            return;
        }
        if !value.is_finite() {
            self.wrong = Some(format!("reported {value} at step {step}"));
        } else if let Some((last, _)) = self.reports.last().filter(|(last, _)| *last >= step) {
            self.wrong = Some(format!("reported step {step} after step {last}"));
        } else {
            self.reports.push((step, value));
        }
    }

    /// Returns whether the trial should end with [`Stop::Pruned`], judging by its last report.
    pub fn should_prune(&self) -> bool {
        let StudyConfig { pruner, direction, .. } = self.config;
        self.wrong.is_some() || pruner.should_prune(&self.reports, self.history, *direction)
    }

    /// Returns the record of the trial; `None` if it is to run again.
    pub(super) fn finish(
        self,
        result: Result<f64, Stop>,
    ) -> Result<Option<TrialRecord>, TuneError> {
        let outcome = match (self.wrong, result) {
            (_, Err(Stop::Interrupted)) => return Ok(None),
            (Some(reason), _) => TrialOutcome::Failed(reason),
            (None, Ok(value)) if value.is_finite() => TrialOutcome::Complete(value),
            (None, Ok(value)) => TrialOutcome::Failed(format!("returned {value}")),
            (None, Err(Stop::Pruned)) => TrialOutcome::Pruned,
            // A parameter asked for wrongly is the caller's mistake, not the trial's, unlike what goes
            // wrong in a study of the trial's own.
            (None, Err(Stop::Failed(error))) => match error.downcast::<TuneError>() {
                Ok(error) if self.is_misasked => return Err(*error),
                Ok(error) => TrialOutcome::Failed(error.to_string()),
                Err(error) => TrialOutcome::Failed(error.to_string()),
            },
        };
        let Self { number, params, reports, .. } = self;
        Ok(Some(TrialRecord { number, params, reports, outcome }))
    }

    fn draw(&self, space: &[(&str, &Distribution)]) -> Result<Vec<f64>, TuneError> {
        let StudyConfig { sampler, seed, direction, .. } = self.config;
        let (number, direction) = (self.number, *direction);
        let request = Request { space, history: self.history, direction, seed: *seed, number };
        sampler.draw(&request)
    }

    /// The parameters that every trial so far had, drawn together where the sampler does so.
    fn draw_together(&self) -> Result<Vec<(Param, f64)>, TuneError> {
        if !self.config.sampler.is_joint() {
            return Ok(Vec::new());
        }
        // A failed trial may not have come to ask for all.
        let mut ended =
            self.history.iter().filter(|trial| !matches!(trial.outcome, TrialOutcome::Failed(_)));
        let Some(first) = ended.next() else { return Ok(Vec::new()) };
        let others: Vec<_> = ended.collect();
        let is_shared = |param: &&Param| {
            let same = |other: &Param| other.distribution == param.distribution;
            others.iter().all(|trial| trial.param(&param.name).is_some_and(same))
        };
        let shared: Vec<_> = first.params.iter().filter(is_shared).collect();
        if shared.is_empty() {
            return Ok(Vec::new());
        }
        let space: Vec<_> =
            shared.iter().map(|param| (param.name.as_str(), &param.distribution)).collect();
        let places = self.draw(&space)?;
        Ok(shared.into_iter().cloned().zip(places).collect())
    }
}
