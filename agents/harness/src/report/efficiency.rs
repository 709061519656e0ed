//! The sample efficiency of agents over all environments: the interquartile mean of their normalised
//! returns while they train.

use gymnast_core::statistics::{Bootstrap, Interpolation, Method, aggregate_iqm};
use serde::Serialize;

use super::across::{Shared, shared};
use super::{Curves, Estimate, RunResults, row::bootstrap_rng};

/// The number of places at which the curves are computed.
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
        let own = |agent: &str| -> Vec<(&Curves<'_>, f64)> {
            let of = |(env, step): &(String, f64)| {
                let mut own = curves.iter().filter(|c| c.run.agent == agent && c.run.env == *env);
                own.next().map(|curves| (curves, *step))
            };
            envs.iter().filter_map(of).collect()
        };
        let start = |(curves, step): (&Curves<'_>, f64)| {
            let firsts = curves.seeds.iter().filter_map(|(_, curve)| curve.x().first().copied());
            firsts.fold(0.0, f64::max) / step
        };
        let starts = agents.iter().flat_map(|agent| own(agent)).map(start);
        let start = starts.fold(0.0, f64::max).min(1.0);
        let share = |i: usize| start + (1.0 - start) * i as f64 / (PLACES - 1) as f64;
        let shares: Vec<f64> = (0..PLACES).map(share).collect();
        let agents = agents.iter().map(|agent| AgentEfficiency::of(agent, &own(agent), &shares));
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

impl AgentEfficiency {
    /// From the agent's run in each environment and the env steps that stand for a share of 1.
    fn of(agent: &str, own: &[(&Curves<'_>, f64)], shares: &[f64]) -> Option<Self> {
        // [environments][seeds][places]
        let strata: Vec<Vec<Vec<Option<f64>>>> = own
            .iter()
            .map(|(curves, step)| {
                let reference = curves.run.reference?;
                let at = |curve: &gymnast_core::statistics::Curve, share: f64| {
                    // The first place is no earlier than the first evaluation, whatever rounding says.
                    let x = (share * step).max(*curve.x().first()?).min(*step);
                    let y = curve.at(x, Interpolation::Previous)?;
                    Some(reference.normalize(y))
                };
                let seed = |(_, curve): &(u64, gymnast_core::statistics::Curve)| {
                    shares.iter().map(|&share| at(curve, share)).collect()
                };
                Some(curves.seeds.iter().map(seed).collect())
            })
            .collect::<Option<_>>()?;
        let bootstrap =
            Bootstrap { resamples: RESAMPLES, method: Method::Expanded, ..Bootstrap::default() };
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
            Err(_) => (0..shares.len()).map(alone).collect::<Option<Vec<_>>>(),
        }?;
        let runs = strata.iter().map(Vec::len).sum();
        Some(Self { agent: agent.to_owned(), runs, iqm })
    }
}
