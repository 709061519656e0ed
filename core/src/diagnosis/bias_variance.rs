//! Where a model's error comes from.

use rand::{Rng, RngExt as _};

use crate::data::{DataError, Dataset};

/// A problem of which more is known than its rows.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Rows to train with, one target each.
    pub train: &'a Dataset,
    /// Other rows, one target each, with the same noise.
    pub test: &'a Dataset,
    /// The targets of `test` without the noise: `[N]`.
    pub truth: &'a [f32],
    /// The variance of the noise.
    pub noise_variance: f64,
}

/// The parts of a model's mean squared error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BiasVariance {
    /// How far the mean of many trainings is from the truth, squared.
    pub bias_squared: f64,
    /// How far one training is from that mean, squared.
    pub variance: f64,
    /// What no model can foresee.
    pub noise: f64,
    /// The mean squared error that was measured against the noisy targets of the test rows. The
    /// three sum to it but for how far the noise of these rows is from its expectation.
    pub measured: f64,
}

impl BiasVariance {
    /// The error that the three parts sum to.
    pub fn expected(&self) -> f64 {
        self.bias_squared + self.variance + self.noise
    }
}

/// Trains on `rounds` bootstrap samples of the training rows and takes the error on the test rows
/// apart: E (y − ŷ)² = bias² + variance + noise.
///
/// `train` gets a sample, [resampled](Dataset::is_resampled) rows, and the number of the round, and
/// returns a prediction for each test row.
///
/// Source: Geman, Bienenstock and Doursat, "Neural networks and the bias/variance dilemma" (1992),
/// equation 2.3. The bootstrap stands for new samples of the problem, so that its variance is that of
/// training on about two thirds of the rows.
///
/// # Errors
/// What `train` returns; [`DataError`] where rows, truth or predictions are not as many as expected or
/// not finite, fewer than two rounds are asked for, or the noise's variance is negative.
pub fn bias_variance<R: Rng + ?Sized, E: From<DataError>>(
    problem: &Problem<'_>,
    rounds: usize,
    rng: &mut R,
    mut train: impl FnMut(&Dataset, usize) -> Result<Vec<f32>, E>,
) -> Result<BiasVariance, E> {
    let Problem { train: rows, test, truth, noise_variance } = *problem;
    let setting = |key, value, allowed| E::from(DataError::Setting { key, value, allowed });
    if rounds < 2 {
        return Err(setting("rounds", rounds as f64, "at least 2"));
    }
    if !(noise_variance >= 0.0 && noise_variance.is_finite()) {
        return Err(setting("noise_variance", noise_variance, "at least 0"));
    }
    if rows.is_empty() || test.is_empty() {
        return Err(DataError::TooFewRows { rows: 0, needed: 1 }.into());
    }
    let n = test.len();
    let count = |what, got| match got == n {
        true => Ok(()),
        false => Err(E::from(DataError::Count { what, expected: n, got })),
    };
    count("targets of the test rows", test.targets().len())?;
    count("true values of the test rows", truth.len())?;
    check_finite("true values", truth)?;

    // Around the truth: means and sums of squares about them, as by Welford (1962), so that squares of
    // large numbers do not cancel.
    let (mut means, mut squares, mut error) = (vec![0.0; n], vec![0.0; n], 0.0);
    for round in 0..rounds {
        let sample: Vec<usize> = (0..rows.len()).map(|_| rng.random_range(0..rows.len())).collect();
        let predictions = train(&rows.select(&sample)?.into_resampled(), round)?;
        count("predictions for the test rows", predictions.len())?;
        check_finite("predictions", &predictions)?;
        for (i, &prediction) in predictions.iter().enumerate() {
            let off = f64::from(prediction) - f64::from(truth[i]);
            let from_mean = off - means[i];
            means[i] += from_mean / (round + 1) as f64;
            squares[i] += from_mean * (off - means[i]);
            error += (f64::from(prediction) - f64::from(test.targets()[i])).powi(2);
        }
    }
    let k = rounds as f64;
    let mean_of = |f: &dyn Fn(usize) -> f64| (0..n).map(f).sum::<f64>() / n as f64;
    Ok(BiasVariance {
        bias_squared: mean_of(&|i| means[i].powi(2)),
        variance: mean_of(&|i| squares[i] / k),
        noise: noise_variance,
        measured: error / (k * n as f64),
    })
}

fn check_finite(part: &'static str, values: &[f32]) -> Result<(), DataError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(row) => Err(DataError::NotFinite { part, row, column: 0, value: values[row] }),
    }
}
