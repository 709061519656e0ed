//! Pairs of runs in the same environment.

use std::fmt;

use gymnast_core::statistics::{StatisticsError, mean, paired_difference};
use serde::Serialize;

use super::{CONFIDENCE, Curves, Estimate};

/// More runs in one environment than this are not compared each with each: the table would be too long
/// to read.
const MOST_RUNS: usize = 12;

/// Two runs in the same environment, compared on the seeds that both have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// The name of the environment.
    pub env: String,
    /// The agent of the run compared.
    pub agent: String,
    /// The name of the run compared.
    pub run: String,
    /// The agent of the run compared with.
    pub other_agent: String,
    /// The name of the run compared with.
    pub other_run: String,
    /// The number of seeds that both have.
    pub seeds: usize,
    /// The env steps at which they are compared: the most that all seeds of both runs have reached.
    pub env_steps: u64,
    /// The mean over seeds of the first run's return minus the other's, with Student's t interval.
    pub difference: Estimate,
    /// What the interval says of the first run.
    pub outcome: Outcome,
}

/// What an interval of a difference says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The whole interval is above zero.
    Better,
    /// The whole interval is below zero.
    Worse,
    /// The interval includes zero, or there are too few seeds for one.
    CannotTell,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::CannotTell => "cannot tell",
        })
    }
}

impl Outcome {
    /// Compares an interval with the value that means no difference.
    pub(super) fn of(estimate: &Estimate, none: f64) -> Self {
        match (estimate.low, estimate.high) {
            (Some(low), _) if low > none => Self::Better,
            (_, Some(high)) if high < none => Self::Worse,
            _ => Self::CannotTell,
        }
    }
}

/// Compares each pair of runs in the same environment that share seeds and have returns of one kind.
pub(super) fn comparisons(runs: &[Curves<'_>]) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for (i, a) in runs.iter().enumerate() {
        let same_env = |curves: &&Curves<'_>| curves.run.env == a.run.env;
        if runs.iter().filter(same_env).count() > MOST_RUNS {
            continue;
        }
        let comparable = |curves: &&Curves<'_>| curves.run.returns == a.run.returns;
        let later = runs[i + 1..].iter().filter(same_env).filter(comparable);
        comparisons.extend(later.filter_map(|b| compare(a, b)));
    }
    comparisons
}

fn compare(a: &Curves<'_>, b: &Curves<'_>) -> Option<Comparison> {
    let step = a.common_step.min(b.common_step);
    let of = |curves: &Curves<'_>| -> Option<Vec<(u64, f64)>> {
        let seeds = curves.seeds.iter().map(|(seed, _)| *seed);
        Some(seeds.zip(curves.returns_at(step)?).collect())
    };
    let (of_a, of_b) = (of(a)?, of(b)?);
    let pair = |(seed, x): &(u64, f64)| {
        let (_, y) = of_b.iter().find(|(other, _)| other == seed)?;
        Some((*x, *y))
    };
    let (x, y): (Vec<f64>, Vec<f64>) = of_a.iter().filter_map(pair).unzip();
    let difference = match paired_difference(&x, &y, CONFIDENCE, 0.0) {
        Err(StatisticsError::TooFew { .. }) => {
            let estimate = mean(&x)? - mean(&y)?;
            Estimate { estimate, low: None, high: None }
        }
        interval => interval.ok()?.into(),
    };
    Some(Comparison {
        env: a.run.env.clone(),
        agent: a.run.agent.clone(),
        run: a.run.run.clone(),
        other_agent: b.run.agent.clone(),
        other_run: b.run.run.clone(),
        seeds: x.len(),
        env_steps: step as u64,
        outcome: Outcome::of(&difference, 0.0),
        difference,
    })
}
