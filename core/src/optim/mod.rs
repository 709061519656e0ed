//! Optimisers as plain loops over a network's flat parameters, with state that can be saved.
//!
//! They match PyTorch's optimisers and settings of the same names. [`OptimizerConfig`] selects one
//! by name, [`ParamGroups`] gives parts of a network their own learning rates or freezes them,
//! [`lr_schedule`](crate::lr_schedule) changes the learning rate over time.

mod adagrad;
mod adam;
mod clip;
mod config;
mod groups;
mod rms_prop;
mod sgd;
mod state;

pub use adagrad::{Adagrad, AdagradConfig};
pub use adam::{Adam, AdamConfig, AdamState, AdamWConfig};
pub use clip::{clip_grad_norm, clip_grad_value};
pub use config::OptimizerConfig;
pub use groups::{ParamGroup, ParamGroups};
pub use rms_prop::{RmsProp, RmsPropConfig};
pub use sgd::{Sgd, SgdConfig};
pub use state::OptimizerState;

use std::ops::Range;

use tch::Tensor;
use thiserror::Error;

use crate::nn::Parameters;
use crate::{SettingError, require};

/// Why an optimiser cannot be created, stepped or restored.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum OptimError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A state has another size than the network.
    #[error("the optimiser's {what} holds {got} numbers, the network has {expected} parameters")]
    Length {
        /// The part of the state.
        what: &'static str,
        /// The number of parameters.
        expected: usize,
        /// The number of values.
        got: usize,
    },
    /// A group's range is outside the parameters.
    #[error("the group {range:?} is outside the {length} parameters")]
    Range {
        /// The range.
        range: Range<usize>,
        /// The number of parameters.
        length: usize,
    },
    /// Two groups share parameters.
    #[error("the groups {first:?} and {second:?} overlap: each parameter learns at one rate")]
    Overlap {
        /// The group that starts first.
        first: Range<usize>,
        /// The other group.
        second: Range<usize>,
    },
    /// The loss cannot be differentiated.
    #[error("{0}")]
    Loss(String),
    /// Gradients are not finite, or their squares exceed `f32`, whose maximum, 3.4e38, is the
    /// square of 1.8e19.
    #[error(
        "{what} became {got}: expected finite numbers; lower the learning rate, or clip the gradients \
         (`max_grad_norm`)"
    )]
    NotFinite {
        /// The name of the number.
        what: &'static str,
        /// The number.
        got: f32,
    },
    /// The state belongs to another optimiser.
    #[error("expected the state of an optimiser that remembers {expected}, got one with {got:?}")]
    State {
        /// The entries of the optimiser's state.
        expected: String,
        /// The entries given.
        got: String,
    },
}

/// Updates parameters by their gradients.
pub trait Optimizer: Send {
    /// Takes one step with learning rate `lr`, multiplied by the factor of each group. The
    /// gradients do not change.
    ///
    /// # Errors
    /// [`OptimError::Length`] if it was created for other parameters; [`OptimError::Setting`]
    /// unless the rate is at least 0 and, multiplied by each group's factor, a finite `f32`. Then
    /// nothing has changed. [`OptimError::NotFinite`] if a stored square of a gradient is not
    /// finite, which would stop parameters from moving. Then the step was taken: restore a state
    /// saved before it.
    fn step(&mut self, parameters: &mut Parameters, lr: f64) -> Result<(), OptimError>;

    /// Returns a copy of the whole state, to save.
    fn state_dict(&self) -> OptimizerState;

    /// Restores a saved state.
    ///
    /// # Errors
    /// [`OptimError::State`] if it belongs to another optimiser; [`OptimError::Length`] if it
    /// belongs to other parameters. The state is then unchanged.
    fn load_state_dict(&mut self, state: &OptimizerState) -> Result<(), OptimError>;

    /// Returns the parameter groups; by default all parameters are in one.
    fn groups(&self) -> &ParamGroups;

