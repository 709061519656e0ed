//! Covariance matrix adaptation.

use rand::{Rng, RngExt};
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

use super::{Ranked, Request, eigen, uniform};
use crate::require;
use crate::tune::TuneError;

/// The number of redraws outside the range before a draw is clipped to its edge.
const REDRAWS: usize = 100;

/// CMA-ES, the evolution strategy with covariance matrix adaptation, for numbers; unordered choices
/// are drawn at random.
///
/// Hansen, "The CMA Evolution Strategy: A Tutorial" (2016, arXiv:1604.00772), figure 6 and table 1,
/// with non-negative weights. It has no state: each draw replays the trials so far in order,
/// `population` per generation. An incomplete last generation is sampled from but not learned from.
/// Within a generation pruned trials rank behind complete ones, failed ones last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CmaEs {
    /// The number of trials in a generation, ≥ 2; 0: 4 + ⌊3 ln d⌋ for d parameters.
    pub population: usize,
    /// The standard deviation of the first generation around the middle, as a fraction of the
    /// range; in (0, 1].
    pub sigma: f64,
}

impl Default for CmaEs {
    /// Uses the tutorial's population and a third of the range, so that a hundred trials can still
    /// reach its edge.
    fn default() -> Self {
        Self { population: 0, sigma: 0.3 }
    }
}

/// Where a strategy stands.
struct State {
    mean: Vec<f64>,
    sigma: f64,
    covariance: Vec<Vec<f64>>,
    sigma_path: Vec<f64>,
    covariance_path: Vec<f64>,
    generation: i32,
}

impl CmaEs {
    pub(super) fn check(&self) -> Result<(), TuneError> {
        require(self.population != 1, "population", 1.0, "0 or at least 2")?;
        let (is_share, allowed) =
            (self.sigma > 0.0 && self.sigma <= 1.0, "a share of the range above 0 and at most 1");
        Ok(require(is_share, "sigma", self.sigma, allowed)?)
    }

    pub(super) fn draw(&self, request: &Request<'_>, rng: &mut impl Rng) -> Vec<f64> {
        let is_number: Vec<bool> =
            request.space.iter().map(|(_, d)| d.categories().is_none()).collect();
        let d = is_number.iter().filter(|is| **is).count();
        let mut numbers = Vec::new();
        if d > 0 {
            let state = self.follow(request, &is_number, d);
            numbers = state.sample(rng);
        }
        let mut numbers = numbers.into_iter();
        let place = |(_, distribution): &(&str, &crate::tune::Distribution)| match distribution
            .categories()
        {
            Some(_) => uniform(distribution, rng),
            None => numbers.next().expect("one was drawn for each number"),
        };
        request.space.iter().map(place).collect()
    }

    /// The strategy after all whole generations.
    fn follow(&self, request: &Request<'_>, is_number: &[bool], d: usize) -> State {
        let population = match self.population {
            0 => 4 + (3.0 * (d as f64).ln()).floor() as usize,
            population => population,
        };
        let mut trials: Vec<(usize, Ranked)> = request.ranked().into_iter().enumerate().collect();
        trials.sort_by_key(|(_, trial)| trial.number);
        let mut state = State::new(d, self.sigma);
        for generation in trials.chunks_exact(population) {
            let mut best: Vec<&(usize, Ranked)> = generation.iter().collect();
            best.sort_by_key(|(rank, _)| *rank);
            let numbers = |(_, trial): &&(usize, Ranked)| -> Vec<f64> {
                let places = trial.places.iter().zip(is_number);
                places.filter(|(_, is)| **is).map(|(place, _)| *place).collect()
            };
            let best: Vec<Vec<f64>> = best.iter().map(numbers).collect();
            state.learn(&best);
            if !state.is_finite() {
                // All points of a generation were one: the search has nowhere left to go from it.
                state = State::new(d, self.sigma);
            }
        }
        state
    }
}

impl State {
    fn new(d: usize, sigma: f64) -> Self {
        let one = |i: usize| (0..d).map(|j| f64::from(u8::from(i == j))).collect();
        Self {
            mean: vec![0.5; d],
            sigma,
            covariance: (0..d).map(one).collect(),
            sigma_path: vec![0.0; d],
            covariance_path: vec![0.0; d],
            generation: 0,
        }
    }

    fn is_finite(&self) -> bool {
        let Self { mean, sigma, covariance, sigma_path, covariance_path, .. } = self;
        let rows = covariance.iter().chain([mean, sigma_path, covariance_path]);
        *sigma > 0.0 && sigma.is_finite() && rows.flatten().all(|x| x.is_finite())
    }

    /// One point of the next generation.
    fn sample(&self, rng: &mut impl Rng) -> Vec<f64> {
        let (values, vectors) = eigen::symmetric(self.covariance.clone());
        let deviations: Vec<f64> = values.iter().map(|value| value.max(0.0).sqrt()).collect();
        let mut point = Vec::new();
        for _ in 0..REDRAWS {
            let normal = |deviation: &f64| deviation * rng.sample::<f64, _>(StandardNormal);
            let step: Vec<f64> = deviations.iter().map(normal).collect();
            let move_by = |(mean, row): (&f64, &Vec<f64>)| {
                mean + self.sigma * row.iter().zip(&step).map(|(v, s)| v * s).sum::<f64>()
            };
            point = self.mean.iter().zip(&vectors).map(move_by).collect::<Vec<_>>();
            if point.iter().all(|place| (0.0..=1.0).contains(place)) {
                return point;
            }
        }
        point.iter().map(|place| place.clamp(0.0, 1.0)).collect()
    }

