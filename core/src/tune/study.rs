//! A study: runs trials one after the other, or several in parallel.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::storage::Storage;
use super::{Pruner, Stop, Tpe, Trial, TrialRecord, TrialSampler, TuneError};

/// Whether values are minimised or maximised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StudyDirection {
    /// Lower values are better, for example losses.
    #[default]
    Minimize,
    /// Higher values are better, for example accuracies and returns.
    Maximize,
}

impl StudyDirection {
    /// What is lower for better values.
    pub(super) fn loss(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

/// The settings of a study, except the search space.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudyConfig {
    /// Whether values are minimised or maximised.
    pub direction: StudyDirection,
    /// How the next settings are chosen.
    pub sampler: TrialSampler,
    /// How unpromising trials are ended early.
    pub pruner: Pruner,
    /// The seed of all draws.
    pub seed: u64,
    /// Further dependencies of the values, in the caller's words. They are stored in the file, so
    /// that the caller can compare them on resuming.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
}

impl StudyConfig {
    pub(super) fn check(&self) -> Result<(), TuneError> {
        self.sampler.check()?;
        self.pruner.check()
    }
}

impl Default for TrialSampler {
    fn default() -> Self {
        Self::Tpe(Tpe::default())
    }
}

/// Why an optimisation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StudyEnding {
    /// All requested trials are finished.
    Done,
    /// A trial returned [`Stop::Interrupted`].
    Interrupted,
}

/// A search and its trials. See the [module](super) for an example.
#[derive(Debug)]
pub struct Study {
    pub(super) config: StudyConfig,
    /// By number.
    pub(super) trials: Vec<TrialRecord>,
    pub(super) storage: Option<Storage>,
}

impl Study {
    /// Creates a study in memory only.
    ///
    /// # Errors
    /// [`TuneError::Setting`]; for a grid also what its space returns.
    pub fn new(config: StudyConfig) -> Result<Self, TuneError> {
        config.check()?;
        Ok(Self { config, trials: Vec::new(), storage: None })
    }

    /// Creates a study that writes each finished trial to a file: JSON lines, the first for the
    /// study itself.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`TuneError::Exists`] if the file exists, [`TuneError::File`] if
    /// another process has it open, [`TuneError::Write`].
    pub fn create(path: &Path, config: StudyConfig) -> Result<Self, TuneError> {
        config.check()?;
        let storage = Some(Storage::create(path, &config)?);
        Ok(Self { config, trials: Vec::new(), storage })
    }

    /// Opens the study of a file to continue it. A trial that was running when the process was
    /// killed is not in the file: it runs again.
    ///
    /// # Errors
    /// [`TuneError::File`]; [`TuneError::Full`]; [`TuneError::Damaged`] with the number of the
    /// invalid line.
    pub fn resume(path: &Path) -> Result<Self, TuneError> {
        let (storage, config, trials) = Storage::resume(path)?;
        Ok(Self { config, trials, storage: Some(storage) })
    }

    /// Reads the study of a file as it is now, while other processes may work on it, into memory.
    ///
    /// # Errors
    /// As [`resume`](Self::resume).
    pub fn read(path: &Path) -> Result<Self, TuneError> {
        let (config, trials) = Storage::look(path)?;
        Ok(Self { config, trials, storage: None })
    }

    /// Returns the settings of the study.
    pub fn config(&self) -> &StudyConfig {
        &self.config
    }

    /// Returns the finished trials, by number.
    pub fn trials(&self) -> &[TrialRecord] {
        &self.trials
    }

    /// Returns the best complete trial, the first of equals; `None` without complete trials.
    pub fn best(&self) -> Option<&TrialRecord> {
        let loss =
            |trial: &&TrialRecord| trial.value().map(|value| self.config.direction.loss(value));
        let complete = self.trials.iter().filter(|trial| trial.value().is_some());
        complete.min_by(|a, b| loss(a).partial_cmp(&loss(b)).expect("values are finite"))
    }

    /// Runs trials until the study has `n_trials`, those of earlier sessions and failed ones
    /// included.
    ///
    /// # Errors
    /// Parameters asked for wrongly, as in [`Trial::suggest`]; [`TuneError::Write`] and
    /// [`TuneError::Full`], after which the file stays intact. Any other error in a trial makes
    /// only that trial fail.
    pub fn optimize(
        &mut self,
        n_trials: u64,
        mut objective: impl FnMut(&mut Trial<'_>) -> Result<f64, Stop>,
    ) -> Result<StudyEnding, TuneError> {
        loop {
            let Some(number) = self.missing(n_trials).next() else { return Ok(StudyEnding::Done) };
            let known = self.trials.partition_point(|trial| trial.number < number);
            let mut trial = Trial::new(&self.config, &self.trials[..known], number)?;
            let result = objective(&mut trial);
            let Some(record) = trial.finish(result)? else { return Ok(StudyEnding::Interrupted) };
            // The trial is kept even where it cannot be written down.
            let written = self.storage.as_mut().map_or(Ok(()), |file| file.append(&record));
            self.trials.insert(known, record);
            written?;
        }
    }

    /// Returns the numbers of the trials still to run.
    pub(super) fn missing(&self, n_trials: u64) -> impl Iterator<Item = u64> + use<'_> {
        missing(&self.trials, self.end(n_trials))
    }

    /// Returns the number behind the last trial's, if `n_trials` are asked for.
    pub(super) fn end(&self, n_trials: u64) -> u64 {
        n_trials.min(self.config.sampler.limit())
    }
}

/// Returns the numbers below `end` of which there is no trial.
pub(super) fn missing(trials: &[TrialRecord], end: u64) -> impl Iterator<Item = u64> + use<'_> {
    let is_missing =
        |number: &u64| trials.binary_search_by_key(number, |trial| trial.number).is_err();
    // Most often all of the first are there.
    let first = trials.iter().zip(0..).take_while(|(trial, i)| trial.number == *i).count() as u64;
    (first..end).filter(is_missing)
}
