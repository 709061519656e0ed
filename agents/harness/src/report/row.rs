//! The results of one run over its seeds.

use gymnast_core::statistics::{
    Bootstrap, Interval, KaplanMeier, StatisticsError, StepsToThreshold, iqm, mean_interval,
    median, median_interval, steps_to_threshold,
};
use gymnast_envs::Seed;
use serde::Serialize;

use super::{CONFIDENCE, Curves, Returns};

/// The results of a run over its seeds. Seeds that ended at different env steps (stopped at a
/// threshold, or still training) are compared where all of them have been evaluated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The name of the run.
    pub run: String,
    /// The name of the agent.
    pub agent: String,
    /// The name of the environment.
    pub env: String,
    /// Which returns these are.
    pub returns: Returns,
    /// The number of seeds with evaluations.
    pub seeds: usize,
    /// The env steps at which the seeds are compared: the lowest of their last evaluations.
    pub env_steps: u64,
    /// The highest env steps of a seed's last evaluation.
    pub env_steps_max: u64,
    /// The mean return there, with Student's t interval.
    pub mean: Estimate,
    /// The median return, with the interval of its order statistics, which needs six seeds.
    pub median: Estimate,
    /// The interquartile mean of the returns, with its expanded bootstrap interval.
    pub iqm: Estimate,
    /// The interquartile mean, normalised: 0 for random actions, 1 for the best return known. `None`
    /// if the environment has no reference.
    pub normalized: Option<Estimate>,
    /// The mean return after each env step asked for.
    pub budgets: Vec<Budget>,
    /// When the threshold was reached, if the environment has one.
    pub threshold: Option<ThresholdRow>,
    /// The area under the learning curve divided by its range of env steps, over the range that all
    /// seeds have: the mean return during training. `None` if a seed has fewer than two evaluations
    /// there.
    pub area_under_curve: Option<Estimate>,
    /// Env steps per second of learning, over the seeds that have ended.
    pub env_steps_per_s: Option<Estimate>,
}

/// A statistic over seeds with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The statistic.
    pub estimate: f64,
    /// Lower end of the interval; `None`: too few seeds to have one, or unknown.
    pub low: Option<f64>,
    /// Upper end of the interval; `None`: too few seeds to have one, or unknown.
    pub high: Option<f64>,
}

/// The mean return after a number of env steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Budget {
    /// The env steps.
    pub env_steps: u64,
    /// The mean of each seed's last evaluation at or before them; `None` if a seed has none, or
    /// ended before.
    pub mean: Option<Estimate>,
}

/// When the seeds reached the threshold, by three definitions ([`StepsToThreshold`]).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ThresholdRow {
    /// The mean return to reach.
    pub threshold: f64,
    /// To the first evaluation that reached it.
    pub first: StepsRow,
    /// To the first of three evaluations in a row that reached it.
    pub three_in_a_row: StepsRow,
    /// To the evaluation from which on all reached it.
    pub held_from: StepsRow,
}

/// Env steps to an event over seeds, some of which did not see it (Kaplan and Meier's estimator).
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct StepsRow {
    /// The number of seeds that saw it.
    pub reached: usize,
    /// The median; `None` if fewer than half of the seeds saw it.
    pub median: Option<f64>,
    /// A number of env steps that the median is not below.
    pub median_min: f64,
    /// Lower end of the median's interval; `None`: fewer than six seeds, or unknown.
    pub low: Option<f64>,
    /// Upper end of the median's interval; `None`: fewer than six seeds, or unknown.
    pub high: Option<f64>,
    /// The mean of the steps, where more than the row's `env_steps` count as these.
    pub restricted_mean: Estimate,
}

impl Row {
    pub(super) fn of(curves: &Curves<'_>, budgets: &[u64]) -> Result<Self, StatisticsError> {
        let run = curves.run;
        let returns = curves.returns_at(curves.common_step).ok_or(StatisticsError::Undefined)?;
        let ends = curves.seeds.iter().filter_map(|(_, curve)| curve.x().last());
        let speeds: Vec<f64> = run.seeds.iter().filter_map(|seed| seed.env_steps_per_s).collect();
        let iqm = Estimate::iqm(&returns)?;
        let budget = |&env_steps: &u64| {
            let returns = curves.returns_at(env_steps as f64);
            let mean = returns.map(|returns| Estimate::mean(&returns)).transpose()?;
            Ok(Budget { env_steps, mean })
        };
        Ok(Self {
            run: run.run.clone(),
            agent: run.agent.clone(),
            env: run.env.clone(),
            returns: run.returns,
            seeds: curves.seeds.len(),
            env_steps: curves.common_step as u64,
            env_steps_max: ends.copied().fold(0.0, f64::max) as u64,
            mean: Estimate::mean(&returns)?,
            median: Estimate::median(&returns)?,
            normalized: run.reference.map(|reference| iqm.map(|x| reference.normalize(x))),
            iqm,
            budgets: budgets.iter().map(budget).collect::<Result<_, StatisticsError>>()?,
            threshold: match run.threshold {
                Some(threshold) => Some(ThresholdRow::of(curves, threshold)?),
                None => None,
            },
            area_under_curve: area(curves).map(|areas| Estimate::mean(&areas)).transpose()?,
            env_steps_per_s: Estimate::mean(&speeds).ok(),
        })
    }
}

