//! Checks of the collectors' inputs.

use super::MetricError;

pub(super) fn length(what: &'static str, expected: usize, got: usize) -> Result<(), MetricError> {
    if expected == got { Ok(()) } else { Err(MetricError::Length { what, expected, got }) }
}

pub(super) fn classes(rows: &[usize], classes: usize) -> Result<(), MetricError> {
    match rows.iter().position(|&class| class >= classes) {
        Some(row) => Err(MetricError::Class { row, class: rows[row], classes }),
        None => Ok(()),
    }
}

/// Converts the numbers to `f64`. All must be finite; −0 becomes 0, which it ties with.
pub(super) fn finite<S: Into<f64> + Copy>(
    what: &'static str,
    values: &[S],
) -> Result<Vec<f64>, MetricError> {
    let number = |(index, &value): (usize, &S)| {
        let value: f64 = value.into();
        let error = MetricError::NotFinite { what, index, value };
        if value.is_finite() { Ok(value + 0.0) } else { Err(error) }
    };
    values.iter().enumerate().map(number).collect()
}

pub(super) fn probabilities<S: Into<f64> + Copy>(values: &[S]) -> Result<Vec<f64>, MetricError> {
    let numbers = finite("probabilities", values)?;
    match numbers.iter().position(|value| !(0.0..=1.0).contains(value)) {
        Some(index) => Err(MetricError::Probability { index, value: numbers[index] }),
        None => Ok(numbers),
    }
}

/// Returns the first row of probabilities `[N, classes]` whose sum differs from 1 by more than the
/// square root of `precision`, and that sum.
pub(crate) fn uneven_row(
    probabilities: &[f64],
    classes: usize,
    precision: f64,
) -> Option<(usize, f64)> {
    let sums = probabilities.chunks(classes).map(|row| row.iter().sum::<f64>());
    sums.enumerate().find(|(_, sum)| (sum - 1.0).abs() > precision.sqrt())
}

/// Returns the score, or an error if it exceeds what `f64` holds.
pub(super) fn score(score: &'static str, value: f64) -> Result<f64, MetricError> {
    let why = "the numbers are too large to be summed";
    if value.is_finite() { Ok(value) } else { Err(MetricError::Undefined { score, why }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(finite("scores", &[1.0_f32, -0.0]).unwrap(), [1.0, 0.0]);
        assert!(finite("scores", &[-0.0]).unwrap()[0].is_sign_positive());
        let error = finite("scores", &[1.0, f64::NAN]).unwrap_err().to_string();
        assert_eq!(error, "number 1 of the scores is NaN: expected finite numbers");
        let error = probabilities(&[0.0, 1.0, 1.5]).unwrap_err();
        assert_eq!(error, MetricError::Probability { index: 2, value: 1.5 });
        let error = classes(&[1, 3], 3).unwrap_err();
        assert_eq!(error, MetricError::Class { row: 1, class: 3, classes: 3 });
        assert!(score("MSE", f64::INFINITY).is_err());
    }
}
