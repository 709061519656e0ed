//! One trial after the other, or several at once.

use std::path::Path;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::storage::Storage;
use super::{Pruner, Sampler, Stop, Tpe, Trial, TrialRecord, TuneError};

/// The most trials at once, each of which takes a thread.
const MOST_JOBS: usize = 1024;

/// Which values are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Lower ones: losses.
    #[default]
    Minimize,
    /// Higher ones: accuracies, returns.
    Maximize,
}

impl Direction {
    /// What is lower for better values.
    pub(super) fn loss(self, value: f64) -> f64 {
        match self {
            Self::Minimize => value,
            Self::Maximize => -value,
        }
    }
}

/// What makes a study, apart from what it tries.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StudyConfig {
    /// Which values are better.
    pub direction: Direction,
    /// What to try next.
    pub sampler: Sampler,
    /// Which trials to end early.
    pub pruner: Pruner,
    /// What all draws follow from.
    pub seed: u64,
    /// What else the values depend on, in the caller's own words: kept in the file, for the caller to
    /// compare when the study goes on.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub about: String,
}

impl StudyConfig {
    pub(super) fn check(&self) -> Result<(), TuneError> {
        self.sampler.check()?;
        self.pruner.check()
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::Tpe(Tpe::default())
    }
}

/// How an optimisation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// All trials are there.
    Done,
    /// A trial returned [`Stop::Interrupted`].
    Interrupted,
}

/// A search and its trials. See the [module](super) for an example.
#[derive(Debug)]
pub struct Study {
    config: StudyConfig,
    /// By number.
    trials: Vec<TrialRecord>,
    storage: Option<Storage>,
}

impl Study {
    /// A study that is kept in memory alone.
    ///
    /// # Errors
    /// [`TuneError::Setting`]; for a grid also what its space returns.
    pub fn new(config: StudyConfig) -> Result<Self, TuneError> {
        config.check()?;
        Ok(Self { config, trials: Vec::new(), storage: None })
    }

    /// A study that writes each trial down as it ends: JSON lines, the first for the study itself.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`TuneError::Exists`] where the file is there, [`TuneError::File`] where
    /// another process has it, [`TuneError::Write`].
    pub fn create(path: &Path, config: StudyConfig) -> Result<Self, TuneError> {
        config.check()?;
        let storage = Some(Storage::create(path, &config)?);
        Ok(Self { config, trials: Vec::new(), storage })
    }

    /// The study of a file, to go on where it ended. A trial that a killed process was still at is not
    /// there: it is run again.
    ///
    /// # Errors
    /// [`TuneError::File`]; [`TuneError::Full`]; [`TuneError::Damaged`] with the line that is no trial.
    pub fn resume(path: &Path) -> Result<Self, TuneError> {
        let (storage, config, trials) = Storage::resume(path)?;
        Ok(Self { config, trials, storage: Some(storage) })
    }

    /// What makes the study.
    pub fn config(&self) -> &StudyConfig {
        &self.config
    }

    /// The trials that have ended, by number.
    pub fn trials(&self) -> &[TrialRecord] {
        &self.trials
    }

    /// The best complete trial, the first of equals; `None` where none is complete.
    pub fn best(&self) -> Option<&TrialRecord> {
        let loss =
            |trial: &&TrialRecord| trial.value().map(|value| self.config.direction.loss(value));
        let complete = self.trials.iter().filter(|trial| trial.value().is_some());
        complete.min_by(|a, b| loss(a).partial_cmp(&loss(b)).expect("values are finite"))
    }

