//! Rounds fractions of a count to whole numbers.
//!
//! In binary 0.29 · 100 is 28.999999999999996 and 0.07 · 100 is 7.000000000000001: rounding the
//! first down loses a row, rounding the second up adds one. Here an amount that is whole up to
//! rounding errors counts as whole before it is rounded.
//!
//! The caller checks the amounts. As with `as`, negative amounts and NaN give 0, and amounts beyond
//! `usize` give its maximum.
//!
//! ```
//! use gymnast_core::rounding;
//!
//! assert_eq!((0.29 * 100.0) as usize, 28);
//! assert_eq!(rounding::floor(0.29 * 100.0), 29);
//! assert_eq!(rounding::ceil(0.07 * 100.0), 7);
//! assert_eq!(rounding::apportion(10, &[0.7, 0.2, 0.1]), [7, 2, 1]);
//! ```

use std::cmp::Reverse;

/// The relative error that a share and its product with a count may have.
const RELATIVE: f64 = 1e-9;
/// However great the count: an amount this far from a whole number is none.
const ABSOLUTE: f64 = 1e-3;

/// Returns the largest whole number that is at most `amount`.
#[must_use]
pub fn floor(amount: f64) -> usize {
    settled(amount).floor() as usize
}

/// Returns the smallest whole number that is at least `amount`.
#[must_use]
pub fn ceil(amount: f64) -> usize {
    settled(amount).ceil() as usize
}

/// Returns the nearest whole number; ties round up.
#[must_use]
pub fn round(amount: f64) -> usize {
    (settled(2.0 * amount) / 2.0).round() as usize
}

/// Returns the nearest whole number; ties round to even, as in Python.
#[must_use]
pub fn round_ties_even(amount: f64) -> usize {
    (settled(2.0 * amount) / 2.0).round_ties_even() as usize
}

/// Divides `total` into parts in proportion to `weights`, by the largest-remainder method
/// (Hamilton's). Each part is its exact share, rounded down; the parts with the largest remainders
/// get one more, the first of equals first.
///
/// Weights must be finite and not negative, and at least one above 0.
#[must_use]
pub fn apportion(total: usize, weights: &[f64]) -> Vec<usize> {
    let greatest = weights.iter().copied().fold(0.0, f64::max);
    let sum: f64 = weights.iter().map(|weight| weight / greatest).sum();
    let quota = |weight: &f64| settled(total as f64 * (weight / greatest / sum));
    let mut parts: Vec<usize> = weights.iter().map(|weight| quota(weight) as usize).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    // In billionths, so that remainders that are equal but for rounding errors count as equal.
    let remainder = |i: &usize| (quota(&weights[*i]).fract() / RELATIVE).round() as u64;
    order.sort_by_key(|i| Reverse(remainder(i)));
    let given = parts.iter().fold(0, |sum: usize, part| sum.saturating_add(*part));
    let left = total.saturating_sub(given);
    order.iter().take(left).for_each(|&i| parts[i] += 1);
    // Of very many parts those that count as whole may be a little more than that.
    let excess = given.saturating_sub(total);
    let largest_first = order.into_iter().rev().filter(|&i| weights[i] > 0.0);
    largest_first.take(excess).for_each(|i| parts[i] = parts[i].saturating_sub(1));
    parts
}

/// The nearest whole number where `amount` differs from it by no more than rounding errors.
pub(crate) fn settled(amount: f64) -> f64 {
    let nearest = amount.round();
    let error = (RELATIVE * nearest.abs()).min(ABSOLUTE);
    if (amount - nearest).abs() <= error { nearest } else { amount }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_per_cent_of_every_count_is_exact() {
        for count in 0..=1000_usize {
            for per_cent in 0..=100 {
                let (share, exact) = (per_cent as f64 / 100.0, per_cent * count);
                let amount = share * count as f64;
                let (down, rest) = (exact / 100, exact % 100);
                assert_eq!(floor(amount), down, "{share} of {count}");
                assert_eq!(ceil(amount), exact.div_ceil(100), "{share} of {count}");
                assert_eq!(round(amount), down + usize::from(rest >= 50), "{share} of {count}");
                let up = rest > 50 || (rest == 50 && down % 2 == 1);
                assert_eq!(round_ties_even(amount), down + usize::from(up), "{share} of {count}");
                if let Some(exact) = (100 * count).checked_div(per_cent) {
                    assert_eq!(floor(count as f64 / share), exact, "{count} over {share}");
                }
            }
        }
    }

    #[test]
    fn very_many_parts_sum_to_the_total_too() {
        let parts = apportion(1_999_999_999, &[1.0; 2000]);
        assert_eq!(parts.iter().sum::<usize>(), 1_999_999_999);
    }

    #[test]
    fn shares_that_were_computed_are_exact_too() {
        // 0.06999999999999995 and 0.010000000000000009.
        assert_eq!(ceil((1.0 - 0.93) * 100.0), 7);
        assert_eq!(ceil((1.0 - 0.99) * 100.0), 1);
        assert_eq!(floor((0.1 + 0.2) * 10.0), 3);
        assert_eq!(ceil((0.1 + 0.2) * 10.0), 3);
    }

    #[test]
    fn what_is_not_whole_is_rounded_as_asked() {
        assert_eq!((floor(2.001), ceil(2.001)), (2, 3));
        // A tiny share of something is something.
        assert_eq!((floor(1e-12), ceil(1e-12)), (0, 1));
        // Beside a great count the tolerance stays far below a row.
        assert_eq!((floor(1e12 + 0.5), ceil(1e12 + 0.5)), (1_000_000_000_000, 1_000_000_000_001));
        assert_eq!((floor(f64::NAN), ceil(-1.0), floor(f64::INFINITY)), (0, 0, usize::MAX));
    }

    #[test]
    fn parts_of_whole_shares_are_whole() {
        // All ratios of three parts in steps of 5 %, of counts of which each is a whole number.
        for count in [20_usize, 40, 100, 1000] {
            for a in 1..20 {
                for b in 0..20 - a {
                    let c = 20 - a - b;
                    let weights = [a, b, c].map(|twentieths| twentieths as f64 / 20.0);
                    let parts = [a, b, c].map(|twentieths| count * twentieths / 20);
                    assert_eq!(apportion(count, &weights), parts, "{weights:?} of {count}");
                }
            }
        }
    }

    #[test]
    fn parts_sum_to_the_total_and_lie_next_to_their_share() {
        for count in 0..200_usize {
            for percents in [[70, 20, 10], [33, 33, 34], [1, 98, 1], [60, 20, 20], [50, 0, 50]] {
                let parts = apportion(count, &percents.map(|percent| f64::from(percent) / 100.0));
                assert_eq!(parts.iter().sum::<usize>(), count);
                for (part, percent) in parts.iter().zip(percents) {
                    let exact = percent as usize * count;
                    assert!((exact / 100..=exact.div_ceil(100)).contains(part), "{percents:?}");
                }
            }
        }
        assert_eq!(apportion(10, &[1.0, 1.0, 1.0]), [4, 3, 3]);
        assert_eq!(apportion(3, &[1e308, 1e308, 1e308]), [1, 1, 1]);
        // 10.5, 3 and 1.5: the first of equals.
        assert_eq!(apportion(15, &[0.7, 0.2, 0.1]), [11, 3, 1]);
    }
}
