//! The sample-efficiency report: how good, how soon, how steadily and how fast, over seeds.
//!
//! Data first: [`Report::of`] computes, and each format is a file that only writes.

mod csv;
mod json;
mod markdown;
mod table;

use std::path::Path;

use gymnast_core::statistics::{
    Bootstrap, Curve, Interval, StatisticsError, censored_median, iqm, mean, median,
    steps_to_threshold,
};
use gymnast_envs::Seed;
use serde::Serialize;

use crate::{Evaluation, SeedDir, TrainError, read_records};

/// What the seeds of a run recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct RunResults {
    /// What the run is called: its directory, say.
    pub run: String,
    /// The agent.
    pub agent: String,
    /// The environment.
    pub env: String,
    /// The mean return from which the environment counts as solved, where there is one.
    pub threshold: Option<f64>,
    /// The seeds.
    pub seeds: Vec<SeedResults>,
}

/// What one seed recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct SeedResults {
    /// The seed.
    pub seed: u64,
    /// Every evaluation, in order.
    pub evaluations: Vec<Evaluation>,
    /// Env steps a second while learning; `None` while the training has not ended.
    pub env_steps_per_s: Option<f64>,
}

impl SeedResults {
    /// Reads what the seeds of a run's directory recorded.
    ///
    /// # Errors
    /// [`TrainError::NoRun`]; [`TrainError::InvalidFile`] for a damaged file.
    pub fn read_all(run: &Path) -> Result<Vec<Self>, TrainError> {
        let read = |dir: SeedDir| {
            let summary = dir.summary()?;
            Ok(Self {
                seed: dir.seed,
                evaluations: read_records(&dir.path)?,
                env_steps_per_s: summary.map(|summary| summary.env_steps_per_s),
            })
        };
        SeedDir::list(run)?.into_iter().map(read).collect()
    }

    /// The mean return against env steps.
    ///
    /// # Errors
    /// [`StatisticsError::Order`] where the env steps do not grow.
    pub fn curve(&self) -> Result<Curve, StatisticsError> {
        let steps = self.evaluations.iter().map(|evaluation| evaluation.env_step as f64);
        let returns = self.evaluations.iter().map(|evaluation| evaluation.mean_return);
        Curve::new(steps.collect(), returns.collect())
    }
}

/// One row a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The rows, in the order of the runs.
    pub rows: Vec<Row>,
}

/// What a run came to, over its seeds. "Final" is each seed's last evaluation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// What the run is called.
    pub run: String,
    /// The agent.
    pub agent: String,
    /// The environment.
    pub env: String,
    /// How many seeds have been evaluated.
    pub seeds: usize,
    /// The env steps of the last evaluation, the least over the seeds.
    pub env_steps: u64,
    /// The mean of the final returns.
    pub mean: f64,
    /// Their median.
    pub median: f64,
    /// Their interquartile mean with its 95 % bootstrap interval over seeds.
    pub iqm: Interval,
    /// When the threshold was reached, where there is one.
    pub threshold: Option<ThresholdRow>,
    /// The area under the learning curve over its range of env steps, mean over seeds: the mean
    /// return over the training. `None` where a seed has fewer than two evaluations.
    pub area_under_curve: Option<f64>,
    /// Env steps a second while learning, mean over the seeds that have ended.
    pub env_steps_per_s: Option<f64>,
}

/// When the seeds reached the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ThresholdRow {
    /// The mean return to reach.
    pub threshold: f64,
    /// The median of the env steps to the first evaluation that reached it; a seed that did not
    /// counts as later than all that did. `None` where the median is one of those.
    pub median_steps: Option<f64>,
    /// How many seeds reached it.
    pub reached: usize,
    /// How many never fell below it again.
    pub held_to_end: usize,
}

impl Report {
    /// Computes the report. The bootstrap draws from a fixed stream: the same runs, the same
    /// numbers.
    ///
    /// # Errors
    /// [`TrainError::InvalidFile`] where a run has no evaluation yet or its records cannot be used.
    pub fn of(runs: &[RunResults]) -> Result<Self, TrainError> {
        let rows = runs.iter().map(|run| {
            Row::of(run).map_err(|error| TrainError::InvalidFile {
                path: run.run.clone().into(),
                reason: match error {
                    StatisticsError::Empty => {
                        "no seed has been evaluated yet: let the training go on first".to_owned()
                    }
                    error => format!("its evaluations cannot be used: {error}"),
                },
            })
        });
        Ok(Self { rows: rows.collect::<Result<_, _>>()? })
    }
}

