//! Experiments: the same training over several seeds, in parallel, recorded in a directory.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, Mutex},
    thread::sleep,
};

use gymnast_envs::Space;
use toml::Table;

use crate::{
    Callback, Ending, Evaluation, Flow, Interrupt, Plan, Progress, ProgressDisplay, Recorder,
    RunIdentity, SeedDir, Setup, StateDict, Summary, TrainError, Training, catch_seed_panic,
    run_directory::{self, Claimed},
};

/// What to do if the directory already holds a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Existing {
    /// Return an error and change nothing.
    #[default]
    Refuse,
    /// Delete the run's files and start anew. Other files are kept.
    Replace,
    /// Continue it: finished seeds are kept, others continue from their last checkpoint.
    Resume,
    /// Continue it if there is one, else begin it: for several processes that work on one run.
    Join,
}

/// A training repeated over seeds.
///
/// The directory holds `config.toml` and a subdirectory for each seed, `seed-0`, `seed-1`, …, with
/// its records, checkpoints and, after it has ended, `summary.json`.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// The directory.
    pub dir: PathBuf,
    /// The settings of the training.
    pub training: Training,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// Values of newer settings that the configuration of an older run may lack.
    pub defaults: Table,
    /// The number of seeds that train in parallel.
    pub jobs: usize,
    /// What to do if the directory already holds a run.
    pub existing: Existing,
    /// The progress bars.
    pub progress: Arc<dyn ProgressDisplay>,
}

/// How a seed of a run stands before it is trained.
pub(crate) enum Standing {
    /// Its training has ended.
    Finished(Summary),
    /// It was stopped, or not begun.
    Open(Option<Summary>),
    /// Its summary is damaged, for this reason. The end of the training makes it anew.
    Damaged(TrainError),
}

/// The env steps that a training has taken, those that it goes back over included.
struct Reached(u64);

impl Callback for Reached {
    fn on_step(&mut self, progress: &Progress) -> Flow {
        self.0 = progress.env_steps;
        Flow::Continue
    }
}

