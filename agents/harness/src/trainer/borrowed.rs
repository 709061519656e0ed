//! The training of an agent, put together step by step.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gymnast_base::SettingError;
use gymnast_envs::{Env, EnvError, Experience, Seed, Space, SyncVectorEnv, VectorEnv};
use serde::Serialize;
use toml::{Table, Value};

use super::{
    BEST, Start, Summary, save_best,
    session::{Looks, Parts, Session},
};
use crate::{
    Agent, AgentError, Callback, CheckpointError, Evaluation, Existing, Experiment, Flow,
    Interrupt, Progress, Quiet, Recorder, RunIdentity, SeedDir, StateDict, TrainError, Training,
    experiment::Standing, recorder::passed_over, run_directory,
};

/// Trains an agent that you own, in environments that you own.
///
/// ```
/// use gymnast_envs::{SyncVectorEnv, VectorEnv, classic::CartPole, wrappers::TimeLimit};
/// # use gymnast_envs::{Discrete, Experience, Rng, Space};
/// # use gymnast_harness::{Agent, AgentError, Checkpoint, CheckpointError, Metrics, Mode, Policy, StateDict};
/// use gymnast_harness::{Flow, Trainer, Training};
/// # #[derive(Default)]
/// # struct Learner { steps: u64 }
/// # impl<O: Space> Policy<O, Discrete> for Learner {
/// #     fn act(&self, seen: &[O::Element], _: Mode, _: &mut Rng, to: &mut Vec<i64>) -> Result<(), AgentError> {
/// #         *to = vec![1; seen.len()];
/// #         Ok(())
/// #     }
/// # }
/// # impl<O: Space> Agent<O, Discrete> for Learner {
/// #     fn learn(&mut self, step: &Experience<O, Discrete>) -> Result<Option<Metrics>, AgentError> {
/// #         self.steps += step.len() as u64;
/// #         Ok(None)
/// #     }
/// #     fn first_update(&self) -> u64 { 1 }
/// #     fn has_learned(&self) -> bool { self.steps > 0 }
/// #     fn begin_episodes(&mut self) {}
/// # }
/// # impl Checkpoint for Learner {
/// #     fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> { state.insert("steps", &self.steps) }
/// #     fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
/// #         self.steps = state.counter("steps")?;
/// #         Ok(())
/// #     }
/// # }
///
/// let training = Training { env_steps: 2_000, eval_every: 500, ..Training::default() };
/// let pole = || Ok(TimeLimit::new(CartPole::default(), 500));
/// let mut envs = SyncVectorEnv::new(vec![pole()?], training.plan(0).seed.child("envs", 0))?;
/// # let mut agent = Learner::default();
/// // let mut agent = Dqn::new(…, &training.plan(0))?;
/// let summary = Trainer::new(&training, 0, &mut agent, &mut envs)
///     .evaluate_on(pole)
///     .look(|agent, progress| Ok(Flow::stop_if(agent.steps >= 1_000 && progress.episodes > 3)))
///     .run()?;
/// assert_eq!((summary.env_steps, summary.evaluations.len()), (1_000, 2));
/// assert_eq!(agent.steps, 1_000); // it is still yours
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Trainer<'a, O: Space, A: Space, G: ?Sized> {
    training: Training,
    seed: u64,
    /// The root of the streams, where it is not that of the seed.
    root: Option<Seed>,
    parts: Parts<'a, O, A, G>,
    callbacks: Vec<&'a mut dyn Callback>,
    looks: Looks<'a, O, A, G>,
    names: Option<(String, String)>,
    record: Option<Record>,
}

/// Where a training is recorded, with the settings of agent and environments.
struct Record {
    dir: PathBuf,
    existing: Existing,
    settings: Value,
}

impl<'a, O: Space, A: Space, G: Agent<O, A>> Trainer<'a, O, A, G> {
    /// Creates a training without evaluations and records. `seed` is that of the agent's
    /// [`plan`](Training::plan): the policy's and the evaluations' streams lie below it.
    ///
    /// An agent that was trained before continues with what it learned, and its schedules continue
    /// too.
    pub fn new(
        training: &Training,
        seed: u64,
        agent: &'a mut G,
        envs: &'a mut dyn VectorEnv<O, A>,
    ) -> Self {
        Self::with_parts(training, seed, Parts { agent, envs, eval_envs: None, is_held: true })
    }
}

