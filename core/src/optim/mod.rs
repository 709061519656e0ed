//! Optimisers as plain loops over a network's flat parameters, whose state is one's own to save.
//!
//! They do what PyTorch's optimisers of the same names do, with the same names of settings.

mod adam;
mod clip;

pub use adam::{Adam, AdamConfig, AdamState};
pub use clip::clip_grad_norm;

use thiserror::Error;

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

fn check(
    key: &'static str,
    value: f64,
    allowed: &'static str,
    is_allowed: bool,
) -> Result<(), OptimError> {
    if is_allowed { Ok(()) } else { Err(OptimError::Setting { key, value, allowed }) }
}
