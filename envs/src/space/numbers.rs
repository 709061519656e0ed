//! Real numbers between bounds: membership, samples and JSON.

use rand::{RngExt as _, distr::OpenClosed01};
use serde_json::Value;

use crate::Rng;

pub(super) fn inside(element: &[f32], low: &[f32], high: &[f32]) -> bool {
    element.iter().zip(low.iter().zip(high)).all(|(x, (low, high))| low <= x && x <= high)
}

/// Checks all numbers without a branch for each, so that it is fast for pictures.
#[inline]
pub(super) fn all_finite(numbers: &[f32]) -> bool {
    numbers.iter().fold(true, |finite, x| finite & x.is_finite())
}

/// Clips to the bounds. NaN becomes the lower bound, so that the result always lies in the box.
pub(super) fn clip_between(x: f32, low: f32, high: f32) -> f32 {
    x.max(low).min(high)
}

/// Samples by Gymnasium's rule: uniform between two bounds, shifted exponential on a half line,
/// normal on the whole line.
#[inline]
pub(super) fn sample_between(low: f32, high: f32, rng: &mut Rng) -> f32 {
    match (low.is_finite(), high.is_finite()) {
        (true, true) => {
            // In f64, because `high - low` may overflow f32.
            let (low, high) = (f64::from(low), f64::from(high));
            (low + (high - low) * rng.random::<f64>()) as f32
        }
        (true, false) => low + exponential(rng),
        (false, true) => high - exponential(rng),
        (false, false) => {
            // Box–Muller: one of the pair is enough here.
            let (u, v): (f64, f64) = (rng.sample(OpenClosed01), rng.random());
            ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
        }
    }
}

fn exponential(rng: &mut Rng) -> f32 {
    -rng.sample::<f64, _>(OpenClosed01).ln() as f32
}

/// Converts numbers to JSON, which has neither NaN nor infinities: they become Gymnasium's strings.
pub(super) fn numbers_to_json(numbers: &[f32]) -> Value {
    let number = |&x: &f32| {
        if x.is_finite() {
            // Through the shortest decimal, so that 0.1 is written as 0.1.
            let shortest = x.to_string().parse::<f64>();
            Value::from(shortest.expect("a finite number's text is a number"))
        } else {
            gymnast_json::to_value(&x).expect("a number is plain data")
        }
    };
    numbers.iter().map(number).collect()
}

pub(super) fn numbers_from_json(value: &Value) -> Option<Vec<f32>> {
    value.as_array()?.iter().map(|value| gymnast_json::from_value::<f32>(value).ok()).collect()
}