impl<'a, O: Space, A: Space, G: Agent<O, A> + ?Sized> Trainer<'a, O, A, G> {
    pub(super) fn with_parts(training: &Training, seed: u64, parts: Parts<'a, O, A, G>) -> Self {
        Self {
            training: training.clone(),
            seed,
            root: None,
            parts,
            callbacks: Vec::new(),
            looks: Looks::default(),
            names: None,
            record: None,
        }
    }

    /// Sets a root for the random streams that is not a seed's, for a training that is part of
    /// something larger.
    #[must_use]
    pub fn root(mut self, root: Seed) -> Self {
        self.root = Some(root);
        self
    }

    /// Evaluates in fresh environments, each created by `make`.
    #[must_use]
    pub fn evaluate_on<E>(
        self,
        make: impl Fn() -> Result<E, EnvError> + Send + Sync + 'static,
    ) -> Self
    where
        E: Env<ObservationSpace = O, ActionSpace = A> + Send + 'static,
    {
        self.evaluate_in(move |n, seed| Ok(Box::new(SyncVectorEnv::of(n, seed, &make)?)))
    }

    /// Evaluates in vectors of any kind: `make` gets the number of environments and the seed above
    /// them.
    #[must_use]
    pub fn evaluate_in(
        mut self,
        make: impl Fn(usize, Seed) -> Result<Box<dyn VectorEnv<O, A>>, EnvError> + Send + Sync + 'static,
    ) -> Self {
        self.parts.eval_envs = Some(Arc::new(make));
        self
    }

    /// Adds a callback, called during the training.
    #[must_use]
    pub fn callback(mut self, callback: &'a mut dyn Callback) -> Self {
        self.callbacks.push(callback);
        self
    }

    /// Calls a function with the agent after every vector step; it may end the training.
    #[must_use]
    pub fn look(
        mut self,
        look: impl FnMut(&G, &Progress) -> Result<Flow, AgentError> + 'a,
    ) -> Self {
        self.looks.steps.push(Box::new(look));
        self
    }

    /// Calls a function with the agent and the transitions after every vector step; it may end the
    /// training. For studies of the learning itself: give the training as many env steps as it may
    /// take at most.
    ///
    /// An [asynchronous](crate::Asynchronous) agent, whose workers step on their own, is refused.
    #[must_use]
    pub fn look_at_experience(
        mut self,
        look: impl FnMut(&G, &Experience<O, A>) -> Result<Flow, AgentError> + 'a,
    ) -> Self {
        self.looks.experiences.push(Box::new(look));
        self
    }

    /// Calls a function with the agent after every evaluation; it may end the training.
    #[must_use]
    pub fn look_when_evaluated(
        mut self,
        look: impl FnMut(&G, &Evaluation) -> Result<Flow, AgentError> + 'a,
    ) -> Self {
        self.looks.evaluations.push(Box::new(look));
        self
    }

    /// Names the agent and the environment as `gymnast train` does, for a training in a
    /// [directory](Self::record_to): whatever reads a run by names (`gymnast::Trained`, `gymnast
    /// watch`) can then read this one.
    ///
    /// The names are not checked. The environment must be the one that the name stands for, with
    /// its default options.
    #[must_use]
    pub fn named(mut self, agent: &str, env: &str) -> Self {
        self.names = Some((agent.to_owned(), env.to_owned()));
        self
    }

