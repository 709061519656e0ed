//! Optimisers as plain loops over a network's flat parameters, whose state is one's own to save.
//!
//! They do what PyTorch's optimisers of the same names do, with the same names of settings.
//! [`OptimizerConfig`] chooses one by name, [`ParamGroups`] lets parts of a network learn at rates of
//! their own or not at all, [`lr_schedule`](crate::lr_schedule) changes the rate over time.

mod adagrad;
mod adam;
mod clip;
mod config;
mod groups;
mod rms_prop;
mod sgd;
mod state;

pub use adagrad::{Adagrad, AdagradConfig, AdagradState};
pub use adam::{Adam, AdamConfig, AdamState, AdamWConfig};
pub use clip::{clip_grad_norm, clip_grad_value};
pub use config::OptimizerConfig;
pub use groups::{ParamGroup, ParamGroups};
pub use rms_prop::{RmsProp, RmsPropConfig, RmsPropState};
pub use sgd::{Sgd, SgdConfig};
pub use state::OptimizerState;

use std::ops::Range;

use tch::Tensor;
use thiserror::Error;

use crate::nn::Parameters;
use crate::text::number;

/// Why an optimiser cannot be made, stepped or restored.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum OptimError {
    /// A setting is out of its range.
    #[error("{key} must be {allowed}, got {}", number(*value))]
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
    /// A group's range is no part of the parameters.
    #[error("the group {range:?} is no part of the {length} parameters")]
    Range {
        /// The range.
        range: Range<usize>,
        /// How many parameters there are.
        length: usize,
    },
    /// Two groups share parameters.
    #[error("the groups {first:?} and {second:?} overlap: each parameter learns at one rate")]
    Overlap {
        /// The one that starts first.
        first: Range<usize>,
        /// The other.
        second: Range<usize>,
    },
    /// A loss that cannot be differentiated.
    #[error("{0}")]
    Loss(String),
    /// Gradients are no finite numbers, or so large that their squares are none: `f32` ends at 3.4e38,
    /// the square of 1.8e19.
    #[error(
        "{what} became {got}: expected finite numbers; lower the learning rate, or clip the gradients \
         (`max_grad_norm`)"
    )]
    NotFinite {
        /// What is not finite.
        what: &'static str,
        /// The number.
        got: f32,
    },
    /// The state of another optimiser.
    #[error("expected the state of an optimiser that remembers {expected}, got one with {got:?}")]
    State {
        /// What the optimiser remembers.
        expected: String,
        /// What the state holds.
        got: String,
    },
}

/// Changes parameters along their gradients.
pub trait Optimizer: Send {
    /// One step with learning rate `lr`, times the factor of each group. The gradients stay as they
    /// are.
    ///
    /// # Errors
    /// [`OptimError::Length`] where it was made for other parameters; [`OptimError::Setting`] unless the
    /// rate is at least 0 and, times every group's factor, a finite `f32`. Nothing has changed then.
    /// [`OptimError::NotFinite`] where it remembers squares of gradients and one is not finite, by which
    /// parameters would never move again. The step was taken then: go back to what was saved before it.
    fn step(&mut self, parameters: &mut Parameters, lr: f64) -> Result<(), OptimError>;

    /// A copy of all that it remembers between steps, to be saved.
    fn state_dict(&self) -> OptimizerState;

    /// Goes on from a saved state.
    ///
    /// # Errors
    /// [`OptimError::State`] where that is another optimiser's; [`OptimError::Length`] where it is of
    /// other parameters. What it remembered before stays then.
    fn load_state_dict(&mut self, state: &OptimizerState) -> Result<(), OptimError>;

    /// How parts of the parameters learn: until it is told, all alike.
    fn groups(&self) -> &ParamGroups;

    /// Lets parts of the parameters learn otherwise from now on. What it remembers stays.
    ///
    /// # Errors
    /// [`OptimError::Length`] where these are groups of other parameters.
    fn set_groups(&mut self, groups: ParamGroups) -> Result<(), OptimError>;

    /// Differentiates the loss and takes one step: zero the gradients, `backward`, clip them to
    /// `max_grad_norm` if given, step. Returns the gradients' norm before clipping, that of frozen
    /// parameters left out.
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

    /// One step down the gradients that are there: clip them to `max_grad_norm` if given, step.
    /// Returns the gradients' norm before clipping, that of frozen parameters left out.
    ///
    /// # Errors
    /// As [`step`](Self::step); [`OptimError::Setting`] unless `max_grad_norm` is at least 0. Where the
    /// norm is not finite, [`OptimError::NotFinite`] comes before the step: only gradients have changed.
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

fn check(
    key: &'static str,
    value: f64,
    allowed: &'static str,
    is_allowed: bool,
) -> Result<(), OptimError> {
    if is_allowed { Ok(()) } else { Err(OptimError::Setting { key, value, allowed }) }
}

fn nonnegative(key: &'static str, value: f64) -> Result<(), OptimError> {
    check(key, value, "finite and ≥ 0", value >= 0.0 && value.is_finite())?;
    check(key, value, "at most 3.4e38, the greatest f32", (value as f32).is_finite())
}

/// What a denominator is kept from zero by: also as `f32`, in which parameters are.
fn positive(key: &'static str, value: f64) -> Result<(), OptimError> {
    check(key, value, "finite and > 0", value > 0.0 && value.is_finite())?;
    let is_normal = (value as f32).is_normal();
    check(key, value, "from 1.2e-38 to 3.4e38, a normal f32", is_normal)
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
