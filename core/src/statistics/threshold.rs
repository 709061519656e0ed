//! Steps to a threshold, with censored runs.

use serde::{Deserialize, Serialize};

use super::Curve;

/// The first evaluation at or above a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reached {
    /// Its place on the x-axis: env steps or seconds, depending on the curve.
    pub step: f64,
    /// Whether every later evaluation was also at or above the threshold.
    pub held_to_end: bool,
}

/// Returns the first point of `curve` at or above `threshold`; `None` if there is none (the run is
/// censored: it would have taken longer).
///
/// Only evaluations count; nothing is interpolated, so the answer is as coarse as they are. NaN is
/// never at or above a threshold.
pub fn steps_to_threshold(curve: &Curve, threshold: f64) -> Option<Reached> {
    let first = curve.y().iter().position(|&y| y >= threshold)?;
    let held_to_end = curve.y()[first..].iter().all(|&y| y >= threshold);
    Some(Reached { step: curve.x()[first], held_to_end })
}

/// Returns the median of steps, some of which are censored (`None`).
///
/// A censored run counts as later than all that reached the threshold. `None` if at least half are
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

    fn curve(y: &[f64]) -> Curve {
        Curve::new((1..=y.len()).map(|i| 1000.0 * i as f64).collect(), y.to_vec()).unwrap()
    }

    #[test]
    fn finds_the_first_evaluation_and_whether_it_held() {
        let held = steps_to_threshold(&curve(&[20.0, 475.0, 480.0]), 475.0);
        assert_eq!(held, Some(Reached { step: 2000.0, held_to_end: true }));
        let lost = steps_to_threshold(&curve(&[480.0, 470.0, 500.0]), 475.0);
        assert_eq!(lost, Some(Reached { step: 1000.0, held_to_end: false }));
        let broken = steps_to_threshold(&curve(&[f64::NAN, 500.0, f64::NAN]), 475.0);
        assert_eq!(broken, Some(Reached { step: 2000.0, held_to_end: false }));
        assert_eq!(steps_to_threshold(&curve(&[474.9, 200.0]), 475.0), None);
        assert_eq!(steps_to_threshold(&curve(&[]), 475.0), None);
        assert_eq!(steps_to_threshold(&curve(&[1.0]), f64::NAN), None);
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
