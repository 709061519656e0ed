//! Stratified bootstrap confidence intervals by the percentile method.
//!
//! Each resample draws runs with replacement within every stratum (task), as many as it has, and
//! computes the statistic. The interval lies between the `(1 − confidence) / 2` quantiles at both
//! ends of these values. This equals rliable's method, with the generator as an argument: Agarwal
//! et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (2021), section
//! 4.1; Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13.

use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

use super::StatisticsError;
use super::summary::{quantile_of_sorted, sorted};

/// The largest number of resamples: more would change no visible digit and fill the memory.
const MOST_RESAMPLES: usize = 1_000_000;

/// A statistic and the confidence interval around it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The statistic of the sample itself.
    pub estimate: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// The settings of bootstrap intervals.
///
/// With few seeds any percentile interval is too narrow: from three seeds it cannot exceed their
/// extremes.
///
/// ```
/// use gymnast_core::statistics::{Bootstrap, iqm};
/// use rand::SeedableRng;
///
/// let returns = [475.0, 500.0, 491.0, 500.0, 322.0];
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
/// let interval = Bootstrap::default().interval(&returns, iqm, &mut rng)?;
/// assert!(interval.low < interval.estimate && interval.estimate < interval.high);
/// # Ok::<(), gymnast_core::statistics::StatisticsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// Number of resamples, from 1 to a million.
    pub resamples: usize,
    /// Confidence level, in (0, 1).
    pub confidence: f64,
}

impl Default for Bootstrap {
    /// 10 000 resamples, 95 % confidence.
    fn default() -> Self {
        Self { resamples: 10_000, confidence: 0.95 }
    }
}

impl Bootstrap {
    /// Computes the interval of `statistic` over one environment's runs, one value for each seed.
    ///
    /// # Errors
    /// [`StatisticsError::TooFew`] for a single value, which has no spread; [`StatisticsError`]
    /// without values, for invalid settings, or if the statistic is undefined on the sample or on a
    /// resample.
    pub fn interval(
        &self,
        values: &[f64],
        statistic: impl Fn(&[f64]) -> Option<f64>,
        rng: &mut impl Rng,
    ) -> Result<Interval, StatisticsError> {
        self.stratified_interval(&[values], |strata| statistic(&strata[0]), rng)
    }

    /// Computes the interval of `statistic` over runs of several tasks, `[tasks][runs]`, resampled
    /// within each task; see [`aggregate_iqm`](super::aggregate_iqm) and its neighbours.
    ///
    /// # Errors
    /// As [`interval`](Self::interval); also if a task has fewer than two runs.
    pub fn stratified_interval<S: AsRef<[f64]>>(
        &self,
        strata: &[S],
        statistic: impl Fn(&[Vec<f64>]) -> Option<f64>,
        rng: &mut impl Rng,
    ) -> Result<Interval, StatisticsError> {
        self.check()?;
        if strata.is_empty() || strata.iter().any(|stratum| stratum.as_ref().is_empty()) {
            return Err(StatisticsError::Empty);
        }
        strata.iter().try_for_each(|stratum| at_least_two(stratum.as_ref().len()))?;
        let mut resample: Vec<Vec<f64>> = strata.iter().map(|s| s.as_ref().to_vec()).collect();
        let estimate = statistic(&resample).ok_or(StatisticsError::Undefined)?;
        let mut statistics = Vec::with_capacity(self.resamples);
        for _ in 0..self.resamples {
            for (drawn, stratum) in resample.iter_mut().zip(strata) {
                let runs = stratum.as_ref();
                drawn.fill_with(|| runs[rng.random_range(0..runs.len())]);
            }
            statistics.push(statistic(&resample).ok_or(StatisticsError::Undefined)?);
        }
        self.percentiles(estimate, &statistics)
    }

    /// Computes the interval of `statistic` at every point of several seeds' curves,
    /// `[seeds][points]`.
    ///
    /// Resamples whole seeds, the same ones at all points, as rliable does for its
    /// sample-efficiency curves, so that neighbouring intervals are consistent. A point where a
    /// seed has no value gives `None`.
    ///
    /// # Errors
    /// As [`interval`](Self::interval); also [`StatisticsError::Length`] if the seeds differ in
    /// their number of points.
    pub fn band(
        &self,
        seeds: &[Vec<Option<f64>>],
        statistic: impl Fn(&[f64]) -> Option<f64>,
        rng: &mut impl Rng,
    ) -> Result<Vec<Option<Interval>>, StatisticsError> {
        self.check()?;
        let points = seeds.first().ok_or(StatisticsError::Empty)?.len();
        if let Some(other) = seeds.iter().find(|seed| seed.len() != points) {
            return Err(StatisticsError::Length { x: points, y: other.len() });
        }
        at_least_two(seeds.len())?;
        let columns: Vec<Option<Vec<f64>>> =
            (0..points).map(|point| seeds.iter().map(|seed| seed[point]).collect()).collect();
        let draws: Vec<usize> =
            (0..self.resamples * seeds.len()).map(|_| rng.random_range(0..seeds.len())).collect();
        let mut resample = vec![0.0; seeds.len()];
        let mut interval = |column: &[f64]| {
            let estimate = statistic(column).ok_or(StatisticsError::Undefined)?;
            let mut statistics = Vec::with_capacity(self.resamples);
            for drawn in draws.chunks_exact(seeds.len()) {
                for (value, seed) in resample.iter_mut().zip(drawn) {
                    *value = column[*seed];
                }
                statistics.push(statistic(&resample).ok_or(StatisticsError::Undefined)?);
            }
            self.percentiles(estimate, &statistics)
        };
        columns.iter().map(|column| column.as_deref().map(&mut interval).transpose()).collect()
    }

