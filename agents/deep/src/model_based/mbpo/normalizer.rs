//! Numbers of mean 0 and variance 1, for networks to read and to predict.

use gymnast_harness::{Checkpoint, CheckpointError, StateDict};

/// The mean and the standard deviation of each number of a row, as they were when it was fitted.
pub(super) struct Normalizer {
    mean: Vec<f32>,
    std: Vec<f32>,
}

/// A number that varies less than this share of its size (or of 1) does not vary.
const LEAST: f64 = 1e-6;

impl Normalizer {
    /// Leaves rows of that width as they are.
    pub(super) fn new(width: usize) -> Self {
        Self { mean: vec![0.0; width], std: vec![1.0; width] }
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

    /// The number at place `i` of a row before it was normalised.
    pub(super) fn restore(&self, i: usize, x: f32) -> f32 {
        self.mean[i] + self.std[i] * x
    }
}

impl Checkpoint for Normalizer {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_array("mean", &[self.mean.len()], &self.mean);
        state.insert_array("std", &[self.std.len()], &self.std);
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.mean = state.finite_array("mean", &[self.mean.len()])?;
        let fits = |std: &f32| *std > 0.0 && std.is_finite();
        self.std = state.array_checked("std", &[self.std.len()], "positive numbers", fits)?;
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
    }
}
