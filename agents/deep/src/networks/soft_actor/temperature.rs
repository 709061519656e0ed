//! What entropy is worth: learned, so that the policy keeps the entropy that is aimed at.

use gymnast_core::{
    init::{Fans, Init},
    nn::{Parameters, ParametersBuilder},
    optim::{Adam, AdamConfig, Optimizer as _},
};
use gymnast_envs::Rng;
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};

use crate::networks::learned::{Descent, backend, refused};

/// The temperature α by its logarithm, which keeps it positive, with an Adam of its own.
pub(super) struct Temperature {
    log_alpha: Parameters, // [1]
    optimizer: Adam,
}

impl Temperature {
    pub(super) fn new(alpha: f64, rng: &mut Rng) -> Result<Self, AgentError> {
        let mut builder = ParametersBuilder::new();
        let value = Init::Constant { value: alpha.ln() as f32 };
        builder.parameter(&[1], value, Fans { fan_in: 1, fan_out: 1 }).map_err(backend)?;
        let log_alpha = builder.build(rng).map_err(backend)?;
        let optimizer = Adam::new(AdamConfig::default(), &log_alpha).map_err(backend)?;
        Ok(Self { log_alpha, optimizer })
    }

    pub(super) fn alpha(&self) -> f32 {
        self.log_alpha.values()[0].exp()
    }

    /// One step down the gradient of log α · (H − H̄): more worth where entropy falls short.
    ///
    /// The paper's equation 18 has α in the place of log α, and with it a gradient that fades as α
    /// does; this is the authors' own implementation's.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where the entropy is not finite, or its square is not.
    pub(super) fn update(
        &mut self,
        entropy: f64,
        aim: f64,
        descent: Descent,
    ) -> Result<(), AgentError> {
        let Descent { rate, env_steps } = descent;
        self.log_alpha.gradients_mut()[0] = (entropy - aim) as f32;
        let stepped = self.optimizer.step(&mut self.log_alpha, rate);
        stepped.map_err(|error| refused(error, env_steps))
    }
}

impl Checkpoint for Temperature {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_array("log_alpha", &[1], self.log_alpha.values());
        state.insert_part("optimizer", &self.optimizer)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let values = state.finite_array("log_alpha", &[1])?;
        self.log_alpha.values_mut().copy_from_slice(&values);
        state.load_part("optimizer", &mut self.optimizer)
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::Seed;

    use super::*;

    #[test]
    fn it_rises_where_entropy_falls_short() {
        let mut temperature = Temperature::new(0.5, &mut Seed::new(0).rng()).unwrap();
        assert!((temperature.alpha() - 0.5).abs() < 1e-6);
        let descent = Descent { rate: 0.1, env_steps: 7 };
        // Adam's first step is the rate, against the gradient's sign: log α ← ln 0.5 + 0.1.
        temperature.update(-3.0, -1.0, descent).unwrap();
        assert!((temperature.alpha() - 0.5 * 0.1_f32.exp()).abs() < 1e-6);
        let before = temperature.alpha();
        for _ in 0..100 {
            temperature.update(2.0, -1.0, descent).unwrap();
        }
        assert!(temperature.alpha() < before && temperature.alpha() > 0.0);
        for entropy in [f64::NAN, 1e30] {
            let mut temperature = Temperature::new(0.5, &mut Seed::new(0).rng()).unwrap();
            let error = temperature.update(entropy, -1.0, descent).unwrap_err();
            assert!(matches!(error, AgentError::Diverged { env_steps: 7, .. }), "{error}");
        }
    }
}
