//! What makes one off-policy agent differ from another.

use gymnast_core::nn::Scratch;
use gymnast_envs::{Rng, Seed};
use gymnast_harness::{AgentError, Checkpoint, Metrics, Mode};

use super::OffPolicySettings;
use crate::{learned::Descent, replay::Batch};

/// What makes one off-policy agent differ from another: how it acts, and what it learns from a minibatch.
///
/// An agent is an [`OffPolicyAgent`](super::OffPolicyAgent) with a learner. Observations and actions come as rows of numbers,
/// actions in `[−1, 1]`. The learner's [`Checkpoint`] holds all that it changes.
pub trait Learner: Checkpoint + Send + Sized {
    /// The agent's settings.
    type Config: OffPolicySettings;

    /// A learner that has learned nothing. The settings that all off-policy agents share are in range.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where one of its own settings is not.
    fn new(config: &Self::Config, widths: Widths, seed: Seed) -> Result<Self, AgentError>;

    /// Chooses an action in `[−1, 1]` for each of `n` observations `[n, width]`: `actions` becomes `[n, A]`.
    ///
    /// # Errors
    /// [`AgentError::Backend`] where a network cannot be evaluated.
    fn act(
        &self,
        observations: &[f32],
        n: usize,
        acting: Acting<'_>,
        actions: &mut Vec<f32>,
    ) -> Result<(), AgentError>;

    /// Learns from a minibatch. Returns what there is to log, where that is due.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where a loss or a gradient is no longer finite.
    fn update(&mut self, batch: &Batch<f32>, moment: Moment)
    -> Result<Option<Metrics>, AgentError>;
}

/// The numbers of an observation and of an action as rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Widths {
    /// Those of an observation.
    pub observation: usize,
    /// Those of an action.
    pub action: usize,
}

/// How to act, and what to write to meanwhile.
pub struct Acting<'a> {
    /// Whether to explore.
    pub mode: Mode,
    /// How much of the training has passed, from 0 to 1.
    pub progress: f64,
    /// Where all chance comes from.
    pub rng: &'a mut Rng,
    /// Room for what a network says before it is an action, kept from call to call.
    pub head: &'a mut Vec<f32>,
    /// Room for a network's layers.
    pub scratch: &'a mut Scratch,
}

/// When an update happens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// The number of this update, from 1.
    pub update: u64,
    /// The env steps so far.
    pub env_steps: u64,
    /// How much of the training has passed, from 0 to 1: what schedules run over.
    pub progress: f64,
}

impl Moment {
    /// A step of an optimiser at this rate, now.
    #[must_use]
    pub fn descent(&self, rate: f64) -> Descent {
        Descent { rate, env_steps: self.env_steps }
    }

    /// Checks a loss that is to be logged.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] unless it is finite.
    pub fn check_loss(&self, value: f64) -> Result<(), AgentError> {
        if value.is_finite() {
            return Ok(());
        }
        Err(AgentError::Diverged { what: "a loss", value, env_steps: self.env_steps })
    }
}
