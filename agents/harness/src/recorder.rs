//! Records a run in its directory.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use gymnast_core::files;

use crate::{
    CheckpointDir, CheckpointError, Episode, Evaluation, EventWriter, Manifest, MetricRow, Record,
    RunIdentity, StateDict, TrainError,
    checkpoint::Newest,
    records::{CsvLog, read_first_records},
    trainer::BEST,
};

/// The directory of the checkpoints below a seed's.
pub(crate) const CHECKPOINTS: &str = "checkpoints";

/// Younger runs leave it to the system when their files reach the disk, because a sync takes longer than
/// many a short run. After a power cut soon afterwards, such a run may be damaged, which a resume says:
/// it is to be trained again.
const SYNCED_AFTER_S: f64 = 10.0;

/// Keeps a run's clock and writes its records to the run's directory.
pub struct Recorder {
    started: Instant,
    /// The seconds that earlier sessions of the run took.
    earlier_s: f64,
    /// The seconds spent on evaluations and checkpoints.
    paused_s: f64,
    files: Option<Files>,
}

struct Files {
    path: PathBuf,
    identity: RunIdentity,
    episodes: CsvLog<Episode>,
    evaluations: CsvLog<Evaluation>,
    metrics: CsvLog<MetricRow>,
    events: EventWriter,
    checkpoints: CheckpointDir,
    /// Whether the names of the directories above have been made durable.
    names_synced: bool,
}

/// A resumed run.
pub struct Resumed<T> {
    /// The recorder that continues its records.
    pub recorder: Recorder,
    /// The result of restoring its newest usable checkpoint.
    pub state: T,
    /// The evaluations before the checkpoint.
    pub evaluations: Vec<Evaluation>,
    /// Why newer checkpoints were skipped. They were set aside.
    pub damaged: Vec<CheckpointError>,
    /// The paths of checkpoints set aside: the newest two, or empty if none was skipped.
    pub set_aside: Vec<PathBuf>,
    /// Whether the event file for TensorBoard was missing, truncated or altered, and was rebuilt
    /// from the logs.
    pub is_event_file_new: bool,
}

impl<T> Resumed<T> {
    /// Returns warnings about how the run was resumed, one line each.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = passed_over(&self.damaged);
        let kept: Vec<_> = self.set_aside.iter().map(|path| path.display().to_string()).collect();
        if !kept.is_empty() {
            let kept = kept.join(" and ");
            warnings.push(format!(
                "damaged checkpoints are kept as {kept}; any older ones were deleted"
            ));
        }
        if self.is_event_file_new {
            let file = EventWriter::FILE;
            warnings.push(format!(
                "{file} was missing, truncated or altered, and was rebuilt from the logs"
            ));
        }
        warnings
    }
}

/// Why newer checkpoints than the one that is used were passed over, a line each.
pub(crate) fn passed_over(damaged: &[CheckpointError]) -> Vec<String> {
    damaged.iter().map(|error| format!("an older checkpoint is used, because {error}")).collect()
}

