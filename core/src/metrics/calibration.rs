//! Calibration: whether rows predicted with a probability of 0.8 are right four times out of five.

use super::MetricError;
use super::curves::{REFERENCE, square};
use super::probabilities::Probabilities;
use crate::plot::{Axis, Colour, Line, LinePlot};
use crate::require;

/// Confidence against accuracy, in bins of equal width.
///
/// A row's confidence is the highest of its probabilities. The row is right if that class (the
/// first of equals) is the true one. Bin m of M holds confidences above (m − 1)/M and up to m/M: a
/// confidence of exactly 1 lies in the last one. Guo et al., "On Calibration of Modern Neural
/// Networks" (2017), section 2.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// The bins, from low confidence to high.
    pub bins: Vec<CalibrationBin>,
}

/// One bin of a [`Calibration`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CalibrationBin {
    /// The number of rows in it.
    pub rows: u64,
    /// Their mean confidence; `None` if it has no rows.
    pub confidence: Option<f64>,
    /// The fraction of them that are right; `None` if it has no rows.
    pub accuracy: Option<f64>,
}

/// Returns the expected calibration error of two classes. `probabilities` are those of class 1,
/// `[B]`; a row's confidence is that of the likelier class.
///
/// Σ (rows of the bin / rows) |accuracy − confidence|; Guo et al. (2017), equation 3.
///
/// # Errors
/// As [`Probabilities::update`]; [`MetricError::Empty`]; [`MetricError::Setting`] if `bins` is 0.
pub fn expected_calibration_error<S: Into<f64> + Copy>(
    truth: &[usize],
    probabilities: &[S],
    bins: usize,
) -> Result<f64, MetricError> {
    Probabilities::binary().with(truth, probabilities)?.expected_calibration_error(bins)
}

/// Like [`expected_calibration_error`], for any number of classes: `probabilities` are `[B,
/// classes]`.
///
/// # Errors
/// As [`expected_calibration_error`]; [`MetricError::Setting`] for fewer than two classes.
pub fn multiclass_expected_calibration_error<S: Into<f64> + Copy>(
    truth: &[usize],
    probabilities: &[S],
    classes: usize,
    bins: usize,
) -> Result<f64, MetricError> {
    Probabilities::new(classes)?.with(truth, probabilities)?.expected_calibration_error(bins)
}

/// The most bins allowed; a diagram of more could not be read.
const MOST_BINS: usize = 1 << 24;

impl Probabilities {
    /// Compares confidence and accuracy in `bins` bins of equal width.
    ///
    /// # Errors
    /// [`MetricError::Empty`]; [`MetricError::Setting`] if `bins` is 0.
    pub fn calibration(&self, bins: usize) -> Result<Calibration, MetricError> {
        Calibration::new(self, bins)
    }

    /// Returns the expected calibration error; see [`expected_calibration_error`].
    ///
    /// # Errors
    /// As [`calibration`](Self::calibration).
    pub fn expected_calibration_error(&self, bins: usize) -> Result<f64, MetricError> {
        Ok(self.calibration(bins)?.expected_error())
    }
}

impl Calibration {
    fn new(rows: &Probabilities, bins: usize) -> Result<Self, MetricError> {
        // A reservation alone does not say whether there is memory: it is handed out later.
        let fits = (1..=MOST_BINS).contains(&bins);
        require(fits, "bins", bins as f64, "at least 1 and at most 2²⁴")?;
        if rows.rows() == 0 {
            return Err(MetricError::Empty);
        }
        let mut sums = vec![(0, 0.0, 0); bins]; // rows, confidence, right ones
        for (truth, probabilities) in rows.each() {
            let first_highest = |best: (usize, f64), (class, &p): (usize, &f64)| {
                if p > best.1 { (class, p) } else { best }
            };
            let (predicted, confidence) =
                probabilities.iter().enumerate().fold((0, 0.0), first_highest);
            let sum = &mut sums[bin(confidence, bins)];
            sum.0 += 1;
            sum.1 += confidence;
            sum.2 += u64::from(predicted == truth);
        }
        let bin = |(rows, confidence, right): (u64, f64, u64)| CalibrationBin {
            rows,
            confidence: (rows > 0).then(|| confidence / rows as f64),
            accuracy: (rows > 0).then(|| right as f64 / rows as f64),
        };
        Ok(Self { bins: sums.into_iter().map(bin).collect() })
    }

