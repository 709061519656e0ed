//! Trains an agent at hand and leaves it there.

use std::path::{Path, PathBuf};

use gymnast_envs::{Env, EnvError, Seed, Space, SyncVectorEnv, VectorEnv};
use serde::Serialize;
use toml::{Table, Value};

use super::{Looks, Parts, Start, Summary, go_on};
use crate::{
    Agent, AgentError, Callback, Evaluation, Existing, Experiment, Flow, MakeEnvs, Progress,
    ProgressBars, Recorder, RunIdentity, SeedDir, TrainError, Training, run_directory,
};

/// Trains an agent that you hold, in environments that you hold, and gives both back.
///
/// ```
/// use gymnast_envs::{SyncVectorEnv, VectorEnv, TimeLimit, classic::CartPole};
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
/// let summary = Trainer::new(&training, &mut agent, &mut envs)
///     .evaluate_on(pole)
///     .look(|agent, progress| Ok(Flow::stop_if(agent.steps >= 1_000 && progress.episodes > 3)))
///     .run()?;
/// assert_eq!((summary.env_steps, summary.evaluations.len()), (1_000, 2));
/// assert_eq!(agent.steps, 1_000); // it is still yours
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Trainer<'a, O: Space, A: Space, G> {
    training: Training,
    seed: u64,
    /// The root of the streams, where it is not that of the seed.
    root: Option<Seed>,
    agent: &'a mut G,
    envs: &'a mut dyn VectorEnv<O, A>,
    eval_envs: Option<Box<MakeEnvs<O, A>>>,
    callbacks: Vec<&'a mut dyn Callback>,
    looks: Looks<'a, G>,
    directory: Option<PathBuf>,
    existing: Existing,
    settings: Table,
}

impl<'a, O: Space, A: Space, G: Agent<O, A>> Trainer<'a, O, A, G> {
    /// A training that evaluates nothing, records nothing and has the seed 0, as long as nothing else is said.
    pub fn new(training: &Training, agent: &'a mut G, envs: &'a mut dyn VectorEnv<O, A>) -> Self {
        Self {
            training: training.clone(),
            seed: 0,
            root: None,
            agent,
            envs,
            eval_envs: None,
            callbacks: Vec::new(),
            looks: Looks::default(),
            directory: None,
            existing: Existing::Refuse,
            settings: Table::new(),
        }
    }

    /// The root of the policy's and the evaluations' streams: the seed of the agent's [`Plan`](crate::Plan).
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// A root that is no seed's, for a training that is a part of something larger.
    #[must_use]
    pub fn root(mut self, root: Seed) -> Self {
        self.root = Some(root);
        self
    }

    /// Evaluates in fresh environments, each made by `make`.
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

    /// The same with vectors of any kind: `make` gets the number of environments and the seed above them.
    #[must_use]
    pub fn evaluate_in(
        mut self,
        make: impl Fn(usize, Seed) -> Result<Box<dyn VectorEnv<O, A>>, EnvError> + Send + Sync + 'static,
    ) -> Self {
        self.eval_envs = Some(Box::new(make));
        self
    }

    /// Lets a callback listen.
    #[must_use]
    pub fn callback(mut self, callback: &'a mut dyn Callback) -> Self {
        self.callbacks.push(callback);
        self
    }

    /// Looks at the agent after every vector step; may end the training.
    #[must_use]
    pub fn look(
        mut self,
        look: impl FnMut(&G, &Progress) -> Result<Flow, AgentError> + 'a,
    ) -> Self {
        self.looks.steps.push(Box::new(look));
        self
    }

    /// Looks at the agent after every evaluation; may end the training.
    #[must_use]
    pub fn look_when_evaluated(
        mut self,
        look: impl FnMut(&G, &Evaluation) -> Result<Flow, AgentError> + 'a,
    ) -> Self {
        self.looks.evaluations.push(Box::new(look));
        self
    }

    /// Keeps records and checkpoints in a directory, as a run with this one seed: `gymnast report` and
    /// `gymnast plot` read it. `existing` says what to do where the directory holds a run already.
    #[must_use]
    pub fn record_to(mut self, dir: impl AsRef<Path>, existing: Existing) -> Self {
        self.directory = Some(dir.as_ref().to_owned());
        self.existing = existing;
        self
    }

