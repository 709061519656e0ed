//! Times to an event that some runs have not seen: the Kaplan–Meier estimator.

use super::bootstrap::at_least_two;
use super::interval::{self, MedianInterval, median_interval};
use super::quantiles::{normal, student_t};
use super::{Interval, StatisticsError};

/// The Kaplan–Meier estimate of the fraction of runs that have not reached their event after a time.
///
/// A run is *censored* if its observation ended before the event, for example a training that ended
/// below the threshold: it counts among the runs at risk until then. Kaplan and Meier,
/// "Nonparametric Estimation from Incomplete Observations" (1958).
///
/// ```
/// use gymnast_core::statistics::KaplanMeier;
///
/// // Three seeds reached the threshold, the last was stopped before.
/// let seeds = KaplanMeier::fit(&[1000.0, 2000.0, 6000.0, 4000.0], &[true, true, true, false])?;
/// assert_eq!(seeds.survival_at(2000.0), 0.5);
/// assert_eq!(seeds.median(), Some(4000.0)); // Anywhere between 2000 and 6000: the middle.
/// assert_eq!(seeds.restricted_mean(5000.0), Some(3250.0)); // 1000 + 0.75 · 1000 + 0.5 · 3000.
/// # Ok::<(), gymnast_core::statistics::StatisticsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct KaplanMeier {
    durations: Vec<f64>,
    event_observed: Vec<bool>,
    /// One for each time with an event, in order.
    steps: Vec<Step>,
    longest: f64,
}

/// A fall of the curve.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    time: f64,
    /// The fraction without an event from this time on.
    survival: f64,
    /// `events / (at risk · (at risk − events))`, Greenwood's term.
    greenwood: f64,
}

impl KaplanMeier {
    /// Computes the estimate from each run's duration, from 0 to its event or to the end of its
    /// observation. `event_observed` says which of both it is.
    ///
    /// # Errors
    /// [`StatisticsError::Length`] if the arguments differ in length; [`StatisticsError::Empty`];
    /// [`StatisticsError::Undefined`] if a duration is negative or not finite.
    pub fn fit(durations: &[f64], event_observed: &[bool]) -> Result<Self, StatisticsError> {
        if durations.len() != event_observed.len() {
            let (x, y) = (durations.len(), event_observed.len());
            return Err(StatisticsError::Length { x, y });
        }
        if durations.iter().any(|time| !(time.is_finite() && *time >= 0.0)) {
            return Err(StatisticsError::Undefined);
        }
        let mut runs: Vec<_> =
            durations.iter().copied().zip(event_observed.iter().copied()).collect();
        runs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let longest = runs.last().ok_or(StatisticsError::Empty)?.0;
        let (mut steps, mut survival, mut at_risk) = (Vec::new(), 1.0, runs.len());
        for same in runs.chunk_by(|a, b| a.0 == b.0) {
            let events = same.iter().filter(|(_, observed)| *observed).count();
            if events > 0 {
                let left = at_risk - events;
                survival *= left as f64 / at_risk as f64;
                let greenwood = events as f64 / (at_risk as f64 * left as f64);
                steps.push(Step { time: same[0].0, survival, greenwood });
            }
            at_risk -= same.len();
        }
        let (durations, event_observed) = (durations.to_vec(), event_observed.to_vec());
        Ok(Self { durations, event_observed, steps, longest })
    }

    /// Returns the estimated fraction of runs without an event up to and including `time`.
    #[must_use]
    pub fn survival_at(&self, time: f64) -> f64 {
        let after = self.steps.partition_point(|step| step.time <= time);
        after.checked_sub(1).map_or(1.0, |last| self.steps[last].survival)
    }