    /// Returns the expected calibration error, from 0 to 1; see [`expected_calibration_error`].
    pub fn expected_error(&self) -> f64 {
        let rows: u64 = self.bins.iter().map(|bin| bin.rows).sum();
        let gap =
            |bin: &CalibrationBin| Some(bin.rows as f64 * (bin.accuracy? - bin.confidence?).abs());
        self.bins.iter().filter_map(gap).sum::<f64>() / rows as f64
    }

    /// Draws the reliability diagram: one point for each bin with rows, and the diagonal where
    /// confidence equals accuracy. The legend shows `label` and the expected calibration error.
    pub fn plot(&self, label: &str) -> LinePlot {
        let point = |bin: &CalibrationBin| Some((bin.confidence?, bin.accuracy?));
        let points = self.bins.iter().filter_map(point).collect();
        let label = format!("{label} (expected error {:.3})", self.expected_error());
        LinePlot {
            title: "Reliability diagram".to_owned(),
            x_axis: Axis::new("confidence"),
            y_axis: Axis::new("accuracy"),
            lines: vec![
                Line {
                    colour: Some(REFERENCE),
                    ..Line::new("calibrated", vec![(0.0, 0.0), (1.0, 1.0)])
                },
                Line { colour: Some(Colour::of_series(0)), ..Line::new(label, points) },
            ],
            ..square()
        }
    }
}

/// Returns the bin that holds the confidence; its upper edge is included.
fn bin(confidence: f64, bins: usize) -> usize {
    let near = ((confidence * bins as f64) as usize).min(bins - 1);
    let edge = |bin: usize| bin as f64 / bins as f64;
    // The product may have been rounded across an edge, and a confidence on one belongs below it.
    if near > 0 && confidence <= edge(near) {
        near - 1
    } else if near + 1 < bins && confidence > edge(near + 1) {
        near + 1
    } else {
        near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_confidence_has_its_bin() {
        assert_eq!([1.0, 0.95, 0.9, 0.05, 0.0].map(|c| bin(c, 10)), [9, 9, 8, 0, 0]);
        for bins in 1..200 {
            assert_eq!(bin(1.0, bins), bins - 1);
            for edge in 1..bins {
                let at = edge as f64 / bins as f64;
                assert_eq!((bin(at, bins), bin(at.next_up(), bins)), (edge - 1, edge));
            }
        }
    }

    #[test]
    fn certain_rows_count() {
        // All in the last of ten bins: confidence 1, half of them right.
        assert_eq!(expected_calibration_error(&[1, 0], &[1.0, 1.0], 10), Ok(0.5));
        // 0.5 is a tie, which goes to class 0.
        assert_eq!(expected_calibration_error(&[0], &[0.5], 10), Ok(0.5));
        assert_eq!(expected_calibration_error(&[1], &[0.5], 10), Ok(0.5));
    }

    #[test]
    fn bins_without_rows_have_no_accuracy() {
        let rows = Probabilities::binary().with(&[1, 1, 0], &[0.75, 0.75, 1.0]).unwrap();
        let calibration = rows.calibration(4).unwrap();
        assert_eq!(
            calibration.bins[1],
            CalibrationBin { rows: 0, confidence: None, accuracy: None }
        );
        let full = CalibrationBin { rows: 2, confidence: Some(0.75), accuracy: Some(1.0) };
        assert_eq!(calibration.bins[2], full);
        assert_eq!(calibration.expected_error(), (2.0 * 0.25 + 1.0) / 3.0);
        assert_eq!(calibration.plot("net").lines[1].points, [(0.75, 1.0), (1.0, 0.0)]);
        assert!(matches!(rows.calibration(0), Err(MetricError::Setting(_))));
        assert_eq!(expected_calibration_error::<f64>(&[], &[], 10), Err(MetricError::Empty));
    }
}
