//! The sample-efficiency report: return, speed of learning, stability and throughput over seeds.
//!
//! [`Report::of`] computes the data; each output format has its own file.

mod across;
mod comparison;
mod demands;
mod efficiency;
mod formats;
mod row;
mod sections;
mod training;

pub use across::{Across, Improvement};
pub use comparison::{Comparison, Outcome};
pub use demands::{Demands, Judged, Judgement, Verdict};
pub use efficiency::{AgentEfficiency, Efficiency};
pub use row::{Budget, Estimate, Row, StepsRow, ThresholdRow};
pub use sections::Section;
pub(crate) use training::mean_alone;
pub use training::{MEAN_OF_EPISODES, ReturnAt, TrainingReturns};

use std::{fmt, path::Path};

use gymnast_core::statistics::{Curve, Interpolation, StatisticsError};
use gymnast_envs::ReferenceReturns;
use serde::Serialize;

use crate::{
    Ending, Evaluation, RunIdentity, RunSeeds, SeedDir, TrainError, read_records,
    run_directory::read_config,
};

/// Which returns a run's results are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Returns {
    /// Of evaluations, in which the policy does not explore.
    #[default]
    Evaluation,
    /// Of training episodes, in which it does: means over some of them. A run of another program may
    /// have no evaluations.
    Training,
}

impl fmt::Display for Returns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Evaluation => "evaluation",
            Self::Training => "training",
        })
    }
}

/// The records of a run's seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct RunResults {
    /// The name of the run, for example its directory.
    pub run: String,
    /// The name of the agent.
    pub agent: String,
    /// The name of the environment.
    pub env: String,
    /// What the evaluations of the seeds are.
    pub returns: Returns,
    /// The mean return at which the environment counts as solved; `None`: not defined.
    pub threshold: Option<f64>,
    /// The returns that normalise this environment's; `None`: not defined.
    pub reference: Option<ReferenceReturns>,
    /// The seeds.
    pub seeds: Vec<SeedResults>,
}

/// How sure all intervals of the report are.
const CONFIDENCE: f64 = 0.95;

/// The curves of a run's evaluated seeds.
struct Curves<'a> {
    run: &'a RunResults,
    seeds: Vec<(u64, Curve)>,
    /// The highest env steps that every seed has been evaluated at or after.
    common_step: f64,
}

impl<'a> Curves<'a> {
    fn of(run: &'a RunResults) -> Result<Self, StatisticsError> {
        let seeds = run.seeds.iter().filter(|seed| !seed.evaluations.is_empty());
        let seeds =
            seeds.map(|seed| Ok((seed.seed, seed.curve()?))).collect::<Result<Vec<_>, _>>()?;
        let ends = seeds.iter().filter_map(|(_, curve)| curve.x().last().copied());
        let common_step = ends.reduce(f64::min).ok_or(StatisticsError::Empty)?;
        Ok(Self { run, seeds, common_step })
    }

    /// Each seed's last evaluation at or before this step; `None` where a seed has none, or ended
    /// before it.
    fn returns_at(&self, step: f64) -> Option<Vec<f64>> {
        self.seeds.iter().map(|(_, curve)| curve.at(step, Interpolation::Previous)).collect()
    }
}

/// The records of one seed.
#[derive(Clone, Debug, PartialEq)]
pub struct SeedResults {
    /// The seed.
    pub seed: u64,
    /// Every evaluation, in order.
    pub evaluations: Vec<Evaluation>,
    /// Env steps per second of learning; `None` while the training has not ended.
    pub env_steps_per_s: Option<f64>,
}

impl SeedResults {
    /// Reads the records of all seeds of a run. Seeds that the run's configuration does not list
    /// are left out: [`RunSeeds`] names them.
    ///
    /// # Errors
    /// As [`RunSeeds::read`] and [`read`](Self::read): the records must belong to the run's
    /// configuration.
    pub fn read_all(run: &Path) -> Result<Vec<Self>, TrainError> {
        let config = read_config(run)?;
        let dirs = RunSeeds::of(run, &config)?.own;
        // What an older summary lacks is taken as the configuration has it.
        let identity =
            |seed| RunIdentity { defaults: config.clone(), ..RunIdentity::new(&config, seed) };
        dirs.into_iter().map(|dir| Self::read(&dir, &identity(dir.seed))).collect()
    }

