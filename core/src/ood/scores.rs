//! Scores computed from a classifier's outputs alone.

use super::{OodError, check_finite};
use crate::data::DataError;
use crate::likelihood::largest;
use crate::require;

/// Returns the largest softmax probability of each row: `[N, classes]` outputs to `[N]`.
///
/// Hendrycks and Gimpel, "A baseline for detecting misclassified and out-of-distribution examples in
/// neural networks" (2017), <https://arxiv.org/abs/1610.02136>.
///
/// # Errors
/// [`OodError::Data`] if the outputs do not form whole rows, [`OodError::Setting`] for fewer than
/// two classes (the softmax of one output is always 1), [`OodError::NotFinite`].
pub fn max_softmax_probability(outputs: &[f32], classes: usize) -> Result<Vec<f64>, OodError> {
    scaled_max_softmax_probability(outputs, classes, 1.0)
}

/// Returns the largest softmax probability of each row's outputs divided by a temperature: the
/// score of ODIN.
///
/// # Errors
/// As [`max_softmax_probability`]; [`OodError::Setting`] unless the temperature is positive and finite.
pub fn scaled_max_softmax_probability(
    outputs: &[f32],
    classes: usize,
    temperature: f64,
) -> Result<Vec<f64>, OodError> {
    require(classes >= 2, "the number of classes", classes as f64, "at least 2")?;
    of_rows(outputs, classes, temperature, |_, sum| 1.0 / sum)
}

/// Returns the negative free energy of each row, `T ln Σ exp(fᵢ / T)`: `[N, classes]` outputs to
/// `[N]`.
///
/// Liu et al., "Energy-based out-of-distribution detection" (2020),
/// <https://arxiv.org/abs/2010.03759>, equation 4 with the opposite sign.
///
/// # Errors
/// As [`max_softmax_probability`], but one class suffices; [`OodError::Setting`] unless the
/// temperature is positive and finite.
pub fn energy_score(
    outputs: &[f32],
    classes: usize,
    temperature: f64,
) -> Result<Vec<f64>, OodError> {
    of_rows(outputs, classes, temperature, |largest, sum| largest + temperature * sum.ln())
}

/// A score of a row's largest output and of `Σ exp((fᵢ − largest) / T)`.
fn of_rows(
    outputs: &[f32],
    classes: usize,
    temperature: f64,
    score: impl Fn(f64, f64) -> f64,
) -> Result<Vec<f64>, OodError> {
    require(classes > 0, "the number of classes", classes as f64, "at least 1")?;
    check_temperature(temperature)?;
    let got = outputs.len();
    if !got.is_multiple_of(classes) {
        let expected = got.next_multiple_of(classes);
        return Err(DataError::Count { what: "outputs", expected, got }.into());
    }
    check_finite(outputs, classes)?;
    let of_row = |row: &[f32]| {
        let largest = largest(row);
        let exponentials = row.iter().map(|&x| (f64::from(x - largest) / temperature).exp());
        score(f64::from(largest), exponentials.sum())
    };
    Ok(outputs.chunks_exact(classes).map(of_row).collect())
}

pub(super) fn check_temperature(temperature: f64) -> Result<(), OodError> {
    let fits = temperature > 0.0 && temperature.is_finite();
    Ok(require(fits, "temperature", temperature, "positive and finite")?)
}
