//! The contract between an agent and the loop that drives it.

use gymnast_base::SettingError;
use gymnast_envs::{EnvError, Experience, Outcome, Rng, Seed, Space, VectorEnv};
use thiserror::Error;

use crate::{Checkpoint, CheckpointError, DemonstrationsError};

/// Whether a policy explores or exploits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Acts as during training, with exploration.
    Explore,
    /// Acts as well as it can, without exploration.
    Exploit,
}

/// Chooses actions.
pub trait Policy<O: Space, A: Space> {
    /// Chooses one action for each observation and writes them to `actions`, replacing its
    /// contents.
    ///
    /// Acting does not change the policy, so an evaluation cannot disturb the training; all
    /// randomness comes from `rng`.
    ///
    /// # Errors
    /// [`AgentError::NoAction`] if the outputs it chooses by are not finite;
    /// [`AgentError::Mismatch`] if an observation is outside its space. The contents of `actions`
    /// are then meaningless.
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) -> Result<(), AgentError>;
}

/// A policy that learns from experience.
///
/// The harness drives time and calls `act → step → learn`; the agent owns its memory, so on-policy
/// and off-policy agents share this contract.
pub trait Agent<O: Space, A: Space>: Policy<O, A> + Checkpoint + Send {
    /// Receives simultaneous transitions, one for each environment, and makes an update when one is
    /// due.
    ///
    /// Returns the metrics of the update.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] if a loss or a value is no longer finite.
    fn learn(&mut self, experience: &Experience<O, A>) -> Result<Option<Metrics>, AgentError>;

    /// Returns the env steps before the first update, or a lower bound if the number depends on the
    /// episodes. A shorter training would learn nothing and is an error.
    fn first_update(&self) -> u64;

    /// Returns whether the agent has made an update.
    fn has_learned(&self) -> bool;

    /// Drops every unfinished episode: the next transitions begin new ones. Called after a resume that
    /// had to reset the environments mid-episode.
    ///
    /// An agent that joins several steps (n-step returns, traces, whole episodes, a step that waits
    /// for the next action) must not join across this call. There is no default, because an agent
    /// without it would learn from episodes that never happened; leave it empty if the agent joins
    /// nothing.
    fn begin_episodes(&mut self);

    /// Returns the agent as [`Asynchronous`] if its workers act, step and learn on their own. The
    /// training loop then calls only [`Asynchronous::advance`].
    fn asynchronous(&mut self) -> Option<&mut dyn Asynchronous<O, A>> {
        None
    }
}

/// An agent whose algorithm runs on threads: each worker plays in its own environment.
///
/// The loop evaluates, saves and keeps the records, as for any agent.
pub trait Asynchronous<O: Space, A: Space> {
    /// Runs the workers, each environment on its own thread, and returns with all threads idle: at
    /// the first update after which `until` env steps count, or earlier, so that the loop can
    /// report and be interrupted. The moment of return does not affect the learning.
    ///
    /// Returns the steps that count from now on, in an order that depends only on the seed, not on
    /// the scheduler. A step counts once it was learned from: the environments may be ahead.
    ///
    /// # Errors
    /// The errors of a worker's environment; as [`Agent::learn`]; [`AgentError::Worker`];
    /// [`AgentError::Mismatch`] if `until` exceeds the agent's planned training;
    /// [`EnvError::WrongBatch`] unless there is one environment for each worker.
    fn advance(
        &mut self,
        envs: &mut dyn VectorEnv<O, A>,
        until: u64,
    ) -> Result<Vec<Turn>, AgentError>;
}

/// Consecutive steps of one worker that count together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Turn {
    /// The number of its environment, from 0.
    pub env: usize,
    /// The reward and outcome of each step.
    pub steps: Vec<(f64, Outcome)>,
    /// The metrics of the update, if there was one.
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

/// The training that an agent is made for: its seed, environments and length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plan {
    /// The root of the agent's random streams.
    pub seed: Seed,
    /// The number of environments that step at once.
    pub num_envs: usize,
    /// The length of the training in env steps: schedules run over it.
    pub env_steps: u64,
}

impl Plan {
    /// Returns the fraction of the training completed after `env_steps`, from 0 to 1.
    #[must_use]
    pub fn progress(&self, env_steps: u64) -> f64 {
        (env_steps as f64 / self.env_steps.max(1) as f64).min(1.0)
    }
}

/// Named numbers to log. The harness averages the values of a name between two log lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics(Vec<(&'static str, f64)>);

impl Metrics {
    /// Creates an empty set of metrics.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a metric and returns the set.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: f64) -> Self {
        self.0.push((name, value));
        self
    }

    /// Returns the names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, f64)> {
        self.0.iter().copied()
    }
}

/// Why an agent could not be created or could not learn.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AgentError {
    /// A setting is out of its range.
    #[error("{} = {}: expected {}", .0.key, .0.value, .0.allowed)]
    InvalidConfig(#[from] SettingError),
    /// A loss or a value is no longer finite.
    #[error(
        "{what} became {value} after {env_steps} env steps: try a lower learning rate, or smaller \
         rewards (`reward_scale`, where the agent has it, or a wrapper)"
    )]
    Diverged {
        /// The name of the number.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The env steps taken by then.
        env_steps: u64,
    },
    /// An output of the policy is not finite, so no action is best.
    #[error(
        "an output of the policy is {value}, so no action can be chosen: if the observation is finite, \
         the training has diverged; try a lower learning rate, or smaller rewards"
    )]
    NoAction {
        /// The output.
        value: f32,
    },
    /// An argument is invalid: a slice of the wrong length, a number that is not finite.
    #[error("{what}: expected {expected}, got {got}")]
    Mismatch {
        /// The argument.
        what: &'static str,
        /// The expected value.
        expected: String,
        /// The value given.
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
    /// An asynchronous agent was driven step by step.
    #[error("the agent's workers act, step and learn on their own: call `advance` instead")]
    Asynchronous,
    /// An asynchronous agent returned without a step.
    #[error(
        "the agent took no step towards {until} env steps, of which {counted} are done: its \
         checkpoint does not belong to this training"
    )]
    Stalled {
        /// The env steps asked for.
        until: u64,
        /// The env steps that count so far.
        counted: u64,
    },
    /// A worker's thread panicked or could not be started.
    #[error("worker {worker}: {message}")]
    Worker {
        /// The number of the worker and its environment.
        worker: usize,
        /// What happened.
        message: String,
    },
    /// The process was asked to end during a long update, which was abandoned; the last checkpoint
    /// is intact.
    #[error("interrupted in the middle of an update: the last checkpoint is intact")]
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
        Err(SettingError { key, value: format!("{value:?}"), allowed: expected.into() }.into())
    }

    /// Checks that every reward multiplied by `scale` fits into `f32`, whose maximum is 3.4e38;
    /// agents store rewards as `f32`.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] names the reward and the scale.
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

    /// Checks that the outputs a policy chooses by are finite.
    ///
    /// # Errors
    /// [`AgentError::NoAction`] with the first output that is not finite.
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

    /// Checks that every column of an experience has one row for each environment.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`].
    #[inline]
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
