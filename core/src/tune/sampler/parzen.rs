//! A density from places: a mixture of one kernel a trial and one for the prior.

use std::f64::consts::{PI, SQRT_2};

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;

use crate::likelihood::log_sum_exp;
use crate::tune::Distribution;

/// The trials whose kernels all weigh as much; those before count the less the older they are.
const EQUAL_WEIGHTS: usize = 25;
/// The width of a joint kernel, as a share of the range, where there is one trial. Optuna's is twice that,
/// and finds the scale of a learning rate less well: `examples/tune_functions.rs`, the mixed function.
const JOINT_WIDTH: f64 = 0.1;

/// A mixture of products: in each dimension a normal distribution cut off at 0 and 1, or a choice.
pub(super) struct Parzen {
    /// By kernel; they sum to 1. The last is the prior's.
    weights: Vec<f64>,
    dimensions: Vec<Kernels>,
}

enum Kernels {
    /// Mean, deviation and the mass between 0 and 1.
    Normal(Vec<(f64, f64, f64)>),
    /// The probability of each choice.
    Choice(Vec<Vec<f64>>),
}

impl Parzen {
    /// The density of these places, given in the order of their trials.
    pub(super) fn new(space: &[(&str, &Distribution)], places: &[&[f64]], joint: bool) -> Self {
        let kernels = places.len() + 1;
        let mut weights = ramp(places.len());
        weights.push(1.0);
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        let dimension = |(d, (_, distribution)): (usize, &(&str, &Distribution))| {
            let own: Vec<f64> = places.iter().map(|places| places[d]).collect();
            match distribution.categories() {
                Some(choices) => Kernels::Choice(choice_kernels(&own, choices)),
                None => {
                    let widths = match joint {
                        true => vec![joint_width(own.len(), space.len()); own.len()],
                        false => neighbour_widths(&own),
                    };
                    // "Magic clipping": no kernel so narrow that it would be sampled again and again.
                    let least = 1.0 / (1.0 + kernels as f64).min(100.0);
                    let widths = widths.iter().map(|width| width.clamp(least, 1.0));
                    let normal = |(mean, width): (f64, f64)| (mean, width, mass(mean, width));
                    let prior = (0.5, 1.0);
                    Kernels::Normal(
                        own.iter().copied().zip(widths).chain([prior]).map(normal).collect(),
                    )
                }
            }
        };
        Self { weights, dimensions: space.iter().enumerate().map(dimension).collect() }
    }

    pub(super) fn sample(&self, rng: &mut impl Rng) -> Vec<f64> {
        let kernel = pick(&self.weights, rng);
        let draw = |dimension: &Kernels| match dimension {
            Kernels::Choice(kernels) => pick(&kernels[kernel], rng) as f64,
            Kernels::Normal(kernels) => {
                let (mean, width, _) = kernels[kernel];
                // The mean lies between 0 and 1 and the width is at most 1: more than a third hit.
                loop {
                    let place = mean + width * rng.sample::<f64, _>(StandardNormal);
                    if (0.0..=1.0).contains(&place) {
                        break place;
                    }
                }
            }
        };
        self.dimensions.iter().map(draw).collect()
    }

    pub(super) fn log_density(&self, places: &[f64]) -> f64 {
        let of_kernel = |(kernel, weight): (usize, &f64)| {
            let logs =
                self.dimensions.iter().zip(places).map(|(dimension, &place)| match dimension {
                    Kernels::Choice(kernels) => kernels[kernel][place as usize].ln(),
                    Kernels::Normal(kernels) => {
                        let (mean, width, mass) = kernels[kernel];
                        let z = (place - mean) / width;
                        -0.5 * z * z - (width * mass * (2.0 * PI).sqrt()).ln()
                    }
                });
            weight.ln() + logs.sum::<f64>()
        };
        let logs: Vec<f64> = self.weights.iter().enumerate().map(of_kernel).collect();
        log_sum_exp(&logs)
    }
}

/// The weights of n trials, the oldest first.
fn ramp(n: usize) -> Vec<f64> {
    let old = n.saturating_sub(EQUAL_WEIGHTS);
    let weight = |i: usize| {
        let share = i as f64 / (old.max(2) - 1) as f64;
        if i < old { (1.0 - share) / n as f64 + share } else { 1.0 }
    };
    (0..n).map(weight).collect()
}