    /// Writes settings into the run's `config.toml` as the part of that name, `agent` say. A training that is
    /// resumed with others is refused.
    ///
    /// # Errors
    /// [`TrainError::InvalidSetting`] where they are no TOML.
    pub fn describe(
        mut self,
        part: &'static str,
        settings: &impl Serialize,
    ) -> Result<Self, TrainError> {
        let table = Value::try_from(settings).map_err(|error| TrainError::InvalidSetting {
            key: part,
            value: error.to_string(),
            expected: "settings that TOML can hold".to_owned(),
        })?;
        self.settings.insert(part.to_owned(), table);
        Ok(self)
    }

    /// Trains. Agent and environments are then as the training left them.
    ///
    /// # Errors
    /// [`TrainError::InvalidSetting`]; what the agent, an environment or a file returns; as
    /// [`Experiment::run`] where there is a directory.
    pub fn run(mut self) -> Result<Summary, TrainError> {
        self.training.check()?;
        match self.directory.take() {
            Some(dir) => self.run_in(dir),
            None => {
                let streams = self.streams();
                let start = Start::anew(self.envs, streams)?;
                self.go_on(Recorder::in_memory(), start)
            }
        }
    }

    fn streams(&self) -> Seed {
        self.root.unwrap_or(Seed::new(self.seed))
    }

    fn run_in(self, dir: PathBuf) -> Result<Summary, TrainError> {
        if self.root.is_some() {
            return Err(TrainError::InvalidSetting {
                key: "root",
                value: "one of its own".to_owned(),
                expected: "none where there are records, which name the seed".to_owned(),
            });
        }
        let config = self.config()?;
        let experiment = Experiment {
            dir,
            training: self.training.clone(),
            seeds: vec![self.seed],
            defaults: Table::new(),
            jobs: 1,
            existing: self.existing,
            progress: ProgressBars::hidden(),
        };
        let claimed = run_directory::claim(&experiment, &config)?;
        let identity = RunIdentity::new(&claimed.config, self.seed);
        let of_seed = SeedDir::below(&experiment.dir, self.seed);
        of_seed.tidy()?;
        let mut parts = Parts { agent: self.agent, envs: self.envs, eval_envs: None };
        let resumed = match self.existing {
            Existing::Resume => Recorder::resume(&of_seed.path, &identity, |state| {
                Ok(Start::resumed(&state, &mut parts)?)
            })?,
            Existing::Refuse | Existing::Replace => None,
        };
        let Parts { agent, envs, .. } = parts;
        let (recorder, start) = match resumed {
            Some(resumed) => (resumed.recorder, resumed.state.with(resumed.evaluations)),
            None => {
                let start = Start::anew(envs, Seed::new(self.seed))?;
                (Recorder::create(&of_seed.path, &identity)?, start)
            }
        };
        let summary = Self { agent, envs, ..self }.go_on(recorder, start)?;
        claimed.check()?;
        of_seed.write_summary(&summary, &identity)?;
        Ok(summary)
    }

    fn go_on(mut self, recorder: Recorder, start: Start) -> Result<Summary, TrainError> {
        let seed = self.streams();
        let parts =
            Parts { agent: self.agent, envs: self.envs, eval_envs: self.eval_envs.as_deref() };
        go_on(parts, &self.training, seed, recorder, start, &mut self.callbacks, &mut self.looks)
    }

    /// The text of `config.toml`.
    fn config(&self) -> Result<String, TrainError> {
        let mut config = self.settings.clone();
        let training = Value::try_from(&self.training).expect("a training is plain data");
        config.insert("training".to_owned(), training);
        let seed = i64::try_from(self.seed).map_err(|_| TrainError::InvalidSetting {
            key: "seed",
            value: self.seed.to_string(),
            expected: format!("at most {}, as TOML has no larger number", i64::MAX),
        })?;
        config.insert("seeds".to_owned(), vec![seed].into());
        Ok(config.to_string())
    }
}
