//! A study that several processes work on.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use super::parallel::{check_jobs, first, known};
use super::storage::{Storage, is_held};
use super::study::missing;
use super::{Stop, Study, StudyConfig, StudyEnding, Trial, TrialRecord, TuneError};
use crate::locks::{self, Claim};

/// How often it is asked whether another process lets go of the study, and how many times.
const PAUSE: Duration = Duration::from_millis(20);
const MOST_PAUSES: u32 = 1500;
/// How often it is asked whether another process has ended a trial: soon, and then less often.
const WAITS: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(2)];

/// A study that any number of processes work on, also on several machines that share its folder and
/// the operating system's locks.
///
/// Each trial is run by one process at a time. It holds a lock, which the system lets go of when the
/// process ends, however it ends; the trial is then run again by another. The trials are those that
/// one process with as many `jobs` runs, bit for bit ([`Study::optimize_parallel`]).
///
/// ```no_run
/// use gymnast_core::tune::{Scale, SharedStudy, StudyConfig};
///
/// let mut shared = SharedStudy::join("study.jsonl".as_ref(), StudyConfig::default())?;
/// shared.optimize(60, 10, || true, |trial| {
///     let rate = trial.suggest_float("rate", 1e-5, 1.0, Scale::Log)?;
///     Ok((rate.log10() + 2.0).powi(2))
/// })?;
/// println!("{:?}", shared.study().best());
/// # Ok::<(), gymnast_core::tune::TuneError>(())
/// ```
#[derive(Debug)]
pub struct SharedStudy {
    study: Study,
    storage: Storage,
    path: PathBuf,
}

impl SharedStudy {
    /// Opens the study of a file beside other processes, or begins it. A process that has opened it
    /// alone ([`Study::create`], [`Study::resume`]) is waited for, for half a minute.
    ///
    /// # Errors
    /// As [`Study::create`] and [`Study::resume`]; [`TuneError::OtherStudy`] if the file's study has
    /// other settings.
    pub fn join(path: &Path, config: StudyConfig) -> Result<Self, TuneError> {
        config.check()?;
        let mut storage = Storage::open_or_create(path)?;
        for _ in 0..MOST_PAUSES {
            if storage.hold(File::try_lock_shared)?.is_some() {
                if !storage.is_before_header()? {
                    let (saved, trials) = at_a_time(path, || storage.read_all())?;
                    if saved != config {
                        return Err(TuneError::OtherStudy(path.to_owned()));
                    }
                    let study = Study { config, trials, storage: None };
                    return Ok(Self { study, storage, path: path.to_owned() });
                }
                storage.release()?;
            }
            if storage.hold(File::try_lock)?.is_some() {
                // Another process may have begun it in between.
                if storage.is_before_header()? {
                    storage.write_header(&config)?;
                }
                storage.release()?;
                storage = Storage::open_or_create(path)?;
            } else {
                sleep(PAUSE);
            }
        }
        Err(is_held(path))
    }

    /// Returns the numbers of the trials that processes run now, with the
    /// [holder](locks::holder) of each, in order. Looks only, and works for every study's file.
    ///
    /// # Errors
    /// [`TuneError::File`].
    pub fn running(path: &Path) -> Result<Vec<(u64, String)>, TuneError> {
        let error =
            |action| move |source| TuneError::File { action, path: path.to_owned(), source };
        let mut running = Vec::new();
        for (number, lock) in trial_locks(path).map_err(error("list the folder of"))? {
            let holder = locks::holder(&lock).map_err(error("look at a lock of"))?;
            running.extend(holder.map(|holder| (number, holder)));
        }
        running.sort_unstable();
        Ok(running)
    }

    /// Returns the study as this process last saw it. At the end of
    /// [`optimize`](Self::optimize) it is whole.
    pub fn study(&self) -> &Study {
        &self.study
    }