    /// Keeps records and checkpoints in a directory, as a run with this one seed; `gymnast report`
    /// and `gymnast plot` can read it if there are evaluations. `existing` says what to do if the
    /// directory already holds a run.
    ///
    /// `settings` are those of the agent, and of the environments unless they are
    /// [named](Self::named). They are written to the run's `config.toml` with the training and the
    /// spaces: a run cannot be resumed with other settings.
    ///
    /// # Errors
    /// [`TrainError::InvalidSetting`] if the settings cannot be written as TOML.
    pub fn record_to(
        mut self,
        dir: impl AsRef<Path>,
        existing: Existing,
        settings: &impl Serialize,
    ) -> Result<Self, TrainError> {
        let settings = to_toml("settings", settings)?;
        self.record = Some(Record { dir: dir.as_ref().to_owned(), existing, settings });
        Ok(self)
    }

    /// Trains. Agent and environments then have their final state; after an error use them only if
    /// nothing was changed yet.
    ///
    /// # Errors
    /// [`TrainError::InvalidSetting`]; the errors of the agent, an environment, a look or a file;
    /// with a directory as [`Experiment::run`] for a single seed.
    pub fn run(mut self) -> Result<Summary, TrainError> {
        self.check()?;
        if let Some(record) = self.record.take() {
            return self.run_recorded(record);
        }
        let start = self.start(None)?;
        self.go_on(Recorder::in_memory(), start, Vec::new())
    }