impl Recorder {
    /// Creates a recorder that keeps the time and writes nothing.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { started: Instant::now(), earlier_s: 0.0, paused_s: 0.0, files: None }
    }

    /// Starts a run in this directory, which is created if needed. Records and checkpoints of an
    /// earlier run in it are deleted; links in their place are errors.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn create(path: &Path, identity: &RunIdentity) -> Result<Self, TrainError> {
        files::create_dir_all(path).map_err(TrainError::file("create", path))?;
        // First, and never without it: records without it tell that it was lost.
        let checkpoints = CheckpointDir::create(path.join(CHECKPOINTS))?;
        checkpoints.empty()?;
        let best = path.join(BEST);
        files::remove_file(&best).map_err(TrainError::file("delete", &best))?;
        let files = Files {
            path: path.to_owned(),
            identity: identity.clone(),
            episodes: CsvLog::create(path)?,
            evaluations: CsvLog::create(path)?,
            metrics: CsvLog::create(path)?,
            events: EventWriter::create(path, 0.0)?,
            checkpoints,
            names_synced: false,
        };
        Ok(Self { files: Some(files), ..Self::in_memory() })
    }

    /// Resumes the run in this directory from its newest usable checkpoint and cuts off later
    /// records. Returns `None` if there is no checkpoint yet.
    ///
    /// `take_up` converts a checkpoint's state into what the caller needs. If it returns a
    /// [`CheckpointError`], the checkpoint is skipped like a damaged one and the one before is
    /// tried; `take_up` must then start afresh. Pass `Ok` to get the state unchanged.
    ///
    /// # Errors
    /// As [`CheckpointDir::newest`]; a log that is shorter than a checkpoint records, or altered,
    /// makes that checkpoint unusable. [`TrainError::NoUsableCheckpoint`] if the logs hold records
    /// and the directory of checkpoints is missing. [`TrainError::File`].
    pub fn resume<T>(
        path: &Path,
        identity: &RunIdentity,
        mut take_up: impl FnMut(StateDict) -> Result<T, TrainError>,
    ) -> Result<Option<Resumed<T>>, TrainError> {
        let checkpoints = CheckpointDir::new(path.join(CHECKPOINTS));
        let newest = checkpoints.newest(identity, |manifest, state| {
            let sum = |name: &str| manifest.logs.get(name).copied();
            CsvLog::<Episode>::check(path, sum(Episode::FILE))?;
            CsvLog::<Evaluation>::check(path, sum(Evaluation::FILE))?;
            CsvLog::<MetricRow>::check(path, sum(MetricRow::FILE))?;
            let length = sum(Evaluation::FILE).map_or(0, |sum| sum.bytes);
            let evaluations = read_first_records(path, length).map_err(|error| match error {
                TrainError::InvalidFile { path, reason } => {
                    CheckpointError::Damaged { path, reason }.into()
                }
                other => other,
            })?;
            Ok((take_up(state)?, evaluations))
        })?;
        let Some(Newest { manifest, state, damaged }) = newest else {
            expect_no_progress(path)?;
            return Ok(None);
        };
        let (state, recorded) = state;
        // Only now: as long as none was taken up, each may be needed.
        let set_aside = checkpoints.set_aside_after(manifest.env_steps)?;
        let sum = |name: &str| *manifest.logs.get(name).expect("its log was checked above");
        let (episodes, evaluations, metrics) = (
            CsvLog::reopen(path, sum(Episode::FILE))?,
            CsvLog::reopen(path, sum(Evaluation::FILE))?,
            CsvLog::reopen(path, sum(MetricRow::FILE))?,
        );
        let (sum, earlier_s) =
            (manifest.logs.get(EventWriter::FILE).copied(), manifest.wall_time_s);
        let events = EventWriter::reopen(path, sum, earlier_s)?;
        let is_event_file_new = events.is_none();
        let events = events.map_or_else(|| EventWriter::from_logs(path, earlier_s), Ok)?;
        let (path, identity) = (path.to_owned(), identity.clone());
        let files = Files {
            path,
            identity,
            episodes,
            evaluations,
            metrics,
            events,
            checkpoints,
            names_synced: false,
        };
        let recorder = Self {
            started: Instant::now(),
            earlier_s,
            paused_s: earlier_s - manifest.learning_time_s,
            files: Some(files),
        };
        let evaluations = recorded;
        Ok(Some(Resumed { recorder, state, evaluations, damaged, set_aside, is_event_file_new }))
    }

    /// Returns the run's directory, if it has one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.files.as_ref().map(|files| files.path.as_path())
    }

    /// Returns the seconds of the run, including earlier sessions.
    #[must_use]
    pub fn wall_time_s(&self) -> f64 {
        self.earlier_s + self.started.elapsed().as_secs_f64()
    }

    /// Returns the seconds of learning: [`wall_time_s`](Self::wall_time_s) without evaluations and
    /// checkpoints.
    #[must_use]
    pub fn learning_time_s(&self) -> f64 {
        self.wall_time_s() - self.paused_s
    }

    /// Does something that does not count as learning time.
    pub(crate) fn pausing<T>(&mut self, f: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let result = f();
        self.paused_s += before.elapsed().as_secs_f64();
        result
    }

    pub(crate) fn episode(&mut self, episode: &Episode) -> Result<(), TrainError> {
        let Some(files) = &mut self.files else { return Ok(()) };
        files.events.episode(episode)?;
        files.episodes.append(episode)
    }

    pub(crate) fn evaluation(&mut self, evaluation: &Evaluation) -> Result<(), TrainError> {
        let Some(files) = &mut self.files else { return Ok(()) };
        files.events.evaluation(evaluation)?;
        files.evaluations.append(evaluation)?;
        // Evaluations are what people watch while a run goes on.
        files.evaluations.flush()?;
        files.episodes.flush()?;
        files.events.flush()
    }

    pub(crate) fn metric(&mut self, row: &MetricRow) -> Result<(), TrainError> {
        let Some(files) = &mut self.files else { return Ok(()) };
        files.events.metric(row)?;
        files.metrics.append(row)
    }

    /// Writes a checkpoint that counts on the logs; first makes those durable, unless the run is young.
    pub(crate) fn checkpoint(
        &mut self,
        env_steps: u64,
        state: impl FnOnce() -> Result<StateDict, CheckpointError>,
    ) -> Result<(), TrainError> {
        let before = Instant::now();
        let (wall_time_s, learning_time_s) = (self.wall_time_s(), self.learning_time_s());
        let Some(files) = &mut self.files else { return Ok(()) };
        let logs = BTreeMap::from([
            (Episode::FILE.to_owned(), files.episodes.sum()?),
            (Evaluation::FILE.to_owned(), files.evaluations.sum()?),
            (MetricRow::FILE.to_owned(), files.metrics.sum()?),
            (EventWriter::FILE.to_owned(), files.events.sum()?),
        ]);
        let mut manifest = Manifest::new(files.identity.clone(), env_steps);
        (manifest.wall_time_s, manifest.learning_time_s) = (wall_time_s, learning_time_s);
        manifest.logs = logs;
        let durable = wall_time_s >= SYNCED_AFTER_S;
        if durable {
            files.sync()?;
        }
        files.checkpoints.save_as(&state()?, manifest, durable)?;
        self.paused_s += before.elapsed().as_secs_f64();
        Ok(())
    }
}