    /// Runs trials, one at a time, until the study has `n_trials`, those of all processes and failed
    /// ones included. All processes must give the same `jobs`, the most trials that run at once.
    ///
    /// Trials that other processes run are waited for, and taken over should these end before they do.
    /// Every two seconds or more often a process that waits asks `waits` whether to go on.
    ///
    /// # Errors
    /// As [`Study::optimize`]; [`TuneError::Setting`] unless `jobs` is from 1 to 1024.
    pub fn optimize(
        &mut self,
        n_trials: u64,
        jobs: usize,
        waits: impl Fn() -> bool,
        mut objective: impl FnMut(&mut Trial<'_>) -> Result<f64, Stop>,
    ) -> Result<StudyEnding, TuneError> {
        let jobs = check_jobs(jobs)?;
        let end = self.study.end(n_trials);
        let mut pause = WAITS[0];
        loop {
            self.refresh()?;
            if missing(&self.study.trials, end).next().is_none() {
                self.tidy()?;
                return Ok(StudyEnding::Done);
            }
            let Some((number, claim)) = self.claim(end, jobs)? else {
                if !waits() {
                    return Ok(StudyEnding::Interrupted);
                }
                sleep(pause);
                pause = (2 * pause).min(WAITS[1]);
                continue;
            };
            pause = WAITS[0];
            // Another process may have ended it before this one claimed it.
            self.refresh()?;
            if self.trial(number).is_none() {
                let history = first(&self.study.trials, known(number, jobs));
                let history = history.expect("a trial is claimed after those that it knows");
                let mut trial = Trial::new(&self.study.config, history, number)?;
                let result = objective(&mut trial);
                let Some(record) = trial.finish(result)? else {
                    return Ok(StudyEnding::Interrupted);
                };
                self.append(record)?;
            }
            claim.finish().map_err(self.error("delete a lock of"))?;
        }
    }

    /// Claims the first trial that no process runs and whose predecessors have ended as far as it must
    /// know them; `None` if there is none.
    fn claim(&self, end: u64, jobs: u64) -> Result<Option<(u64, Claim)>, TuneError> {
        let trials = &self.study.trials;
        for number in missing(trials, end) {
            if first(trials, known(number, jobs)).is_none() {
                break;
            }
            let name = lock_name(&self.path, &format!("trial-{number}.lock"));
            let lock = self.path.with_file_name(name);
            if let Some(claim) = Claim::take(&lock).map_err(self.error("lock a trial of"))? {
                return Ok(Some((number, claim)));
            }
        }
        Ok(None)
    }

    /// Takes up the trials that other processes have ended.
    fn refresh(&mut self) -> Result<(), TuneError> {
        let Self { study, storage, path } = self;
        at_a_time(path, || storage.read_new(&mut study.trials).and_then(|()| storage.cut()))
    }

    /// Writes down a trial. If another process has run it too, because the lock was deleted by hand, that
    /// one's record stays.
    fn append(&mut self, record: TrialRecord) -> Result<(), TuneError> {
        let Self { study: Study { trials, .. }, storage, path } = self;
        at_a_time(path, || {
            storage.read_new(trials)?;
            storage.cut()?;
            match trials.binary_search_by_key(&record.number, |other| other.number) {
                Ok(_) => Ok(()),
                Err(place) => {
                    storage.append(&record)?;
                    trials.insert(place, record);
                    Ok(())
                }
            }
        })
    }

    /// Deletes the locks of processes that were killed after the end of their trial.
    fn tidy(&self) -> Result<(), TuneError> {
        for (_, lock) in trial_locks(&self.path).map_err(self.error("list the folder of"))? {
            if let Some(claim) = Claim::take(&lock).map_err(self.error("lock a trial of"))? {
                claim.finish().map_err(self.error("delete a lock of"))?;
            }
        }
        Ok(())
    }

    fn trial(&self, number: u64) -> Option<&TrialRecord> {
        let trials = &self.study.trials;
        trials.binary_search_by_key(&number, |trial| trial.number).ok().map(|at| &trials[at])
    }

    fn error(&self, action: &'static str) -> impl Fn(io::Error) -> TuneError + use<> {
        let path = self.path.clone();
        move |source| TuneError::File { action, path: path.clone(), source }
    }
}

/// Reads or writes the file while no other process does.
fn at_a_time<T>(path: &Path, work: impl FnOnce() -> Result<T, TuneError>) -> Result<T, TuneError> {
    let error = |source| TuneError::File { action: "lock", path: path.to_owned(), source };
    let _lock = locks::wait(&path.with_file_name(lock_name(path, "lock"))).map_err(error)?;
    work()
}

/// The locks of trials that lie beside a study's file, with the trials' numbers.
fn trial_locks(path: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let before = lock_name(path, "trial-");
    let mut locks = Vec::new();
    for entry in std::fs::read_dir(folder.unwrap_or(Path::new(".")))? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name
            .to_str()
            .and_then(|name| name.strip_prefix(&before)?.strip_suffix(".lock")?.parse().ok());
        locks.extend(number.map(|number| (number, entry.path())));
    }
    Ok(locks)
}

