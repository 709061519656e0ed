//! The contract between an agent and the loop that drives it.

use gymnast_envs::{EnvError, Experience, Outcome, Rng, Seed, Space, VectorEnv};
use thiserror::Error;

use crate::{Checkpoint, CheckpointError, DemonstrationsError};

/// Whether a policy explores or does its best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As while learning: with exploration.
    Explore,
    /// As when it counts: the best action known.
    Exploit,
}

/// Something that chooses actions.
pub trait Policy<O: Space, A: Space> {
    /// Chooses one action for each observation and writes them to `actions`, replacing what is
    /// there.
    ///
    /// Acting does not change the policy, so that an evaluation cannot disturb what it measures;
    /// all randomness comes from `rng`.
    ///
    /// # Errors
    /// [`AgentError::NoAction`] where what it would choose by is not finite; [`AgentError::Mismatch`] where an
    /// observation is none that it knows. What `actions` holds then means nothing.
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) -> Result<(), AgentError>;
}

/// A policy that learns from what it is shown.
///
/// The harness owns time and calls `act → step → learn`; the agent owns its memory, so on- and
/// off-policy agents share this contract.
pub trait Agent<O: Space, A: Space>: Policy<O, A> + Checkpoint + Send {
    /// Takes in simultaneous transitions, one an environment, and learns when an update is due.
    ///
    /// Returns what there is to log of that update.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where a loss or a value is no longer finite.
    fn learn(&mut self, experience: &Experience<O, A>) -> Result<Option<Metrics>, AgentError>;

    /// The env steps after which the first update comes, or the least number where that depends on the
    /// episodes: a training that ends before learns nothing, and is refused.
    fn first_update(&self) -> u64;

    /// Whether the agent has made an update.
    fn has_learned(&self) -> bool;

    /// Drops every unfinished episode: the next transitions begin new ones. Called after a resume that
    /// had to reset the environments mid-episode.
    ///
    /// An agent that joins several steps (returns over n steps, traces, whole episodes, a step that waits
    /// for the next action) must not join across this call. It has no default, as an agent that forgot it
    /// would learn from episodes that never happened; one that joins nothing leaves it empty.
    fn begin_episodes(&mut self);

    /// The agent as one whose workers act, step and learn by themselves, where it is such a one: the
    /// loop then calls [`Asynchronous::advance`] and nothing else.
    fn asynchronous(&mut self) -> Option<&mut dyn Asynchronous<O, A>> {
        None
    }
}

/// An agent whose threads are the algorithm: each of its workers plays in an environment of its own.
///
/// Everything else is as with any agent: the loop evaluates, saves and keeps the records.
pub trait Asynchronous<O: Space, A: Space> {
    /// Plays on, each environment on a thread of its own, and comes back with all threads at rest:
    /// at the first update after which `until` env steps count, or sooner, that the loop may report
    /// and be interrupted. Where it comes back changes nothing of what is learned.
    ///
    /// Returns what counts from now on, in an order that the seed decides and not the scheduler. A
    /// step counts once it was learned from: the environments may be ahead.
    ///
    /// # Errors
    /// What a worker's environment returns; as [`Agent::learn`]; [`AgentError::Worker`];
    /// [`AgentError::Mismatch`] where `until` lies beyond the training that the agent was made for;
    /// [`EnvError::WrongBatch`] unless there is one environment a worker.
    fn advance(
        &mut self,
        envs: &mut dyn VectorEnv<O, A>,
        until: u64,
    ) -> Result<Vec<Turn>, AgentError>;
}

/// The steps of one worker that count together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// The number of its environment.
    pub env: usize,
    /// What came of each step.
    pub steps: Vec<(f64, Outcome)>,
    /// What there is to log of the update.
    pub metrics: Option<Metrics>,
}

impl<O: Space, A: Space, P: Policy<O, A> + ?Sized> Policy<O, A> for Box<P> {
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) -> Result<(), AgentError> {
        (**self).act(observations, mode, rng, actions)
    }
}

/// What an agent is told when it is made: the frame that its schedules and streams live in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// The root of the agent's random streams.
    pub seed: Seed,
    /// The number of environments that step at once.
    pub num_envs: usize,
    /// The length of the training, in env steps: what schedules run over.
    pub env_steps: u64,
}

impl Plan {
    /// How much of the training has passed after `env_steps`, from 0 to 1.
    #[must_use]
    pub fn progress(&self, env_steps: u64) -> f64 {
        (env_steps as f64 / self.env_steps.max(1) as f64).min(1.0)
    }
}

/// Named numbers to log. Later values of a name are averaged with earlier ones by the harness.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics(Vec<(&'static str, f64)>);

impl Metrics {
    /// No numbers yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: f64) -> Self {
        self.0.push((name, value));
        self
    }

    /// The names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.iter().copied()
    }
}

