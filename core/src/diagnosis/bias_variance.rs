//! Bias-variance decomposition of a model's error.

use rand::{Rng, RngExt as _};

use crate::SettingError;
use crate::data::{DataError, Dataset};

/// A problem whose noise is known.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// The training rows, one target each.
    pub train: &'a Dataset,
    /// The test rows, one target each, with the same noise.
    pub test: &'a Dataset,
    /// The targets of `test` without the noise: `[N]`.
    pub truth: &'a [f32],
    /// The variance of the noise.
    pub noise_variance: f64,
}

/// The parts of a model's mean squared error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BiasVariance {
    /// The squared distance of the mean prediction over many trainings from the truth.
    pub bias_squared: f64,
    /// The mean squared distance of one training's prediction from that mean.
    pub variance: f64,
    /// The variance of the noise, which no model can predict.
    pub noise: f64,
    /// The measured mean squared error on the noisy targets of the test rows. It differs from the
    /// sum of the three parts by the deviation of these rows' noise from its expectation.
    pub measured: f64,
}

impl BiasVariance {
    /// Returns the sum of the three parts.
    pub fn expected(&self) -> f64 {
        self.bias_squared + self.variance + self.noise
    }
}

/// Trains on `rounds` bootstrap samples of the training rows and decomposes the error on the test
/// rows: E (y − ŷ)² = bias² + variance + noise.
///
/// `train` gets a sample of [resampled](Dataset::is_resampled) rows and the number of the round,
/// and returns a prediction for each test row.
///
/// Source: Geman, Bienenstock and Doursat, "Neural networks and the bias/variance dilemma" (1992),
/// equation 2.3. The bootstrap replaces new samples of the problem, so the variance is that of
/// training on about two thirds of the rows.
///
/// # Errors
/// The errors of `train`; [`DataError`] if rows, truth or predictions differ in number or are not
/// finite, `rounds` is below 2, or the variance of the noise is negative.
pub fn bias_variance<R: Rng + ?Sized, E: From<DataError>>(
    problem: &Problem<'_>,
    rounds: usize,
    rng: &mut R,
    mut train: impl FnMut(&Dataset, usize) -> Result<Vec<f32>, E>,
) -> Result<BiasVariance, E> {
    let Problem { train: rows, test, truth, noise_variance } = *problem;
    let setting =
        |key, value, allowed| E::from(DataError::from(SettingError::new(key, value, allowed)));
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
