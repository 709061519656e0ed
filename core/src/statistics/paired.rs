//! Paired differences on the same seeds or folds.

use super::bootstrap::at_least_two;
use super::quantiles::student_t;
use super::summary::{mean, sample_std};
use super::{Interval, StatisticsError};

/// Returns the mean of `a − b` over pairs, and its Student's t interval.
///
/// `overlap` corrects for pairs that share training data: 0 for independent seeds; for the folds of
/// a (repeated) cross-validation the test rows divided by the training rows, 1 / (k − 1). The
/// variance of the mean is then (1/n + overlap) s² instead of s²/n, which is far too small for
/// folds: Nadeau and Bengio, "Inference for the generalization error" (2003), section 3.
///
/// ```
/// use gymnast_core::statistics::paired_difference;
///
/// let interval = paired_difference(&[3.0, 4.0, 8.0], &[1.0, 3.0, 5.0], 0.95, 0.0)?;
/// assert_eq!(interval.estimate, 2.0);
/// assert!((interval.high - 4.484).abs() < 1e-3); // 2 + 4.303 · 1 / √3
/// # Ok::<(), gymnast_core::statistics::StatisticsError>(())
/// ```
///
/// # Errors
/// [`StatisticsError::Pairs`] unless both samples have the same length,
/// [`StatisticsError::Confidence`], [`StatisticsError::TooFew`] for fewer than two pairs,
/// [`StatisticsError::Undefined`] for values that are not finite or a negative overlap.
pub fn paired_difference(
    a: &[f64],
    b: &[f64],
    confidence: f64,
    overlap: f64,
) -> Result<Interval, StatisticsError> {
    if a.len() != b.len() {
        return Err(StatisticsError::Pairs { a: a.len(), b: b.len() });
    }
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(StatisticsError::Confidence(confidence));
    }
    at_least_two(a.len())?;
    let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
    let undefined = StatisticsError::Undefined;
    let (Some(estimate), Some(std)) = (mean(&differences), sample_std(&differences)) else {
        return Err(undefined);
    };
    if !(overlap >= 0.0 && overlap.is_finite()) {
        return Err(undefined);
    }
    let error = std * (1.0 / differences.len() as f64 + overlap).sqrt();
    let half = student_t(confidence, differences.len() - 1) * error;
    Ok(Interval { estimate, low: estimate - half, high: estimate + half })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_widen_the_interval() {
        let (a, b) = ([1.0, 3.0], [0.0, 0.0]); // mean 2, s² = 2
        let apart = paired_difference(&a, &b, 0.95, 0.0).unwrap();
        let folds = paired_difference(&a, &b, 0.95, 1.0).unwrap();
        assert_eq!((apart.estimate, folds.estimate), (2.0, 2.0));
        let widths = (folds.high - folds.low) / (apart.high - apart.low);
        assert!((widths - 3_f64.sqrt()).abs() < 1e-12); // √((½ + 1) / ½)
    }

    #[test]
    fn what_makes_no_pairs_is_refused() {
        let difference = |a: &[f64], b: &[f64], confidence, overlap| {
            paired_difference(a, b, confidence, overlap).unwrap_err()
        };
        let pairs = StatisticsError::Pairs { a: 2, b: 1 };
        assert_eq!(difference(&[1.0, 2.0], &[1.0], 0.95, 0.0), pairs);
        let two = [1.0, 2.0];
        assert_eq!(difference(&two, &two, 1.0, 0.0), StatisticsError::Confidence(1.0));
        let single = StatisticsError::TooFew { needed: 2, got: 1 };
        assert_eq!(difference(&[1.0], &[1.0], 0.95, 0.0), single);
        assert_eq!(difference(&[f64::NAN, 1.0], &two, 0.95, 0.0), StatisticsError::Undefined);
        assert_eq!(difference(&two, &two, 0.95, -1.0), StatisticsError::Undefined);
    }
}
