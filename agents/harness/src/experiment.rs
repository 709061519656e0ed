//! The same training over several seeds, in parallel, in a directory that anyone can read.

use std::{
    fs::{self, File, TryLockError},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use gymnast_core::atomic_file;
use gymnast_envs::{Seed, Space};

use crate::{
    Callback, CheckpointDir, Ending, Episode, Evaluation, EventWriter, MetricRow, Plan,
    ProgressBars, Record as _, Recorder, Setup, StopOnInterrupt, Summary, TrainError, Training,
    recorder::CHECKPOINTS, train,
};

const CONFIG: &str = "config.toml";
const SUMMARY: &str = "summary.json";
/// Held while a process trains; also the mark of a directory that a run made.
const LOCK: &str = ".gymnast.lock";

/// What to do with a run that the directory holds already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Leave it and return an error.
    #[default]
    Refuse,
    /// Delete what it made and start anew. Files that no run makes are left.
    Replace,
    /// Continue it: finished seeds are left, others go on from their last checkpoint.
    Resume,
}

/// One training, repeated over seeds.
///
/// The directory holds `config.toml` and one sub-directory a seed, `seed-0`, `seed-1`, …, each
/// with its records, checkpoints and, once it has ended, `summary.json`.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// The directory.
    pub dir: PathBuf,
    /// The training.
    pub training: Training,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// How many seeds train at the same time.
    pub jobs: usize,
    /// What to do with a run that the directory holds already.
    pub existing: Existing,
    /// Where progress is shown.
    pub progress: ProgressBars,
}

/// The directory of one seed of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedDir {
    /// The seed.
    pub seed: u64,
    /// The directory.
    pub path: PathBuf,
}

impl SeedDir {
    /// The directory of a seed below a run's.
    #[must_use]
    pub fn below(run: &Path, seed: u64) -> Self {
        Self { seed, path: run.join(format!("seed-{seed}")) }
    }

    /// The seeds that a run's directory holds records of, in order.
    ///
    /// # Errors
    /// [`TrainError::NoRun`] where the directory holds no run.
    pub fn list(run: &Path) -> Result<Vec<Self>, TrainError> {
        let no_run = || TrainError::NoRun { path: run.to_owned() };
        if !run.join(CONFIG).is_file() {
            return Err(no_run());
        }
        let entries = fs::read_dir(run).map_err(TrainError::file("list", run))?;
        let mut seeds = Vec::new();
        for entry in entries {
            let name = entry.map_err(TrainError::file("list", run))?.file_name();
            let seed = name.to_str().and_then(|name| name.strip_prefix("seed-")?.parse().ok());
            seeds.extend(seed.map(|seed| Self::below(run, seed)));
        }
        // What somebody keeps beside a run's files may look like a seed without being one.
        seeds.retain(|dir| dir.path.join(Evaluation::FILE).is_file());
        seeds.sort_unstable_by_key(|dir| dir.seed);
        Ok(seeds)
    }

    /// How the seed's training ended; `None` where it has not.
    ///
    /// # Errors
    /// [`TrainError::InvalidFile`] where the summary is damaged.
    pub fn summary(&self) -> Result<Option<Summary>, TrainError> {
        let path = self.path.join(SUMMARY);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(TrainError::file("read", &path))?,
        };
        let summary = serde_json::from_slice(&text);
        let invalid = |error: serde_json::Error| TrainError::InvalidFile {
            path,
            reason: format!("{error}: delete it and continue the run with --resume"),
        };
        summary.map(Some).map_err(invalid)
    }

    /// The checkpoints of the seed.
    #[must_use]
    pub fn checkpoints(&self) -> CheckpointDir {
        CheckpointDir::new(self.path.join(CHECKPOINTS))
    }

    /// Deletes what a run made here, and the directory where nothing else is left in it.
    fn clear(&self) -> Result<(), TrainError> {
        self.checkpoints().delete_all()?;
        let files = [SUMMARY, Episode::FILE, Evaluation::FILE, MetricRow::FILE, EventWriter::FILE];
        for path in files.map(|name| self.path.join(name)) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                result => result.map_err(TrainError::file("delete", &path))?,
            }
        }
        // Fails where somebody keeps something else there, which then stays.
        let _ = fs::remove_dir(&self.path);
        Ok(())
    }
}

