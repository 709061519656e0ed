//! The classification report: precision, recall and F1 of all classes as a table.

use std::fmt;

use super::MetricError;
use super::class_counts::{Average, ClassCounts, Ratio, ZeroDivision};

/// The scores of each class and their averages; its `Display` is scikit-learn's table.
///
/// Undefined scores, `None`, print as a dash.
///
/// ```
/// use gymnast_core::metrics::{ZeroDivision, classification_report};
///
/// let report = classification_report(&[0, 1, 2, 2], &[0, 0, 2, 2], ZeroDivision::Zero)?;
/// assert_eq!(report.accuracy, 0.75);
/// assert!(report.to_string().contains("macro avg"));
/// # Ok::<(), gymnast_core::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ClassificationReport {
    /// The classes that occur among the true or the predicted ones, ascending.
    pub classes: Vec<ClassScores>,
    /// The fraction of rows whose class was predicted.
    pub accuracy: f64,
    /// The mean of each score over the classes.
    pub macro_average: MeanScores,
    /// The mean of each score over the classes, weighted by support.
    pub weighted_average: MeanScores,
    /// The number of rows.
    pub rows: u64,
}

/// One class of a [`ClassificationReport`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClassScores {
    /// The number of the class.
    pub class: usize,
    /// The name of the class.
    pub name: String,
    /// TP / (TP + FP).
    pub precision: Option<f64>,
    /// TP / (TP + FN).
    pub recall: Option<f64>,
    /// 2 TP / (2 TP + FP + FN).
    pub f1: Option<f64>,
    /// The number of rows whose true class it is.
    pub support: u64,
}

/// One average of a [`ClassificationReport`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanScores {
    /// The mean precision.
    pub precision: Option<f64>,
    /// The mean recall.
    pub recall: Option<f64>,
    /// The mean F1.
    pub f1: Option<f64>,
}

/// Returns the report of all rows; classes are named by their numbers.
///
/// # Errors
/// [`MetricError::Length`], [`MetricError::Empty`].
pub fn classification_report(
    truth: &[usize],
    predicted: &[usize],
    zero_division: ZeroDivision,
) -> Result<ClassificationReport, MetricError> {
    let counts = ClassCounts::of_rows(truth, predicted)?;
    ClassificationReport::new(&counts, |class| class.to_string(), zero_division)
}

const F1: Ratio = Ratio::FBeta(1.0);

impl ClassificationReport {
    pub(super) fn new(
        counts: &ClassCounts,
        name: impl Fn(usize) -> String,
        zero_division: ZeroDivision,
    ) -> Result<Self, MetricError> {
        let accuracy = counts.accuracy()?;
        let class = |(&class, &count)| ClassScores {
            class,
            name: name(class),
            precision: Ratio::Precision.of(count, zero_division),
            recall: Ratio::Recall.of(count, zero_division),
            f1: F1.of(count, zero_division),
            support: count.support,
        };
        let mean = |average| {
            let mean = |ratio| counts.score(ratio, average, zero_division).ok();
            MeanScores {
                precision: mean(Ratio::Precision),
                recall: mean(Ratio::Recall),
                f1: mean(F1),
            }
        };
        let classes: Vec<ClassScores> = counts.0.iter().map(class).collect();
        Ok(Self {
            rows: classes.iter().map(|class| class.support).sum(),
            classes,
            accuracy,
            macro_average: mean(Average::Macro),
            weighted_average: mean(Average::Weighted),
        })
    }
}

impl fmt::Display for ClassificationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.classes.iter().map(|class| class.name.chars().count());
        let width = names.max().unwrap_or(0).max("weighted avg".len());
        let number =
            |score: Option<f64>| score.map_or("–".to_owned(), |score| format!("{score:.2}"));
        let row =
            |f: &mut fmt::Formatter<'_>, name: &str, scores: [Option<f64>; 3], support: u64| {
                let [precision, recall, f1] = scores.map(number);
                writeln!(f, "{name:>width$}  {precision:>9} {recall:>9} {f1:>9} {support:>9}")
            };
        writeln!(
            f,
            "{:>width$}  {:>9} {:>9} {:>9} {:>9}\n",
            "", "precision", "recall", "f1-score", "support"
        )?;
        for class in &self.classes {
            let scores = [class.precision, class.recall, class.f1];
            row(f, &class.name, scores, class.support)?;
        }
        let accuracy = number(Some(self.accuracy));
        writeln!(
            f,
            "\n{:>width$}  {:>9} {:>9} {accuracy:>9} {:>9}",
            "accuracy", "", "", self.rows
        )?;
        for (name, mean) in
            [("macro avg", self.macro_average), ("weighted avg", self.weighted_average)]
        {
            row(f, name, [mean.precision, mean.recall, mean.f1], self.rows)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_undefined_is_a_dash_and_left_out_of_means() {
        let undefined = ZeroDivision::Undefined;
        let report = classification_report(&[0, 1], &[0, 0], undefined).unwrap();
        assert_eq!(report.classes[1].precision, None);
        assert_eq!(report.macro_average.precision, Some(0.5));
        assert!(
            report.to_string().contains("           1          –      0.00      0.00         1")
        );
        assert_eq!(classification_report(&[], &[], undefined), Err(MetricError::Empty));
    }
}