/// The name of a lock, after a dot and the file's name: `.study.jsonl.lock`, `.study.jsonl.trial-7.lock`.
fn lock_name(path: &Path, rest: &str) -> String {
    format!(".{}.{rest}", path.file_name().unwrap_or_default().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::tune::{Pruner, Scale, SuccessiveHalving};

    fn config(seed: u64) -> StudyConfig {
        let halving = SuccessiveHalving { min_resource: 1, reduction_factor: 2 };
        StudyConfig { pruner: Pruner::SuccessiveHalving(halving), seed, ..Default::default() }
    }

    fn objective(trial: &mut Trial<'_>) -> Result<f64, Stop> {
        let x = trial.suggest_float("x", -1.0, 1.0, Scale::Linear)?;
        for step in 1..4 {
            trial.report(step, x * x * step as f64);
            if trial.should_prune() {
                return Err(Stop::Pruned);
            }
        }
        // The later ones end first.
        sleep(Duration::from_millis(3 * (4 - trial.number() % 4)));
        Ok(x * x)
    }

    fn go_on() -> bool {
        true
    }

    #[test]
    fn processes_together_run_the_trials_of_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        let mut alone = Study::new(config(3)).unwrap();
        alone.optimize_parallel(30, 4, objective).unwrap();
        let (runs, killed) = (AtomicU32::new(0), AtomicU32::new(0));
        // Locks are those of open files, so that threads stand for processes.
        std::thread::scope(|scope| {
            for i in 0..6 {
                let (path, alone, runs, killed) = (&path, &alone, &runs, &killed);
                scope.spawn(move || {
                    let mut shared = SharedStudy::join(path, config(3)).unwrap();
                    let mut left = 5;
                    let run = |trial: &mut Trial<'_>| {
                        runs.fetch_add(1, Ordering::Relaxed);
                        left -= 1;
                        // Some end at work: others take over.
                        if i % 2 == 0 && left == 0 {
                            killed.fetch_add(1, Ordering::Relaxed);
                            return Err(Stop::Interrupted);
                        }
                        objective(trial)
                    };
                    let ending = shared.optimize(30, 4, go_on, run).unwrap();
                    if ending == StudyEnding::Done {
                        assert_eq!(shared.study().trials(), alone.trials());
                    }
                });
            }
        });
        assert_eq!(runs.into_inner(), 30 + killed.into_inner());
        let study = Study::resume(&path).unwrap();
        assert_eq!(study.trials(), alone.trials());
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(names, [".study.jsonl.lock", "study.jsonl"]);
    }

    #[test]
    fn a_claim_damaged_by_hand_doubles_no_trial() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        fs::write(folder.path().join(".study.jsonl.trial-1.lock"), "mine, says nobody").unwrap();
        let mut first = SharedStudy::join(&path, config(0)).unwrap();
        let mut second = SharedStudy::join(&path, config(0)).unwrap();
        let ending = first.optimize(4, 1, go_on, |trial| {
            if trial.number() == 2 {
                fs::remove_file(folder.path().join(".study.jsonl.trial-2.lock")).unwrap();
                second.optimize(3, 1, go_on, objective).unwrap();
            }
            objective(trial)
        });
        assert_eq!(ending.unwrap(), StudyEnding::Done);
        let study = Study::resume(&path);
        assert!(study.is_err(), "it is open");
        drop((first, second));
        let numbers: Vec<u64> =
            Study::resume(&path).unwrap().trials().iter().map(|trial| trial.number).collect();
        assert_eq!(numbers, [0, 1, 2, 3]);
    }

    #[test]
    fn other_settings_and_foreign_files_are_refused_and_half_a_line_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        fs::write(&path, "{\"study_f").unwrap();
        let mut shared = SharedStudy::join(&path, config(0)).unwrap();
        shared.optimize(2, 1, go_on, objective).unwrap();
        let other = SharedStudy::join(&path, config(1)).unwrap_err();
        assert!(matches!(other, TuneError::OtherStudy(_)), "{other}");
        // A process was killed while it wrote.
        let whole = fs::read_to_string(&path).unwrap();
        fs::write(&path, whole.clone() + "{\"number\":2,").unwrap();
        shared.optimize(3, 1, go_on, objective).unwrap();
        assert_eq!(shared.study().trials().len(), 3);
        // Lines are gone.
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let gone = shared.optimize(4, 1, go_on, objective).unwrap_err().to_string();
        assert!(gone.contains("are gone: put them back"), "{gone}");
        drop(shared);
        fs::write(&path, "mine").unwrap();
        assert!(matches!(SharedStudy::join(&path, config(0)), Err(TuneError::Damaged { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }

    #[test]
    fn waiting_ends_when_asked() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        let mut first = SharedStudy::join(&path, config(0)).unwrap();
        let mut second = SharedStudy::join(&path, config(0)).unwrap();
        first
            .optimize(1, 1, go_on, |trial| {
                let asked = AtomicU32::new(0);
                let waits = || asked.fetch_add(1, Ordering::Relaxed) < 3;
                let ending = second.optimize(1, 1, waits, |_| panic!("another process has it"));
                assert_eq!(ending.unwrap(), StudyEnding::Interrupted);
                assert_eq!(asked.into_inner(), 4);
                objective(trial)
            })
            .unwrap();
    }
}
