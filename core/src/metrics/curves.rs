//! ROC and precision-recall curves, as numbers and as plots.

use super::MetricError;
use super::binary_scores::{BinaryScores, Threshold, Thresholds};
use crate::plot::{Axis, Colour, Guide, Line, LinePlot};

/// The colour of reference lines.
pub(super) const REFERENCE: Colour = Colour([0x99; 3]);

/// The ROC curve: true against false positive rates, for every threshold.
///
/// The three vectors have one value for each point. Thresholds fall, rates rise from (0, 0) to (1,
/// 1).
#[derive(Debug, Clone, PartialEq)]
pub struct RocCurve {
    /// FP / negatives.
    pub false_positive_rate: Vec<f64>,
    /// TP / positives.
    pub true_positive_rate: Vec<f64>,
    /// Rows with this score or a higher one are predicted positive; ∞ at the first point, where
    /// none is.
    pub thresholds: Vec<f64>,
    area: f64,
}

/// Precision against recall, for every threshold.
///
/// As in scikit-learn, thresholds rise and recall falls. Precision and recall have one more point
/// at the end, (1, 0), where no row is predicted positive.
#[derive(Debug, Clone, PartialEq)]
pub struct PrecisionRecallCurve {
    /// TP / (TP + FP).
    pub precision: Vec<f64>,
    /// TP / positives.
    pub recall: Vec<f64>,
    /// Rows with this score or a higher one are predicted positive.
    pub thresholds: Vec<f64>,
    /// The fraction of positive rows: the precision of chance.
    prevalence: f64,
}

/// Returns the ROC curve of all rows.
///
/// # Errors
/// As [`roc_auc_score`](super::roc_auc_score).
pub fn roc_curve<S: Into<f64> + Copy>(
    truth: &[usize],
    scores: &[S],
) -> Result<RocCurve, MetricError> {
    BinaryScores::of_rows(truth, scores)?.roc_curve()
}

/// Returns the precision-recall curve of all rows.
///
/// # Errors
/// As [`average_precision_score`](super::average_precision_score).
pub fn precision_recall_curve<S: Into<f64> + Copy>(
    truth: &[usize],
    scores: &[S],
) -> Result<PrecisionRecallCurve, MetricError> {
    BinaryScores::of_rows(truth, scores)?.precision_recall_curve()
}

impl BinaryScores {
    /// Returns the ROC curve, without the thresholds inside a straight stretch, as scikit-learn
    /// does.
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::Undefined`] if all rows are of one class.
    pub fn roc_curve(&self) -> Result<RocCurve, MetricError> {
        Ok(RocCurve::new(&self.of_both_classes("the ROC curve")?))
    }

    /// Returns the precision-recall curve.
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::Undefined`] if no row is positive.
    pub fn precision_recall_curve(&self) -> Result<PrecisionRecallCurve, MetricError> {
        Ok(PrecisionRecallCurve::new(&self.of_positives("the precision-recall curve")?))
    }
}

impl RocCurve {
    fn new(thresholds: &Thresholds) -> Self {
        let (positives, negatives) = (thresholds.positives as f64, thresholds.negatives as f64);
        let none = Threshold { score: f64::INFINITY, true_positives: 0, false_positives: 0 };
        let corners = corners(&thresholds.of);
        let points = || std::iter::once(&none).chain(corners.iter().copied());
        let false_positive_rate: Vec<f64> =
            points().map(|point| point.false_positives as f64 / negatives).collect();
        let true_positive_rate: Vec<f64> =
            points().map(|point| point.true_positives as f64 / positives).collect();
        let thresholds = points().map(|point| point.score).collect();
        let steps = false_positive_rate.windows(2).zip(true_positive_rate.windows(2));
        let area = steps.map(|(x, y)| (x[1] - x[0]) * (y[0] + y[1]) / 2.0).sum();
        Self { false_positive_rate, true_positive_rate, thresholds, area }
    }

