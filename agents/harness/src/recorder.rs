//! Where a run's records go.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use crate::{
    CheckpointDir, CheckpointError, Episode, Evaluation, EventWriter, MetricRow, Record, StateDict,
    TrainError, read_records, records::CsvLog,
};

/// The directory of the checkpoints below a seed's.
pub(crate) const CHECKPOINTS: &str = "checkpoints";

/// Keeps a run's clock and writes what it is told to the run's directory.
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
    episodes: CsvLog<Episode>,
    evaluations: CsvLog<Evaluation>,
    metrics: CsvLog<MetricRow>,
    events: EventWriter,
    checkpoints: CheckpointDir,
}

/// A run taken up again.
pub struct Resumed {
    /// Where its records go on.
    pub recorder: Recorder,
    /// Its last whole checkpoint.
    pub state: StateDict,
    /// The evaluations up to there.
    pub evaluations: Vec<Evaluation>,
    /// Why newer checkpoints were passed over.
    pub damaged: Vec<CheckpointError>,
}

impl Recorder {
    /// Keeps the time and writes nothing.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { started: Instant::now(), earlier_s: 0.0, paused_s: 0.0, files: None }
    }

    /// Begins a run in this directory, which is made if it is not there. Files of an earlier run
    /// in it are replaced.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn create(path: &Path) -> Result<Self, TrainError> {
        std::fs::create_dir_all(path).map_err(TrainError::file("create", path))?;
        let checkpoints = CheckpointDir::new(path.join(CHECKPOINTS));
        checkpoints.delete_all()?;
        let files = Files {
            path: path.to_owned(),
            episodes: CsvLog::create(path)?,
            evaluations: CsvLog::create(path)?,
            metrics: CsvLog::create(path)?,
            events: EventWriter::create(path)?,
            checkpoints,
        };
        Ok(Self { files: Some(files), ..Self::in_memory() })
    }

    /// Takes up the run in this directory from its newest whole checkpoint; what was recorded
    /// after it is cut off. `None` where there is no checkpoint yet.
    ///
    /// # Errors
    /// [`TrainError::File`]; [`TrainError::InvalidFile`] where a log lost what the checkpoint
    /// counted on.
    pub fn resume(path: &Path) -> Result<Option<Resumed>, TrainError> {
        let checkpoints = CheckpointDir::new(path.join(CHECKPOINTS));
        let newest = checkpoints.newest_good()?;
        let Some((manifest, state)) = newest.good else { return Ok(None) };
        checkpoints.delete_after(manifest.env_steps)?;
        let length = |name: &str| manifest.logs.get(name).copied().unwrap_or(0);
        let files = Files {
            path: path.to_owned(),
            episodes: CsvLog::reopen(path, length(Episode::FILE))?,
            evaluations: CsvLog::reopen(path, length(Evaluation::FILE))?,
            metrics: CsvLog::reopen(path, length(MetricRow::FILE))?,
            events: EventWriter::reopen(path, length(EventWriter::FILE))?,
            checkpoints,
        };
        let evaluations = read_records(path)?;
        let recorder = Self {
            started: Instant::now(),
            earlier_s: manifest.wall_time_s,
            paused_s: manifest.wall_time_s - manifest.learning_time_s,
            files: Some(files),
        };
        Ok(Some(Resumed { recorder, state, evaluations, damaged: newest.damaged }))
    }

    /// The run's directory, where it has one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.files.as_ref().map(|files| files.path.as_path())
    }

    /// The seconds that the run has taken, those of earlier sessions included.
    #[must_use]
    pub fn wall_time_s(&self) -> f64 {
        self.earlier_s + self.started.elapsed().as_secs_f64()
    }

    /// The seconds of [`wall_time_s`](Self::wall_time_s) without evaluations and checkpoints.
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
        files.events.scalar("train/return", episode.env_step, episode.episode_return)?;
        files.episodes.append(episode)
    }

    pub(crate) fn evaluation(&mut self, evaluation: &Evaluation) -> Result<(), TrainError> {
        let Some(files) = &mut self.files else { return Ok(()) };
        files.events.scalar("eval/mean_return", evaluation.env_step, evaluation.mean_return)?;
        files.evaluations.append(evaluation)?;
        // Evaluations are what people watch while a run goes on.
        files.evaluations.flush()?;
        files.episodes.flush()?;
        files.events.flush()
    }

    pub(crate) fn metric(&mut self, row: &MetricRow) -> Result<(), TrainError> {
        let Some(files) = &mut self.files else { return Ok(()) };
        files.events.scalar(&format!("train/{}", row.metric), row.env_step, row.value)?;
        files.metrics.append(row)
    }

    /// Makes the logs durable, then writes a checkpoint that counts on them.
    pub(crate) fn checkpoint(
        &mut self,
        env_steps: u64,
        state: impl FnOnce() -> Result<StateDict, CheckpointError>,
    ) -> Result<(), TrainError> {
        let before = Instant::now();
        let clock = (self.wall_time_s(), self.learning_time_s());
        let Some(files) = &mut self.files else { return Ok(()) };
        let logs = BTreeMap::from([
            (Episode::FILE.to_owned(), files.episodes.sync()?),
            (Evaluation::FILE.to_owned(), files.evaluations.sync()?),
            (MetricRow::FILE.to_owned(), files.metrics.sync()?),
            (EventWriter::FILE.to_owned(), files.events.sync()?),
        ]);
        files.checkpoints.save(&state()?, env_steps, clock, logs)?;
        self.paused_s += before.elapsed().as_secs_f64();
        Ok(())
    }
}
