//! Location and spread of a sample.

/// Returns the index of the largest value, the first of equals; `None` without values or if one is
/// NaN.
pub fn argmax<T: PartialOrd>(values: &[T]) -> Option<usize> {
    if values.iter().any(|value| value.partial_cmp(value).is_none()) {
        return None;
    }
    (0..values.len()).reduce(|best, i| if values[i] > values[best] { i } else { best })
}

/// Returns the arithmetic mean; `None` without values or if one is not finite.
pub fn mean(values: &[f64]) -> Option<f64> {
    if values.is_empty() {
        return None;
    }
    let (sum, n) = (values.iter().sum::<f64>(), values.len() as f64);
    // Where the sum alone is beyond what `f64` holds, not the mean.
    let mean = finite(match sum.is_infinite() {
        true => values.iter().map(|value| value / n).sum(),
        false => sum / n,
    })?;
    // Rounding: that of twenty times 0.99 would be 0.9899999999999998.
    let (least, greatest) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), &x| (a.min(x), b.max(x)));
    Some(mean.clamp(least, greatest))
}

/// Returns the sample standard deviation, with divisor n − 1; `None` for fewer than two values or
/// if one is not finite.
pub fn sample_std(values: &[f64]) -> Option<f64> {
    if values.len() < 2 {
        return None;
    }
    let centre = mean(values)?;
    let scale = unit_scale(values.iter().map(|value| value - centre));
    let squares: f64 = values.iter().map(|value| ((value - centre) * scale).powi(2)).sum();
    finite((squares / (values.len() - 1) as f64).sqrt() / scale)
}

/// A power of two, which rounds nothing, that brings the greatest of these numbers to about 1, so that
/// the squares of all that count neither overflow nor vanish.
pub(crate) fn unit_scale(values: impl Iterator<Item = f64>) -> f64 {
    let greatest = values.fold(0.0, |greatest: f64, value| greatest.max(value.abs()));
    2.0_f64.powi(-greatest.log2().clamp(-1000.0, 1000.0) as i32)
}

/// Returns the median, for an even number of values the mean of the middle two; `None` without
/// values or if one is not finite.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// Returns the quantile at `level` in [0, 1], interpolated linearly between order statistics.
///
/// This is NumPy's default, type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages"
/// (1996): the value at position `level · (n − 1)` of the sorted sample. `None` without values, if
/// one is not finite, or if `level` lies outside [0, 1].
///
/// ```
/// assert_eq!(gymnast_core::statistics::quantile(&[1.0, 2.0, 3.0, 4.0], 0.25), Some(1.75));
/// ```
pub fn quantile(values: &[f64], level: f64) -> Option<f64> {
    quantile_of_sorted(&sorted(values)?, level)
}

/// Returns the interquartile mean: the mean of the middle half of the sorted values.
///
/// This is rliable's definition, `scipy.stats.trim_mean(values, 0.25)`: ⌊n/4⌋ whole values are cut
/// at each end, so for fewer than four values it is the mean. `None` without values or if one is
/// not finite. Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical
/// Precipice" (2021).
pub fn iqm(values: &[f64]) -> Option<f64> {
    let sorted = sorted(values)?;
    let cut = sorted.len() / 4;
    mean(&sorted[cut..sorted.len() - cut])
}

pub(super) fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    Some(sorted)
}

pub(super) fn quantile_of_sorted(sorted: &[f64], level: f64) -> Option<f64> {
    if sorted.is_empty() || !(0.0..=1.0).contains(&level) {
        return None;
    }
    let position = level * (sorted.len() - 1) as f64;
    let below = sorted[position.floor() as usize];
    let above = sorted[position.ceil() as usize];
    let part = position.fract();
    let between = below + (above - below) * part;
    // Where the distance alone is beyond what `f64` holds, not the quantile.
    finite(if between.is_finite() { between } else { below * (1.0 - part) + above * part })
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_are_equal_have_their_own_mean_and_no_spread() {
        for value in [0.99, 0.1, 0.955, 0.7, -0.13] {
            for count in 2..40 {
                let values = vec![value; count];
                assert_eq!(mean(&values), Some(value), "{count} of {value}");
                assert_eq!(sample_std(&values), Some(0.0), "{count} of {value}");
            }
        }
    }

    #[test]
    fn hand_worked_values() {
        let values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(mean(&values), Some(2.5));
        assert_eq!(median(&values), Some(2.5));
        assert_eq!(sample_std(&values), Some((5.0_f64 / 3.0).sqrt()));
        assert_eq!(quantile(&values, 0.0), Some(1.0));
        assert_eq!(quantile(&values, 1.0), Some(4.0));
        assert_eq!(quantile(&values, 0.9), Some(3.7));
        assert_eq!(iqm(&values), Some(2.5));
        assert_eq!(iqm(&[0.0, 10.0, 20.0, 1000.0, -500.0]), Some(10.0));
        assert_eq!(iqm(&[0.0, 3.0, 30.0]), Some(11.0));
    }

    #[test]
    fn the_undefined_is_none() {
        for statistic in [mean, median, iqm, sample_std] {
            assert_eq!(statistic(&[]), None);
            assert_eq!(statistic(&[1.0, f64::NAN, 2.0]), None);
            assert_eq!(statistic(&[1.0, f64::INFINITY, 2.0, 3.0, 4.0]), None);
        }
        assert_eq!(sample_std(&[1.0]), None);
        for level in [-0.1, 1.1, f64::NAN] {
            assert_eq!(quantile(&[1.0, 2.0], level), None);
        }
    }

    #[test]
    fn no_size_of_numbers_spoils_a_summary() {
        let values = [1.0, 2.0, 4.0, 9.0];
        let exact = sample_std(&values).unwrap();
        for exponent in [-1040, -600, 0, 600, 1015] {
            let size = 2.0_f64.powi(exponent / 2) * 2.0_f64.powi(exponent - exponent / 2);
            let scaled = values.map(|value| value * size);
            assert_eq!(mean(&scaled), Some(4.0 * size));
            let std = sample_std(&scaled).unwrap() / size;
            assert!((std / exact - 1.0).abs() < 1e-8, "2^{exponent}: {std}");
        }
        assert_eq!(mean(&[1.5e308; 3]), Some(1.5e308));
        assert_eq!(median(&[-1.5e308, 1.5e308]), Some(0.0));
    }

    #[test]
    fn nothing_is_greatest_beside_nan() {
        assert_eq!(argmax(&[1.0, 3.0, 3.0, f64::NEG_INFINITY]), Some(1));
        assert_eq!(argmax::<f64>(&[]), None);
        for values in [[f64::NAN, 1.0, 2.0], [1.0, 2.0, f64::NAN]] {
            assert_eq!(argmax(&values), None);
        }
    }

    #[test]
    fn one_value_is_its_own_summary() {
        for statistic in [mean, median, iqm] {
            assert_eq!(statistic(&[7.0]), Some(7.0));
        }
    }
}
