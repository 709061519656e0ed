//! Test functions with known minima, to compare samplers.
//!
//! From Surjanovic and Bingham, "Virtual Library of Simulation Experiments: Test Functions and
//! Datasets" (2013), except for the last.

use std::f64::consts::{E, PI, TAU};

use serde_json::Value;

use super::{Distribution, Scale, SearchSpace, Stop, Trial};

/// A function with its search space.
#[derive(Debug, Clone)]
pub struct TestFunction {
    /// The name of the function.
    pub name: &'static str,
    /// The space to search.
    pub space: SearchSpace,
    /// The minimum over the space.
    pub minimum: f64,
    evaluate: fn(&[Value]) -> f64,
}

impl TestFunction {
    /// Evaluates the function at a trial's parameters.
    ///
    /// # Errors
    /// As [`Trial::suggest`].
    pub fn evaluate(&self, trial: &mut Trial<'_>) -> Result<f64, Stop> {
        let values: Vec<Value> =
            self.space.suggest(trial)?.into_iter().map(|(_, value)| value).collect();
        Ok((self.evaluate)(&values))
    }
}

/// Returns all test functions: smooth and rugged ones of two to six dimensions, and one with
/// choices and scales.
pub fn all() -> Vec<TestFunction> {
    let numbers = |name, d: usize, low, high, minimum, evaluate| {
        let axis = |i| (format!("x{i}"), Distribution::Float { low, high, scale: Scale::Linear });
        let space = SearchSpace::new((0..d).map(axis)).expect("the ranges are sound");
        TestFunction { name, space, minimum, evaluate }
    };
    vec![
        numbers("sphere (5)", 5, -5.0, 10.0, 0.0, |x| sphere(&floats(x))),
        numbers("Rosenbrock (4)", 4, -2.0, 2.0, 0.0, |x| rosenbrock(&floats(x))),
        numbers("Branin (2)", 2, 0.0, 1.0, 0.397_887, |x| {
            let x = floats(x);
            branin(15.0 * x[0] - 5.0, 15.0 * x[1])
        }),
        numbers("Hartmann (6)", 6, 0.0, 1.0, -3.322_37, |x| hartmann(&floats(x))),
        numbers("Ackley (5)", 5, -32.768, 20.0, 0.0, |x| ackley(&floats(x))),
        mixed(),
    ]
}

fn floats(values: &[Value]) -> Vec<f64> {
    values.iter().map(|value| value.as_f64().expect("the axes are numbers")).collect()
}

fn sphere(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum()
}

fn rosenbrock(x: &[f64]) -> f64 {
    let pair = |x: &[f64]| 100.0 * (x[1] - x[0] * x[0]).powi(2) + (1.0 - x[0]).powi(2);
    x.windows(2).map(pair).sum()
}

fn branin(x: f64, y: f64) -> f64 {
    let valley = y - 5.1 / (4.0 * PI * PI) * x * x + 5.0 / PI * x - 6.0;
    valley * valley + 10.0 * (1.0 - 1.0 / (8.0 * PI)) * x.cos() + 10.0
}

fn hartmann(x: &[f64]) -> f64 {
    const ALPHA: [f64; 4] = [1.0, 1.2, 3.0, 3.2];
    const A: [[f64; 6]; 4] = [
        [10.0, 3.0, 17.0, 3.5, 1.7, 8.0],
        [0.05, 10.0, 17.0, 0.1, 8.0, 14.0],
        [3.0, 3.5, 1.7, 10.0, 17.0, 8.0],
        [17.0, 8.0, 0.05, 10.0, 0.1, 14.0],
    ];
    const P: [[f64; 6]; 4] = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ];
    let hill = |i: usize| {
        let distance: f64 = (0..6).map(|j| A[i][j] * (x[j] - P[i][j]).powi(2)).sum();
        ALPHA[i] * (-distance).exp()
    };
    -(0..4).map(hill).sum::<f64>()
}

fn ackley(x: &[f64]) -> f64 {
    let n = x.len() as f64;
    let distance = (sphere(x) / n).sqrt();
    let waves = x.iter().map(|x| (TAU * x).cos()).sum::<f64>() / n;
    20.0 + E - 20.0 * (-0.2 * distance).exp() - waves.exp()
}

/// A function that mimics the settings of a training: each optimiser has its own best learning
/// rate, width helps up to a point, and one setting has no effect.
fn mixed() -> TestFunction {
    let float = |low, high, scale| Distribution::Float { low, high, scale };
    let optimizers = ["adam", "sgd", "rms_prop"].map(Value::from).to_vec();
    let space = SearchSpace::new([
        ("learning_rate", float(1e-6, 1.0, Scale::Log)),
        ("width", Distribution::Int { low: 8, high: 1024, scale: Scale::Log }),
        ("layers", Distribution::Int { low: 1, high: 6, scale: Scale::Linear }),
        ("optimizer", Distribution::Categorical { choices: optimizers }),
        ("label_smoothing", float(0.0, 0.5, Scale::Linear)),
    ]);
    let evaluate = |values: &[Value]| {
        let number = |i: usize| values[i].as_f64().expect("it is a number");
        let (best_rate, loss) = match values[3].as_str() {
            Some("adam") => (-3.0, 0.0),
            Some("sgd") => (-1.0, 0.1),
            _ => (-4.0, 0.3),
        };
        let rate = (number(0).log10() - best_rate).abs();
        let width = (number(1).log2() - 7.0) / 7.0;
        loss + rate.min(2.0) + width * width + 0.1 * (number(2) - 3.0).abs()
    };
    let space = space.expect("the ranges are sound");
    TestFunction { name: "mixed (5)", space, minimum: 0.0, evaluate }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minima_are_where_they_are_known_to_be() {
        assert_eq!((sphere(&[0.0; 5]), rosenbrock(&[1.0; 4])), (0.0, 0.0));
        assert!(ackley(&[0.0; 5]).abs() < 1e-12);
        for (x, y) in [(-PI, 12.275), (PI, 2.275), (9.424_78, 2.475)] {
            assert!((branin(x, y) - 0.397_887).abs() < 1e-5);
        }
        let x = [0.201_69, 0.150_011, 0.476_874, 0.275_332, 0.311_652, 0.657_3];
        assert!((hartmann(&x) + 3.322_37).abs() < 1e-4);
        let mixed = mixed();
        let best = [1e-3.into(), 128.into(), 3.into(), "adam".into(), 0.2.into()];
        assert!((mixed.evaluate)(&best).abs() < 1e-9);
    }
}
