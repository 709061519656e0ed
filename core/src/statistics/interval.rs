//! Intervals of a mean and of a median, without resampling.

use super::bootstrap::at_least_two;
use super::quantiles::student_t;
use super::summary::{mean, sample_std};
use super::{Interval, StatisticsError};

/// The largest sample size proposed.
const LARGEST_SAMPLE: usize = 1000;

/// Returns the mean and its Student's t interval.
///
/// ```
/// use gymnast_core::statistics::mean_interval;
///
/// let interval = mean_interval(&[2.0, 1.0, 3.0], 0.95)?;
/// assert_eq!(interval.estimate, 2.0);
/// assert!((interval.high - 4.484).abs() < 1e-3); // 2 + 4.303 · 1 / √3
/// # Ok::<(), gymnast_core::statistics::StatisticsError>(())
/// ```
///
/// # Errors
/// [`StatisticsError::Confidence`]; [`StatisticsError::Empty`] and [`StatisticsError::TooFew`] for
/// fewer than two values; [`StatisticsError::Undefined`] if a value is not finite.
pub fn mean_interval(values: &[f64], confidence: f64) -> Result<Interval, StatisticsError> {
    check(values.len(), confidence)?;
    at_least_two(values.len())?;
    let (Some(estimate), Some(std)) = (mean(values), sample_std(values)) else {
        return Err(StatisticsError::Undefined);
    };
    let half = half_width(std, values.len(), confidence);
    Ok(Interval { estimate, low: estimate - half, high: estimate + half })
}

/// Returns the number of values needed for an interval of the mean of at most ±`margin`, given
/// values that vary like these. `None` for more than 1000, fewer than two values, or a margin of 0.
#[must_use]
pub fn sample_size(values: &[f64], margin: f64, confidence: f64) -> Option<usize> {
    check(values.len(), confidence).ok()?;
    let std = sample_std(values)?;
    let fits = |n: &usize| half_width(std, *n, confidence) <= margin;
    (margin > 0.0).then(|| (2..=LARGEST_SAMPLE).find(fits))?
}

/// An interval of a median. An end among censored values is `None`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MedianInterval {
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// Returns the interval of the median between two of the sorted values, for any distribution.
///
/// The k-th smallest and the k-th largest of n values enclose the median with probability 1 − 2 P(B
/// < k), where B is binomial of n and ½; k is the largest that `confidence` allows. A censored
/// value (`None`) counts as larger than all others, as in
/// [`censored_median`](super::censored_median). Conover, "Practical Nonparametric Statistics"
/// (1999), section 3.2.
///
/// ```
/// use gymnast_core::statistics::median_interval;
///
/// let steps = [Some(5.0), Some(1.0), Some(2.0), Some(4.0), Some(3.0), None];
/// let interval = median_interval(&steps, 0.95)?; // The extremes of six: 1 − 2 / 2⁶ = 0.97.
/// assert_eq!((interval.low, interval.high), (Some(1.0), None));
/// # Ok::<(), gymnast_core::statistics::StatisticsError>(())
/// ```
///
/// # Errors
/// [`StatisticsError::TooFew`] if even the extremes enclose the median with a lower probability
/// (fewer than six values at 95 %); [`StatisticsError::Empty`], [`StatisticsError::Confidence`];
/// [`StatisticsError::Undefined`] if a value is not finite.
pub fn median_interval(
    values: &[Option<f64>],
    confidence: f64,
) -> Result<MedianInterval, StatisticsError> {
    check(values.len(), confidence)?;
    if values.iter().flatten().any(|value| !value.is_finite()) {
        return Err(StatisticsError::Undefined);
    }
    let n = values.len();
    let rank = rank(n, confidence).ok_or_else(|| {
        // 1 − 2 · ½ⁿ ≥ confidence
        let needed = (2.0 / (1.0 - confidence)).log2().ceil() as usize;
        StatisticsError::TooFew { needed: needed.max(n + 1), got: n }
    })?;
    let mut sorted: Vec<f64> = values.iter().map(|value| value.unwrap_or(f64::INFINITY)).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |index: usize| Some(sorted[index]).filter(|value| value.is_finite());
    Ok(MedianInterval { low: at(rank - 1), high: at(n - rank) })
}