    /// Before an old run is replaced.
    fn check(&mut self) -> Result<(), TrainError> {
        self.parts.check(&self.training)?;
        let refuse = |key, value: &str, allowed: &'static str| {
            let (value, allowed) = (value.to_owned(), allowed.into());
            Err(SettingError { key, value, allowed }.into())
        };
        let Training { stop_at, keep_best, .. } = self.training;
        let asks_for_evaluations =
            stop_at.is_some() || keep_best || !self.looks.evaluations.is_empty();
        if asks_for_evaluations && self.parts.eval_envs.is_none() {
            let asked = "none, though something waits for an evaluation";
            return refuse(
                "the environments of evaluations",
                asked,
                "`evaluate_on` or `evaluate_in`",
            );
        }
        if !self.looks.experiences.is_empty() && self.parts.agent.asynchronous().is_some() {
            let expected = "one that the training steps: this one's workers step on their own";
            return refuse("the agent of `look_at_experience`", "an asynchronous one", expected);
        }
        if self.root.is_some() && self.record.is_some() {
            let expected = "none where there are records, which name the seed";
            return refuse("root", "one of its own", expected);
        }
        Ok(())
    }

    fn root_seed(&self) -> Seed {
        self.root.unwrap_or(Seed::new(self.seed))
    }

    /// Where the training begins: in a checkpoint's state, or at the first step.
    pub(crate) fn start(&mut self, state: Option<&StateDict>) -> Result<Start, TrainError> {
        let root = self.root_seed();
        Start::from(state, &mut self.parts, root)
    }

    fn run_recorded(mut self, record: Record) -> Result<Summary, TrainError> {
        let Record { dir, existing, settings } = record;
        let config = self.config(settings)?;
        let defaults = to_toml("training", &Training::default())?;
        let experiment = Experiment {
            dir,
            training: self.training.clone(),
            seeds: vec![self.seed],
            defaults: Table::from_iter([("training".to_owned(), defaults)]),
            jobs: 1,
            existing,
            progress: Arc::new(Quiet),
        };
        let claimed = run_directory::claim(&experiment, &config.to_string())?;
        let mut is_told = false;
        let own = loop {
            claimed.check()?;
            match claimed.seed(self.seed)? {
                Some(own) => break own,
                None if Interrupt::requested() => return Ok(Summary::not_begun()),
                None if !is_told => {
                    self.warn(&["it waits for the process that trains it".to_owned()]);
                }
                None => {}
            }
            is_told = true;
            std::thread::sleep(run_directory::BUSY_PAUSE);
        };
        let (of_seed, identity, standing) = experiment.open(self.seed, &claimed)?;
        match standing {
            Standing::Finished(summary) => {
                claimed.finish(self.seed, own)?;
                return self.take_up_finished(&of_seed, &identity, summary);
            }
            Standing::Damaged(error) => {
                self.warn(&[format!("it goes on without its summary, since {error}")]);
            }
            Standing::Open(_) => {}
        }
        let begun = experiment.begin(&of_seed, &identity, |state| self.start(state.as_ref()))?;
        self.warn(&begun.warnings);
        let seed = self.seed;
        let summary = self.go_on(begun.recorder, begun.with, begun.evaluations)?;
        claimed.check()?;
        of_seed.write_summary(&summary, &identity)?;
        claimed.finish(seed, own)?;
        Ok(summary)
    }

    /// The contents of `config.toml`.
    fn config(&self, settings: Value) -> Result<Table, TrainError> {
        let mut config = Table::from_iter([
            ("seeds".to_owned(), vec![to_toml("seed", &self.seed)?].into()),
            ("training".to_owned(), to_toml("training", &self.training)?),
        ]);
        let Some((agent, env)) = &self.names else {
            config.insert("settings".to_owned(), settings);
            for (key, space) in [
                ("observation_space", self.parts.envs.observation_space().describe()),
                ("action_space", self.parts.envs.action_space().describe()),
            ] {
                config.insert(key.to_owned(), space.to_string().into());
            }
            return Ok(config);
        };
        let Value::Table(mut of_agent) = settings else {
            let (value, allowed) = (settings.to_string(), "a table, as the agent is named".into());
            return Err(SettingError { key: "settings", value, allowed }.into());
        };
        of_agent.insert("name".to_owned(), agent.as_str().into());
        config.insert("agent".to_owned(), of_agent.into());
        config.insert(
            "env".to_owned(),
            Table::from_iter([("id".to_owned(), env.as_str().into())]).into(),
        );
        Ok(config)
    }

    /// The agent as a training that has ended left it.
    fn take_up_finished(
        mut self,
        of_seed: &SeedDir,
        identity: &RunIdentity,
        summary: Summary,
    ) -> Result<Summary, TrainError> {
        let newest = of_seed.checkpoints().newest(identity, |_, state| self.start(Some(&state)))?;
        match newest {
            Some(newest) => {
                self.warn(&passed_over(&newest.damaged));
                Ok(summary)
            }
            None => Err(TrainError::NoUsableCheckpoint {
                path: of_seed.path.clone(),
                reasons: vec![CheckpointError::mismatch(
                    "checkpoints",
                    "one of the agent that was trained to the end",
                    "none",
                )],
            }),
        }
    }

    fn warn(&mut self, warnings: &[String]) {
        for warning in warnings {
            self.callbacks.iter_mut().for_each(|callback| callback.on_warning(warning));
        }
    }

    /// Trains from there on.
    pub(crate) fn go_on(
        self,
        recorder: Recorder,
        start: Start,
        evaluations: Vec<Evaluation>,
    ) -> Result<Summary, TrainError> {
        let seed = self.root_seed();
        let Self { training, parts, mut callbacks, mut looks, .. } = self;
        parts.check(&training)?;
        if training.env_threads > 1 {
            parts.envs.set_threads(training.env_threads);
        }
        if let Some(folder) = recorder.path().filter(|_| training.keep_best) {
            looks.evaluations.push(Box::new(save_best(folder.join(BEST))));
        }
        let Start { progress, restored } = start;
        if let Some(restored) = restored {
            let env_steps = progress.env_steps;
            callbacks.iter_mut().for_each(|callback| callback.on_resume(env_steps, restored));
        }
        let saved = (progress.env_steps, progress.episodes);
        let mut session = Session {
            parts,
            training,
            seed,
            recorder,
            callbacks,
            looks,
            progress,
            saved,
            evaluations,
        };
        let ending = match session.drive() {
            // A caller who keeps the agent has it as it is now, not as it was saved.
            Err(TrainError::Agent(AgentError::Interrupted)) if !session.parts.is_held => {
                session.go_back()
            }
            ending => ending?,
        };
        Ok(session.summary(ending))
    }
}

fn to_toml(key: &'static str, value: &impl Serialize) -> Result<Value, TrainError> {
    let allowed = "values that TOML can hold, for example no number above 9223372036854775807";
    Value::try_from(value).map_err(|error| {
        SettingError { key, value: error.to_string(), allowed: allowed.into() }.into()
    })
}
