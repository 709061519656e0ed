//! Mean and variance of a stream of vectors.

use serde::{Deserialize, Serialize};

use super::snapshot::invalid_option;
use crate::EnvError;

/// The weight of the prior (mean 0, variance 1) that the statistics start from.
const PRIOR_COUNT: f64 = 1e-4;

/// The running mean and variance of each number of a vector (Gymnasium's `RunningMeanStd`).
///
/// Starts from a prior of mean 0, variance 1 and weight 10⁻⁴, and takes up one vector at a time by
/// Welford's rule. The variance is the population's (divided by the count).
///
/// Source: Welford, "Note on a method for calculating corrected sums of squares and products"
/// (1962).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct RunningMeanStd {
    mean: Vec<f64>,
    var: Vec<f64>,
    count: f64,
}

/// What is written; read back through [`RunningMeanStd::from_parts`].
#[derive(Serialize, Deserialize)]
struct Parts {
    mean: Vec<f64>,
    var: Vec<f64>,
    count: f64,
}

impl RunningMeanStd {
    /// The statistics of `width` numbers before any was seen.
    #[must_use]
    pub fn new(width: usize) -> Self {
        Self { mean: vec![0.0; width], var: vec![1.0; width], count: PRIOR_COUNT }
    }

    /// Statistics that are known already.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if the lengths differ, a number is not finite, a variance is
    /// negative or the count is not positive.
    pub fn from_parts(mean: Vec<f64>, var: Vec<f64>, count: f64) -> Result<Self, EnvError> {
        let wrong = |reason: String| Err(invalid_option("RunningMeanStd", reason));
        if mean.len() != var.len() {
            return wrong(format!("{} means but {} variances", mean.len(), var.len()));
        }
        if !mean.iter().all(|x| x.is_finite()) {
            return wrong(format!("means must be finite, got {mean:?}"));
        }
        if !var.iter().all(|x| x.is_finite() && *x >= 0.0) {
            return wrong(format!("variances must be finite and not negative, got {var:?}"));
        }
        if !(count.is_finite() && count > 0.0) {
            return wrong(format!("the count must be positive and finite, got {count}"));
        }
        Ok(Self { mean, var, count })
    }

    /// Takes up one vector.
    ///
    /// # Errors
    /// [`EnvError::Failed`] if it has another width or a number is not finite or so large that its
    /// square is not, which would spoil the statistics for good; they stay as they were.
    pub fn update<T: Copy + Into<f64>>(&mut self, vector: &[T]) -> Result<(), EnvError> {
        let moments = self.mean.iter().zip(&self.var).zip(vector);
        // First, since a number that is not finite, or too large for its square to be, would stay in the
        // statistics for good.
        let fits = moments.fold(vector.len() == self.mean.len(), |fits, ((&mean, &var), &x)| {
            let (mean, var) = self.moved(mean, var, x.into());
            fits & mean.is_finite() & var.is_finite()
        });
        if !fits {
            let got: Vec<f64> = vector.iter().map(|&x| x.into()).collect();
            let width = self.mean.len();
            return Err(EnvError::Failed(format!(
                "running statistics take {width} finite numbers whose squares are finite, got {got:?}"
            )));
        }
        for (i, &x) in vector.iter().enumerate() {
            (self.mean[i], self.var[i]) = self.moved(self.mean[i], self.var[i], x.into());
        }
        self.count += 1.0;
        Ok(())
    }

    /// The mean and the variance of one number with one more of it.
    #[inline]
    fn moved(&self, mean: f64, var: f64, x: f64) -> (f64, f64) {
        let (count, delta) = (self.count + 1.0, x - mean);
        let spread = delta * delta * self.count / count;
        (mean + delta / count, (var * self.count + spread) / count)
    }

    /// The mean of each number.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The variance of each number.
    #[must_use]
    pub fn var(&self) -> &[f64] {
        &self.var
    }

    /// How many vectors were seen, the prior's 10⁻⁴ included.
    #[must_use]
    pub fn count(&self) -> f64 {
        self.count
    }
}

impl TryFrom<Parts> for RunningMeanStd {
    type Error = EnvError;

    fn try_from(parts: Parts) -> Result<Self, EnvError> {
        Self::from_parts(parts.mean, parts.var, parts.count)
    }
}

impl From<RunningMeanStd> for Parts {
    fn from(statistics: RunningMeanStd) -> Self {
        Self { mean: statistics.mean, var: statistics.var, count: statistics.count }
    }
}

/// The stability parameter of a normalisation, if it is one.
pub(super) fn check_epsilon(wrapper: &str, epsilon: f64) -> Result<(), EnvError> {
    if epsilon.is_finite() && epsilon > 0.0 {
        return Ok(());
    }
    Err(invalid_option(wrapper, format!("`epsilon` must be positive and finite, got {epsilon}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_by_hand() {
        // From a count of 1 at mean 0 and variance 1; then 2 and 4.
        let mut statistics = RunningMeanStd::from_parts(vec![0.0], vec![1.0], 1.0).unwrap();
        statistics.update(&[2.0]).unwrap();
        // Mean 2/2; variance (1·1 + 4·1/2) / 2.
        assert_eq!((statistics.mean(), statistics.var()), (&[1.0][..], &[1.5][..]));
        statistics.update(&[4.0]).unwrap();
        // Mean 1 + 3/3; variance (1.5·2 + 9·2/3) / 3.
        assert_eq!((statistics.mean(), statistics.var()), (&[2.0][..], &[3.0][..]));
        assert_eq!(statistics.count(), 3.0);
    }

    #[test]
    fn what_would_spoil_the_statistics_is_refused() {
        let mut statistics = RunningMeanStd::new(1);
        assert!(statistics.update(&[f32::NAN]).is_err());
        assert!(statistics.update(&[f64::MAX]).is_err());
        assert!(statistics.update(&[0.0, 1.0]).is_err());
        assert_eq!(statistics, RunningMeanStd::new(1));
        assert!(RunningMeanStd::from_parts(vec![0.0], vec![-1.0], 1.0).is_err());
        assert!(RunningMeanStd::from_parts(vec![0.0], vec![], 1.0).is_err());
        assert!(RunningMeanStd::from_parts(vec![0.0], vec![1.0], 0.0).is_err());
        let json = r#"{"mean": [0.0], "var": [-1.0], "count": 1.0}"#;
        assert!(serde_json::from_str::<RunningMeanStd>(json).is_err());
    }
}