impl Experiment {
    /// Trains every seed and returns each seed's result, in the order of the seeds. If the process
    /// is [asked to end](Interrupt), each seed that trains is saved, and its summary says so.
    ///
    /// `config` is the text of `config.toml`; `make` creates the agent and environments of one
    /// seed, for every attempt anew.
    ///
    /// A [resumed](Existing::Resume) run must have the same configuration except for the seeds: new
    /// seeds are added to the directory, other seeds in it are left alone. Any number of processes may
    /// resume or [join](Existing::Join) a run at once, also on several machines that share the
    /// directory and its locks: each seed is trained by one of them. Those that another process trains
    /// are waited for, and taken over should it end before they do.
    ///
    /// # Errors
    /// [`TrainError::RunExists`] and [`TrainError::NoRun`], depending on [`Existing`];
    /// [`TrainError::OtherConfiguration`]; [`TrainError::SeedsFailed`] if seeds failed, also by a
    /// panic, after the others have ended: it holds the others' results.
    pub fn run<O: Space, A: Space>(
        &self,
        config: &str,
        make: impl Fn(&Plan) -> Result<Setup<O, A>, TrainError> + Sync,
    ) -> Result<Vec<Summary>, TrainError> {
        self.training.check()?;
        let claimed = run_directory::claim(self, config)?;
        let results: Vec<_> = self.seeds.iter().map(|_| Mutex::new(None)).collect();
        let queue = Mutex::new((0..self.seeds.len()).map(|i| (i, false)).collect::<VecDeque<_>>());
        let queue = || queue.lock().expect("no thread panics while it holds the lock");
        let work = || loop {
            let next = queue().pop_front();
            let Some((i, was_busy)) = next else { break };
            let seed = self.seeds[i];
            let result = catch_seed_panic(seed, || self.run_seed(seed, &claimed, &make));
            if let Some(result) = result.transpose() {
                *results[i].lock().expect("no thread panics while it holds the lock") =
                    Some(result);
                continue;
            }
            if !was_busy {
                self.progress.warn(&format!("seed {seed}: another process trains it"));
            }
            queue().push_back((i, true));
            sleep(run_directory::BUSY_PAUSE);
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
        gather(&self.seeds, results.into_iter().map(result))
    }

    /// Makes the directory ready as [`run`](Self::run) does, and trains nothing.
    ///
    /// # Errors
    /// As [`run`](Self::run), but for [`TrainError::SeedsFailed`].
    pub fn begin_run(&self, config: &str) -> Result<(), TrainError> {
        self.training.check()?;
        run_directory::claim(self, config).map(drop)
    }

    /// Trains one seed, which need not be in `seeds`, and returns its result; `None`, at once, if another
    /// process or thread trains it. `config` and `make` are as for [`run`](Self::run).
    ///
    /// # Errors
    /// As [`run`](Self::run), but for [`TrainError::SeedsFailed`].
    pub fn run_one<O: Space, A: Space>(
        &self,
        config: &str,
        seed: u64,
        make: impl Fn(&Plan) -> Result<Setup<O, A>, TrainError> + Sync,
    ) -> Result<Option<Summary>, TrainError> {
        self.training.check()?;
        let claimed = run_directory::claim(self, config)?;
        catch_seed_panic(seed, || self.run_seed(seed, &claimed, &make))
    }

    /// Trains a seed; `None` if another process does.
    fn run_seed<O: Space, A: Space>(
        &self,
        seed: u64,
        claimed: &Claimed,
        make: &(impl Fn(&Plan) -> Result<Setup<O, A>, TrainError> + Sync),
    ) -> Result<Option<Summary>, TrainError> {
        claimed.check()?;
        let Some(own) = claimed.seed(seed)? else {
            return Ok(Interrupt::requested().then(Summary::not_begun));
        };
        let (dir, identity, standing) = self.open(seed, claimed)?;
        match standing {
            Standing::Finished(summary) => {
                claimed.finish(seed, own)?;
                return Ok(Some(summary));
            }
            Standing::Damaged(error) => self
                .progress
                .warn(&format!("seed {seed}: continues without its summary, because {error}")),
            Standing::Open(stopped) if Interrupt::requested() => {
                // Not begun, or stopped earlier: it stays as it is.
                return Ok(Some(stopped.unwrap_or_else(Summary::not_begun)));
            }
            Standing::Open(_) => {}
        }
        let begun = self.begin(&dir, &identity, |state| {
            let mut setup = make(&self.training.plan(seed))?;
            let start = setup.trainer(&self.training, seed).start(state.as_ref())?;
            Ok((setup, start))
        })?;
        for warning in &begun.warnings {
            self.progress.warn(&format!("seed {seed}: {warning}"));
        }
        let (mut setup, start) = begun.with;
        let mut bar = self.progress.begin(seed, self.training.env_steps);
        let (mut reached, mut interrupt) = (Reached(0), Interrupt);
        let summary = setup
            .trainer(&self.training, seed)
            .callback(&mut interrupt)
            .callback(&mut *bar)
            .callback(&mut reached)
            .go_on(begun.recorder, start, begun.evaluations)?;
        bar.finish(&summary);
        if !summary.learned && summary.ending != Ending::Stopped {
            self.progress.warn(&format!(
                "seed {seed}: nothing was learned: the agent made no update in {} env steps",
                summary.env_steps
            ));
        }
        if reached.0 > summary.env_steps {
            self.progress.warn(&format!(
                "seed {seed}: a long update was abandoned: env steps {} to {} will be repeated",
                summary.env_steps, reached.0
            ));
        }
        claimed.check()?;
        dir.write_summary(&summary, &identity)?;
        claimed.finish(seed, own)?;
        Ok(Some(summary))
    }

    /// Opens the directory of a seed: what a killed process left there is tidied up. Returns whose it is too, and
    /// how it stands.
    pub(crate) fn open(
        &self,
        seed: u64,
        claimed: &Claimed,
    ) -> Result<(SeedDir, RunIdentity, Standing), TrainError> {
        let dir = SeedDir::below(&self.dir, seed);
        let identity = RunIdentity {
            defaults: self.defaults.clone(),
            ..RunIdentity::new(&claimed.config, seed)
        };
        claimed.check()?;
        dir.tidy()?;
        let standing = match dir.summary_of(&identity) {
            Ok(Some(summary)) if summary.ending != Ending::Stopped => Standing::Finished(summary),
            Err(error @ TrainError::InvalidFile { .. }) => Standing::Damaged(error),
            summary => Standing::Open(summary?),
        };
        Ok((dir, identity, standing))
    }

    /// Takes a seed up from its newest usable checkpoint if it has one, else begins it: another process
    /// may have worked on it, also where this one began the run. `make` gets the state of each
    /// checkpoint that is tried, or none.
    pub(crate) fn begin<T>(
        &self,
        dir: &SeedDir,
        identity: &RunIdentity,
        mut make: impl FnMut(Option<StateDict>) -> Result<T, TrainError>,
    ) -> Result<Begun<T>, TrainError> {
        let resumed = Recorder::resume(&dir.path, identity, |state| make(Some(state)))?;
        Ok(match resumed {
            Some(resumed) => Begun {
                warnings: resumed.warnings(),
                with: resumed.state,
                recorder: resumed.recorder,
                evaluations: resumed.evaluations,
            },
            None => {
                let with = make(None)?;
                let recorder = Recorder::create(&dir.path, identity)?;
                Begun { with, recorder, evaluations: Vec::new(), warnings: Vec::new() }
            }
        })
    }
}

/// A seed's training that was taken up or begun.
pub(crate) struct Begun<T> {
    /// What was made for it.
    pub(crate) with: T,
    pub(crate) recorder: Recorder,
    /// The evaluations up to there.
    pub(crate) evaluations: Vec<Evaluation>,
    pub(crate) warnings: Vec<String>,
}

/// The summaries of all seeds; where some failed, an error that holds those of the others.
fn gather(
    seeds: &[u64],
    results: impl Iterator<Item = Result<Summary, TrainError>>,
) -> Result<Vec<Summary>, TrainError> {
    let (mut summaries, mut failures) = (Vec::new(), Vec::new());
    for (&seed, result) in seeds.iter().zip(results) {
        match result {
            Ok(summary) => summaries.push((seed, summary)),
            Err(error) => failures.push((seed, error)),
        }
    }
    if failures.is_empty() {
        return Ok(summaries.into_iter().map(|(_, summary)| summary).collect());
    }
    Err(TrainError::SeedsFailed { summaries, failures })
}