impl Experiment {
    /// Trains every seed and returns what each came to, in the seeds' order.
    ///
    /// `config` is the text of `config.toml`; `make` makes the agent and environments of one seed.
    ///
    /// # Errors
    /// [`TrainError::RunExists`] and [`TrainError::NoRun`] as [`Existing`] says; else the first
    /// error of a seed, after the others have ended.
    pub fn run<O: Space, A: Space>(
        &self,
        config: &str,
        make: impl Fn(&Plan) -> Result<Setup<O, A>, TrainError> + Sync,
    ) -> Result<Vec<Summary>, TrainError> {
        self.training.check()?;
        let _lock = self.prepare(config)?;
        let results: Vec<_> = self.seeds.iter().map(|_| Mutex::new(None)).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some(i) =
                Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&i| i < results.len())
            {
                let result = self.run_seed(self.seeds[i], &make);
                *results[i].lock().expect("no thread panics while it holds the lock") =
                    Some(result);
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.clamp(1, self.seeds.len().max(1)) {
                scope.spawn(work);
            }
        });
        let result = |cell: Mutex<Option<_>>| {
            let result = cell.into_inner().expect("no thread panics while it holds the lock");
            result.expect("every seed was worked on")
        };
        results.into_iter().map(result).collect()
    }

    fn run_seed<O: Space, A: Space>(
        &self,
        seed: u64,
        make: &(impl Fn(&Plan) -> Result<Setup<O, A>, TrainError> + Sync),
    ) -> Result<Summary, TrainError> {
        let dir = SeedDir::below(&self.dir, seed);
        match dir.summary() {
            Ok(Some(summary)) if summary.ending != Ending::Stopped => return Ok(summary),
            // The end of the run makes it anew.
            Err(error @ TrainError::InvalidFile { .. }) if self.existing == Existing::Resume => {
                self.progress
                    .warn(&format!("seed {seed}: goes on without its summary, since {error}"));
            }
            summary => drop(summary?),
        }
        let Training { env_steps, num_envs, .. } = self.training;
        let plan = Plan { seed: Seed::new(seed), num_envs, env_steps };
        let mut setup = make(&plan)?;
        let resumed = match self.existing {
            Existing::Resume => Recorder::resume(&dir.path)?,
            _ => None,
        };
        let (recorder, state) = match resumed {
            Some(resumed) => {
                for error in &resumed.damaged {
                    let line = format!("seed {seed}: an older checkpoint is used, since {error}");
                    self.progress.warn(&line);
                }
                (resumed.recorder, Some((resumed.state, resumed.evaluations)))
            }
            None => (Recorder::create(&dir.path)?, None),
        };
        let mut bar = self.progress.begin(seed, env_steps);
        let mut interrupt = StopOnInterrupt::install();
        let callbacks: &mut [&mut dyn Callback] = &mut [&mut interrupt, &mut bar];
        let summary = train(&mut setup, &self.training, plan.seed, recorder, state, callbacks)?;
        self.progress.finish(seed, &bar, &summary);
        if !summary.learned && summary.ending != Ending::Stopped {
            self.progress.warn(&format!(
                "seed {seed}: nothing was learned: the agent made no update in {} env steps",
                summary.env_steps
            ));
        }
        let text = serde_json::to_vec_pretty(&summary).expect("a summary is plain data");
        atomic_file::write(&dir.path.join(SUMMARY), &text)?;
        Ok(summary)
    }

    /// Makes the directory ready, and its own as long as the lock lives.
    fn prepare(&self, config: &str) -> Result<File, TrainError> {
        let dir = &self.dir;
        if self.existing == Existing::Resume {
            if !dir.join(CONFIG).is_file() {
                return Err(TrainError::NoRun { path: dir.clone() });
            }
            return self.lock();
        }
        fs::create_dir_all(dir).map_err(TrainError::file("create", dir))?;
        let mut names = Vec::new();
        for entry in fs::read_dir(dir).map_err(TrainError::file("list", dir))? {
            let name = entry.map_err(TrainError::file("list", dir))?.file_name();
            names.push(name.to_string_lossy().into_owned());
        }
        // A process that was killed before it wrote the configuration leaves these.
        let half = |name: &str| name.starts_with(".config.toml.") && name.ends_with(".tmp");
        let is_empty = names.iter().all(|name| name == LOCK || half(name));
        let is_run = [CONFIG, LOCK].iter().all(|name| names.iter().any(|other| other == name));
        if !is_empty && !is_run {
            return Err(TrainError::NotEmpty { path: dir.clone() });
        }
        if !is_empty && self.existing == Existing::Refuse {
            return Err(TrainError::RunExists { path: dir.clone() });
        }
        let lock = self.lock()?;
        if !is_empty {
            for seed in SeedDir::list(dir)? {
                seed.clear()?;
            }
        }
        atomic_file::write(&dir.join(CONFIG), config.as_bytes())?;
        Ok(lock)
    }

    fn lock(&self) -> Result<File, TrainError> {
        let path = self.dir.join(LOCK);
        let file = File::create(&path).map_err(TrainError::file("create", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::Error(error)) => Err(TrainError::file("lock", &path)(error)),
            Err(TryLockError::WouldBlock) => {
                let reason = "another process is training in this directory".to_owned();
                Err(TrainError::InvalidFile { path: self.dir.clone(), reason })
            }
        }
    }
}
