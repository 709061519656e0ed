//! A copy of a network at one moment.

use super::{Plan, Scratch};
use crate::nn::{Network, NetworkError, check_length};

/// A copy of a network's parameters and running statistics with the plan to evaluate them, for example for a policy on
/// another thread.
#[derive(Debug, Clone)]
pub struct Snapshot {
    plan: Plan,
    values: Vec<f32>,
}

impl Snapshot {
    /// Copies the network's numbers. For a noisy network these are the means.
    ///
    /// # Errors
    /// [`NetworkError::NoPlan`] if only libtorch can evaluate the network.
    pub fn of(network: &dyn Network) -> Result<Self, NetworkError> {
        let mut plan = network.plan().ok_or(NetworkError::NoPlan)?.clone();
        plan.detach();
        Ok(Self { plan, values: network.parameters().to_vec() })
    }

    /// Copies them again, from the same network or one with the same architecture.
    ///
    /// # Errors
    /// [`NetworkError::Length`] if it has another number of parameters; as [`of`](Self::of).
    pub fn refresh(&mut self, network: &dyn Network) -> Result<(), NetworkError> {
        let values = network.parameters().values();
        check_length("a snapshot's parameters", self.values.len(), values.len())?;
        self.values.copy_from_slice(values);
        self.plan = network.plan().ok_or(NetworkError::NoPlan)?.clone();
        self.plan.detach();
        Ok(())
    }

    /// Evaluates rows as [`Network::evaluate`].
    pub fn evaluate(
        &self,
        inputs: &[f32],
        batch: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) -> Result<(), NetworkError> {
        self.plan.run(&self.values, inputs, batch, scratch, out)
    }
}
