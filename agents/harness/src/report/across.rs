//! Agents over all environments, by normalised returns.

use gymnast_core::statistics::{
    Bootstrap, Method, StatisticsError, aggregate_iqm, aggregate_mean, aggregate_median,
    optimality_gap, performance_profile,
};
use serde::Serialize;

use super::{Curves, Estimate, Outcome, row::bootstrap_rng};

/// An agent over all environments: statistics of its normalised returns, in which random actions
/// have 0 and the best return known has 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Across {
    /// The name of the agent.
    pub agent: String,
    /// The environments.
    pub envs: Vec<String>,
    /// The number of runs: seeds of all environments.
    pub runs: usize,
    /// The mean over environments of each one's mean.
    pub mean: Estimate,
    /// The median over environments of each one's mean.
    pub median: Estimate,
    /// The interquartile mean of all runs.
    pub iqm: Estimate,
    /// By how much runs fall short of 1, where more counts as 1. Lower is better.
    pub optimality_gap: Estimate,
    /// The normalised returns, `[environments][seeds]`.
    pub scores: Vec<Vec<f64>>,
}

/// How probably an agent beats another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Improvement {
    /// The name of the agent.
    pub agent: String,
    /// The name of the agent that it is compared with.
    pub over: String,
    /// The probability that a run of the one has a higher return than a run of the other in the
    /// same environment, averaged over environments.
    pub probability: Estimate,
    /// Whether the interval lies above or below one half.
    pub outcome: Outcome,
}

/// Returns each agent over the environments that all agents have exactly one run in, with reference
/// returns, and each pair of agents; nothing if these are fewer than two.
///
/// In each environment all agents are compared at the env steps that all their seeds have reached.
pub(super) fn across(runs: &[Curves<'_>]) -> (Vec<Across>, Vec<Improvement>) {
    let Some(Shared { agents, envs }) = shared(runs) else { return Default::default() };
    let scores_of = |agent: &&str| -> Option<Vec<Vec<f64>>> {
        envs.iter().map(|(env, _)| scores_in(runs, agent, env)).collect()
    };
    let Some(scores) = agents.iter().map(scores_of).collect::<Option<Vec<_>>>() else {
        return Default::default();
    };
    let owned: Vec<_> = envs.iter().map(|(env, _)| env.clone()).collect();
    let rows = agents.iter().zip(&scores).map(|(agent, scores)| Across::of(agent, &owned, scores));
    let Ok(rows) = rows.collect::<Result<Vec<_>, _>>() else { return Default::default() };
    let returns_of = |agent: &str| {
        runs.iter().find(|curves| curves.run.agent == agent).map(|curves| curves.run.returns)
    };
    let mut improvements = Vec::new();
    for (i, (agent, x)) in agents.iter().zip(&scores).enumerate() {
        for (over, y) in agents.iter().zip(&scores).skip(i + 1) {
            if returns_of(agent) == returns_of(over) {
                improvements.extend(Improvement::of(agent, x, over, y).ok());
            }
        }
    }
    (rows, improvements)
}

/// The agents, and the environments in which they can be compared.
pub(super) struct Shared<'a> {
    pub(super) agents: Vec<&'a str>,
    /// With the env steps that all seeds of all agents have reached.
    pub(super) envs: Vec<(String, f64)>,
}

/// The environments in which every agent has exactly one run, and which have reference returns;
/// `None` if these are fewer than two.
pub(super) fn shared<'a>(runs: &[Curves<'a>]) -> Option<Shared<'a>> {
    let agents = distinct(runs.iter().map(|curves| curves.run.agent.as_str()));
    let with_reference = runs.iter().filter(|curves| curves.run.reference.is_some());
    let mut envs = distinct(with_reference.map(|curves| curves.run.env.as_str()));
    envs.retain(|env| agents.iter().all(|agent| scores_in(runs, agent, env).is_some()));
    let with_step = |env: &str| Some((env.to_owned(), step_in(runs, env)?));
    let envs = envs.into_iter().map(with_step).collect::<Option<Vec<_>>>()?;
    (envs.len() >= 2).then_some(Shared { agents, envs })
}

/// The env steps that all seeds in an environment have reached.
fn step_in(runs: &[Curves<'_>], env: &str) -> Option<f64> {
    let own = runs.iter().filter(|curves| curves.run.env == env);
    own.map(|curves| curves.common_step).reduce(f64::min)
}

/// The normalised returns of an agent's only run in an environment.
fn scores_in(runs: &[Curves<'_>], agent: &str, env: &str) -> Option<Vec<f64>> {
    let mut own = runs.iter().filter(|c| c.run.agent == agent && c.run.env == env);
    let curves = own.next().filter(|_| own.next().is_none())?;
    let (reference, returns) = (curves.run.reference?, curves.returns_at(step_in(runs, env)?)?);
    Some(returns.into_iter().map(|x| reference.normalize(x)).collect())
}

fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct = Vec::new();
    names.for_each(|name| {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    });
    distinct
}

impl Across {
    /// Returns the performance profile: for each threshold the fraction of runs whose normalised
    /// return exceeds it, averaged over environments, with its interval.
    #[must_use]
    pub fn profile(&self, thresholds: &[f64]) -> Vec<Estimate> {
        let few = Bootstrap { resamples: 2000, method: Method::Percentile, ..Bootstrap::default() };
        let at = |&threshold: &f64| {
            let above = |scores: &[Vec<f64>]| {
                performance_profile(scores, &[threshold])
                    .and_then(|profile| profile.first().copied())
            };
            // The same draws at each threshold, so that neighbouring intervals are consistent.
            let interval = few.stratified_interval(&self.scores, above, &mut bootstrap_rng());
            Estimate::or_alone(interval, above(&self.scores)).ok()
        };
        thresholds.iter().filter_map(at).collect()
    }

    fn of(agent: &str, envs: &[String], scores: &[Vec<f64>]) -> Result<Self, StatisticsError> {
        let estimate = |statistic: fn(&[Vec<f64>]) -> Option<f64>| {
            let bootstrap = Bootstrap::default();
            let interval = bootstrap.stratified_interval(scores, statistic, &mut bootstrap_rng());
            Estimate::or_alone(interval, statistic(scores))
        };
        Ok(Self {
            agent: agent.to_owned(),
            envs: envs.to_vec(),
            runs: scores.iter().map(Vec::len).sum(),
            mean: estimate(aggregate_mean)?,
            median: estimate(aggregate_median)?,
            iqm: estimate(aggregate_iqm)?,
            optimality_gap: estimate(|scores| optimality_gap(scores, 1.0))?,
            scores: scores.to_vec(),
        })
    }
}

impl Improvement {
    fn of(
        agent: &str,
        x: &[Vec<f64>],
        over: &str,
        y: &[Vec<f64>],
    ) -> Result<Self, StatisticsError> {
        let few = Bootstrap { resamples: 2000, ..Bootstrap::default() };
        let interval = few.improvement(x, y, &mut bootstrap_rng());
        let alone = gymnast_core::statistics::probability_of_improvement(x, y);
        let probability = Estimate::or_alone(interval, alone)?;
        let (agent, over) = (agent.to_owned(), over.to_owned());
        Ok(Self { agent, over, outcome: Outcome::of(&probability, 0.5), probability })
    }
}
