//! Steps to a threshold, with censored runs.

use serde::{Deserialize, Serialize};

use super::Curve;

/// When a curve reached a threshold, by three definitions, from the most to the least generous.
///
/// A step is a place on the x-axis: env steps or seconds, depending on the curve. `None`: never
/// (the run is censored: it would have taken longer).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepsToThreshold {
    /// The first evaluation at or above the threshold. One lucky evaluation is enough.
    pub first: Option<f64>,
    /// The first of three evaluations in a row at or above the threshold.
    pub three_in_a_row: Option<f64>,
    /// The evaluation from which on all are at or above the threshold, to the end. The last
    /// evaluation alone is enough.
    pub held_from: Option<f64>,
}

/// Returns when `curve` reached `threshold`.
///
/// Only evaluations count; nothing is interpolated, so the answer is as coarse as they are. NaN is
/// never at or above a threshold.
#[must_use]
pub fn steps_to_threshold(curve: &Curve, threshold: f64) -> StepsToThreshold {
    let above: Vec<bool> = curve.y().iter().map(|&y| y >= threshold).collect();
    let held = above.iter().rposition(|above| !above).map_or(0, |last_below| last_below + 1);
    let step = |index: Option<usize>| index.and_then(|index| curve.x().get(index).copied());
    StepsToThreshold {
        first: step(above.iter().position(|above| *above)),
        three_in_a_row: step(above.windows(3).position(|three| three == [true; 3])),
        held_from: step(Some(held)),
    }
}

/// Returns the median of steps, some of which are censored (`None`).
///
/// A censored run counts as later than all that reached the threshold; where some were censored
/// before others reached it, use [`KaplanMeier`](super::KaplanMeier). `None` if at least half are
/// censored (exactly half leaves one of the two middle values unknown), without values, or if a
/// step is not finite. Without censoring it is the usual median.
pub fn censored_median(steps: &[Option<f64>]) -> Option<f64> {
    if steps.iter().flatten().any(|step| !step.is_finite()) {
        return None;
    }
    let mut sorted: Vec<f64> = steps.iter().map(|step| step.unwrap_or(f64::INFINITY)).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let above = *sorted.get(sorted.len() / 2)?;
    let below = sorted[(sorted.len() - 1) / 2];
    above.is_finite().then_some(below / 2.0 + above / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(y: &[f64]) -> [Option<f64>; 3] {
        let x = (1..=y.len()).map(|i| 1000.0 * i as f64).collect();
        let steps = steps_to_threshold(&Curve::new(x, y.to_vec()).unwrap(), 475.0);
        [steps.first, steps.three_in_a_row, steps.held_from]
    }

    #[test]
    fn a_threshold_is_reached_in_three_ways() {
        let (low, high) = (470.0, 475.0);
        assert_eq!(steps(&[low, high, high]), [Some(2000.0), None, Some(2000.0)]);
        assert_eq!(
            steps(&[high, low, high, high, high]),
            [Some(1000.0), Some(3000.0), Some(3000.0)]
        );
        assert_eq!(steps(&[high, high, high, low]), [Some(1000.0), Some(1000.0), None]);
        assert_eq!(steps(&[f64::NAN, high, f64::NAN]), [Some(2000.0), None, None]);
        assert_eq!(steps(&[high; 3]), [Some(1000.0); 3]);
        assert_eq!(steps(&[low; 4]), [None; 3]);
        assert_eq!(steps(&[]), [None; 3]);
        let one = Curve::new(vec![1.0], vec![1.0]).unwrap();
        assert_eq!(steps_to_threshold(&one, f64::NAN).first, None);
    }

    #[test]
    fn the_median_is_known_while_the_middle_is() {
        assert_eq!(censored_median(&[Some(3.0), Some(1.0), Some(2.0)]), Some(2.0));
        assert_eq!(censored_median(&[Some(4.0), Some(1.0), Some(2.0), None]), Some(3.0));
        assert_eq!(censored_median(&[Some(1.0), None, Some(5.0)]), Some(5.0));
        assert_eq!(censored_median(&[Some(1.0), None]), None);
        assert_eq!(censored_median(&[Some(1.0), None, None]), None);
        assert_eq!(censored_median(&[]), None);
        assert_eq!(censored_median(&[Some(1.0), Some(f64::NAN), Some(1.0)]), None);
    }
}
