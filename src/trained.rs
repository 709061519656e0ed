//! Trained agents, loaded from the directory of their run.

use std::path::{Path, PathBuf};

use gymnast_envs::{
    EnvSpec, Registry, Rng, Seed, Space,
    kind::{AnyKind, Kind, PerKind},
    with_kind,
};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Evaluation, Mode, RunIdentity, RunSeeds, Saved,
    SeedDir, Which, read_records,
};
use toml::Table;

use crate::{
    Catalog, Run,
    run::{CONFIG_FILE, RunError, read_toml},
    task::Task,
};

/// An agent loaded from the files of a seed, with its spaces.
pub struct LoadedAgent<O: Space, A: Space> {
    /// The agent.
    pub agent: Box<dyn Agent<O, A>>,
    /// The space of observations.
    pub observation_space: O,
    /// The space of actions.
    pub action_space: A,
    /// The number of env steps that it was trained for.
    pub env_steps: u64,
    /// Newer checkpoints that could not be used, each with the reason.
    pub passed_over: Vec<CheckpointError>,
}

impl<O: Space, A: Space> LoadedAgent<O, A> {
    /// Loads an agent of a seed of a run.
    ///
    /// # Errors
    /// [`RunError::NoCheckpoint`] or [`RunError::NoBest`] if there is none; as [`SeedDir::saved`].
    pub fn read(
        run: &Run,
        task: &Task<O, A>,
        dir: &SeedDir,
        which: Which,
    ) -> Result<Self, RunError> {
        let plan = run.plan(dir.seed);
        let saved = dir.saved(which, &run.identity(dir.seed), |state| {
            let mut setup = task.setup(&plan)?;
            state.load_part("agent", &mut *setup.agent)?;
            Ok(setup)
        })?;
        let Saved { state: setup, env_steps, passed_over } =
            saved.ok_or_else(|| none_saved(which, &dir.path))?;
        Ok(Self {
            observation_space: setup.envs.observation_space().clone(),
            action_space: setup.envs.action_space().clone(),
            agent: setup.agent,
            env_steps,
            passed_over,
        })
    }

    /// Returns the greedy action for one observation.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] if the observation does not lie in the environment's space; as
    /// [`Policy::act`](gymnast_harness::Policy::act).
    pub fn act(&self, observation: O::Element, rng: &mut Rng) -> Result<A::Element, AgentError> {
        if !self.observation_space.admits(&observation) {
            let space = self.observation_space.describe();
            return Err(mismatch(format!("an element of {space}"), format!("{observation:?}")));
        }
        let mut actions = Vec::with_capacity(1);
        self.agent.act(&[observation], Mode::Exploit, rng, &mut actions)?;
        Ok(actions.pop().expect("there is an action for each observation"))
    }
}

/// A trained agent of a run, ready to act.
///
/// ```
/// use gymnast::{Catalog, Existing, Registry, Run, Trained, Which, settings::set, trained::Action};
///
/// # let folder = tempfile::tempdir()?;
/// # let dir = folder.path().join("run");
/// // A run in a directory, as of `gymnast train q-learning CliffWalking-v1 --seeds 1 --out dir
/// // --set training.keep_best=true`.
/// let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
/// let mut config = Run::defaults(&catalog, &registry, "q-learning", "CliffWalking-v1")?;
/// set(&mut config, "seeds", vec![0].into())?;
/// set(&mut config, "training.keep_best", true.into())?;
/// Run::new(&catalog, &registry, &config)?.train(&dir, Existing::Refuse)?;
///
/// // Its best agent. From the start, field 36, the way leads up (0), along the cliff.
/// let mut trained = Trained::load(&dir, Which::Best)?;
/// assert_eq!(trained.act(36_i64)?, Action::Number(0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Trained {
    env: EnvSpec,
    agent: AnyLoaded,
    rng: Rng,
}

/// The type that [`AnyLoaded`] holds: a [`LoadedAgent`] for each kind.
pub struct LoadedOf;

