//! Several models as one: more accurate than each, and able to say where they disagree.
//!
//! Members are trained apart, on the same rows from other seeds (deep ensembles), on
//! [`bootstrap`] samples (bagging), or on rows balanced anew for each
//! ([`Resampler::BalancedBootstrap`](crate::imbalance::Resampler)); `Ensemble` trains them, behind the
//! feature `torch`. What they say is put together by [`hard_vote`], by [`soft_vote`] or by a model of
//! its own, stacked on what they say of rows that they have not learned from ([`out_of_fold`],
//! `Stacking`). How sure they are is told by [`class_uncertainty`], and for numbers by [`mixture`].
//!
//! ```
//! use gymnast_core::ensemble::{class_uncertainty, hard_vote, most_likely, soft_vote};
//!
//! // Three members, one row, two classes.
//! let members = [vec![0.9, 0.1], vec![0.4, 0.6], vec![0.45, 0.55]];
//! let votes = members.iter().map(|p| most_likely(p, 2)).collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(hard_vote(&votes, 2)?, [1]);
//! assert_eq!(most_likely(&soft_vote(&members, None)?, 2)?, [0]);
//! assert!(class_uncertainty(&members, 2)?[0].mutual_information > 0.1);
//! # Ok::<(), gymnast_core::ensemble::EnsembleError>(())
//! ```

mod bootstrap;
mod combine;
#[cfg(feature = "torch")]
mod members;
mod out_of_fold;
#[cfg(feature = "torch")]
mod stacking;
#[cfg(test)]
mod tests;
mod uncertainty;

pub use bootstrap::{BootstrapSample, bootstrap};
pub use combine::{hard_vote, most_likely, soft_vote};
#[cfg(feature = "torch")]
pub use members::Ensemble;
pub use out_of_fold::out_of_fold;
#[cfg(feature = "torch")]
pub use stacking::{Member, Stacking};
pub use uncertainty::{ClassUncertainty, Mixture, class_uncertainty, mixture};

use thiserror::Error;

use crate::data::DataError;
use crate::metrics::uneven_row;
use crate::text::number;

/// Why models are no ensemble.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnsembleError {
    /// There is nobody to ask.
    #[error("there are no members: expected at least one")]
    NoMembers,
    /// A member says too much or too little.
    #[error("member {member} has {got} {what}, expected {expected}")]
    Length {
        /// Which member, from 0.
        member: usize,
        /// What it has too many or too few of.
        what: &'static str,
        /// How many were expected.
        expected: usize,
        /// How many it has.
        got: usize,
    },
    /// A vote for a class that there is not.
    #[error(
        "member {member} says that row {row} is of class {class}: expected one below {classes}"
    )]
    Class {
        /// Which member, from 0.
        member: usize,
        /// Which row, from 0.
        row: usize,
        /// The class.
        class: usize,
        /// How many there are.
        classes: usize,
    },
    /// A member's number has no meaning.
    #[error("member {member} says {} as number {index}: expected {allowed}", number(*value))]
    Number {
        /// Which member, from 0.
        member: usize,
        /// Which of its numbers, from 0.
        index: usize,
        /// The number.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// The probabilities of all classes do not make one whole.
    #[error(
        "the probabilities that member {member} gives row {row} sum to {}: expected 1, over one \
         for each class",
        number(*sum)
    )]
    RowSum {
        /// Which member, from 0.
        member: usize,
        /// Which row, from 0.
        row: usize,
        /// What its probabilities sum to.
        sum: f64,
    },
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
    /// A row is judged by no fold or by several, or by one that trained with it.
    #[error(
        "row {row} is tested by {tested} folds and leaks into the training part of {leaks} of them: \
         expected one fold that did not train with it"
    )]
    Folds {
        /// Which row.
        row: usize,
        /// How many folds test it.
        tested: usize,
        /// How many of these train with it too.
        leaks: usize,
    },
    /// The rows cannot be drawn from or split.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A network cannot be fitted.
    #[cfg(feature = "torch")]
    #[error(transparent)]
    Fit(#[from] crate::supervised::FitError),
    /// A network cannot be built.
    #[cfg(feature = "torch")]
    #[error(transparent)]
    Network(#[from] crate::nn::NetworkError),
}

fn setting(
    holds: bool,
    key: &'static str,
    value: f64,
    allowed: &'static str,
) -> Result<(), EnsembleError> {
    if holds { Ok(()) } else { Err(EnsembleError::Setting { key, value, allowed }) }
}

/// That there are members and all have as many `what`; returns how many.
fn check_lengths<T>(members: &[Vec<T>], what: &'static str) -> Result<usize, EnsembleError> {
    let expected = members.first().ok_or(EnsembleError::NoMembers)?.len();
    match members.iter().position(|member| member.len() != expected) {
        None => Ok(expected),
        Some(member) => {
            let got = members[member].len();
            Err(EnsembleError::Length { member, what, expected, got })
        }
    }
}

/// That every number of every member is as `holds` asks.
fn check_numbers(
    members: &[Vec<f64>],
    allowed: &'static str,
    holds: impl Fn(f64) -> bool,
) -> Result<(), EnsembleError> {
    for (member, numbers) in members.iter().enumerate() {
        if let Some(index) = numbers.iter().position(|&value| !holds(value)) {
            return Err(EnsembleError::Number { member, index, value: numbers[index], allowed });
        }
    }
    Ok(())
}

/// Probabilities `[N, classes]` of each member, whose rows sum to 1 to within what `f32` leaves.
fn check_probabilities(members: &[Vec<f64>], classes: usize) -> Result<(), EnsembleError> {
    setting(classes > 0, "the number of classes", classes as f64, "at least 1")?;
    let got = check_lengths(members, "probabilities")?;
    if !got.is_multiple_of(classes) {
        let expected = got.next_multiple_of(classes);
        return Err(EnsembleError::Length { member: 0, what: "probabilities", expected, got });
    }
    check_numbers(members, "a probability", |p| (0.0..=1.0).contains(&p))?;
    for (member, probabilities) in members.iter().enumerate() {
        if let Some((row, sum)) = uneven_row(probabilities, classes, f32::EPSILON.into()) {
            return Err(EnsembleError::RowSum { member, row, sum });
        }
    }
    Ok(())
}