    /// Returns the time that half of the runs need; where any time between two events would be
    /// right, their middle. `None` if too few runs had an event to know it.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        // Products of fractions may miss one half by their rounding.
        let exactly_half = |step: &Step| (step.survival - 0.5).abs() < 1e-12;
        let at = self.steps.iter().position(|step| step.survival < 0.5 || exactly_half(step))?;
        match exactly_half(&self.steps[at]) {
            false => Some(self.steps[at].time),
            true => self.steps.get(at + 1).map(|next| (self.steps[at].time + next.time) / 2.0),
        }
    }

    /// Returns the interval of the median.
    ///
    /// If no run was censored before the last event, it lies between order statistics, for any
    /// distribution ([`median_interval`]). Otherwise it holds the times at which the log-log
    /// interval of the curve includes one half: Brookmeyer and Crowley, "A Confidence Interval for
    /// the Median Survival Time" (1982).
    ///
    /// # Errors
    /// [`StatisticsError::TooFew`] for fewer runs than order statistics need (six at 95 %);
    /// [`StatisticsError::Confidence`].
    pub fn median_interval(&self, confidence: f64) -> Result<MedianInterval, StatisticsError> {
        let runs = || self.durations.iter().zip(&self.event_observed);
        let times: Vec<_> = runs().map(|(time, observed)| observed.then_some(*time)).collect();
        let of_order = median_interval(&times, confidence)?;
        let last = self.steps.last().map_or(0.0, |step| step.time);
        if !runs().any(|(time, observed)| !observed && *time < last) {
            return Ok(of_order);
        }
        let z = normal(confidence);
        let mut variance = 0.0;
        let bounds: Vec<_> = (self.steps.iter())
            .map(|step| {
                variance += step.greenwood;
                let log = step.survival.ln();
                let factor = (z * f64::sqrt(variance) / log.abs()).exp();
                let bound =
                    |power: f64| if step.survival > 0.0 { (log * power).exp() } else { 0.0 };
                (step.time, bound(factor), bound(1.0 / factor))
            })
            .collect();
        let first = |below: fn(&(f64, f64, f64)) -> f64| {
            bounds.iter().find(|step| below(step) <= 0.5).map(|step| step.0)
        };
        Ok(MedianInterval { low: first(|step| step.1), high: first(|step| step.2) })
    }

    /// Returns the restricted mean: the mean of each run's time, where times beyond `horizon` count
    /// as `horizon`. It is the area under the curve. `None` if the horizon is not positive and
    /// finite, or lies beyond all runs while some had no event.
    #[must_use]
    pub fn restricted_mean(&self, horizon: f64) -> Option<f64> {
        let known = horizon <= self.longest || self.survival_at(self.longest) == 0.0;
        (known && horizon > 0.0 && horizon.is_finite()).then(|| self.area(0.0, horizon))
    }

    /// Returns the restricted mean with its interval: Greenwood's variance, times n / (n − 1), and
    /// Student's t. Without censoring before the horizon it is
    /// [`mean_interval`](super::mean_interval) of the times, none beyond the horizon. In simulations
    /// (`tests/coverage.rs`) it holds the mean often enough from ten runs on.
    ///
    /// # Errors
    /// [`StatisticsError::TooFew`] for a single run; [`StatisticsError::Confidence`];
    /// [`StatisticsError::Undefined`] where [`restricted_mean`](Self::restricted_mean) is `None`.
    pub fn restricted_mean_interval(
        &self,
        horizon: f64,
        confidence: f64,
    ) -> Result<Interval, StatisticsError> {
        let n = self.durations.len();
        interval::check(n, confidence)?;
        at_least_two(n)?;
        let estimate = self.restricted_mean(horizon).ok_or(StatisticsError::Undefined)?;
        let steps = self.steps.iter().filter(|step| step.time < horizon && step.survival > 0.0);
        let terms = steps.map(|step| self.area(step.time, horizon).powi(2) * step.greenwood);
        let variance = terms.sum::<f64>() * n as f64 / (n - 1) as f64;
        let half = student_t(confidence, n - 1) * variance.sqrt();
        Ok(Interval { estimate, low: estimate - half, high: estimate + half })
    }

    /// The area under the curve between two times.
    fn area(&self, from: f64, to: f64) -> f64 {
        let (mut area, mut time, mut survival) = (0.0, from, self.survival_at(from));
        for step in self.steps.iter().filter(|step| step.time > from && step.time < to) {
            area += survival * (step.time - time);
            (time, survival) = (step.time, step.survival);
        }
        area + survival * (to - time)
    }
}

#[cfg(test)]
mod tests {
    use super::super::mean_interval;
    use super::*;

    #[test]
    fn without_censoring_it_is_the_ordinary_statistics() {
        let times = [3000.0, 1000.0, 4000.0, 1000.0, 5000.0, 9000.0];
        let fit = KaplanMeier::fit(&times, &[true; 6]).unwrap();
        assert_eq!(fit.survival_at(999.0), 1.0);
        assert!((fit.survival_at(3000.0) - 0.5).abs() < 1e-12);
        assert_eq!(fit.median(), Some(3500.0));
        let whole = MedianInterval { low: Some(1000.0), high: Some(9000.0) };
        assert_eq!(fit.median_interval(0.95), Ok(whole));
        for horizon in [9000.0, 6000.0, 20_000.0] {
            let ours = fit.restricted_mean_interval(horizon, 0.95).unwrap();
            let theirs = mean_interval(&times.map(|time| time.min(horizon)), 0.95).unwrap();
            for (ours, theirs) in
                [(ours.estimate, theirs.estimate), (ours.low, theirs.low), (ours.high, theirs.high)]
            {
                assert!((ours / theirs - 1.0).abs() < 1e-12, "{horizon}: {ours} {theirs}");
            }
        }
    }

    #[test]
    fn what_nobody_saw_is_unknown() {
        let half = KaplanMeier::fit(&[1.0, 2.0, 5.0, 5.0], &[true, true, false, false]).unwrap();
        assert_eq!(half.median(), None);
        assert_eq!(half.restricted_mean(5.0), Some(4.0 - 0.75));
        assert_eq!(half.restricted_mean(5.1), None);
        assert_eq!(half.restricted_mean(0.0), None);
        let never = KaplanMeier::fit(&[5.0; 6], &[false; 6]).unwrap();
        assert_eq!((never.median(), never.restricted_mean(5.0)), (None, Some(5.0)));
        assert_eq!(never.median_interval(0.95), Ok(MedianInterval { low: None, high: None }));
    }

    #[test]
    fn unusable_arguments_are_typed_errors() {
        assert_eq!(KaplanMeier::fit(&[], &[]), Err(StatisticsError::Empty));
        assert_eq!(KaplanMeier::fit(&[-1.0], &[true]), Err(StatisticsError::Undefined));
        assert!(KaplanMeier::fit(&[f64::NAN], &[true]).is_err());
        let length = Err(StatisticsError::Length { x: 1, y: 0 });
        assert_eq!(KaplanMeier::fit(&[1.0], &[]), length);
        let one = KaplanMeier::fit(&[1.0], &[true]).unwrap();
        let too_few = StatisticsError::TooFew { needed: 2, got: 1 };
        assert_eq!(one.restricted_mean_interval(1.0, 0.95), Err(too_few));
        assert!(one.restricted_mean_interval(1.0, 1.0).is_err());
        assert!(one.median_interval(0.95).is_err());
    }
}
