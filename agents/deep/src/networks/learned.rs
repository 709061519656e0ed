//! A network together with the optimiser that trains it.

use gymnast_core::{
    nn::{Net, Network, Parameters, Scratch},
    optim::{Adam, AdamConfig, OptimError, Optimizer as _},
};
use gymnast_envs::FeatureSpace;
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};
use tch::Tensor;

/// How far a step goes, and when it is taken.
#[derive(Clone, Copy, Debug)]
pub struct Descent {
    /// The step size.
    pub rate: f64,
    /// The env steps so far, for an error to name.
    pub env_steps: u64,
}

/// A network and the Adam that trains it.
pub struct Learned {
    /// The network, in training mode: [`forward`](Network::forward) is for learning,
    /// [`predict`](Network::predict) and [`evaluate`](Self::evaluate) for all else.
    pub network: Net,
    optimizer: Adam,
}

impl Learned {
    /// A network that has learned nothing; [`Io`](crate::Io) builds such.
    ///
    /// # Errors
    /// [`AgentError::Backend`].
    pub fn new(mut network: Net) -> Result<Self, AgentError> {
        network.set_training(true);
        let optimizer = Adam::new(AdamConfig::default(), network.parameters()).map_err(backend)?;
        Ok(Self { network, optimizer })
    }

    /// `batch` rows to as many, in evaluation mode; see [`Network::evaluate`].
    ///
    /// # Errors
    /// [`AgentError::Backend`] where the rows do not have the network's width.
    pub fn evaluate(
        &self,
        rows: &[f32],
        batch: usize,
        scratch: &mut Scratch,
        out: &mut Vec<f32>,
    ) -> Result<(), AgentError> {
        evaluate(&self.network, rows, batch, scratch, out)
    }

    /// One step down the gradient of `loss`.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where the gradient or its square is not finite: before anything acts by what
    /// it left.
    pub fn minimize(&mut self, loss: &Tensor, descent: Descent) -> Result<(), AgentError> {
        let Descent { rate, env_steps } = descent;
        let parameters = self.network.parameters_mut();
        let norm = self.optimizer.minimize(loss, parameters, rate, None);
        norm.map_err(|error| refused(error, env_steps))?;
        Ok(())
    }
}

/// Why an optimiser took no step, or none that is of use: with gradients that are not finite, or whose
/// squares are not, a training has diverged.
pub(crate) fn refused(error: OptimError, env_steps: u64) -> AgentError {
    match error {
        OptimError::NotFinite { what, got } => {
            AgentError::Diverged { what, value: f64::from(got), env_steps }
        }
        other => backend(other),
    }
}

/// `batch` rows to as many, in evaluation mode, into a vector that is resized to fit.
pub(crate) fn evaluate(
    network: &dyn Network,
    rows: &[f32],
    batch: usize,
    scratch: &mut Scratch,
    out: &mut Vec<f32>,
) -> Result<(), AgentError> {
    out.resize(batch * network.outputs(), 0.0);
    network.evaluate(rows, batch, scratch, out).map_err(backend)
}

/// Checks the widths of a network's hidden layers.
pub(crate) fn check_widths(key: &'static str, widths: &[usize]) -> Result<(), AgentError> {
    let fits = widths.len() <= 16 && widths.iter().all(|width| (1..=4_096).contains(width));
    AgentError::require(fits, key, &widths, "at most 16 widths of 1 to 4096")
}

/// Writes observations as rows for a network: `[N, width]`.
pub(crate) fn write_features<O: FeatureSpace>(
    space: &O,
    observations: &[O::Element],
    rows: &mut Vec<f32>,
) {
    let width = space.width();
    rows.resize(observations.len() * width, 0.0);
    for (observation, row) in observations.iter().zip(rows.chunks_exact_mut(width.max(1))) {
        space.flatten(observation, row);
    }
}

/// Observations as rows for a network, `[N, width]`: where they lie, or written to `rows`.
pub(crate) fn features<'a, O: FeatureSpace>(
    space: &O,
    observations: &'a [O::Element],
    rows: &'a mut Vec<f32>,
) -> &'a [f32] {
    if let Some(features) = space.as_features(observations) {
        return features;
    }
    write_features(space, observations, rows);
    rows
}

/// Moves a mean of weights on to the newest ones. It remembers `share` of all updates so far, so that
/// its memory grows with the training.
pub(crate) fn follow_mean(
    mean: &mut Parameters,
    newest: &Parameters,
    share: f64,
    updates: u64,
) -> Result<(), AgentError> {
    mean.polyak(newest, mean_rate(share, updates) as f32).map_err(backend)
}

/// The weight of the newest in a mean over about `share` of all updates so far.
pub(crate) fn mean_rate(share: f64, updates: u64) -> f64 {
    1.0 / (1.0 + share * updates as f64)
}

/// Converts an error of `core` or libtorch into an [`AgentError`].
pub(crate) fn backend<E: std::error::Error>(error: E) -> AgentError {
    // libtorch adds a trace of its own calls below the first line.
    AgentError::Backend(error.to_string().lines().next().unwrap_or_default().to_owned())
}

impl Checkpoint for Learned {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("network", &self.network)?;
        state.insert_part("optimizer", &self.optimizer)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("network", &mut self.network)?;
        state.load_part("optimizer", &mut self.optimizer)
    }
}
