//! One answer of many.

use super::{EnsembleError, check_lengths, check_numbers, check_probabilities, setting};
use crate::statistics::argmax;

/// The class that most members name for each row, the lowest of equals: votes `[N]` of each member to
/// `[N]`.
///
/// # Errors
/// [`EnsembleError::NoMembers`], [`EnsembleError::Length`], [`EnsembleError::Class`].
pub fn hard_vote(votes: &[Vec<usize>], classes: usize) -> Result<Vec<usize>, EnsembleError> {
    let rows = check_lengths(votes, "votes")?;
    for (member, of_member) in votes.iter().enumerate() {
        if let Some(row) = of_member.iter().position(|&class| class >= classes) {
            let class = of_member[row];
            return Err(EnsembleError::Class { member, row, class, classes });
        }
    }
    let of_row = |row: usize| {
        let mut counts = vec![0_usize; classes];
        votes.iter().for_each(|of_member| counts[of_member[row]] += 1);
        (1..classes).fold(0, |best, class| if counts[class] > counts[best] { class } else { best })
    };
    Ok((0..rows).map(of_row).collect())
}

/// The mean of the members' probabilities `[N, C]`, number by number; of other predictions too.
/// `weights`, one for each member, say how much each counts.
///
/// # Errors
/// [`EnsembleError::NoMembers`], [`EnsembleError::Length`], [`EnsembleError::Number`] where one is not
/// finite; [`EnsembleError::Setting`] where a weight is negative or not finite, all are 0, or they are
/// not as many as members.
pub fn soft_vote(members: &[Vec<f64>], weights: Option<&[f64]>) -> Result<Vec<f64>, EnsembleError> {
    let numbers = check_lengths(members, "numbers")?;
    check_numbers(members, "a finite number", f64::is_finite)?;
    let equal = vec![1.0; members.len()];
    let weights = weights.unwrap_or(&equal);
    let (given, needed) = (weights.len(), members.len());
    setting(given == needed, "the number of weights", given as f64, "that of the members")?;
    for &weight in weights {
        setting(weight >= 0.0 && weight.is_finite(), "a weight", weight, "finite and ≥ 0")?;
    }
    let total: f64 = weights.iter().sum();
    setting(total > 0.0, "the sum of the weights", total, "positive")?;
    let mut mean = vec![0.0; numbers];
    for (member, weight) in members.iter().zip(weights) {
        mean.iter_mut().zip(member).for_each(|(sum, number)| *sum += weight / total * number);
    }
    Ok(mean)
}

/// The likeliest class of each row, the first of equals: probabilities `[N, classes]` to `[N]`.
///
/// # Errors
/// [`EnsembleError::Length`] if they make no whole rows, [`EnsembleError::Number`] if one is no
/// probability, [`EnsembleError::Setting`] for no classes.
pub fn most_likely(probabilities: &[f64], classes: usize) -> Result<Vec<usize>, EnsembleError> {
    check_probabilities(&[probabilities.to_vec()], classes)?;
    Ok(probabilities.chunks_exact(classes).filter_map(argmax).collect())
}