impl Files {
    /// Makes the logs and the names of the directories durable.
    fn sync(&mut self) -> Result<(), TrainError> {
        self.episodes.sync()?;
        self.evaluations.sync()?;
        self.metrics.sync()?;
        self.events.sync()?;
        if !self.names_synced {
            // The checkpoints' directory is new too, as are the logs beside it.
            let newest = self.path.join(CHECKPOINTS);
            files::sync_names(&newest).map_err(TrainError::file("sync", &newest))?;
            self.names_synced = true;
        }
        Ok(())
    }
}

/// Checks that a run without checkpoints was killed before its first one, and has not lost them: the
/// directory of the checkpoints is made before the logs, and its records would be overwritten.
fn expect_no_progress(path: &Path) -> Result<(), TrainError> {
    let checkpoints = path.join(CHECKPOINTS);
    if files::is_dir(&checkpoints).map_err(TrainError::file("open", &checkpoints))? {
        return Ok(());
    }
    let logs = [
        (Episode::FILE, CsvLog::<Episode>::holds_records(path)?),
        (Evaluation::FILE, CsvLog::<Evaluation>::holds_records(path)?),
        (MetricRow::FILE, CsvLog::<MetricRow>::holds_records(path)?),
    ];
    let Some((log, _)) = logs.into_iter().find(|(_, holds_records)| *holds_records) else {
        return Ok(());
    };
    let reason = format!("missing, although {log} beside it holds records");
    let reasons = vec![CheckpointError::Damaged { path: checkpoints.clone(), reason }];
    Err(TrainError::NoUsableCheckpoint { path: checkpoints, reasons })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::FileSum;

    const LOGS: [&str; 3] = [Episode::FILE, Evaluation::FILE, MetricRow::FILE];

    /// Records as after a number of env steps, then saves them.
    fn record(recorder: &mut Recorder, steps: u64) {
        let (env_step, wall_time_s, value) = (steps, 0.5, steps as f64 / 7.0);
        let episode =
            Episode { env_step, episode: steps, episode_return: value, length: 1, wall_time_s };
        let evaluation = Evaluation {
            env_step,
            wall_time_s,
            mean_return: value,
            std_return: 0.0,
            min_return: value,
            max_return: value,
            episodes: 2,
        };
        recorder.episode(&episode).unwrap();
        recorder.evaluation(&evaluation).unwrap();
        recorder
            .metric(&MetricRow { env_step, wall_time_s, metric: "loss".into(), value })
            .unwrap();
        let mut state = StateDict::new();
        state.insert("steps", &steps).unwrap();
        recorder.checkpoint(steps, || Ok(state)).unwrap();
    }

    /// A run with checkpoints after these env steps.
    fn recorded(steps: &[u64]) -> tempfile::TempDir {
        let run = tempfile::tempdir().unwrap();
        let mut recorder = Recorder::create(run.path(), &RunIdentity::default()).unwrap();
        steps.iter().for_each(|&steps| record(&mut recorder, steps));
        run
    }

    fn resume(run: &Path) -> Result<Resumed<u64>, TrainError> {
        let resumed =
            Recorder::resume(run, &RunIdentity::default(), |state| Ok(state.get("steps")?));
        Ok(resumed?.expect("it has checkpoints"))
    }

    /// Turns one bit of the first digit behind a place: neither the length nor the form tells it.
    fn alter(path: &Path, from: usize) {
        let mut bytes = fs::read(path).unwrap();
        let digit = bytes[from..].iter().position(u8::is_ascii_digit).unwrap();
        bytes[from + digit] ^= 1;
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn a_log_that_was_altered_makes_the_checkpoints_that_count_on_it_unusable() {
        let whole = recorded(&[10, 20]);
        let earlier = recorded(&[10]);
        for name in LOGS {
            let read = |run: &tempfile::TempDir| fs::read(run.path().join(name)).unwrap();
            let (first, all) = (read(&earlier), read(&whole));
            let run = recorded(&[10, 20]);
            let path = run.path().join(name);
            alter(&path, first.len());
            let mut resumed = resume(run.path()).unwrap();
            assert_eq!((resumed.state, resumed.damaged.len()), (10, 1), "{name}");
            let reason = resumed.damaged[0].to_string();
            assert!(reason.contains(name) && reason.contains("checksum"), "{reason}");
            assert_eq!(fs::read(&path).unwrap(), first);
            // Gone on with, it ends as a run that nobody touched.
            record(&mut resumed.recorder, 20);
            drop(resumed);
            assert_eq!(fs::read(&path).unwrap(), all);
            assert_eq!(resume(run.path()).unwrap().state, 20);
            // Where each checkpoint counts on it none can be used, and nothing is cut off.
            alter(&path, first.iter().position(|&byte| byte == b'\n').unwrap());
            let altered = fs::read(&path).unwrap();
            let error = resume(run.path()).err().unwrap();
            assert!(matches!(error, TrainError::NoUsableCheckpoint { .. }), "{error}");
            let reasons = error.to_string();
            assert_eq!(reasons.matches("altered: its checksum differs").count(), 2, "{reasons}");
            assert_eq!(fs::read(&path).unwrap(), altered);
        }
    }

    #[test]
    fn the_sums_are_those_of_the_files_also_after_a_run_was_taken_up() {
        let run = recorded(&[10]);
        let mut resumed = resume(run.path()).unwrap();
        record(&mut resumed.recorder, 20);
        drop(resumed);
        let checkpoints = CheckpointDir::new(run.path().join(CHECKPOINTS));
        let newest = checkpoints.newest(&RunIdentity::default(), |_, _| Ok(())).unwrap().unwrap();
        assert_eq!(newest.manifest.logs.len(), 4);
        for (name, sum) in newest.manifest.logs {
            let bytes = fs::read(run.path().join(&name)).unwrap();
            assert_eq!(sum, FileSum::of(&bytes), "{name}");
        }
    }
}
