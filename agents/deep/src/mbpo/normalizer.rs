//! Numbers of mean 0 and variance 1, for networks to read and to predict.

use gymnast_harness::{Checkpoint, CheckpointError, StateDict};

/// The mean and the standard deviation of each number of a row, as they were when it was fitted, and how
/// far it reached.
pub(super) struct Normalizer {
    mean: Vec<f32>,
    std: Vec<f32>,
    /// The least and the greatest, a standard deviation further out.
    low: Vec<f32>,
    high: Vec<f32>,
}

/// A number that varies less than this share of its size (or of 1) does not vary.
const LEAST: f64 = 1e-6;

impl Normalizer {
    /// Leaves rows of that width as they are.
    pub(super) fn new(width: usize) -> Self {
        let all = [f32::MIN, f32::MAX].map(|end| vec![end; width]);
        let [low, high] = all;
        Self { mean: vec![0.0; width], std: vec![1.0; width], low, high }
    }

    /// Takes the statistics of these rows, at least one. A number that never varies is only shifted.
    ///
    /// The rows are there all at once, so these are exact, where running statistics start from a
    /// prior that gives to a number which never varied a small deviation that means nothing.
    pub(super) fn fit(&mut self, rows: &[f32]) {
        let width = self.mean.len();
        let count = (rows.len() / width) as f64;
        for i in 0..width {
            let column = || rows.iter().skip(i).step_by(width).map(|&x| f64::from(x));
            let mean = column().sum::<f64>() / count;
            let std = (column().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt();
            self.mean[i] = mean as f32;
            self.std[i] = if std > LEAST * mean.abs().max(1.0) { std as f32 } else { 1.0 };
            self.low[i] =
                (column().fold(f64::INFINITY, f64::min) as f32 - self.std[i]).max(f32::MIN);
            self.high[i] =
                (column().fold(f64::NEG_INFINITY, f64::max) as f32 + self.std[i]).min(f32::MAX);
        }
    }

    /// Normalises rows, in place.
    pub(super) fn normalize(&self, rows: &mut [f32]) {
        for row in rows.chunks_exact_mut(self.mean.len()) {
            for (x, (mean, std)) in row.iter_mut().zip(self.mean.iter().zip(&self.std)) {
                *x = (*x - mean) / std;
            }
        }
    }

    /// The number at place `i` of a row before it was normalised, at most a standard deviation beyond what
    /// was there.
    pub(super) fn restore(&self, i: usize, x: f32) -> f32 {
        (self.mean[i] + self.std[i] * x).clamp(self.low[i], self.high[i])
    }
}

impl Checkpoint for Normalizer {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_array("mean", &[self.mean.len()], &self.mean);
        state.insert_array("std", &[self.std.len()], &self.std);
        state.insert_array("low", &[self.low.len()], &self.low);
        state.insert_array("high", &[self.high.len()], &self.high);
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.mean = state.finite_array("mean", &[self.mean.len()])?;
        let fits = |std: &f32| *std > 0.0 && std.is_finite();
        self.std = state.array_checked("std", &[self.std.len()], "positive numbers", fits)?;
        let width = self.mean.len();
        let (low, high) =
            (state.finite_array("low", &[width])?, state.finite_array("high", &[width])?);
        if low.iter().zip(&high).any(|(low, high)| low > high) {
            let (expected, got) = ("at least `low`".to_owned(), "less".to_owned());
            return Err(CheckpointError::mismatch("high", expected, got));
        }
        (self.low, self.high) = (low, high);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_and_go() {
        let mut normalizer = Normalizer::new(2);
        let rows = [1.0, 5.0, 3.0, 5.0, 5.0, 5.0];
        normalizer.fit(&rows);
        let mut normal = rows;
        normalizer.normalize(&mut normal);
        // Mean 3, variance (4 + 0 + 4) / 3; the second never varies.
        let unit = 2.0 / (8.0_f32 / 3.0).sqrt();
        let expected = [-unit, 0.0, 0.0, 0.0, unit, 0.0];
        assert!(normal.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-6), "{normal:?}");
        assert!((normalizer.restore(0, normal[4]) - 5.0).abs() < 1e-6);
        assert_eq!(normalizer.restore(1, 0.5), 5.5);
        // From 1 to 5, a standard deviation further out.
        let std = (8.0_f32 / 3.0).sqrt();
        let ends = [-9.0, 9.0].map(|x| normalizer.restore(0, x));
        assert!((ends[0] - (1.0 - std)).abs() < 1e-6 && (ends[1] - (5.0 + std)).abs() < 1e-6);
    }
}
