//! Ensembles: combine several models, which improves accuracy and measures uncertainty.
//!
//! Members are trained independently: on the same rows with other seeds (deep ensembles), on
//! [`bootstrap`] samples (bagging), or on freshly balanced rows
//! ([`Resampler::BalancedBootstrap`](crate::imbalance::Resampler)). `Ensemble`, behind the feature
//! `torch`, trains them. Combine predictions with [`hard_vote`], [`soft_vote`] or a second model,
//! stacked on predictions for rows outside the members' training data ([`out_of_fold`],
//! `Stacking`). [`class_uncertainty`] and, for numbers, [`mixture`] measure uncertainty.
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
use crate::{SettingError, require};

/// Why models cannot form an ensemble.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnsembleError {
    /// There are no members.
    #[error("there are no members: expected at least one")]
    NoMembers,
    /// A member has too many or too few predictions.
    #[error("member {member} has {got} {what}, expected {expected}")]
    Length {
        /// The member, from 0.
        member: usize,
        /// The name of the predictions.
        what: &'static str,
        /// The number expected.
        expected: usize,
        /// The number given.
        got: usize,
    },
    /// A vote for a class that does not exist.
    #[error(
        "member {member} voted for class {class} in row {row}: expected a class below {classes}"
    )]
    Class {
        /// The member, from 0.
        member: usize,
        /// The row, from 0.
        row: usize,
        /// The class.
        class: usize,
        /// The number of classes.
        classes: usize,
    },
    /// A member's prediction is not valid.
    #[error("number {index} of member {member} is {}: expected {allowed}", number(*value))]
    Number {
        /// The member, from 0.
        member: usize,
        /// The index of the number, from 0.
        index: usize,
        /// The number.
        value: f64,
        /// The allowed values.
        allowed: &'static str,
    },
    /// The probabilities of a row do not sum to 1.
    #[error(
        "the probabilities that member {member} gives row {row} sum to {}: expected 1, over one \
         for each class",
        number(*sum)
    )]
    RowSum {
        /// The member, from 0.
        member: usize,
        /// The row, from 0.
        row: usize,
        /// The sum of its probabilities.
        sum: f64,
    },
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// A row is tested by no fold or several, or by a fold that also trains on it.
    #[error(
        "row {row} is tested by {tested} folds and leaks into the training part of {leaks} of them: \
         expected one fold that did not train with it"
    )]
    Folds {
        /// The row.
        row: usize,
        /// The number of folds that test it.
        tested: usize,
        /// The number of these that also train on it.
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

/// Checks that there are members with equal numbers of `what`; returns that number.
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

/// Checks that every number of every member satisfies `holds`.
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
    require(classes > 0, "the number of classes", classes as f64, "at least 1")?;
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
