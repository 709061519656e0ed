//! The time of an update.

use gymnast_harness::AgentError;

use crate::networks::learned::Descent;

/// The time of an update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// The number of this update, from 1.
    pub update: u64,
    /// The env steps so far.
    pub env_steps: u64,
    /// The progress of the training, from 0 to 1, over which schedules run.
    pub progress: f64,
}

impl Moment {
    /// Returns the settings of an optimiser step at this rate, now.
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
