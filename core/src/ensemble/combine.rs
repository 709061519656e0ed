//! Combines the predictions of members.

use super::{EnsembleError, check_lengths, check_numbers, check_probabilities};
use crate::require;
use crate::statistics::argmax;

/// Returns the class with the most votes for each row, the lowest of equals: votes `[N]` of each
/// member to `[N]`.
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
        let mut named: Vec<usize> = votes.iter().map(|of_member| of_member[row]).collect();
        named.sort_unstable();
        // Of equals `max_by_key` takes the last, which from behind is the lowest class.
        let most = named.chunk_by(|a, b| a == b).rev().max_by_key(|same| same.len());
        most.expect("there are members")[0]
    };
    Ok((0..rows).map(of_row).collect())
}

/// Averages the members' probabilities `[N, C]`, or other predictions, number by number. Each
/// result lies between the members' smallest and largest value, so means of probabilities are
/// probabilities. `weights` are one weight for each member.
///
/// # Errors
/// [`EnsembleError::NoMembers`], [`EnsembleError::Length`], [`EnsembleError::Number`] if a
/// prediction is not finite; [`EnsembleError::Setting`] if a weight is negative or not finite, all
/// are 0, their sum is not finite, or their number differs from the members'.
pub fn soft_vote(members: &[Vec<f64>], weights: Option<&[f64]>) -> Result<Vec<f64>, EnsembleError> {
    let numbers = check_lengths(members, "numbers")?;
    check_numbers(members, "a finite number", f64::is_finite)?;
    let equal = vec![1.0; members.len()];
    let weights = weights.unwrap_or(&equal);
    let (given, needed) = (weights.len(), members.len());
    require(given == needed, "the number of weights", given as f64, "that of the members")?;
    for &weight in weights {
        require(weight >= 0.0 && weight.is_finite(), "a weight", weight, "finite and ≥ 0")?;
    }
    let total: f64 = weights.iter().sum();
    let fits = total > 0.0 && total.is_finite();
    require(fits, "the sum of the weights", total, "positive and finite")?;
    let mean = |index: usize| {
        let each = || members.iter().map(|member| member[index]);
        let mean = each().zip(weights).fold(0.0, |sum, (x, weight)| sum + weight / total * x);
        // Rounding: of nine members that all say 1 it would be 1.0000000000000002.
        mean.clamp(each().fold(f64::INFINITY, f64::min), each().fold(f64::NEG_INFINITY, f64::max))
    };
    Ok((0..numbers).map(mean).collect())
}

/// Returns the likeliest class of each row, the first of equals: probabilities `[N, classes]` to
/// `[N]`.
///
/// # Errors
/// [`EnsembleError::Length`] if the numbers do not form whole rows, [`EnsembleError::Number`] if
/// one is not a probability, [`EnsembleError::RowSum`], [`EnsembleError::Setting`] if `classes` is
/// 0.
pub fn most_likely(probabilities: &[f64], classes: usize) -> Result<Vec<usize>, EnsembleError> {
    check_probabilities(&[probabilities.to_vec()], classes)?;
    Ok(probabilities.chunks_exact(classes).filter_map(argmax).collect())
}