impl PerKind for LoadedOf {
    type Of<K: Kind> = LoadedAgent<K::Observation, K::Action>;
}

/// A [`LoadedAgent`] of any kind.
pub type AnyLoaded = AnyKind<LoadedOf>;

/// An observation of an environment of any kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// The index of a state, for finite observations.
    Number(i64),
    /// Numbers, those of a picture row by row.
    Row(Vec<f32>),
}

/// An action of an agent of any kind.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// The index of an action, for finite actions.
    Number(i64),
    /// The index of each choice, for several choices at a time.
    Numbers(Vec<i64>),
    /// Real numbers.
    Row(Vec<f32>),
}

/// Converts plain values, each into its variant.
macro_rules! from {
    ($($value:ty => $to:ident::$variant:ident;)+) => {
        $(
            impl From<$value> for $to {
                fn from(value: $value) -> Self {
                    Self::$variant(value.into())
                }
            }
        )+
    };
}

from! {
    i64 => Observation::Number;
    &[f32] => Observation::Row;
    Vec<f32> => Observation::Row;
    i64 => Action::Number;
    Vec<i64> => Action::Numbers;
    Vec<f32> => Action::Row;
}

impl<const N: usize> From<[f32; N]> for Observation {
    fn from(row: [f32; N]) -> Self {
        Self::Row(row.to_vec())
    }
}

impl TryFrom<Observation> for i64 {
    type Error = AgentError;

    /// # Errors
    /// [`AgentError::Mismatch`] for a row.
    fn try_from(observation: Observation) -> Result<Self, AgentError> {
        match observation {
            Observation::Number(number) => Ok(number),
            got => Err(mismatch("the number of a state".to_owned(), format!("{got:?}"))),
        }
    }
}

impl TryFrom<Observation> for Vec<f32> {
    type Error = AgentError;

    /// # Errors
    /// [`AgentError::Mismatch`] for a number.
    fn try_from(observation: Observation) -> Result<Self, AgentError> {
        match observation {
            Observation::Row(row) => Ok(row),
            got => Err(mismatch("a row of numbers".to_owned(), format!("{got:?}"))),
        }
    }
}

impl Trained {
    /// Loads an agent of the run in `path`, with the library's agents and environments.
    ///
    /// `path` is the directory of a run or of one of its seeds. Of a run with several seeds,
    /// [`Which::Newest`] loads the agent of the first, [`Which::Best`] that of the seed whose
    /// evaluations reached the highest mean return.
    ///
    /// The run is one of `gymnast train`, of [`Run::train`] or of a [`Trainer`] that names agent and
    /// environment: `.named("dqn", "CartPole-v1").record_to(…)`. For any other use
    /// [`load_into`](Self::load_into).
    ///
    /// [`Trainer`]: gymnast_harness::Trainer
    ///
    /// # Errors
    /// [`RunError`].
    pub fn load(path: impl AsRef<Path>, which: Which) -> Result<Self, RunError> {
        Self::load_with(&Catalog::builtin(), &Registry::builtin(), path, which)
    }