/// Why an agent could not be made or could not learn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AgentError {
    /// A setting lies outside its range.
    #[error("{key} = {value}: expected {expected}")]
    InvalidConfig {
        /// The setting's name.
        key: &'static str,
        /// What it was set to.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A loss or a value is no longer finite.
    #[error(
        "{what} became {value} after {env_steps} env steps: try a lower learning rate, or smaller \
         rewards (`reward_scale`, where the agent has it, or a wrapper)"
    )]
    Diverged {
        /// What is not finite.
        what: &'static str,
        /// Its value.
        value: f64,
        /// When.
        env_steps: u64,
    },
    /// What a policy would choose by is not finite: of NaN there is no best action.
    #[error(
        "an output of the policy is {value}, by which no action can be chosen: where the observation is finite, \
         the training has diverged; try a lower learning rate, or smaller rewards"
    )]
    NoAction {
        /// The output.
        value: f32,
    },
    /// An argument does not fit: a slice of another length, a number that is not finite.
    #[error("{what}: expected {expected}, got {got}")]
    Mismatch {
        /// The argument.
        what: &'static str,
        /// What would be right.
        expected: String,
        /// What came.
        got: String,
    },
    /// An environment failed.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// A state could not be restored.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Recorded episodes could not be read.
    #[error(transparent)]
    Demonstrations(#[from] DemonstrationsError),
    /// An agent whose workers play for themselves was driven step by step.
    #[error("the agent's workers act, step and learn by themselves: call `advance` instead")]
    Asynchronous,
    /// An agent whose workers play for themselves came back without a step.
    #[error(
        "the agent took no step of the {until} env steps asked for, {counted} of which count: its \
         checkpoint does not belong to this training"
    )]
    Stalled {
        /// The env steps asked for.
        until: u64,
        /// The env steps that count.
        counted: u64,
    },
    /// A worker's thread panicked or could not be started.
    #[error("worker {worker}: {message}")]
    Worker {
        /// Its number, that of its environment.
        worker: usize,
        /// What happened.
        message: String,
    },
    /// The process was told to end while a long update was under way, which was given up: what was
    /// saved before it stands.
    #[error("interrupted in the middle of an update: what was saved before it stands")]
    Interrupted,
    /// The numerical library failed.
    #[error("libtorch failed: {0}")]
    Backend(String),
}

impl AgentError {
    /// Checks one setting of a configuration.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] unless `holds`.
    pub fn require(
        holds: bool,
        key: &'static str,
        value: &dyn std::fmt::Debug,
        expected: &'static str,
    ) -> Result<(), Self> {
        if holds {
            return Ok(());
        }
        Err(Self::InvalidConfig { key, value: format!("{value:?}"), expected })
    }

    /// Checks that every reward, times `scale`, is one that an agent can hold: networks learn from 32-bit
    /// numbers, which end at 3.4e38.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] with the reward and the scale.
    pub fn check_rewards(rewards: &[f64], scale: f64) -> Result<(), Self> {
        match rewards.iter().find(|reward| !((**reward * scale) as f32).is_finite()) {
            None => Ok(()),
            Some(reward) => Err(Self::Mismatch {
                what: "a reward",
                expected: "one that is less than 3.4e38 in size after `reward_scale`".to_owned(),
                got: format!("{reward:e} · {scale:e}"),
            }),
        }
    }

    /// Checks what a policy chooses by.
    ///
    /// # Errors
    /// [`AgentError::NoAction`] with the first number that is not finite.
    pub fn check_outputs(outputs: &[f32]) -> Result<(), Self> {
        match outputs.iter().find(|output| !output.is_finite()) {
            None => Ok(()),
            Some(&value) => Err(Self::NoAction { value }),
        }
    }

    /// Checks the length of a slice.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] unless `got` is `expected`.
    pub fn check_len(what: &'static str, expected: usize, got: usize) -> Result<(), Self> {
        if expected == got {
            return Ok(());
        }
        let (expected, got) = (format!("{expected} numbers"), got.to_string());
        Err(Self::Mismatch { what, expected, got })
    }

    /// Checks that every column of an experience has one row an environment.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`].
    pub fn check_rows<O: Space, A: Space>(
        experience: &Experience<O, A>,
        num_envs: usize,
    ) -> Result<(), Self> {
        let Experience { observations, actions, rewards, next_observations, outcomes, is_reset } =
            experience;
        let lengths = [
            observations.len(),
            actions.len(),
            rewards.len(),
            next_observations.len(),
            outcomes.len(),
            is_reset.len(),
        ];
        match lengths.into_iter().find(|&len| len != num_envs) {
            None => Ok(()),
            Some(got) => Err(EnvError::WrongBatch { expected: num_envs, got }.into()),
        }
    }
}