    /// Runs trials until the study holds `n_trials`, those of earlier sessions and failed ones included.
    ///
    /// # Errors
    /// Parameters asked for wrongly, as [`Trial::suggest`] says; [`TuneError::Write`] and
    /// [`TuneError::Full`], after which what was written stays whole. What else goes wrong in a trial
    /// makes that trial fail.
    pub fn optimize(
        &mut self,
        n_trials: u64,
        mut objective: impl FnMut(&mut Trial<'_>) -> Result<f64, Stop>,
    ) -> Result<Ending, TuneError> {
        loop {
            let Some(number) = self.missing(n_trials).next() else { return Ok(Ending::Done) };
            let known = self.trials.partition_point(|trial| trial.number < number);
            let mut trial = Trial::new(&self.config, &self.trials[..known], number)?;
            let result = objective(&mut trial);
            let Some(record) = trial.finish(result)? else { return Ok(Ending::Interrupted) };
            // The trial is kept even where it cannot be written down.
            let written = self.storage.as_mut().map_or(Ok(()), |file| file.append(&record));
            self.trials.insert(known, record);
            written?;
        }
    }

    /// The same with so many trials at once, each on a thread.
    ///
    /// Trials come in batches of `jobs`: each is drawn, and pruned, by what was known before its batch,
    /// so the study depends on `jobs` but not on which trial ends first. The next batch begins when the
    /// last of a batch has ended.
    ///
    /// # Errors
    /// As [`optimize`](Self::optimize); [`TuneError::Setting`] unless `jobs` is from 1 to 1024.
    pub fn optimize_parallel(
        &mut self,
        n_trials: u64,
        jobs: usize,
        objective: impl Fn(&mut Trial<'_>) -> Result<f64, Stop> + Sync,
    ) -> Result<Ending, TuneError> {
        if !(1..=MOST_JOBS).contains(&jobs) {
            let (key, value, expected) = ("jobs", jobs as f64, "from 1 to 1024");
            return Err(TuneError::Setting { key, value, expected });
        }
        let jobs = jobs as u64;
        loop {
            let Some(first) = self.missing(n_trials).next() else { return Ok(Ending::Done) };
            let in_batch = |number: u64| number / jobs == first / jobs;
            let batch: Vec<u64> =
                self.missing(n_trials).take_while(|number| in_batch(*number)).collect();
            let known = self.trials.partition_point(|trial| trial.number / jobs < first / jobs);
            let (config, history) = (&self.config, &self.trials[..known]);
            let storage = Mutex::new(&mut self.storage);
            type Ended = (Option<TrialRecord>, Result<(), TuneError>);
            let run = |number| -> Result<Ended, TuneError> {
                let mut trial = Trial::new(config, history, number)?;
                let result = objective(&mut trial);
                let record = trial.finish(result)?;
                let mut storage = storage.lock().expect("no thread panics while it holds the lock");
                let written = match (&mut **storage, &record) {
                    (Some(storage), Some(record)) => storage.append(record),
                    _ => Ok(()),
                };
                Ok((record, written))
            };
            let results: Vec<_> = std::thread::scope(|scope| {
                let spawn = |&number| scope.spawn(move || run(number));
                let threads: Vec<_> = batch.iter().map(spawn).collect();
                let join = |thread: std::thread::ScopedJoinHandle<'_, _>| match thread.join() {
                    Ok(result) => result,
                    Err(panic) => std::panic::resume_unwind(panic),
                };
                threads.into_iter().map(join).collect()
            });
            let mut ending = Ok(Ending::Done);
            for result in results {
                // What each came to is kept, whatever became of the others.
                let ended = result.and_then(|(record, written)| {
                    let is_interrupted = record.is_none();
                    self.trials.extend(record);
                    written.map(|()| is_interrupted)
                });
                match ended {
                    Ok(false) => {}
                    Ok(true) => ending = ending.and(Ok(Ending::Interrupted)),
                    Err(error) => ending = ending.and(Err(error)),
                }
            }
            self.trials.sort_by_key(|trial| trial.number);
            if !matches!(ending, Ok(Ending::Done)) {
                return ending;
            }
        }
    }

    /// The numbers of the trials that are still to run.
    fn missing(&self, n_trials: u64) -> impl Iterator<Item = u64> + use<'_> {
        let end = n_trials.min(self.config.sampler.limit());
        let is_missing =
            |number: &u64| self.trials.binary_search_by_key(number, |trial| trial.number).is_err();
        (0..end).filter(is_missing)
    }
}
