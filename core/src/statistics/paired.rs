//! Paired differences on the same seeds or folds.

use std::f64::consts::{FRAC_PI_2, PI};

use super::bootstrap::at_least_two;
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

/// The t within which Student's distribution with `df` degrees of freedom holds `confidence`, from −t
/// to t.
pub(super) fn student_t(confidence: f64, df: usize) -> f64 {
    let (mut low, mut high) = (0.0, FRAC_PI_2);
    for _ in 0..f64::MANTISSA_DIGITS {
        let middle = (low + high) / 2.0;
        if within(middle, df) < confidence {
            low = middle;
        } else {
            high = middle;
        }
    }
    low.tan() * (df as f64).sqrt()
}

/// P(|T| < √df tan θ): Abramowitz and Stegun, "Handbook of mathematical functions" (1964), equations
/// 26.7.3 and 26.7.4.
fn within(theta: f64, df: usize) -> f64 {
    let (sin, cos) = theta.sin_cos();
    let odd = df % 2;
    let (mut term, mut sum) = (if odd == 1 { cos } else { 1.0 }, 0.0);
    for j in 1..=df / 2 {
        sum += term;
        term *= cos * cos * (2 * j - 1 + odd) as f64 / (2 * j + odd) as f64;
    }
    if odd == 1 { 2.0 / PI * (theta + sin * sum) } else { sin * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_t_is_the_tables() {
        // Of any table of the distribution: 95 % two-sided, and 99 %.
        for (df, t_95, t_99) in [
            (1, 12.706, 63.657),
            (2, 4.303, 9.925),
            (3, 3.182, 5.841),
            (4, 2.776, 4.604),
            (14, 2.145, 2.977),
            (29, 2.045, 2.756),
        ] {
            assert!((student_t(0.95, df) - t_95).abs() < 1e-3, "{df} {}", student_t(0.95, df));
            assert!((student_t(0.99, df) - t_99).abs() < 1e-3, "{df} {}", student_t(0.99, df));
        }
    }

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
