//! A network together with the optimiser that trains it.

use std::ops::Range;

use gymnast_core::{
    nn::{Net, Network, Parameters, Recorded, Scratch},
    optim::{Adam, AdamConfig, OptimError, Optimizer as _},
};
use gymnast_envs::FeatureSpace;
use gymnast_harness::{AgentError, checkpoint};

/// How far a step goes, and when it is taken.
#[derive(Clone, Copy, Debug)]
pub struct Descent {
    /// The step size.
    pub rate: f64,
    /// The env steps so far, for an error to name.
    pub env_steps: u64,
}

/// A network and the Adam that trains it.
///
/// To learn: [`forward`](Self::forward), then [`descend`](Self::descend) with the gradient of a loss
/// with respect to the outputs. To ask how a loss depends on the inputs: [`probe`](Self::probe), then
/// [`input_gradient`](Self::input_gradient). Both need no libtorch if the network has a plan.
pub struct Learned {
    /// The network, in training mode; [`evaluate`](Self::evaluate) is in evaluation mode.
    pub network: Net,
    optimizer: Adam,
    learning: Recorded,
    probing: Recorded,
}

impl Learned {
    /// A network that has learned nothing; [`Io`](crate::Io) builds such.
    ///
    /// # Errors
    /// [`AgentError::Backend`].
    pub fn new(mut network: Net) -> Result<Self, AgentError> {
        network.set_training(true);
        let optimizer = Adam::new(AdamConfig::default(), network.parameters()).map_err(backend)?;
        let (learning, probing) = (Recorded::default(), Recorded::for_inputs());
        Ok(Self { network, optimizer, learning, probing })
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

    /// Evaluates `batch` rows in training mode, for [`descend`](Self::descend). Returns the outputs, row
    /// by row.
    ///
    /// # Errors
    /// [`AgentError::Backend`] where the rows do not have the network's width.
    pub fn forward(&mut self, rows: &[f32], batch: usize) -> Result<&[f32], AgentError> {
        self.network.record(rows, batch, &mut self.learning).map_err(backend)?;
        Ok(self.learning.outputs())
    }

    /// The outputs of [`forward`](Self::forward), row by row.
    #[must_use]
    pub fn outputs(&self) -> &[f32] {
        self.learning.outputs()
    }

    /// One step down the gradient of a loss, given its gradient with respect to the outputs of
    /// [`forward`](Self::forward), row by row.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where the gradient or its square is not finite: before anything acts by what
    /// it left.
    pub fn descend(&mut self, by_output: &[f32], descent: Descent) -> Result<(), AgentError> {
        let Descent { rate, env_steps } = descent;
        self.network.backward(by_output, &mut self.learning, None).map_err(backend)?;
        let norm = self.optimizer.descend(self.network.parameters_mut(), rate, None);
        norm.map_err(|error| refused(error, env_steps))?;
        Ok(())
    }

    /// Evaluates `batch` rows in training mode, for [`input_gradient`](Self::input_gradient). Returns the
    /// outputs, row by row.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn probe(&mut self, rows: &[f32], batch: usize) -> Result<&[f32], AgentError> {
        self.network.record(rows, batch, &mut self.probing).map_err(backend)?;
        Ok(self.probing.outputs())
    }

    /// The gradient of a loss with respect to the inputs `columns`, given that with respect to the outputs
    /// of [`probe`](Self::probe): of all rows, or of those in `kept`, which ascend. `by_input` becomes
    /// `[rows, columns]`. Leaves the parameters and their gradients as they are.
    ///
    /// # Errors
    /// [`AgentError::Backend`] where the outputs do not depend on the inputs: there is no gradient then,
    /// which is not one of zeros.
    pub fn input_gradient(
        &mut self,
        kept: Option<&[usize]>,
        by_output: &[f32],
        columns: Range<usize>,
        by_input: &mut Vec<f32>,
    ) -> Result<(), AgentError> {
        if let Some(kept) = kept {
            self.probing.keep_rows(kept);
        }
        let rows = by_output.len() / self.network.outputs();
        by_input.resize(rows * columns.len(), 0.0);
        let gradient = self.network.input_gradient(by_output, &mut self.probing, columns, by_input);
        gradient.map_err(backend)
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

checkpoint!(Learned { part network, part optimizer });