    /// Loads an agent with custom agents and environments.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn load_with(
        catalog: &Catalog,
        registry: &Registry,
        path: impl AsRef<Path>,
        which: Which,
    ) -> Result<Self, RunError> {
        let place = Place::of(path.as_ref());
        let run = Run::read(catalog, registry, &place.run)?;
        let dir = place.choose_one(which)?;
        let agent = with_kind!(&run.task, (kind, task) => {
            kind.any(LoadedAgent::read(&run, task, &dir, which)?)
        });
        let rng = Seed::new(dir.seed).child("trained", 0).rng();
        Ok(Self { env: run.env, agent, rng })
    }

    /// Loads an agent of the run in `path` into one that was made with the same settings, whatever
    /// its type and that of its environment; chooses the seed like [`load`](Self::load). Returns
    /// the env steps that the agent was trained for.
    ///
    /// After an error the agent's state is unspecified.
    ///
    /// # Errors
    /// [`RunError::NoCheckpoint`] or [`RunError::NoBest`] if there is none; as [`SeedDir::saved`].
    pub fn load_into(
        path: impl AsRef<Path>,
        which: Which,
        agent: &mut (impl Checkpoint + ?Sized),
    ) -> Result<u64, RunError> {
        let place = Place::of(path.as_ref());
        let dir = place.choose_one(which)?;
        let config: Table = read_toml(&place.run.join(CONFIG_FILE))?;
        let identity = RunIdentity::new(&config, dir.seed);
        let saved =
            dir.saved(which, &identity, |state| Ok(state.load_part("agent", &mut *agent)?))?;
        Ok(saved.ok_or_else(|| none_saved(which, &dir.path))?.env_steps)
    }

    /// Returns the environment that it was trained in.
    #[must_use]
    pub fn env(&self) -> &EnvSpec {
        &self.env
    }

    /// Returns the agent with its types.
    #[must_use]
    pub fn agent(&self) -> &AnyLoaded {
        &self.agent
    }

    /// Returns the greedy action. Ties are broken at random, from a stream of its own.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] if the observation does not lie in the environment's space;
    /// [`AgentError::NoAction`] if the network's output is not finite.
    pub fn act(&mut self, observation: impl Into<Observation>) -> Result<Action, AgentError> {
        let (rng, observation) = (&mut self.rng, observation.into());
        Ok(with_kind!(&self.agent, (_, agent) => agent.act(observation.try_into()?, rng)?.into()))
    }
}

fn none_saved(which: Which, path: &Path) -> RunError {
    let path = path.to_owned();
    match which {
        Which::Newest => RunError::NoCheckpoint { path },
        Which::Best => RunError::NoBest { path },
    }
}

/// A run's directory, and one of its seeds if the path names one.
pub(crate) struct Place {
    pub(crate) run: PathBuf,
    pub(crate) seed: Option<u64>,
}

impl Place {
    /// Interprets a path given by the user: a run's directory or one of its seeds', whether or not
    /// it exists.
    pub(crate) fn of(path: &Path) -> Self {
        let name = path.file_name().and_then(|name| name.to_str());
        let seed = name.and_then(|name| name.strip_prefix("seed-")?.parse().ok());
        let holds_run = |dir: &Path| dir.join(CONFIG_FILE).is_file();
        let run = path.parent().filter(|parent| holds_run(parent) && !holds_run(path));
        match (seed, run) {
            (Some(seed), Some(run)) => Self { run: run.to_owned(), seed: Some(seed) },
            _ => Self { run: path.to_owned(), seed: None },
        }
    }

    /// Selects the requested seeds from all seeds of the run.
    ///
    /// # Errors
    /// [`RunError::NoSeed`].
    pub(crate) fn choose(&self, mut all: Vec<SeedDir>) -> Result<Vec<SeedDir>, RunError> {
        let Some(seed) = self.seed else { return Ok(all) };
        let known: Vec<_> = all.iter().map(|dir| dir.seed).collect();
        all.retain(|dir| dir.seed == seed);
        if all.is_empty() {
            return Err(RunError::NoSeed { path: self.run.clone(), seed, known });
        }
        Ok(all)
    }

    /// Selects the seed whose agent is to be loaded.
    fn choose_one(&self, which: Which) -> Result<SeedDir, RunError> {
        let mut chosen = None;
        for dir in self.choose(RunSeeds::read(&self.run)?.own)? {
            let best = match which {
                Which::Newest => f64::NEG_INFINITY,
                Which::Best => read_records::<Evaluation>(&dir.path)?
                    .iter()
                    .fold(f64::NEG_INFINITY, |best, evaluation| best.max(evaluation.mean_return)),
            };
            if chosen.as_ref().is_none_or(|(most, _)| best > *most) {
                chosen = Some((best, dir));
            }
        }
        Ok(chosen.ok_or_else(|| none_saved(which, &self.run))?.1)
    }
}

fn mismatch(expected: String, got: String) -> AgentError {
    AgentError::Mismatch { what: "the observation", expected, got }
}