    fn check(&self) -> Result<(), StatisticsError> {
        if self.resamples == 0 {
            return Err(StatisticsError::NoResamples);
        }
        if self.resamples > MOST_RESAMPLES {
            return Err(StatisticsError::TooManyResamples(self.resamples));
        }
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            return Err(StatisticsError::Confidence(self.confidence));
        }
        Ok(())
    }

    fn percentiles(&self, estimate: f64, statistics: &[f64]) -> Result<Interval, StatisticsError> {
        let tail = (1.0 - self.confidence) / 2.0;
        let sorted = sorted(statistics).ok_or(StatisticsError::Undefined)?;
        let at = |level| quantile_of_sorted(&sorted, level).ok_or(StatisticsError::Undefined);
        Ok(Interval { estimate, low: at(tail)?, high: at(1.0 - tail)? })
    }
}

/// One value has no spread: an interval from it would be invented.
pub(super) fn at_least_two(got: usize) -> Result<(), StatisticsError> {
    if got < 2 { Err(StatisticsError::TooFew { needed: 2, got }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::{aggregate_mean, mean};
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn rng(seed: u64) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(seed)
    }

    #[test]
    fn the_same_generator_gives_the_same_bits() {
        let values = [1.0, 4.0, 9.0, 16.0, 25.0];
        let few = Bootstrap { resamples: 50, ..Bootstrap::default() };
        let once = few.interval(&values, mean, &mut rng(1)).unwrap();
        assert_eq!(once, few.interval(&values, mean, &mut rng(1)).unwrap());
        assert_ne!(once, few.interval(&values, mean, &mut rng(2)).unwrap());
    }

    #[test]
    fn strata_are_resampled_apart() {
        // Each task is constant, so a resample within tasks cannot vary; across tasks it would.
        let strata = [vec![1.0, 1.0, 1.0], vec![5.0, 5.0]];
        let interval =
            Bootstrap::default().stratified_interval(&strata, aggregate_mean, &mut rng(1)).unwrap();
        assert_eq!(interval, Interval { estimate: 3.0, low: 3.0, high: 3.0 });
    }

    #[test]
    fn a_band_has_each_points_own_interval_and_none_where_a_seed_is_missing() {
        let seeds = [
            vec![Some(1.0), Some(10.0), None],
            vec![Some(2.0), Some(20.0), Some(7.0)],
            vec![Some(6.0), Some(60.0), Some(8.0)],
        ];
        let band = Bootstrap::default().band(&seeds, mean, &mut rng(3)).unwrap();
        let (first, second) = (band[0].unwrap(), band[1].unwrap());
        assert_eq!(first.estimate, 3.0);
        assert!((second.low - 10.0 * first.low).abs() < 1e-12);
        assert!((second.high - 10.0 * first.high).abs() < 1e-12);
        assert_eq!(band[2], None);
    }

    #[test]
    fn unusable_arguments_are_typed_errors() {
        let bootstrap = Bootstrap::default();
        assert_eq!(bootstrap.interval(&[], mean, &mut rng(0)), Err(StatisticsError::Empty));
        assert_eq!(
            bootstrap.interval(&[1.0, f64::NAN], mean, &mut rng(0)),
            Err(StatisticsError::Undefined)
        );
        let none = Bootstrap { resamples: 0, ..bootstrap };
        assert_eq!(
            none.interval(&[1.0, 2.0], mean, &mut rng(0)),
            Err(StatisticsError::NoResamples)
        );
        for resamples in [1 << 40, usize::MAX] {
            let error = Err(StatisticsError::TooManyResamples(resamples));
            let many = Bootstrap { resamples, ..bootstrap };
            assert_eq!(many.interval(&[1.0, 2.0], mean, &mut rng(0)), error);
            assert!(many.band(&[vec![Some(1.0)], vec![Some(2.0)]], mean, &mut rng(0)).is_err());
        }
        for confidence in [0.0, 1.0, -1.0] {
            let bad = Bootstrap { confidence, ..bootstrap };
            assert_eq!(
                bad.interval(&[1.0], mean, &mut rng(0)),
                Err(StatisticsError::Confidence(confidence))
            );
        }
        let ragged = [vec![Some(1.0)], vec![]];
        assert_eq!(
            bootstrap.band(&ragged, mean, &mut rng(0)),
            Err(StatisticsError::Length { x: 1, y: 0 })
        );
        let strata = [vec![1.0], vec![]];
        assert_eq!(
            bootstrap.stratified_interval(&strata, aggregate_mean, &mut rng(0)),
            Err(StatisticsError::Empty)
        );
    }

    #[test]
    fn one_value_has_no_interval() {
        let (bootstrap, too_few) =
            (Bootstrap::default(), StatisticsError::TooFew { needed: 2, got: 1 });
        assert_eq!(bootstrap.interval(&[5.0], mean, &mut rng(0)), Err(too_few.clone()));
        let strata = [vec![1.0, 2.0], vec![3.0]];
        let stratified = bootstrap.stratified_interval(&strata, aggregate_mean, &mut rng(0));
        assert_eq!(stratified, Err(too_few.clone()));
        assert_eq!(bootstrap.band(&[vec![Some(1.0)]], mean, &mut rng(0)), Err(too_few));
    }
}