    /// Reads the records of a seed.
    ///
    /// # Errors
    /// [`TrainError::InvalidFile`] for a damaged file, and if the evaluations of an ended training
    /// differ from its summary; [`CheckpointError::Foreign`](crate::CheckpointError::Foreign) if
    /// the summary belongs to another seed or configuration.
    pub fn read(dir: &SeedDir, identity: &RunIdentity) -> Result<Self, TrainError> {
        let summary = dir.summary_of(identity)?;
        let evaluations: Vec<Evaluation> = read_records(&dir.path)?;
        if let Some(summary) = &summary {
            // Where the training was stopped another process may have gone on since.
            let count = match summary.ending {
                Ending::Stopped => summary.evaluations.len().min(evaluations.len()),
                _ => evaluations.len(),
            };
            check_evaluations(dir, &evaluations[..count], &summary.evaluations)?;
        }
        let env_steps_per_s = summary.and_then(|summary| summary.env_steps_per_s);
        Ok(Self { seed: dir.seed, evaluations, env_steps_per_s })
    }

    /// Returns the mean return as a function of env steps.
    ///
    /// # Errors
    /// [`StatisticsError::Order`] if the env steps do not increase.
    pub fn curve(&self) -> Result<Curve, StatisticsError> {
        let steps = self.evaluations.iter().map(|evaluation| evaluation.env_step as f64);
        let returns = self.evaluations.iter().map(|evaluation| evaluation.mean_return);
        Curve::new(steps.collect(), returns.collect())
    }
}

/// Refuses evaluations that are not those of the summary: cut off, altered, or of another seed. The log
/// has the clock in milliseconds, which is not compared.
fn check_evaluations(
    dir: &SeedDir,
    logged: &[Evaluation],
    summarized: &[Evaluation],
) -> Result<(), TrainError> {
    let same = |a: &Evaluation, b: &Evaluation| {
        Evaluation { wall_time_s: 0.0, ..*a } == Evaluation { wall_time_s: 0.0, ..*b }
    };
    let pairs = logged.iter().zip(summarized);
    if logged.len() == summarized.len() && pairs.clone().all(|(a, b)| same(a, b)) {
        return Ok(());
    }
    let expected = summarized.len();
    let differs = match pairs.clone().find(|(a, b)| !same(a, b)) {
        Some((_, b)) => format!("the one after {} env steps differs", b.env_step),
        None => format!("{} of {expected} are there", logged.len()),
    };
    Err(TrainError::InvalidFile {
        path: dir.path.join(<Evaluation as crate::Record>::FILE),
        reason: format!(
            "its evaluations differ from those of summary.json beside it: {differs}. Put the right file \
             back, or delete summary.json and train again from the last good checkpoint with --resume"
        ),
    })
}

/// What runs reached, one row for each, and how they compare.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The rows, in the order of the runs.
    pub rows: Vec<Row>,
    /// Each pair of runs in the same environment, on the seeds that both have. Evaluations and
    /// training returns are not compared.
    pub comparisons: Vec<Comparison>,
    /// Each agent over all environments; empty if they do not share at least two with
    /// [reference returns](ReferenceReturns).
    pub across: Vec<Across>,
    /// How probably an agent beats another over all environments.
    pub improvements: Vec<Improvement>,
}

impl Report {
    /// Computes the report. The bootstrap has a fixed stream, so the same runs give the same
    /// numbers. `budgets` are env steps at which each run's return is reported.
    ///
    /// # Errors
    /// [`TrainError::InvalidFile`] if a run has no evaluation yet or its records are invalid.
    pub fn of(runs: &[RunResults], budgets: &[u64]) -> Result<Self, TrainError> {
        let invalid = |run: &RunResults, error: StatisticsError| TrainError::InvalidFile {
            path: run.run.clone().into(),
            reason: match error {
                StatisticsError::Empty => {
                    "no seed has been evaluated yet: continue the training first".to_owned()
                }
                error => format!("its evaluations cannot be used: {error}"),
            },
        };
        let curves = runs.iter().map(|run| Curves::of(run).map_err(|error| invalid(run, error)));
        let curves = curves.collect::<Result<Vec<_>, _>>()?;
        let row = |curves: &Curves<'_>| {
            Row::of(curves, budgets).map_err(|error| invalid(curves.run, error))
        };
        let rows = curves.iter().map(row).collect::<Result<_, _>>()?;
        let (across, improvements) = across::across(&curves);
        Ok(Self { rows, comparisons: comparison::comparisons(&curves), across, improvements })
    }
}

#[cfg(test)]
mod tests;
