//! What the networks of an off-policy agent read, return and act by.

use gymnast_core::nn::{Net, Scratch};
use gymnast_envs::Rng;
use gymnast_harness::{AgentError, Mode};

use super::network::{BuildNetwork, Role, Widths, network, width};

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

/// Puts `batch` rows of observations and of actions side by side, as critics read them: `rows` becomes
/// `[B, width + A]`.
pub fn join_rows(observations: &[f32], actions: &[f32], batch: usize, rows: &mut Vec<f32>) {
    rows.clear();
    for row in 0..batch {
        for numbers in [observations, actions] {
            let width = numbers.len() / batch;
            rows.extend_from_slice(&numbers[row * width..][..width]);
        }
    }
}