impl Row {
    fn of(run: &RunResults) -> Result<Self, StatisticsError> {
        let seeds: Vec<_> = run.seeds.iter().filter(|seed| !seed.evaluations.is_empty()).collect();
        let last = seeds.iter().filter_map(|seed| seed.evaluations.last());
        let finals: Vec<f64> = last.clone().map(|evaluation| evaluation.mean_return).collect();
        let env_steps = last.map(|evaluation| evaluation.env_step).min();
        let curves = seeds.iter().map(|seed| seed.curve()).collect::<Result<Vec<_>, _>>()?;
        let areas: Option<Vec<f64>> = curves.iter().map(Curve::area_under).collect();
        let speeds: Vec<f64> = seeds.iter().filter_map(|seed| seed.env_steps_per_s).collect();
        let mut rng = Seed::new(0).child("bootstrap", 0).rng();
        Ok(Self {
            run: run.run.clone(),
            agent: run.agent.clone(),
            env: run.env.clone(),
            seeds: seeds.len(),
            env_steps: env_steps.ok_or(StatisticsError::Empty)?,
            mean: mean(&finals).ok_or(StatisticsError::Undefined)?,
            median: median(&finals).ok_or(StatisticsError::Undefined)?,
            iqm: Bootstrap::default().interval(&finals, iqm, &mut rng)?,
            threshold: run.threshold.map(|threshold| ThresholdRow::of(&curves, threshold)),
            area_under_curve: areas.and_then(|areas| mean(&areas)),
            env_steps_per_s: mean(&speeds),
        })
    }

    /// Whether the report should say which run a row is, beyond agent and environment.
    fn is_ambiguous(&self, rows: &[Self]) -> bool {
        let same = |other: &&Self| (&other.agent, &other.env) == (&self.agent, &self.env);
        rows.iter().filter(same).count() > 1
    }
}

impl ThresholdRow {
    fn of(curves: &[Curve], threshold: f64) -> Self {
        let reached: Vec<_> = curves.iter().map(|c| steps_to_threshold(c, threshold)).collect();
        let steps: Vec<_> = reached.iter().map(|reached| reached.map(|r| r.step)).collect();
        Self {
            threshold,
            median_steps: censored_median(&steps),
            reached: reached.iter().flatten().count(),
            held_to_end: reached.iter().flatten().filter(|reached| reached.held_to_end).count(),
        }
    }
}

/// A number with as many digits as tell something.
fn number(x: f64) -> String {
    match x.abs() {
        size if size < 10.0 => format!("{x:.3}"),
        size if size < 1000.0 => format!("{x:.1}"),
        _ => format!("{x:.0}"),
    }
}

const HEADINGS: [&str; 11] = [
    "agent",
    "environment",
    "seeds",
    "env steps",
    "mean",
    "median",
    "IQM [95 %]",
    "steps to threshold",
    "held to end",
    "area",
    "steps/s",
];

/// The rows as text, one cell a heading.
fn cells(rows: &[Row]) -> Vec<Vec<String>> {
    let optional = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), number);
    let cells = |row: &Row| {
        let run = if row.is_ambiguous(rows) { format!(" ({})", row.run) } else { String::new() };
        let (steps, held) = match row.threshold {
            None => ("–".to_owned(), "–".to_owned()),
            Some(t) => {
                let median = match t.median_steps {
                    Some(steps) => format!("{steps:.0}"),
                    None => format!("> {}", row.env_steps),
                };
                let steps = format!("{median} ({}/{} reached)", t.reached, row.seeds);
                (steps, format!("{}/{}", t.held_to_end, row.seeds))
            }
        };
        let iqm = [row.iqm.estimate, row.iqm.low, row.iqm.high].map(number);
        vec![
            format!("{}{run}", row.agent),
            row.env.clone(),
            row.seeds.to_string(),
            row.env_steps.to_string(),
            number(row.mean),
            number(row.median),
            format!("{} [{}, {}]", iqm[0], iqm[1], iqm[2]),
            steps,
            held,
            optional(row.area_under_curve),
            row.env_steps_per_s.map_or_else(|| "–".to_owned(), |speed| format!("{speed:.0}")),
        ]
    };
    rows.iter().map(cells).collect()
}

#[cfg(test)]
mod tests;
