//! Trained agents, loaded from the directory of their run.

use std::path::Path;

use gymnast_envs::{
    EnvSpec, Registry, Rng, Seed, Space,
    kind::{AnyKind, Kind, PerKind},
    with_kind,
};
use gymnast_harness::{Agent, AgentError, CheckpointError, Mode, Newest, RunSeeds, SeedDir};

use crate::{Catalog, Run, run::RunError, task::Task};

/// An agent loaded from a seed's newest valid checkpoint, with its spaces.
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
    /// Loads the agent of a seed of a run.
    ///
    /// # Errors
    /// [`RunError::NoCheckpoint`] if there is none yet; as [`CheckpointDir::newest`].
    ///
    /// [`CheckpointDir::newest`]: gymnast_harness::CheckpointDir::newest
    pub fn read(run: &Run, task: &Task<O, A>, dir: &SeedDir) -> Result<Self, RunError> {
        let plan = run.plan(dir.seed);
        let newest = dir.checkpoints().newest(&run.identity(dir.seed), |_, state| {
            let mut setup = task.setup(&plan)?;
            state.load_part("agent", &mut *setup.agent)?;
            Ok(setup)
        })?;
        let Some(Newest { manifest, state: setup, damaged }) = newest else {
            return Err(RunError::NoCheckpoint { path: dir.path.clone() });
        };
        Ok(Self {
            observation_space: setup.envs.observation_space().clone(),
            action_space: setup.envs.action_space().clone(),
            agent: setup.agent,
            env_steps: manifest.env_steps,
            passed_over: damaged,
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

/// A trained agent of a run by names, from `gymnast train` or [`Run::train`], ready to act.
///
/// ```
/// use gymnast::{Catalog, Existing, Registry, Run, Trained, settings::set, trained::Action};
///
/// # let folder = tempfile::tempdir()?;
/// # let dir = folder.path().join("run");
/// // A run in a directory, as of `gymnast train q-learning CliffWalking-v1 --seeds 1 --out dir`.
/// let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
/// let mut config = Run::defaults(&catalog, &registry, "q-learning", "CliffWalking-v1")?;
/// set(&mut config, "seeds", vec![0].into())?;
/// Run::new(&catalog, &registry, &config)?.train(&dir, Existing::Refuse)?;
///
/// // Its agent, as it is now. From the start, field 36, the way leads up (0), along the cliff.
/// let mut trained = Trained::load(&dir, 0)?;
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

impl From<i64> for Observation {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&[f32]> for Observation {
    fn from(row: &[f32]) -> Self {
        Self::Row(row.to_vec())
    }
}

impl<const N: usize> From<[f32; N]> for Observation {
    fn from(row: [f32; N]) -> Self {
        Self::Row(row.to_vec())
    }
}

impl From<Vec<f32>> for Observation {
    fn from(row: Vec<f32>) -> Self {
        Self::Row(row)
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

impl From<i64> for Action {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<Vec<i64>> for Action {
    fn from(numbers: Vec<i64>) -> Self {
        Self::Numbers(numbers)
    }
}

impl From<Vec<f32>> for Action {
    fn from(row: Vec<f32>) -> Self {
        Self::Row(row)
    }
}

impl Trained {
    /// Loads the agent of a seed of the run in `dir`, with the library's agents and environments.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn load(dir: &Path, seed: u64) -> Result<Self, RunError> {
        Self::load_with(&Catalog::builtin(), &Registry::builtin(), dir, seed)
    }

    /// Loads the agent of a seed, with custom agents and environments.
    ///
    /// # Errors
    /// [`RunError`].
    pub fn load_with(
        catalog: &Catalog,
        registry: &Registry,
        dir: &Path,
        seed: u64,
    ) -> Result<Self, RunError> {
        let run = Run::read(catalog, registry, dir)?;
        let seeds = RunSeeds::of(dir, &run.to_table())?.own;
        let Some(of_seed) = seeds.iter().find(|of_seed| of_seed.seed == seed) else {
            return Err(RunError::NoSeed {
                path: dir.to_owned(),
                seed,
                known: seeds.iter().map(|of_seed| of_seed.seed).collect(),
            });
        };
        let agent = with_kind!(&run.task, (kind, task) => {
            kind.any(LoadedAgent::read(&run, task, of_seed)?)
        });
        let rng = Seed::new(seed).child("trained", 0).rng();
        Ok(Self { env: run.env, agent, rng })
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

fn mismatch(expected: String, got: String) -> AgentError {
    AgentError::Mismatch { what: "the observation", expected, got }
}
