//! What makes one off-policy agent differ from another.

use gymnast_core::nn::{Net, Scratch};
use gymnast_envs::{Rng, Seed};
use gymnast_harness::{AgentError, Checkpoint, Metrics, Mode};

use super::OffPolicySettings;
use crate::{
    moment::Moment,
    network::{BuildNetwork, Role, Widths, network, width},
    replay::Batch,
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

    /// All networks that read observations: those that learn, their targets, their averages.
    fn networks(&self) -> Vec<&Net>;

    /// The same, to change.
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

    /// Learns from a minibatch. Returns what there is to log, where that is due.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where a loss or a gradient is no longer finite.
    fn update(&mut self, batch: &Batch<f32>, moment: Moment)
    -> Result<Option<Metrics>, AgentError>;
}

/// What a learner's networks read and return, and what builds them.
pub struct Io<'a> {
    parts: Vec<Vec<usize>>,
    action: usize,
    build: &'a BuildNetwork<'a>,
}

impl<'a> Io<'a> {
    /// For observations of [parts](gymnast_envs::FeatureSpace::parts) of these shapes and actions of so
    /// many numbers, with networks that `build` builds.
    #[must_use]
    pub fn new(parts: Vec<Vec<usize>>, action: usize, build: &'a BuildNetwork<'a>) -> Self {
        Self { parts, action, build }
    }

    /// The numbers of an observation and of an action.
    #[must_use]
    pub fn widths(&self) -> Widths {
        Widths { observation: width(&self.parts), action: self.action }
    }

    /// A network that reads observations, its weights drawn from `rng`.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where layers do not fit the observations, [`AgentError::Mismatch`]
    /// where another network was built.
    pub fn actor(&self, outputs: usize, rng: &mut Rng) -> Result<Net, AgentError> {
        network(self.build, Role::Actor, &self.parts, outputs, rng)
    }

    /// A network that reads rows of an observation and an action, its weights drawn from `rng`.
    ///
    /// # Errors
    /// As [`actor`](Self::actor).
    pub fn critic(&self, outputs: usize, rng: &mut Rng) -> Result<Net, AgentError> {
        let parts = [self.parts.as_slice(), &[vec![self.action]]].concat();
        network(self.build, Role::Critic, &parts, outputs, rng)
    }
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