    /// Sets the parameter groups. The state is kept.
    ///
    /// # Errors
    /// [`OptimError::Length`] if the groups belong to other parameters.
    fn set_groups(&mut self, groups: ParamGroups) -> Result<(), OptimError>;

    /// Differentiates the loss and takes one step: zero the gradients, `backward`, clip them to
    /// `max_grad_norm` if given, step. Returns the norm of the gradients before clipping, without
    /// frozen parameters.
    ///
    /// # Errors
    /// [`OptimError::Loss`] unless `loss` is a floating-point scalar that depends on parameters.
    fn minimize(
        &mut self,
        loss: &Tensor,
        parameters: &mut Parameters,
        lr: f64,
        max_grad_norm: Option<f32>,
    ) -> Result<f32, OptimError> {
        parameters.backward(loss).map_err(|error| OptimError::Loss(error.to_string()))?;
        self.descend(parameters, lr, max_grad_norm)
    }

    /// Takes one step with the current gradients: clip them to `max_grad_norm` if given, step.
    /// Returns the norm of the gradients before clipping, without frozen parameters.
    ///
    /// # Errors
    /// As [`step`](Self::step); [`OptimError::Setting`] unless `max_grad_norm` is at least 0. If
    /// the norm is not finite, [`OptimError::NotFinite`] is returned before the step; only
    /// gradients have changed.
    fn descend(
        &mut self,
        parameters: &mut Parameters,
        lr: f64,
        max_grad_norm: Option<f32>,
    ) -> Result<f32, OptimError> {
        check_rate(self.groups(), lr)?;
        let max_norm = max_grad_norm.unwrap_or(f32::INFINITY);
        let norm = self.groups().clip_grad_norm(parameters, max_norm)?;
        if !norm.is_finite() {
            return Err(OptimError::NotFinite { what: "the gradient", got: norm });
        }
        self.step(parameters, lr)?;
        Ok(norm)
    }
}

fn nonnegative(key: &'static str, value: f64) -> Result<(), OptimError> {
    require(value >= 0.0 && value.is_finite(), key, value, "finite and ≥ 0")?;
    let fits = (value as f32).is_finite();
    Ok(require(fits, key, value, "at most 3.4e38, the greatest f32")?)
}

/// What a denominator is kept from zero by: also as `f32`, in which parameters are.
fn positive(key: &'static str, value: f64) -> Result<(), OptimError> {
    require(value > 0.0 && value.is_finite(), key, value, "finite and > 0")?;
    let is_normal = (value as f32).is_normal();
    Ok(require(is_normal, key, value, "from 1.2e-38 to 3.4e38, a normal f32")?)
}

/// A rate by which a step changes parameters and makes none of them NaN.
fn check_rate(groups: &ParamGroups, lr: f64) -> Result<(), OptimError> {
    nonnegative("lr", lr)?;
    groups
        .segments()
        .iter()
        .try_for_each(|group| nonnegative("lr times the factor of a group", lr * group.lr_factor))
}

/// What every step asks first: `state` numbers remembered, one for each parameter, and a rate.
fn check_step(
    parameters: &Parameters,
    state: usize,
    groups: &ParamGroups,
    lr: f64,
) -> Result<(), OptimError> {
    check_length("state", parameters.len(), state)?;
    check_rate(groups, lr)
}

/// Names the square that a step left and that is not finite, where its loop met one.
fn check_squares(squares: &[f32], are_finite: bool) -> Result<(), OptimError> {
    if are_finite {
        return Ok(());
    }
    let got = squares.iter().copied().find(|square| !square.is_finite()).unwrap_or(f32::NAN);
    Err(OptimError::NotFinite { what: "a gradient's square", got })
}

fn check_length(what: &'static str, expected: usize, got: usize) -> Result<(), OptimError> {
    if expected == got { Ok(()) } else { Err(OptimError::Length { what, expected, got }) }
}