/// Each seed's area over the range that all of them have.
fn area(curves: &Curves<'_>) -> Option<Vec<f64>> {
    let starts = curves.seeds.iter().filter_map(|(_, curve)| curve.x().first().copied());
    let start = starts.reduce(f64::max)?;
    let area = |(_, curve): &(_, gymnast_core::statistics::Curve)| {
        curve.between(start, curves.common_step).area_under()
    };
    curves.seeds.iter().map(area).collect()
}

impl From<Interval> for Estimate {
    fn from(Interval { estimate, low, high }: Interval) -> Self {
        Self { estimate, low: Some(low), high: Some(high) }
    }
}

impl Estimate {
    /// The mean, with Student's t interval.
    pub(super) fn mean(values: &[f64]) -> Result<Self, StatisticsError> {
        let mean = gymnast_core::statistics::mean(values);
        Self::or_alone(mean_interval(values, CONFIDENCE), mean)
    }

    /// The interquartile mean, with its bootstrap interval.
    pub(super) fn iqm(values: &[f64]) -> Result<Self, StatisticsError> {
        let interval = Bootstrap::default().interval(values, iqm, &mut bootstrap_rng());
        Self::or_alone(interval, iqm(values))
    }

    fn median(values: &[f64]) -> Result<Self, StatisticsError> {
        let estimate = median(values).ok_or(StatisticsError::Undefined)?;
        let values: Vec<_> = values.iter().copied().map(Some).collect();
        match median_interval(&values, CONFIDENCE) {
            Ok(interval) => Ok(Self { estimate, low: interval.low, high: interval.high }),
            Err(StatisticsError::TooFew { .. }) => Ok(Self { estimate, low: None, high: None }),
            Err(error) => Err(error),
        }
    }

    /// The interval, or the estimate alone where there are too few seeds for one: a single seed says
    /// nothing of how seeds differ.
    pub(super) fn or_alone(
        interval: Result<Interval, StatisticsError>,
        estimate: Option<f64>,
    ) -> Result<Self, StatisticsError> {
        match interval {
            Ok(interval) => Ok(interval.into()),
            Err(StatisticsError::TooFew { .. }) => {
                let estimate = estimate.ok_or(StatisticsError::Undefined)?;
                Ok(Self { estimate, low: None, high: None })
            }
            Err(error) => Err(error),
        }
    }

    /// The same interval on another scale; `scale` must increase.
    fn map(self, scale: impl Fn(f64) -> f64) -> Self {
        let Self { estimate, low, high } = self;
        Self { estimate: scale(estimate), low: low.map(&scale), high: high.map(&scale) }
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

/// The same numbers for the same runs, whatever else is in the report.
pub(super) fn bootstrap_rng() -> rand_chacha::ChaCha8Rng {
    Seed::new(0).child("bootstrap", 0).rng()
}

impl ThresholdRow {
    fn of(curves: &Curves<'_>, threshold: f64) -> Result<Self, StatisticsError> {
        let reached = |(_, curve): &(_, gymnast_core::statistics::Curve)| {
            (steps_to_threshold(curve, threshold), curve.x().last().copied().unwrap_or_default())
        };
        let seeds: Vec<_> = curves.seeds.iter().map(reached).collect();
        let row = |step: fn(&StepsToThreshold) -> Option<f64>| {
            let steps = seeds.iter().map(|(steps, end)| (step(steps), *end));
            StepsRow::of(steps, curves.common_step)
        };
        Ok(Self {
            threshold,
            first: row(|steps| steps.first)?,
            three_in_a_row: row(|steps| steps.three_in_a_row)?,
            held_from: row(|steps| steps.held_from)?,
        })
    }
}

impl StepsRow {
    /// From each seed's step and the step at which it was last seen.
    fn of(
        seeds: impl Iterator<Item = (Option<f64>, f64)>,
        horizon: f64,
    ) -> Result<Self, StatisticsError> {
        let (durations, observed): (Vec<_>, Vec<_>) =
            seeds.map(|(step, end)| (step.unwrap_or(end), step.is_some())).unzip();
        let fit = KaplanMeier::fit(&durations, &observed)?;
        let (low, high) = match fit.median_interval(CONFIDENCE) {
            Ok(interval) => (interval.low, interval.high),
            Err(StatisticsError::TooFew { .. }) => (None, None),
            Err(error) => return Err(error),
        };
        // Where half of the seeds saw it, the median is not before the last of these; else it is not
        // before any seed's end.
        let is_half = |time: &&f64| fit.survival_at(**time) <= 0.5 + 1e-12;
        let half = durations.iter().filter(is_half).copied().reduce(f64::min);
        let least = half.unwrap_or_else(|| durations.iter().copied().fold(0.0, f64::max));
        let restricted = fit.restricted_mean_interval(horizon, CONFIDENCE);
        Ok(Self {
            reached: observed.iter().filter(|observed| **observed).count(),
            median: fit.median(),
            median_min: fit.median().unwrap_or(least),
            low,
            high,
            restricted_mean: Estimate::or_alone(restricted, fit.restricted_mean(horizon))?,
        })
    }

    /// Returns the median with its interval and the number of seeds that saw the event, as text.
    #[must_use]
    pub fn text(&self, seeds: usize) -> String {
        let whole = |x: f64| format!("{x:.0}");
        let median = match self.median {
            Some(estimate) => Estimate { estimate, low: self.low, high: self.high }.text(whole),
            None => format!("> {:.0}", self.median_min),
        };
        format!("{median} ({}/{seeds})", self.reached)
    }
}