    /// Draws the curve and the diagonal of chance. The legend shows `label` and the area. Push
    /// further curves to the plot's lines to compare them.
    pub fn plot(&self, label: &str) -> LinePlot {
        let points = self.false_positive_rate.iter().copied();
        let points = points.zip(self.true_positive_rate.iter().copied()).collect();
        LinePlot {
            title: "ROC curve".to_owned(),
            x_axis: Axis::new("false positive rate"),
            y_axis: Axis::new("true positive rate"),
            lines: vec![
                Line {
                    colour: Some(REFERENCE),
                    ..Line::new("chance", vec![(0.0, 0.0), (1.0, 1.0)])
                },
                Line {
                    colour: Some(Colour::of_series(0)),
                    ..Line::new(format!("{label} (area {:.3})", self.area), points)
                },
            ],
            ..square()
        }
    }
}

impl PrecisionRecallCurve {
    fn new(thresholds: &Thresholds) -> Self {
        let positives = thresholds.positives as f64;
        let rising = || thresholds.of.iter().rev();
        let recall = rising().map(|point| point.true_positives as f64 / positives);
        Self {
            precision: rising().map(Threshold::precision).chain([1.0]).collect(),
            recall: recall.chain([0.0]).collect(),
            thresholds: rising().map(|point| point.score).collect(),
            prevalence: positives / (thresholds.positives + thresholds.negatives) as f64,
        }
    }

    /// Draws the curve as steps (the area under them is average precision) and the precision of
    /// chance. The legend shows `label` and the area.
    pub fn plot(&self, label: &str) -> LinePlot {
        let points: Vec<(f64, f64)> =
            self.recall.iter().copied().zip(self.precision.iter().copied()).rev().collect();
        let steps = points.windows(2).flat_map(|pair| [(pair[0].0, pair[1].1), pair[1]]).collect();
        let area: f64 = points.windows(2).map(|pair| (pair[1].0 - pair[0].0) * pair[1].1).sum();
        LinePlot {
            title: "Precision-recall curve".to_owned(),
            x_axis: Axis::new("recall"),
            y_axis: Axis::new("precision"),
            lines: vec![Line::new(format!("{label} (average precision {area:.3})"), steps)],
            guides: vec![Guide { label: "chance".to_owned(), y: self.prevalence }],
            ..square()
        }
    }
}

/// Returns an empty plot whose axes have the same scale.
pub(super) fn square() -> LinePlot {
    LinePlot { width: 560, height: 560, ..LinePlot::default() }
}

/// Drops the points inside straight stretches.
fn corners(points: &[Threshold]) -> Vec<&Threshold> {
    let turns = |index: usize| {
        let [before, at, after] = [index - 1, index, index + 1].map(|index| &points[index]);
        let steps =
            |count: fn(&Threshold) -> u64| count(after) - count(at) != count(at) - count(before);
        steps(|point| point.false_positives) || steps(|point| point.true_positives)
    };
    let last = points.len() - 1;
    (0..=last).filter(|&i| i == 0 || i == last || turns(i)).map(|i| &points[i]).collect()
}

#[cfg(test)]
mod tests {
    use crate::metrics::{precision_recall_curve, roc_curve};
    use crate::plot::Picture as _;

    #[test]
    fn curves_go_from_corner_to_corner() {
        let (truth, scores) = ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]);
        let roc = roc_curve(&truth, &scores).unwrap();
        assert_eq!(roc.false_positive_rate, [0.0, 0.0, 0.5, 0.5, 1.0]);
        assert_eq!(roc.true_positive_rate, [0.0, 0.5, 0.5, 1.0, 1.0]);
        assert_eq!(roc.thresholds, [f64::INFINITY, 0.8, 0.4, 0.35, 0.1]);
        let curve = precision_recall_curve(&truth, &scores).unwrap();
        assert_eq!(curve.precision, [0.5, 2.0 / 3.0, 0.5, 1.0, 1.0]);
        assert_eq!(curve.recall, [1.0, 1.0, 0.5, 0.5, 0.0]);
        assert_eq!(curve.thresholds, [0.1, 0.35, 0.4, 0.8]);
    }

    #[test]
    fn pictures_say_their_area() {
        let (truth, scores) = ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]);
        let svg = roc_curve(&truth, &scores).unwrap().plot("ours").to_svg().unwrap();
        assert!(svg.contains("ours (area 0.750)"), "{svg}");
        let plot = precision_recall_curve(&truth, &scores).unwrap().plot("ours");
        assert_eq!(plot.lines[0].label, "ours (average precision 0.833)");
        assert_eq!(plot.lines[0].points[..3], [(0.0, 1.0), (0.5, 1.0), (0.5, 0.5)]);
    }
}