fn choice_kernels(places: &[f64], choices: usize) -> Vec<Vec<f64>> {
    let kernels = places.len() + 1;
    let prior = 1.0 / kernels as f64;
    let kernel = |place: f64| {
        let mut shares = vec![prior; choices];
        shares[place as usize] += 1.0;
        let sum: f64 = shares.iter().sum();
        shares.iter().map(|share| share / sum).collect()
    };
    let even = vec![1.0 / choices as f64; choices];
    places.iter().map(|&place| kernel(place)).chain([even]).collect()
}

/// Scott's rule.
fn joint_width(n: usize, dimensions: usize) -> f64 {
    JOINT_WIDTH * (n.max(1) as f64).powf(-1.0 / (dimensions as f64 + 4.0))
}

/// The distance to the farther of a kernel's two neighbours, the prior being one.
fn neighbour_widths(places: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = places.iter().copied().chain([0.5]).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let width = |&place: &f64| {
        let at = sorted.partition_point(|other| *other < place);
        let below = at.checked_sub(1).map(|i| place - sorted[i]);
        let above = sorted.get(at + 1).map(|other| other - place);
        below.unwrap_or(0.0).max(above.unwrap_or(0.0))
    };
    places.iter().map(width).collect()
}

fn pick(shares: &[f64], rng: &mut impl Rng) -> usize {
    let mut left: f64 = rng.random();
    for (i, share) in shares.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return i;
        }
    }
    shares.len() - 1
}

/// The mass of a normal distribution between 0 and 1.
fn mass(mean: f64, width: f64) -> f64 {
    let below = |x: f64| 0.5 * (1.0 + erf((x - mean) / (width * SQRT_2)));
    below(1.0) - below(0.0)
}

/// The error function to 1.5e-7: Abramowitz and Stegun, "Handbook of Mathematical Functions" (1964),
/// formula 7.1.26.
fn erf(x: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.327_591_1 * x.abs());
    let factors = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let sum = factors.iter().fold(0.0, |sum, factor| (sum + factor) * t);
    (1.0 - sum * (-x * x).exp()).copysign(x)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::tune::Scale;

    const UNIT: Distribution = Distribution::Float { low: 0.0, high: 1.0, scale: Scale::Linear };

    #[test]
    fn the_error_function_is_that_of_the_tables() {
        for (x, y) in
            [(0.0, 0.0), (0.5, 0.520_499_878), (1.0, 0.842_700_793), (-2.0, -0.995_322_265)]
        {
            assert!((erf(x) - y).abs() < 2e-7, "{x}");
        }
    }

    #[test]
    fn a_density_integrates_to_one_and_is_what_is_sampled() {
        let choices = vec!["a".into(), "b".into()];
        let choice = Distribution::Categorical { choices };
        let space = [("x", &UNIT), ("c", &choice)];
        let places: [&[f64]; 3] = [&[0.1, 0.0], &[0.15, 0.0], &[0.9, 1.0]];
        for joint in [false, true] {
            let density = Parzen::new(&space, &places, joint);
            let at = |x: f64, c: f64| density.log_density(&[x, c]).exp();
            let (n, mut total, mut low) = (2000, 0.0, 0.0);
            for i in 0..n {
                let x = (f64::from(i) + 0.5) / f64::from(n);
                let here = (at(x, 0.0) + at(x, 1.0)) / f64::from(n);
                total += here;
                low += if x < 0.3 { at(x, 0.0) / f64::from(n) } else { 0.0 };
            }
            assert!((total - 1.0).abs() < 1e-4, "{total}");
            let mut rng = ChaCha8Rng::seed_from_u64(0);
            let hits = (0..20_000).map(|_| density.sample(&mut rng));
            let hits = hits.filter(|places| places[0] < 0.3 && places[1] == 0.0).count();
            assert!((hits as f64 / 20_000.0 - low).abs() < 0.015, "{hits} {low}");
            assert!(at(0.12, 0.0) > 2.0 * at(0.12, 1.0) && at(0.12, 0.0) > at(0.5, 0.0));
        }
    }

    #[test]
    fn old_trials_weigh_less() {
        assert_eq!(ramp(3), [1.0; 3]);
        let weights = ramp(30);
        assert_eq!((weights[0], weights[4], weights[29]), (1.0 / 30.0, 1.0, 1.0));
        assert!(weights[1] > weights[0] && weights[1] < weights[2]);
    }

    #[test]
    fn a_kernel_reaches_to_its_farther_neighbour() {
        let widths = neighbour_widths(&[0.1, 0.2]);
        assert!((widths[0] - 0.1).abs() < 1e-12 && (widths[1] - 0.3).abs() < 1e-12, "{widths:?}");
    }
}
