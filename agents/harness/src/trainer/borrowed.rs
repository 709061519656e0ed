//! Trains an agent at hand and leaves it there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use gymnast_base::SettingError;
use gymnast_envs::{Env, EnvError, Seed, Space, SyncVectorEnv, VectorEnv};
use serde::Serialize;
use toml::{Table, Value};

use super::{Looks, Parts, Start, Summary, go_on};
use crate::{
    Agent, AgentError, Callback, CheckpointError, Evaluation, Existing, Experiment, Flow, MakeEnvs,
    Progress, Quiet, Recorder, RunIdentity, SeedDir, TrainError, Training, experiment::Standing,
    recorder::passed_over, run_directory,
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
    record: Option<Record>,
}

/// Where a training is recorded.
struct Record {
    dir: PathBuf,
    existing: Existing,
    config: Table,
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
        Self {
            training: training.clone(),
            seed,
            root: None,
            agent,
            envs,
            eval_envs: None,
            callbacks: Vec::new(),
            looks: Looks::default(),
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
        self.eval_envs = Some(Box::new(make));
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

    /// Calls a function with the agent after every evaluation; it may end the training.
    #[must_use]
    pub fn look_when_evaluated(
        mut self,
        look: impl FnMut(&G, &Evaluation) -> Result<Flow, AgentError> + 'a,
    ) -> Self {
        self.looks.evaluations.push(Box::new(look));
        self
    }

    /// Keeps records and checkpoints in a directory, as a run with this one seed; `gymnast report`
    /// and `gymnast plot` can read it if there are evaluations. `existing` says what to do if the
    /// directory already holds a run.
    ///
    /// `settings` are those of agent and environments. They are written to the run's `config.toml`
    /// with the training and the spaces: a run cannot be resumed with other settings.
    ///
    /// # Errors
    /// [`TrainError::InvalidSetting`] if the settings cannot be written as TOML.
    pub fn record_to(
        mut self,
        dir: impl AsRef<Path>,
        existing: Existing,
        settings: &impl Serialize,
    ) -> Result<Self, TrainError> {
        let observation_space = self.envs.observation_space().describe().to_string();
        let action_space = self.envs.action_space().describe().to_string();
        let config = Table::from_iter([
            ("seeds".to_owned(), vec![to_toml("seed", &self.seed)?].into()),
            ("settings".to_owned(), to_toml("settings", settings)?),
            ("training".to_owned(), to_toml("training", &self.training)?),
            ("observation_space".to_owned(), observation_space.into()),
            ("action_space".to_owned(), action_space.into()),
        ]);
        self.record = Some(Record { dir: dir.as_ref().to_owned(), existing, config });
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
        match self.record.take() {
            Some(record) => self.run_recorded(record),
            None => {
                let root = self.root.unwrap_or(Seed::new(self.seed));
                let start = Start::anew(&mut self.parts(), root)?;
                self.go_on(root, Recorder::in_memory(), start)
            }
        }
    }

    /// Before an old run is replaced.
    fn check(&mut self) -> Result<(), TrainError> {
        let training = self.training.clone();
        self.parts().check(&training)?;
        let refuse = |key, value: &str, allowed: &'static str| {
            let (value, allowed) = (value.to_owned(), allowed.into());
            Err(SettingError { key, value, allowed }.into())
        };
        let asks_for_evaluations = training.stop_at.is_some() || !self.looks.evaluations.is_empty();
        if asks_for_evaluations && self.eval_envs.is_none() {
            let asked = "none, though something waits for an evaluation";
            return refuse(
                "the environments of evaluations",
                asked,
                "`evaluate_on` or `evaluate_in`",
            );
        }
        if self.root.is_some() && self.record.is_some() {
            let expected = "none where there are records, which name the seed";
            return refuse("root", "one of its own", expected);
        }
        Ok(())
    }

    fn parts(&mut self) -> Parts<'_, O, A, G> {
        let (agent, envs) = (&mut *self.agent, &mut *self.envs);
        Parts { agent, envs, eval_envs: self.eval_envs.as_deref(), is_held: true }
    }

    fn run_recorded(mut self, record: Record) -> Result<Summary, TrainError> {
        let Record { dir, existing, config } = record;
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
        let (of_seed, identity, standing) = experiment.open(self.seed, &claimed)?;
        match standing {
            Standing::Finished(summary) => {
                return self.take_up_finished(&of_seed, &identity, summary);
            }
            Standing::Damaged(error) => {
                self.warn(&[format!("it goes on without its summary, since {error}")]);
            }
            Standing::Open(_) => {}
        }
        let resumed = match existing {
            Existing::Resume => Recorder::resume(&of_seed.path, &identity, |state| {
                Ok(Start::resumed(&state, &mut self.parts())?)
            })?,
            Existing::Refuse | Existing::Replace => None,
        };
        let root = Seed::new(self.seed);
        let (recorder, start) = match resumed {
            Some(resumed) => {
                self.warn(&resumed.warnings());
                (resumed.recorder, resumed.state.with(resumed.evaluations))
            }
            None => {
                let start = Start::anew(&mut self.parts(), root)?;
                (Recorder::create(&of_seed.path, &identity)?, start)
            }
        };
        let summary = self.go_on(root, recorder, start)?;
        claimed.check()?;
        of_seed.write_summary(&summary, &identity)?;
        Ok(summary)
    }

    /// The agent as a training that has ended left it.
    fn take_up_finished(
        mut self,
        of_seed: &SeedDir,
        identity: &RunIdentity,
        summary: Summary,
    ) -> Result<Summary, TrainError> {
        let newest = of_seed
            .checkpoints()
            .newest(identity, |_, state| Ok(Start::resumed(&state, &mut self.parts())?))?;
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

    fn go_on(
        mut self,
        root: Seed,
        recorder: Recorder,
        start: Start,
    ) -> Result<Summary, TrainError> {
        let training = self.training.clone();
        let mut callbacks = std::mem::take(&mut self.callbacks);
        let mut looks = std::mem::take(&mut self.looks);
        go_on(self.parts(), &training, root, recorder, start, &mut callbacks, &mut looks)
    }
}

fn to_toml(key: &'static str, value: &impl Serialize) -> Result<Value, TrainError> {
    let allowed = "values that TOML can hold, for example no number above 9223372036854775807";
    Value::try_from(value).map_err(|error| {
        SettingError { key, value: error.to_string(), allowed: allowed.into() }.into()
    })
}
