//! Parameter importances: which parameters mattered.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::sampler::stream;
use super::{Distribution, Param, Study, TrialRecord, TuneError};
use crate::require;
use crate::statistics::unit_scale;

/// Fewer trials say nothing.
const FEWEST: usize = 4;
/// More trees only take time.
const MOST_TREES: usize = 10_000;

/// The fraction of the variance of a study's values that a parameter explains alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The name of the parameter.
    pub name: String,
    /// Its fraction of the variance, from 0 to 1.
    pub share: f64,
}

/// The settings of the random forest behind the importances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportanceConfig {
    /// The number of trees; from 1 to 10,000.
    pub trees: usize,
    /// The least number of trials in a leaf; ≥ 1.
    pub min_leaf: usize,
}

impl Default for ImportanceConfig {
    fn default() -> Self {
        Self { trees: 64, min_leaf: 2 }
    }
}

/// Computes the importance of each parameter alone, the highest first, by functional analysis of
/// variance.
///
/// Fits a forest of regression trees to the complete trials. A parameter's share is the variance of
/// the forest's prediction over that parameter, averaged over the *whole* space of the others,
/// relative to the total variance: Hutter, Hoos and Leyton-Brown, "An Efficient Approach for
/// Assessing Hyperparameter Importance" (2014), algorithms 1 and 2, main effects only.
///
/// Importances refer to *the given ranges*; a wider range raises a parameter's importance. The rest
/// to 1 is due to interactions of parameters. Importances do not describe the neighbourhood of the
/// best trial, where a parameter with a small share may decide. They are uncertain where trials are
/// rare: a sampler that avoids a region leaves few there. Parameters that some complete trials lack
/// are left out.
///
/// # Errors
/// [`TuneError::TooFewTrials`], [`TuneError::EqualValues`], [`TuneError::Setting`].
pub fn importance(study: &Study, config: &ImportanceConfig) -> Result<Vec<Importance>, TuneError> {
    for (key, value) in [("trees", config.trees), ("min_leaf", config.min_leaf)] {
        require(value > 0, key, 0.0, "at least 1")?;
    }
    require(config.trees <= MOST_TREES, "trees", config.trees as f64, "at most 10,000")?;
    let complete: Vec<&TrialRecord> =
        study.trials().iter().filter(|trial| trial.value().is_some()).collect();
    let mut values: Vec<f64> = complete.iter().filter_map(|trial| trial.value()).collect();
    if complete.len() < FEWEST {
        return Err(TuneError::TooFewTrials { needed: FEWEST, got: complete.len() });
    }
    if values.windows(2).all(|pair| pair[0] == pair[1]) {
        return Err(TuneError::EqualValues { got: complete.len() });
    }
    // So that no variance is too great for a number.
    let scale = unit_scale(values.iter().copied());
    values.iter_mut().for_each(|value| *value *= scale);
    let same = |param: &Param, trial: &&TrialRecord| {
        trial.param(&param.name).is_some_and(|own| own.distribution == param.distribution)
    };
    let shared = complete[0].params.iter();
    let shared = shared.filter(|param| complete.iter().all(|trial| same(param, trial)));
    let space: Vec<_> = shared.map(|param| (param.name.as_str(), &param.distribution)).collect();
    let places: Vec<Vec<f64>> =
        complete.iter().filter_map(|trial| trial.coordinates(&space)).collect();

    let mut rng = stream(study.config().seed, 0, "importance");
    let mut shares = vec![0.0; space.len()];
    let mut trees = 0;
    for _ in 0..config.trees {
        let draw = |_| rng.random_range(0..places.len());
        let rows: Vec<usize> = (0..places.len()).map(draw).collect();
        let mut tree = Tree {
            places: &places,
            values: &values,
            min_leaf: config.min_leaf,
            leaves: Vec::new(),
        };
        tree.grow(&rows, space.iter().map(|(_, d)| Side::whole(d)).collect(), &mut rng);
        // A tree of equal values has no variance to explain.
        if let Some(own) = main_effects(&tree.leaves, space.len()) {
            trees += 1;
            shares.iter_mut().zip(own).for_each(|(share, own)| *share += own);
        }
    }
    let allowed = "few enough trials that a tree can split";
    require(trees > 0, "min_leaf", config.min_leaf as f64, allowed)?;
    let share = |((name, _), share): (&(&str, _), f64)| Importance {
        name: (*name).to_owned(),
        share: share / f64::from(trees),
    };
    let mut importances: Vec<Importance> = space.iter().zip(shares).map(share).collect();
    importances.sort_by(|a, b| b.share.total_cmp(&a.share));
    Ok(importances)
}

/// The extent of a region in one dimension.
#[derive(Clone)]
enum Side {
    Interval(f64, f64),
    /// Whether each choice belongs to it.
    Choices(Vec<bool>),
}

impl Side {
    fn whole(distribution: &Distribution) -> Self {
        match distribution.categories() {
            Some(choices) => Self::Choices(vec![true; choices]),
            None => Self::Interval(0.0, 1.0),
        }
    }

    /// Returns its fraction of the dimension.
    fn extent(&self) -> f64 {
        match self {
            Self::Interval(low, high) => high - low,
            Self::Choices(own) => own.iter().filter(|is| **is).count() as f64 / own.len() as f64,
        }
    }

    fn contains(&self, place: f64) -> bool {
        match self {
            Self::Interval(low, high) => (*low..*high).contains(&place),
            Self::Choices(own) => own[place as usize],
        }
    }

