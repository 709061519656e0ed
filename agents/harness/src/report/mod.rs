//! The sample-efficiency report: final return, speed of learning, stability and throughput over
//! seeds.
//!
//! [`Report::of`] computes the data; each output format has its own file.

mod csv;
mod demands;
mod json;
mod markdown;
mod table;

pub use demands::{Demands, Judged, Judgement, Verdict};

use std::path::Path;

use gymnast_base::text::score;
use gymnast_core::{
    statistics::{
        Bootstrap, Curve, StatisticsError, censored_median, iqm, mean, median, steps_to_threshold,
    },
    text::escape_name,
};
use gymnast_envs::Seed;
use serde::Serialize;

use crate::{
    Evaluation, RunIdentity, RunSeeds, SeedDir, TrainError, read_records,
    run_directory::read_config,
};

/// The records of a run's seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct RunResults {
    /// The name of the run, for example its directory.
    pub run: String,
    /// The name of the agent.
    pub agent: String,
    /// The name of the environment.
    pub env: String,
    /// The mean return at which the environment counts as solved; `None`: not defined.
    pub threshold: Option<f64>,
    /// The seeds.
    pub seeds: Vec<SeedResults>,
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
            check_evaluations(dir, &evaluations, &summary.evaluations)?;
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

/// One row for each run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The rows, in the order of the runs.
    pub rows: Vec<Row>,
}

/// The results of a run over its seeds. "Final" refers to each seed's last evaluation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The name of the run.
    pub run: String,
    /// The name of the agent.
    pub agent: String,
    /// The name of the environment.
    pub env: String,
    /// The number of seeds with evaluations.
    pub seeds: usize,
    /// The env steps of the last evaluation. `None` if the seeds ended at different env steps
    /// (stopped at a threshold, or still training): the final returns are then not comparable in
    /// time.
    pub env_steps: Option<u64>,
    /// The lowest env steps of a seed's last evaluation.
    pub env_steps_min: u64,
    /// The highest env steps of a seed's last evaluation.
    pub env_steps_max: u64,
    /// The mean of the final returns.
    pub mean: f64,
    /// Their median.
    pub median: f64,
    /// Their interquartile mean, with its 95 % bootstrap interval over seeds.
    pub iqm: Estimate,
    /// When the threshold was reached, if the environment has one.
    pub threshold: Option<ThresholdRow>,
    /// The area under the learning curve divided by its range of env steps, averaged over seeds:
    /// the mean return during training. `None` if a seed has fewer than two evaluations, or the
    /// seeds' evaluations span different env steps.
    pub area_under_curve: Option<f64>,
    /// Env steps per second of learning, averaged over the seeds that have ended.
    pub env_steps_per_s: Option<f64>,
}

/// A statistic over seeds, with its interval if there are at least two seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The statistic.
    pub estimate: f64,
    /// Lower end of the interval; `None` for a single seed.
    pub low: Option<f64>,
    /// Upper end of the interval; `None` for a single seed.
    pub high: Option<f64>,
}

/// When the seeds reached the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ThresholdRow {
    /// The mean return to reach.
    pub threshold: f64,
    /// The median of the env steps to the first evaluation that reached it. `None` if it depends on
    /// seeds that did not reach it.
    pub median_steps: Option<f64>,
    /// A lower bound of this median: a seed that did not reach the threshold counts with the env
    /// steps of its last evaluation.
    pub median_steps_min: f64,
    /// The number of seeds that reached it.
    pub reached: usize,
    /// The number of seeds that never fell below it again.
    pub held_to_end: usize,
}

