//! Samplers: choose the settings of the next trial.

mod cma_es;
mod eigen;
mod grid;
mod parzen;
#[cfg(test)]
mod tests;
mod tpe;

use gymnast_base::hash::fnv1a;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Distribution, StudyDirection, TrialOutcome, TrialRecord, TuneError};

pub use cma_es::CmaEs;
pub use grid::Grid;
pub use tpe::Tpe;

/// Chooses the next settings: a pure function of the finished trials, the seed and the trial's
/// number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialSampler {
    /// Tries every combination once; the study ends with the last.
    Grid(Grid),
    /// Draws independently at random: Bergstra and Bengio, "Random Search for Hyper-Parameter
    /// Optimization" (2012).
    Random,
    /// Draws where good trials are dense and bad ones are not (tree-structured Parzen estimator).
    Tpe(Tpe),
    /// Draws around a mean that moves towards better trials, with a covariance that adapts to them.
    CmaEs(CmaEs),
}

/// What is to be drawn, and by what.
pub(super) struct Request<'a> {
    /// One parameter, or several to be drawn together.
    pub(super) space: &'a [(&'a str, &'a Distribution)],
    /// The finished trials to learn from, by number.
    pub(super) history: &'a [TrialRecord],
    pub(super) direction: StudyDirection,
    pub(super) seed: u64,
    pub(super) number: u64,
}

impl TrialSampler {
    pub(super) fn check(&self) -> Result<(), TuneError> {
        match self {
            Self::Grid(grid) => grid.check(),
            Self::Random => Ok(()),
            Self::Tpe(tpe) => tpe.check(),
            Self::CmaEs(cma_es) => cma_es.check(),
        }
    }

    /// How many trials there can be at most.
    pub(super) fn limit(&self) -> u64 {
        match self {
            Self::Grid(grid) => grid.len(),
            _ => u64::MAX,
        }
    }

    /// Whether parameters are drawn together where every trial has them.
    pub(super) fn is_joint(&self) -> bool {
        match self {
            Self::Grid(_) | Self::Random => false,
            Self::Tpe(tpe) => tpe.multivariate,
            Self::CmaEs(_) => true,
        }
    }

    /// The places of the parameters.
    pub(super) fn draw(&self, request: &Request<'_>) -> Result<Vec<f64>, TuneError> {
        let mut rng = request.rng();
        Ok(match self {
            Self::Grid(grid) => return grid.draw(request),
            Self::Random => request.uniform(&mut rng),
            Self::Tpe(tpe) => tpe.draw(request, &mut rng),
            Self::CmaEs(cma_es) => cma_es.draw(request, &mut rng),
        })
    }
}

impl Request<'_> {
    /// A stream of its own for each trial and set of parameters, so that one more parameter shifts none
    /// of the others.
    fn rng(&self) -> ChaCha8Rng {
        let names: Vec<_> = self.space.iter().map(|(name, _)| *name).collect();
        stream(self.seed, self.number, &format!("draw {}", names.join("\n")))
    }

    fn uniform(&self, rng: &mut impl Rng) -> Vec<f64> {
        self.space.iter().map(|(_, distribution)| uniform(distribution, rng)).collect()
    }

    /// The places of the trials that had all the parameters, the best first.
    ///
    /// Complete trials stand before pruned ones, of which those that got further stand first, and
    /// failed ones stand last, so that what fails is avoided as what is bad.
    fn ranked(&self) -> Vec<Ranked> {
        let place = |trial: &TrialRecord| {
            let places = trial.coordinates(self.space)?;
            let (class, step, value) = match trial.outcome {
                TrialOutcome::Complete(value) => (0, 0, value),
                TrialOutcome::Pruned => {
                    let last = trial.reports.last();
                    last.map_or((2, 0, 0.0), |&(step, value)| (1, step, value))
                }
                TrialOutcome::Failed(_) => (3, 0, 0.0),
            };
            let loss = self.direction.loss(value);
            let ranked = Ranked { number: trial.number, places, is_sound: class < 3 };
            Some((class, std::cmp::Reverse(step), loss, ranked))
        };
        let mut trials: Vec<_> = self.history.iter().filter_map(place).collect();
        // Stable, so that the earlier of equals stands first.
        trials.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
        trials.into_iter().map(|(.., trial)| trial).collect()
    }
}

/// A finished trial as a sampler sees it.
struct Ranked {
    number: u64,
    places: Vec<f64>,
    /// It did not fail.
    is_sound: bool,
}

fn uniform(distribution: &Distribution, rng: &mut impl Rng) -> f64 {
    match distribution.categories() {
        Some(choices) => rng.random_range(0..choices) as f64,
        None => rng.random(),
    }
}

/// The random stream of one purpose within one trial.
pub(super) fn stream(seed: u64, number: u64, purpose: &str) -> ChaCha8Rng {
    // ChaCha is a pseudo-random function of (key, stream, block).
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(fnv1a(purpose));
    // 2³² words for each trial, more than any draws.
    rng.set_word_pos(u128::from(number) << 32);
    rng
}
