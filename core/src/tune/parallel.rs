//! Several trials at once, on threads.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Condvar, Mutex, MutexGuard};

use super::storage::Storage;
use super::study::missing;
use super::{Stop, Study, StudyEnding, Trial, TrialRecord, TuneError};
use crate::require;

/// The most trials at once, each of which takes a thread.
const MOST_JOBS: usize = 1024;

/// Checks the number of trials at once.
pub(super) fn check_jobs(jobs: usize) -> Result<u64, TuneError> {
    require((1..=MOST_JOBS).contains(&jobs), "jobs", jobs as f64, "from 1 to 1024")?;
    Ok(jobs as u64)
}

/// Returns how many of the first trials a trial knows, if `jobs` run at once: all but the `jobs - 1`
/// before it, which may still run. Whether they do makes no difference, so that it does not matter
/// which trial ends first.
pub(super) fn known(number: u64, jobs: u64) -> u64 {
    number.saturating_sub(jobs - 1)
}

/// Returns the first `count` trials; `None` if one of them has not ended.
pub(super) fn first(trials: &[TrialRecord], count: u64) -> Option<&[TrialRecord]> {
    let first = trials.get(..usize::try_from(count).ok()?)?;
    // They are in order, each once.
    first.last().is_none_or(|last| last.number + 1 == count).then_some(first)
}

/// What the threads share.
struct Board<'a> {
    trials: &'a mut Vec<TrialRecord>,
    storage: &'a mut Option<Storage>,
    running: Vec<u64>,
    ending: Result<StudyEnding, TuneError>,
}

impl Board<'_> {
    fn ends(&mut self, ending: Result<StudyEnding, TuneError>) {
        // The first reason stays.
        if let Ok(StudyEnding::Done) = self.ending {
            self.ending = ending;
        }
    }

    /// Takes up what became of a trial.
    fn take_up(&mut self, result: Result<Option<TrialRecord>, TuneError>) {
        match result {
            Ok(None) => self.ends(Ok(StudyEnding::Interrupted)),
            Ok(Some(record)) => {
                // The trial is kept even where it cannot be written down.
                let written = self.storage.as_mut().map_or(Ok(()), |file| file.append(&record));
                let place = self.trials.partition_point(|other| other.number < record.number);
                self.trials.insert(place, record);
                if let Err(error) = written {
                    self.ends(Err(error));
                }
            }
            Err(error) => self.ends(Err(error)),
        }
    }
}

impl Study {
    /// Runs up to `jobs` trials in parallel, each on a thread; see [`optimize`](Self::optimize).
    ///
    /// A trial is drawn and pruned by the results of all earlier trials but the `jobs - 1` before it,
    /// which may still run. So the study depends on `jobs` but not on which trial ends first.
    ///
    /// # Errors
    /// As [`optimize`](Self::optimize); [`TuneError::Setting`] unless `jobs` is from 1 to 1024.
    pub fn optimize_parallel(
        &mut self,
        n_trials: u64,
        jobs: usize,
        objective: impl Fn(&mut Trial<'_>) -> Result<f64, Stop> + Sync,
    ) -> Result<StudyEnding, TuneError> {
        let jobs = check_jobs(jobs)?;
        let end = self.end(n_trials);
        let threads = jobs.min(self.missing(n_trials).count() as u64);
        let Self { config, trials, storage } = self;
        let ending = Ok(StudyEnding::Done);
        let board = Mutex::new(Board { trials, storage, running: Vec::new(), ending });
        let board = || board.lock().expect("no thread panics while it holds the lock");
        let changed = Condvar::new();
        let work = || {
            // Each thread reads the trials that its own may know, while others add theirs.
            let mut history = Vec::new();
            while let Some(number) = next(board(), &changed, end, jobs, &mut history) {
                let run = || {
                    let mut trial = Trial::new(config, &history, number)?;
                    let result = objective(&mut trial);
                    trial.finish(result)
                };
                let result = catch_unwind(AssertUnwindSafe(run));
                let mut board = board();
                board.running.retain(|other| *other != number);
                let panic = result.map(|result| board.take_up(result)).err();
                if panic.is_some() {
                    board.ends(Ok(StudyEnding::Interrupted));
                }
                drop(board);
                changed.notify_all();
                if let Some(panic) = panic {
                    resume_unwind(panic);
                }
            }
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let panics: Vec<_> =
                threads.into_iter().filter_map(|thread| thread.join().err()).collect();
            if let Some(panic) = panics.into_iter().next() {
                resume_unwind(panic);
            }
        });
        std::mem::replace(&mut board().ending, Ok(StudyEnding::Done))
    }
}

/// Waits until a trial can begin, and returns its number with what it knows; `None` if none is left.
fn next<'a, 'b: 'a>(
    mut board: MutexGuard<'a, Board<'b>>,
    changed: &Condvar,
    end: u64,
    jobs: u64,
    history: &mut Vec<TrialRecord>,
) -> Option<u64> {
    loop {
        let Ok(StudyEnding::Done) = board.ending else { return None };
        let number = missing(board.trials, end).find(|number| !board.running.contains(number))?;
        if let Some(first) = first(board.trials, known(number, jobs)) {
            history.extend_from_slice(&first[history.len()..]);
            board.running.push(number);
            return Some(number);
        }
        // One that it must know still runs: whoever has it wakes the others.
        board = changed.wait(board).expect("no thread panics while it holds the lock");
    }
}
