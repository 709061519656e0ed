//! The tree-structured Parzen estimator.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::parzen::Parzen;
use super::{Ranked, Request};
use crate::require;
use crate::rounding;
use crate::tune::TuneError;

/// More candidates find nothing better and take long for every trial.
const MOST_CANDIDATES: usize = 10_000;

/// The tree-structured Parzen estimator: estimates the density `l` of the best trials' settings and
/// the density `g` of the others', and tries the candidate from `l` with the largest `l/g`.
///
/// Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (2011), section 4. The fraction
/// of good trials and the kernels' weights and widths follow Optuna, as Watanabe describes them in
/// "Tree-Structured Parzen Estimator: Understanding Its Algorithm Components and Their Roles for
/// Better Empirical Performance" (2023).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tpe {
    /// The number of random trials before the estimator starts, failed ones included; ≥ 1.
    pub n_startup_trials: usize,
    /// The number of candidates drawn from `l` for each trial; from 1 to 10,000.
    pub n_ei_candidates: usize,
    /// The fraction of trials that count as good, at most `max_good` trials; in (0, 1).
    pub gamma: f64,
    /// The largest number of good trials; ≥ 1.
    pub max_good: usize,
    /// Whether to draw all parameters together, which captures their interactions. Otherwise each
    /// is drawn independently.
    pub multivariate: bool,
}

impl Default for Tpe {
    /// Uses Optuna's defaults, except that parameters are drawn together, from kernels half as
    /// wide: `examples/tune_functions.rs` compares both.
    fn default() -> Self {
        Self {
            n_startup_trials: 10,
            n_ei_candidates: 24,
            gamma: 0.1,
            max_good: 25,
            multivariate: true,
        }
    }
}

impl Tpe {
    pub(super) fn check(&self) -> Result<(), TuneError> {
        for (key, value) in [
            ("n_startup_trials", self.n_startup_trials),
            ("n_ei_candidates", self.n_ei_candidates),
            ("max_good", self.max_good),
        ] {
            require(value > 0, key, 0.0, "at least 1")?;
        }
        let candidates = self.n_ei_candidates;
        let fits = candidates <= MOST_CANDIDATES;
        require(fits, "n_ei_candidates", candidates as f64, "at most 10,000")?;
        let is_share = self.gamma > 0.0 && self.gamma < 1.0;
        Ok(require(is_share, "gamma", self.gamma, "a share above 0 and below 1")?)
    }

    pub(super) fn draw(&self, request: &Request<'_>, rng: &mut impl Rng) -> Vec<f64> {
        let mut good = request.ranked();
        // What failed is never good, however few there are that did not.
        let sound = good.iter().filter(|trial| trial.is_sound).count();
        if good.len() < self.n_startup_trials || sound == 0 {
            return request.uniform(rng);
        }
        let share = rounding::ceil(self.gamma * good.len() as f64);
        let mut bad = good.split_off(share.min(self.max_good).min(sound));
        let density = |trials: &mut Vec<Ranked>| {
            trials.sort_by_key(|trial| trial.number);
            let places: Vec<_> = trials.iter().map(|trial| trial.places.as_slice()).collect();
            Parzen::new(request.space, &places, self.multivariate)
        };
        let (good, bad) = (density(&mut good), density(&mut bad));
        let mut best = (f64::NEG_INFINITY, Vec::new());
        for _ in 0..self.n_ei_candidates {
            let places = rounded(request, good.sample(rng));
            let score = good.log_density(&places) - bad.log_density(&places);
            if score > best.0 || best.1.is_empty() {
                best = (score, places);
            }
        }
        best.1
    }
}

/// The places of the values that these stand for: whole numbers are judged as what they become.
fn rounded(request: &Request<'_>, mut places: Vec<f64>) -> Vec<f64> {
    for (place, (_, distribution)) in places.iter_mut().zip(request.space) {
        let value = distribution.value(*place);
        *place = distribution.coordinate(&value).expect("a value lies in its distribution");
    }
    places
}