impl Report {
    /// Computes the report. The bootstrap has a fixed stream, so the same runs give the same
    /// numbers.
    ///
    /// # Errors
    /// [`TrainError::InvalidFile`] if a run has no evaluation yet or its records are invalid.
    pub fn of(runs: &[RunResults]) -> Result<Self, TrainError> {
        let rows = runs.iter().map(|run| {
            Row::of(run).map_err(|error| TrainError::InvalidFile {
                path: run.run.clone().into(),
                reason: match error {
                    StatisticsError::Empty => {
                        "no seed has been evaluated yet: continue the training first".to_owned()
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
        let ends = last.map(|evaluation| evaluation.env_step);
        let (min, max) = (ends.clone().min(), ends.max());
        let (min, max) = min.zip(max).ok_or(StatisticsError::Empty)?;
        let curves = seeds.iter().map(|seed| seed.curve()).collect::<Result<Vec<_>, _>>()?;
        let speeds: Vec<f64> = seeds.iter().filter_map(|seed| seed.env_steps_per_s).collect();
        Ok(Self {
            run: run.run.clone(),
            agent: run.agent.clone(),
            env: run.env.clone(),
            seeds: seeds.len(),
            env_steps: (min == max).then_some(min),
            env_steps_min: min,
            env_steps_max: max,
            mean: mean(&finals).ok_or(StatisticsError::Undefined)?,
            median: median(&finals).ok_or(StatisticsError::Undefined)?,
            iqm: Estimate::iqm(&finals)?,
            threshold: match run.threshold {
                Some(threshold) => Some(ThresholdRow::of(&curves, threshold)?),
                None => None,
            },
            area_under_curve: mean_area(&curves),
            env_steps_per_s: mean(&speeds),
        })
    }

    /// Returns the env steps as text: a range if the seeds ended at different ones.
    #[must_use]
    pub fn env_steps_text(&self) -> String {
        match self.env_steps {
            Some(steps) => steps.to_string(),
            None => format!("{}–{}", self.env_steps_min, self.env_steps_max),
        }
    }

    /// Whether the report should say which run a row is, beyond agent and environment.
    fn is_ambiguous(&self, rows: &[Self]) -> bool {
        let same = |other: &&Self| (&other.agent, &other.env) == (&self.agent, &self.env);
        rows.iter().filter(same).count() > 1
    }
}

impl Estimate {
    fn iqm(values: &[f64]) -> Result<Self, StatisticsError> {
        let mut rng = Seed::new(0).child("bootstrap", 0).rng();
        match Bootstrap::default().interval(values, iqm, &mut rng) {
            Ok(iqm) => {
                Ok(Self { estimate: iqm.estimate, low: Some(iqm.low), high: Some(iqm.high) })
            }
            // One seed says nothing of how seeds differ.
            Err(StatisticsError::TooFew { .. }) => {
                let estimate = iqm(values).ok_or(StatisticsError::Undefined)?;
                Ok(Self { estimate, low: None, high: None })
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the statistic with its interval as text; an unknown end is an ellipsis.
    #[must_use]
    pub fn text(&self, number: fn(f64) -> String) -> String {
        let end = |end: Option<f64>| end.map_or_else(|| "…".to_owned(), number);
        match (self.low, self.high) {
            (None, None) => number(self.estimate),
            (low, high) => format!("{} [{}, {}]", number(self.estimate), end(low), end(high)),
        }
    }
}

/// The mean area under the curves, where all of them span the same env steps.
fn mean_area(curves: &[Curve]) -> Option<f64> {
    let span = |curve: &Curve| Some((*curve.x().first()?, *curve.x().last()?));
    let first = span(curves.first()?)?;
    if !curves.iter().all(|curve| span(curve) == Some(first)) {
        return None;
    }
    mean(&curves.iter().map(Curve::area_under).collect::<Option<Vec<_>>>()?)
}

impl ThresholdRow {
    fn of(curves: &[Curve], threshold: f64) -> Result<Self, StatisticsError> {
        let reached: Vec<_> = curves.iter().map(|c| steps_to_threshold(c, threshold)).collect();
        let steps: Vec<_> = reached.iter().map(|reached| reached.map(|r| r.step)).collect();
        let last = |curve: &Curve| curve.x().last().copied();
        let least: Option<Vec<f64>> =
            steps.iter().zip(curves).map(|(step, curve)| step.or_else(|| last(curve))).collect();
        // Where a seed that ended early could move the median by reaching the threshold, it is unknown.
        let least = least.and_then(|least| median(&least)).ok_or(StatisticsError::Empty)?;
        Ok(Self {
            threshold,
            median_steps: censored_median(&steps).filter(|median| *median == least),
            median_steps_min: least,
            reached: reached.iter().flatten().count(),
            held_to_end: reached.iter().flatten().filter(|reached| reached.held_to_end).count(),
        })
    }
}

/// What has to be said of rows whose seeds ended at different env steps; empty where there are none.
fn notes(rows: &[Row]) -> String {
    if rows.iter().all(|row| row.env_steps.is_some()) {
        return String::new();
    }
    "\nWhere env steps are a range, the seeds ended at different env steps (stopped at\n\
     a threshold, or still training): mean, median and IQM are of each seed's own\n\
     last evaluation.\n"
        .to_owned()
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
    let optional = |x: Option<f64>| x.map_or_else(|| "–".to_owned(), score);
    let cells = |row: &Row| {
        let run = if row.is_ambiguous(rows) { format!(" ({})", row.run) } else { String::new() };
        let (steps, held) = match row.threshold {
            None => ("–".to_owned(), "–".to_owned()),
            Some(t) => {
                let median = match t.median_steps {
                    Some(steps) => format!("{steps:.0}"),
                    None => format!("> {:.0}", t.median_steps_min),
                };
                let steps = format!("{median} ({}/{} reached)", t.reached, row.seeds);
                (steps, format!("{}/{}", t.held_to_end, row.seeds))
            }
        };
        vec![
            escape_name(&format!("{}{run}", row.agent)).into_owned(),
            escape_name(&row.env).into_owned(),
            row.seeds.to_string(),
            row.env_steps_text(),
            score(row.mean),
            score(row.median),
            row.iqm.text(score),
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