    /// The part below a cut, or of one choice, and the rest.
    fn split(&self, at: f64) -> (Self, Self) {
        match self {
            Self::Interval(low, high) => (Self::Interval(*low, at), Self::Interval(at, *high)),
            Self::Choices(own) => {
                let chosen = (0..own.len()).map(|i| i == at as usize).collect();
                let mut rest = own.clone();
                rest[at as usize] = false;
                (Self::Choices(chosen), Self::Choices(rest))
            }
        }
    }

    fn goes_first(&self, place: f64, at: f64) -> bool {
        match self {
            Self::Interval(..) => place < at,
            Self::Choices(_) => place == at,
        }
    }
}

struct Leaf {
    value: f64,
    region: Vec<Side>,
}

struct Tree<'a> {
    places: &'a [Vec<f64>],
    values: &'a [f64],
    min_leaf: usize,
    leaves: Vec<Leaf>,
}

impl Tree<'_> {
    fn grow(&mut self, rows: &[usize], region: Vec<Side>, rng: &mut impl Rng) {
        let Some((dimension, at)) = self.best_split(rows, &region, rng) else {
            let sum: f64 = rows.iter().map(|&row| self.values[row]).sum();
            self.leaves.push(Leaf { value: sum / rows.len() as f64, region });
            return;
        };
        let side = &region[dimension];
        let (first, rest) = side.split(at);
        let (ours, others): (Vec<usize>, Vec<usize>) =
            rows.iter().partition(|&&row| side.goes_first(self.places[row][dimension], at));
        let with = |side| {
            let mut region = region.clone();
            region[dimension] = side;
            region
        };
        let (first, rest) = (with(first), with(rest));
        self.grow(&ours, first, rng);
        self.grow(&others, rest, rng);
    }

    /// The cut that leaves the least squared error; `None` where none leaves less.
    fn best_split(
        &self,
        rows: &[usize],
        region: &[Side],
        rng: &mut impl Rng,
    ) -> Option<(usize, f64)> {
        let mut left: Vec<usize> = (0..region.len()).collect();
        // Five sixths of the parameters, as in the forests of SMAC.
        let tried = (5 * region.len()).div_ceil(6);
        let mut best = (0.0, None);
        for _ in 0..tried {
            let dimension = left.swap_remove(rng.random_range(0..left.len()));
            let place = |row: &usize| self.places[*row][dimension];
            let mut places: Vec<f64> = rows.iter().map(place).collect();
            places.sort_unstable_by(f64::total_cmp);
            places.dedup();
            let cuts: Vec<f64> = match region[dimension] {
                Side::Interval(..) => {
                    places.windows(2).map(|pair| f64::midpoint(pair[0], pair[1])).collect()
                }
                Side::Choices(_) => places,
            };
            for at in cuts {
                let gain = self.gain(rows, |row| region[dimension].goes_first(place(row), at));
                if gain > best.0 {
                    best = (gain, Some((dimension, at)));
                }
            }
        }
        best.1
    }

    /// By how much two means leave less squared error than one.
    fn gain(&self, rows: &[usize], is_first: impl Fn(&usize) -> bool) -> f64 {
        let mut sums = [(0.0, 0.0); 2];
        for row in rows {
            let part = &mut sums[usize::from(is_first(row))];
            *part = (part.0 + self.values[*row], part.1 + 1.0);
        }
        if sums.iter().any(|(_, n)| *n < self.min_leaf as f64) {
            return 0.0;
        }
        let [(a, n), (b, m)] = sums;
        (a / n - b / m).powi(2) * n * m / (n + m)
    }
}

/// Each dimension's share of a tree's variance; `None` where it has none.
fn main_effects(leaves: &[Leaf], dimensions: usize) -> Option<Vec<f64>> {
    let volume = |leaf: &Leaf| leaf.region.iter().map(Side::extent).product::<f64>();
    let mean: f64 = leaves.iter().map(|leaf| volume(leaf) * leaf.value).sum();
    let variance: f64 = leaves.iter().map(|leaf| volume(leaf) * (leaf.value - mean).powi(2)).sum();
    if variance <= 0.0 {
        return None;
    }
    let effect = |d: usize| {
        let marginal = |place: f64| -> f64 {
            let here = leaves.iter().filter(|leaf| leaf.region[d].contains(place));
            here.map(|leaf| leaf.value * volume(leaf) / leaf.region[d].extent()).sum()
        };
        let own: f64 = pieces(leaves, d)
            .into_iter()
            .map(|(place, extent)| extent * (marginal(place) - mean).powi(2))
            .sum();
        own / variance
    };
    Some((0..dimensions).map(effect).collect())
}

/// The pieces of a dimension in which nothing changes: a place in each, and its extent.
fn pieces(leaves: &[Leaf], d: usize) -> Vec<(f64, f64)> {
    if let Side::Choices(own) = &leaves[0].region[d] {
        return (0..own.len()).map(|i| (i as f64, 1.0 / own.len() as f64)).collect();
    }
    let ends = leaves.iter().flat_map(|leaf| match leaf.region[d] {
        Side::Interval(low, high) => [low, high],
        Side::Choices(_) => unreachable!("all leaves have the same kinds of sides"),
    });
    let mut ends: Vec<f64> = ends.collect();
    ends.sort_unstable_by(f64::total_cmp);
    ends.dedup();
    ends.windows(2).map(|pair| (f64::midpoint(pair[0], pair[1]), pair[1] - pair[0])).collect()
}
