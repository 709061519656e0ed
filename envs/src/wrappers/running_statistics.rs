//! Mean and variance of a stream of numbers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::EnvError;

/// Mean and variance of rows of numbers, updated row by row without keeping them.
///
/// Source: Welford, "Note on a method for calculating corrected sums of squares and products"
/// (1962).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunningStatistics {
    count: u64,
    mean: Vec<f64>,
    /// Sums of squared deviations from the mean.
    squares: Vec<f64>,
}

impl RunningStatistics {
    /// Statistics of no rows yet, of `width` numbers each.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { count: 0, mean: vec![0.0; width], squares: vec![0.0; width] }
    }

    /// The number of rows seen.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean of each number; 0 before the first row.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The population variance of the `i`-th number; 0 before the second row.
    ///
    /// # Panics
    /// If `i` is not below the width.
    #[must_use]
    pub fn variance(&self, i: usize) -> f64 {
        self.squares[i] / self.count.max(1) as f64
    }

    /// Takes in one row, number by number.
    pub fn update(&mut self, row: impl Iterator<Item = f64>) {
        self.count += 1;
        let share = 1.0 / self.count as f64;
        for ((mean, squares), x) in self.mean.iter_mut().zip(&mut self.squares).zip(row) {
            let deviation = x - *mean;
            *mean += deviation * share;
            *squares += deviation * (x - *mean);
        }
    }

    /// The statistics in a snapshot, if they are of that width.
    pub(super) fn from_snapshot(snapshot: &Value, width: usize) -> Result<Self, EnvError> {
        let statistics: Self = super::part(snapshot, "statistics")?;
        let are_sound = statistics.mean.len() == width
            && statistics.squares.len() == width
            && statistics.squares.iter().all(|&x| x >= 0.0);
        if are_sound {
            return Ok(statistics);
        }
        Err(EnvError::InvalidState {
            expected: format!("statistics of {width} numbers"),
            got: snapshot["statistics"].to_string(),
        })
    }
}

/// A handle to statistics that several wrappers share: the environments of a vector, or training
/// and evaluation. A clone is another handle to the same statistics.
#[derive(Clone, Debug)]
pub struct SharedStatistics(Arc<Mutex<RunningStatistics>>);

impl SharedStatistics {
    /// A handle to these statistics.
    #[must_use]
    pub fn new(statistics: RunningStatistics) -> Self {
        Self(Arc::new(Mutex::new(statistics)))
    }

    /// A copy of the statistics as they stand.
    #[must_use]
    pub fn get(&self) -> RunningStatistics {
        self.lock().clone()
    }

    pub(super) fn set(&self, statistics: RunningStatistics) {
        *self.lock() = statistics;
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, RunningStatistics> {
        // An update cannot panic half way, so a poisoned lock guards sound numbers.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_variance_of_a_few_numbers() {
        let mut statistics = RunningStatistics::new(1);
        for x in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            statistics.update([x].into_iter());
        }
        assert_eq!((statistics.mean()[0], statistics.variance(0)), (5.0, 4.0));
        assert_eq!(RunningStatistics::new(1).variance(0), 0.0);
    }
}
