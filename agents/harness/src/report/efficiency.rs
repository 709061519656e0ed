//! The sample efficiency of agents over all environments: the interquartile mean of their normalised
//! returns while they train.

use gymnast_core::statistics::{
    Bootstrap, Curve, Interpolation, StatisticsError, aggregate_iqm, common_grid,
};
use serde::Serialize;

use super::across::{Shared, shared};
use super::{Curves, Estimate, RunResults, row::bootstrap_rng};

/// The most places at which the curves are computed.
const PLACES: usize = 50;
/// More would not move a line by a pixel.
const RESAMPLES: usize = 2000;

/// The interquartile mean of each agent's normalised returns over all environments, while it trains.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Efficiency {
    /// The environments.
    pub envs: Vec<String>,
    /// The env steps after which all seeds were compared, the same in each environment; `None`: they
    /// differ, and x is a share of those.
    pub env_steps: Option<u64>,
    /// The places: env steps, or the share of each environment's, from 0 to 1.
    pub x: Vec<f64>,
    /// The agents.
    pub agents: Vec<AgentEfficiency>,
}

/// One agent of an [`Efficiency`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentEfficiency {
    /// The name of the agent.
    pub agent: String,
    /// The number of runs: seeds of all environments.
    pub runs: usize,
    /// The interquartile mean at each place, with its interval.
    pub iqm: Vec<Estimate>,
}

impl Efficiency {
    /// Computes the curves of the agents that have a run each in all environments with reference
    /// returns. A seed's return is that of its last evaluation. `None` if these environments are
    /// fewer than two, or a run has no evaluation that can be used.
    #[must_use]
    pub fn of(runs: &[RunResults]) -> Option<Self> {
        let curves = runs.iter().map(Curves::of).collect::<Result<Vec<_>, _>>().ok()?;
        let Shared { agents, envs } = shared(&curves)?;
        // Each agent's run in each environment, its x as shares of that environment's env steps.
        let scaled = |agent: &str| -> Option<Vec<Scaled>> {
            let of = |(env, step): &(String, f64)| {
                let mut own = curves.iter().filter(|c| c.run.agent == agent && c.run.env == *env);
                Scaled::of(own.next()?, *step)
            };
            envs.iter().map(of).collect()
        };
        let own = agents.iter().map(|agent| scaled(agent)).collect::<Option<Vec<_>>>()?;
        let all: Vec<Curve> = own.iter().flatten().flat_map(|scaled| scaled.0.clone()).collect();
        let shares = common_grid(&all, PLACES);
        let pairs = agents.iter().zip(&own);
        let agents = pairs.map(|(agent, own)| AgentEfficiency::of(agent, own, &shares));
        let agents = agents.collect::<Option<Vec<_>>>()?;
        let step = envs.first().map(|(_, step)| *step)?;
        let is_same = envs.iter().all(|(_, other)| *other == step);
        Some(Self {
            envs: envs.into_iter().map(|(env, _)| env).collect(),
            env_steps: is_same.then_some(step as u64),
            x: shares.into_iter().map(|share| if is_same { share * step } else { share }).collect(),
            agents,
        })
    }
}

/// The normalised returns of a run's seeds.
struct Scaled(Vec<Curve>);

impl Scaled {
    fn of(curves: &Curves<'_>, step: f64) -> Option<Self> {
        let reference = curves.run.reference?;
        let scaled = |(_, curve): &(u64, Curve)| {
            let x = curve.x().iter().map(|x| x / step).collect();
            Curve::new(x, curve.y().iter().map(|&y| reference.normalize(y)).collect()).ok()
        };
        curves.seeds.iter().map(scaled).collect::<Option<_>>().map(Self)
    }
}

impl AgentEfficiency {
    fn of(agent: &str, own: &[Scaled], shares: &[f64]) -> Option<Self> {
        let places = |curve: &Curve| curve.onto(shares, Interpolation::Previous);
        // [environments][seeds][places]
        let strata: Vec<Vec<Vec<Option<f64>>>> =
            own.iter().map(|scaled| scaled.0.iter().map(places).collect()).collect();
        let bootstrap = Bootstrap { resamples: RESAMPLES, ..Bootstrap::default() };
        let band = bootstrap.stratified_band(&strata, aggregate_iqm, &mut bootstrap_rng());
        let alone = |place: usize| -> Option<Estimate> {
            let column = |stratum: &Vec<Vec<Option<f64>>>| -> Option<Vec<f64>> {
                stratum.iter().map(|seed| seed[place]).collect()
            };
            let columns = strata.iter().map(column).collect::<Option<Vec<_>>>()?;
            Some(Estimate { estimate: aggregate_iqm(&columns)?, low: None, high: None })
        };
        let iqm = match band {
            Ok(band) => band.into_iter().map(|at| at.map(Estimate::from)).collect(),
            // A single seed in an environment says nothing of how seeds differ.
            Err(StatisticsError::TooFew { .. }) => (0..shares.len()).map(alone).collect(),
            Err(_) => None,
        };
        let runs = strata.iter().map(Vec::len).sum();
        Some(Self { agent: agent.to_owned(), runs, iqm: iqm? })
    }
}
