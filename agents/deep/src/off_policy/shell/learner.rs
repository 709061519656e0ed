//! What makes one off-policy agent differ from another.

use gymnast_core::nn::Net;
use gymnast_envs::Seed;
use gymnast_harness::{AgentError, Checkpoint, Metrics};

use super::OffPolicySettings;
use crate::{
    memory::replay::Batch,
    moment::Moment,
    networks::io::{Acting, Io},
};

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
    fn new(config: &Self::Config, io: &Io<'_>, seed: Seed) -> Result<Self, AgentError>;

    /// All networks that read observations, by name: those that learn, their targets, their averages.
    fn networks(&self) -> Vec<(String, &Net)>;

    /// The same in the same order, to change.
    fn networks_mut(&mut self) -> Vec<&mut Net>;

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

    /// Learns from a minibatch. Returns the metrics, if they are due.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where a loss or a gradient is no longer finite.
    fn update(&mut self, batch: &Batch<f32>, moment: Moment)
    -> Result<Option<Metrics>, AgentError>;
}
