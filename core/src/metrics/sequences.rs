//! Metrics of sequences: edit distance and error rates.

use super::MetricError;
use super::checks;

/// Returns the Levenshtein distance: the number of items to insert, delete or replace to turn one
/// sequence into the other. Equals `torchaudio.functional.edit_distance`.
///
/// ```
/// use gymnast_core::metrics::edit_distance;
///
/// assert_eq!(edit_distance(b"kitten", b"sitting"), 3);
/// ```
pub fn edit_distance<T: PartialEq>(first: &[T], second: &[T]) -> usize {
    // The distances of the items of `first` so far to each beginning of `second`.
    let mut distances: Vec<usize> = (0..=second.len()).collect();
    for (i, item) in first.iter().enumerate() {
        let mut diagonal = i;
        distances[0] = i + 1;
        for (j, other) in second.iter().enumerate() {
            let replaced = diagonal + usize::from(item != other);
            diagonal = distances[j + 1];
            distances[j + 1] = replaced.min(diagonal + 1).min(distances[j] + 1);
        }
    }
    distances[second.len()]
}

/// Returns the edits that turn the predicted sequences into the true ones, divided by the items of
/// the true ones: the word error rate of speech recognition. 0 is best; it exceeds 1 if the
/// predictions are too long.
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::Length`]; [`MetricError::Undefined`] if the true
/// sequences have no items.
pub fn token_error_rate<T: PartialEq>(
    truth: &[Vec<T>],
    found: &[Vec<T>],
) -> Result<f64, MetricError> {
    pairs(truth, found)?;
    let items: usize = truth.iter().map(Vec::len).sum();
    if items == 0 {
        let why = "it needs at least one item in the true sequences";
        return Err(MetricError::Undefined { score: "the token error rate", why });
    }
    let edits: usize =
        truth.iter().zip(found).map(|(truth, found)| edit_distance(truth, found)).sum();
    Ok(edits as f64 / items as f64)
}

/// Returns the fraction of sequences with at least one error, in [0, 1].
///
/// # Errors
/// [`MetricError::Empty`], [`MetricError::Length`].
pub fn sequence_error_rate<T: PartialEq>(
    truth: &[Vec<T>],
    found: &[Vec<T>],
) -> Result<f64, MetricError> {
    pairs(truth, found)?;
    let wrong = truth.iter().zip(found).filter(|(truth, found)| truth != found).count();
    Ok(wrong as f64 / truth.len() as f64)
}

fn pairs<T>(truth: &[T], found: &[T]) -> Result<(), MetricError> {
    checks::length("found sequences", truth.len(), found.len())?;
    if truth.is_empty() { Err(MetricError::Empty) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_by_hand() {
        assert_eq!(edit_distance::<u8>(&[], &[]), 0);
        assert_eq!(edit_distance(b"", b"abc"), 3);
        assert_eq!(edit_distance(b"abc", b""), 3);
        assert_eq!(edit_distance(b"flaw", b"lawn"), 2);
        assert_eq!(edit_distance(&[1, 2, 3], &[1, 3, 2]), 2);
    }

    #[test]
    fn rates_by_hand() {
        let truth = [vec![1, 2, 3], vec![4], vec![]];
        let found = [vec![1, 3], vec![4], vec![5, 6]];
        assert_eq!(token_error_rate(&truth, &found), Ok(3.0 / 4.0));
        assert_eq!(sequence_error_rate(&truth, &found), Ok(2.0 / 3.0));
        let none: [Vec<u8>; 1] = [vec![]];
        assert!(matches!(token_error_rate(&none, &none), Err(MetricError::Undefined { .. })));
        assert_eq!(sequence_error_rate(&none, &none), Ok(0.0));
        assert_eq!(sequence_error_rate::<u8>(&[], &[]), Err(MetricError::Empty));
        assert!(matches!(token_error_rate(&truth, &found[..1]), Err(MetricError::Length { .. })));
    }
}