    /// One generation, the best first: equations 9 to 12, 14 to 18, 24 to 28, 30 and 34 to 37 of the
    /// tutorial.
    fn learn(&mut self, best: &[Vec<f64>]) {
        let (d, population) = (self.mean.len(), best.len());
        let n = d as f64;
        let parents = population / 2;
        let weight = |i: usize| ((population as f64 + 1.0) / 2.0).ln() - (i as f64 + 1.0).ln();
        let sum: f64 = (0..parents).map(weight).sum();
        let weights: Vec<f64> = (0..parents).map(|i| weight(i) / sum).collect();
        let mu_eff = 1.0 / weights.iter().map(|w| w * w).sum::<f64>();

        let c_sigma = (mu_eff + 2.0) / (n + mu_eff + 5.0);
        let d_sigma = 1.0 + 2.0 * (((mu_eff - 1.0) / (n + 1.0)).sqrt() - 1.0).max(0.0) + c_sigma;
        let c_c = (4.0 + mu_eff / n) / (n + 4.0 + 2.0 * mu_eff / n);
        let c_1 = 2.0 / ((n + 1.3).powi(2) + mu_eff);
        let c_mu =
            (2.0 * (mu_eff - 2.0 + 1.0 / mu_eff) / ((n + 2.0).powi(2) + mu_eff)).min(1.0 - c_1);
        // The expected length of a standard normal vector.
        let length = n.sqrt() * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n * n));

        let steps: Vec<Vec<f64>> = best[..parents]
            .iter()
            .map(|x| x.iter().zip(&self.mean).map(|(x, m)| (x - m) / self.sigma).collect())
            .collect();
        let mean_step: Vec<f64> =
            (0..d).map(|i| weights.iter().zip(&steps).map(|(w, y)| w * y[i]).sum()).collect();
        for (mean, step) in self.mean.iter_mut().zip(&mean_step) {
            *mean += self.sigma * step;
        }

        self.generation += 1;
        let whitened = self.whitened(&mean_step);
        let factor = (c_sigma * (2.0 - c_sigma) * mu_eff).sqrt();
        for (path, step) in self.sigma_path.iter_mut().zip(&whitened) {
            *path = (1.0 - c_sigma) * *path + factor * step;
        }
        let norm = self.sigma_path.iter().map(|x| x * x).sum::<f64>().sqrt();
        let unbiased = norm / (1.0 - (1.0 - c_sigma).powi(2 * self.generation)).sqrt();
        let stalls = unbiased >= (1.4 + 2.0 / (n + 1.0)) * length;
        let factor = if stalls { 0.0 } else { (c_c * (2.0 - c_c) * mu_eff).sqrt() };
        for (path, step) in self.covariance_path.iter_mut().zip(&mean_step) {
            *path = (1.0 - c_c) * *path + factor * step;
        }
        let lost = if stalls { c_1 * c_c * (2.0 - c_c) } else { 0.0 };
        for i in 0..d {
            for j in 0..d {
                let rank_mu: f64 = weights.iter().zip(&steps).map(|(w, y)| w * y[i] * y[j]).sum();
                self.covariance[i][j] = (1.0 - c_1 - c_mu + lost) * self.covariance[i][j]
                    + c_1 * self.covariance_path[i] * self.covariance_path[j]
                    + c_mu * rank_mu;
            }
        }
        // Bounded by the range: a wider search would only be cut off.
        self.sigma = (self.sigma * (c_sigma / d_sigma * (norm / length - 1.0)).exp()).min(1.0);
    }

    /// `C^(−1/2) · step`.
    fn whitened(&self, step: &[f64]) -> Vec<f64> {
        let (values, vectors) = eigen::symmetric(self.covariance.clone());
        let along = |k: usize| {
            let dot: f64 = vectors.iter().zip(step).map(|(row, s)| row[k] * s).sum();
            dot / values[k].max(1e-20).sqrt()
        };
        let parts: Vec<f64> = (0..step.len()).map(along).collect();
        vectors.iter().map(|row| row.iter().zip(&parts).map(|(v, p)| v * p).sum()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Reference {
        cases: Vec<Case>,
    }

    #[derive(Deserialize)]
    struct Case {
        sigma: f64,
        generations: Vec<Generation>,
    }

    #[derive(Deserialize)]
    struct Generation {
        best_first: Vec<Vec<f64>>,
        mean: Vec<f64>,
        sigma: f64,
        covariance: Vec<Vec<f64>>,
    }

    /// Held against what `core/tests/reference/cma_es.py` recorded.
    #[test]
    fn learns_as_the_package_cmaes_does() {
        let text = include_str!("../../../tests/reference/cma_es.json");
        let Reference { cases } = serde_json::from_str(text).unwrap();
        let near = |own: &[f64], other: &[f64]| {
            own.len() == other.len() && own.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-10)
        };
        for case in cases {
            let mut state = State::new(case.generations[0].mean.len(), case.sigma);
            for expected in case.generations {
                state.learn(&expected.best_first);
                assert!(near(&state.mean, &expected.mean), "{:?}", state.mean);
                assert!(near(&[state.sigma], &[expected.sigma]), "{}", state.sigma);
                let (own, other) = (state.covariance.concat(), expected.covariance.concat());
                assert!(near(&own, &other), "{own:?} {other:?}");
            }
        }
    }
}