/// The largest k such that the k-th least and the k-th greatest of `n` values enclose the median often
/// enough.
fn rank(n: usize, confidence: f64) -> Option<usize> {
    // What is equal but for rounding errors is enough.
    let tail = (1.0 - confidence) / 2.0 * (1.0 + 1e-12);
    // P(B = 0) = ½ⁿ is no number of a double for n > 1074: in logarithms it always is.
    let (mut log, mut below) = (-(n as f64) * std::f64::consts::LN_2, 0.0);
    for k in 0..=n / 2 {
        below += log.exp();
        if below > tail {
            return (k > 0).then_some(k);
        }
        log += ((n - k) as f64 / (k + 1) as f64).ln();
    }
    // A confidence so low that the median's own neighbours are enough.
    Some(n.div_ceil(2))
}

fn half_width(std: f64, n: usize, confidence: f64) -> f64 {
    student_t(confidence, n - 1) * std / (n as f64).sqrt()
}

pub(super) fn check(count: usize, confidence: f64) -> Result<(), StatisticsError> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(StatisticsError::Confidence(confidence));
    }
    if count == 0 { Err(StatisticsError::Empty) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidence_that_is_just_reached_is_reached() {
        // Of three values all lie on one side of the median with a chance of 2 · ½³ = 1 − 0.75.
        let whole = MedianInterval { low: Some(1.0), high: Some(3.0) };
        assert_eq!(median_interval(&[1.0, 2.0, 3.0].map(Some), 0.75), Ok(whole));
        assert!(median_interval(&[1.0, 2.0, 3.0].map(Some), 0.7501).is_err());
    }

    #[test]
    fn the_mean_has_students_interval() {
        // Ten values of 0 and ten of 2: s² = 20 / 19, t(19) = 2.093.
        let values = [[0.0; 10], [2.0; 10]].concat();
        let interval = mean_interval(&values, 0.95).unwrap();
        let half = 2.093 * (20.0_f64 / 19.0 / 20.0).sqrt();
        assert_eq!(interval.estimate, 1.0);
        assert!((interval.high - 1.0 - half).abs() < 1e-3 && (1.0 - interval.low - half) < 1e-3);
        // Where all agree there is nothing to doubt.
        let certain = Interval { estimate: 500.0, low: 500.0, high: 500.0 };
        assert_eq!(mean_interval(&[500.0; 10], 0.95), Ok(certain));
    }

    #[test]
    fn the_median_lies_between_the_tables_ranks() {
        // Conover's table: ranks 2 and 9 of 10, 6 and 15 of 20, 40 and 61 of 100.
        for (n, low, high) in [(6, 1.0, 6.0), (10, 2.0, 9.0), (20, 6.0, 15.0), (100, 40.0, 61.0)] {
            let values: Vec<_> = (1..=n).rev().map(|i| Some(f64::from(i))).collect();
            let interval = median_interval(&values, 0.95).unwrap();
            assert_eq!((interval.low, interval.high), (Some(low), Some(high)), "{n}");
        }
        // Of ten, nine reached it: the ninth is known; of eight it is not.
        let reached = |count: i32| -> Vec<_> {
            (1..=10).map(|i| (i <= count).then_some(f64::from(i))).collect()
        };
        assert_eq!(median_interval(&reached(9), 0.95).unwrap().high, Some(9.0));
        assert_eq!(median_interval(&reached(8), 0.95).unwrap().high, None);
        // Half of all values is no rank that an underflow may invent.
        let many = vec![Some(1.0); 5000];
        assert!(rank(many.len(), 0.95).unwrap() < 2500 && median_interval(&many, 0.95).is_ok());
    }

    #[test]
    fn too_few_values_have_no_interval() {
        let too_few = |needed, got| StatisticsError::TooFew { needed, got };
        assert_eq!(mean_interval(&[1.0], 0.95), Err(too_few(2, 1)));
        assert_eq!(median_interval(&[Some(1.0); 5], 0.95), Err(too_few(6, 5)));
        assert_eq!(mean_interval(&[], 0.95), Err(StatisticsError::Empty));
        assert_eq!(mean_interval(&[1.0, f64::NAN], 0.95), Err(StatisticsError::Undefined));
        assert_eq!(median_interval(&[Some(f64::NAN); 6], 0.95), Err(StatisticsError::Undefined));
        assert_eq!(mean_interval(&[1.0, 2.0], 1.0), Err(StatisticsError::Confidence(1.0)));
    }

    #[test]
    fn a_sample_is_as_large_as_the_margin_asks() {
        // s = 1: t(n − 1) / √n is 0.514 for 17 values and 0.497 for 18.
        let values = [0.0, 1.0, 2.0];
        assert_eq!(sample_size(&values, 0.5, 0.95), Some(18));
        assert_eq!(sample_size(&values, 1e-6, 0.95), None);
        assert_eq!(sample_size(&values, 0.0, 0.95), None);
        assert_eq!(sample_size(&[1.0], 0.5, 0.95), None);
    }
}
