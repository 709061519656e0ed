//! Similarity of two vectors or sets.
//!
//! Each function compares one pair, so there is no collector. For Pearson's correlation over
//! batches see [`Regression`](super::Regression).

use std::collections::BTreeSet;

use super::{MetricError, checks};

/// Returns the cosine of the angle between two vectors, from −1 to 1. The cosine distance is 1
/// minus it.
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::NotFinite`], [`MetricError::Empty`];
/// [`MetricError::Undefined`] if one vector is all zeros (scikit-learn returns 0).
pub fn cosine_similarity<A: Into<f64> + Copy, B: Into<f64> + Copy>(
    a: &[A],
    b: &[B],
) -> Result<f64, MetricError> {
    let (a, b) = vectors(a, b)?;
    let (Some(a), Some(b)) = (scaled(&a), scaled(&b)) else {
        let (score, why) = ("cosine similarity", "a vector of zeros has no direction");
        return Err(MetricError::Undefined { score, why });
    };
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let cosine = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
    Ok(cosine.clamp(-1.0, 1.0)) // which rounding may leave by a bit
}

/// Returns the Euclidean distance, √Σ (a − b)².
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::NotFinite`], [`MetricError::Empty`];
/// [`MetricError::Undefined`] if the distance exceeds what `f64` holds.
pub fn euclidean_distance<A: Into<f64> + Copy, B: Into<f64> + Copy>(
    a: &[A],
    b: &[B],
) -> Result<f64, MetricError> {
    let (a, b) = vectors(a, b)?;
    // hypot, as squares may be too large or too small where the distance is not.
    let distance = a.iter().zip(&b).fold(0.0_f64, |sum, (a, b)| sum.hypot(a - b));
    checks::score("the Euclidean distance", distance)
}

/// Returns the Manhattan distance, Σ |a − b|.
///
/// # Errors
/// As [`euclidean_distance`].
pub fn manhattan_distance<A: Into<f64> + Copy, B: Into<f64> + Copy>(
    a: &[A],
    b: &[B],
) -> Result<f64, MetricError> {
    let (a, b) = vectors(a, b)?;
    let distance = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum();
    checks::score("the Manhattan distance", distance)
}

/// Returns |A ∩ B| / |A ∪ B| of two sets, for example of words. Repeated items count once.
///
/// For rows of classes see [`jaccard_score`](super::jaccard_score).
///
/// # Errors
/// [`MetricError::Undefined`] if both are empty.
pub fn jaccard_similarity<T: Ord>(a: &[T], b: &[T]) -> Result<f64, MetricError> {
    let (a, b): (BTreeSet<&T>, BTreeSet<&T>) = (a.iter().collect(), b.iter().collect());
    let union = a.union(&b).count();
    if union == 0 {
        let (score, why) = ("Jaccard similarity", "both sets are empty");
        return Err(MetricError::Undefined { score, why });
    }
    Ok(a.intersection(&b).count() as f64 / union as f64)
}

fn vectors<A: Into<f64> + Copy, B: Into<f64> + Copy>(
    a: &[A],
    b: &[B],
) -> Result<(Vec<f64>, Vec<f64>), MetricError> {
    checks::length("numbers in the second vector", a.len(), b.len())?;
    if a.is_empty() {
        return Err(MetricError::Empty);
    }
    Ok((checks::finite("first vector", a)?, checks::finite("second vector", b)?))
}

/// Divides the vector by its largest magnitude, so that its squares stay finite; `None` if all are
/// 0.
fn scaled(vector: &[f64]) -> Option<Vec<f64>> {
    let largest = vector.iter().fold(0.0_f64, |largest, number| largest.max(number.abs()));
    (largest > 0.0).then(|| vector.iter().map(|number| number / largest).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_worked_values() {
        assert_eq!(euclidean_distance(&[0.0, 3.0], &[4.0_f32, 0.0]), Ok(5.0));
        assert_eq!(manhattan_distance(&[0, 3], &[4, 0]), Ok(7.0));
        assert_eq!(cosine_similarity(&[1, 0], &[0, 2]), Ok(0.0));
        assert_eq!(cosine_similarity(&[3, 4], &[4, 3]), Ok(24.0 / 25.0));
        assert_eq!(cosine_similarity(&[1, 2, 3], &[-2, -4, -6]), Ok(-1.0));
        assert_eq!(jaccard_similarity(&["a", "b", "b"], &["b", "c"]), Ok(1.0 / 3.0));
    }

    #[test]
    fn the_largest_and_smallest_numbers_have_a_direction() {
        for size in [1e300, 1e-300, 5e-324] {
            assert_eq!(cosine_similarity(&[size, 0.0], &[size, 0.0]), Ok(1.0));
            assert_eq!(euclidean_distance(&[size], &[0.0]), Ok(size));
        }
        assert!(euclidean_distance(&[f64::MAX], &[-f64::MAX]).is_err());
        assert!(manhattan_distance(&[f64::MAX], &[-f64::MAX]).is_err());
    }

    #[test]
    fn what_has_no_similarity_is_an_error() {
        let zeros = cosine_similarity(&[0.0, 0.0], &[1.0, 0.0]);
        assert!(matches!(zeros, Err(MetricError::Undefined { .. })));
        assert!(matches!(jaccard_similarity::<u8>(&[], &[]), Err(MetricError::Undefined { .. })));
        assert_eq!(cosine_similarity::<f64, f64>(&[], &[]), Err(MetricError::Empty));
        assert!(matches!(manhattan_distance(&[1], &[1, 2]), Err(MetricError::Length { .. })));
        let nan = euclidean_distance(&[f64::NAN], &[1.0]);
        assert!(matches!(nan, Err(MetricError::NotFinite { .. })));
    }
}
