//! Optimisers as plain loops over a network's flat parameters, whose state is one's own to save.
//!
//! They do what PyTorch's optimisers of the same names do, with the same names of settings.

mod adam;
mod clip;
mod rms_prop;
mod sgd;

pub use adam::{Adam, AdamConfig, AdamState};
pub use clip::clip_grad_norm;
pub use rms_prop::{RmsProp, RmsPropConfig, RmsPropState};
pub use sgd::{Sgd, SgdConfig};

use tch::Tensor;
use thiserror::Error;

use crate::nn::Parameters;

/// Why an optimiser cannot be made, stepped or restored.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum OptimError {
    /// A setting is out of its range.
    #[error("{key} must be {allowed}, got {value}")]
    Setting {
        /// The setting's name.
        key: &'static str,
        /// What it was set to.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// State of, or for, a network of another size.
    #[error("the optimiser's {what} holds {got} numbers, the network has {expected} parameters")]
    Length {
        /// Which part of the state.
        what: &'static str,
        /// How many numbers it should hold.
        expected: usize,
        /// How many it holds.
        got: usize,
    },
}

/// Changes parameters along their gradients.
pub trait Optimizer: Send {
    /// One step with learning rate `lr`. The gradients stay as they are.
    fn step(&mut self, parameters: &mut Parameters, lr: f64) -> Result<(), OptimError>;

    /// Differentiates the loss and takes one step: zero the gradients, `backward`, clip them to
    /// `max_grad_norm` if given, step. Returns the gradients' norm before clipping.
    ///
    /// # Panics
    /// If `loss` is not a scalar that depends on parameters.
    fn minimize(
        &mut self,
        loss: &Tensor,
        parameters: &mut Parameters,
        lr: f64,
        max_grad_norm: Option<f32>,
    ) -> Result<f32, OptimError> {
        parameters.backward(loss);
        self.descend(parameters, lr, max_grad_norm)
    }

    /// One step down the gradients that are there: clip them to `max_grad_norm` if given, step.
    /// Returns the gradients' norm before clipping.
    fn descend(
        &mut self,
        parameters: &mut Parameters,
        lr: f64,
        max_grad_norm: Option<f32>,
    ) -> Result<f32, OptimError> {
        let norm = clip_grad_norm(parameters, max_grad_norm.unwrap_or(f32::INFINITY));
        self.step(parameters, lr)?;
        Ok(norm)
    }
}

fn check(
    key: &'static str,
    value: f64,
    allowed: &'static str,
    is_allowed: bool,
) -> Result<(), OptimError> {
    if is_allowed { Ok(()) } else { Err(OptimError::Setting { key, value, allowed }) }
}

fn nonnegative(key: &'static str, value: f64) -> Result<(), OptimError> {
    check(key, value, "finite and ≥ 0", value >= 0.0 && value.is_finite())
}

fn check_length(what: &'static str, expected: usize, got: usize) -> Result<(), OptimError> {
    if expected == got { Ok(()) } else { Err(OptimError::Length { what, expected, got }) }
}
