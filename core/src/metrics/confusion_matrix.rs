//! The confusion matrix: true against predicted classes.

use super::class_counts::{Average, ClassCount, ClassCounts, Ratio, ZeroDivision};
use super::classification_report::ClassificationReport;
use super::{MetricError, checks};
use crate::plot::{Cell, HeatMap};
use crate::require;

/// Counts the rows of each true class that were predicted as each class: truth in rows, prediction
/// in columns.
///
/// The number of classes is fixed: a class that does not exist is an error, not one more row, so a
/// stray label cannot fill the memory, and the matrices of folds or subgroups have the same shape.
/// Averages still run only over classes that occur.
///
/// ```
/// use gymnast_core::metrics::{ConfusionMatrix, Normalize};
/// use gymnast_core::plot::Picture as _;
///
/// let mut matrix = ConfusionMatrix::with_names(["cat", "dog"])?;
/// matrix.update(&[0, 0, 1], &[0, 1, 1])?;
/// assert_eq!((matrix.count(0, 1), matrix.count(1, 0)), (1, 0));
/// let picture = matrix.plot(Normalize::Counts);
/// assert!(picture.to_svg()?.contains("cat"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ConfusionMatrix {
    names: Vec<String>,
    counts: Vec<u64>, // [C, C], truth by prediction
}

/// What the cells of a [`ConfusionMatrix`] are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalize {
    /// Nothing: cells are numbers of rows.
    Counts,
    /// The rows of the true class: recall on the diagonal.
    Truth,
    /// The rows of the predicted class: precision on the diagonal.
    Predicted,
    /// All rows.
    All,
}

/// Returns the confusion matrix of all rows.
///
/// # Errors
/// As [`ConfusionMatrix::new`] and [`ConfusionMatrix::update`].
pub fn confusion_matrix(
    truth: &[usize],
    predicted: &[usize],
    classes: usize,
) -> Result<ConfusionMatrix, MetricError> {
    let mut matrix = ConfusionMatrix::new(classes)?;
    matrix.update(truth, predicted)?;
    Ok(matrix)
}

impl ConfusionMatrix {
    /// Creates an empty matrix of `classes` classes, named by their numbers.
    ///
    /// # Errors
    /// [`MetricError::Setting`] if `classes` is 0 or too large for the memory.
    pub fn new(classes: usize) -> Result<Self, MetricError> {
        // Before a name is made: the number may be beyond all memory.
        let counts = zeros(classes)?;
        Ok(Self { names: (0..classes).map(|class| class.to_string()).collect(), counts })
    }

    /// Creates an empty matrix with one class for each name.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn with_names<N: Into<String>>(
        names: impl IntoIterator<Item = N>,
    ) -> Result<Self, MetricError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        Ok(Self { counts: zeros(names.len())?, names })
    }

    /// Counts a batch of rows: their true classes, `[B]`, and the predicted ones, `[B]`.
    ///
    /// # Errors
    /// [`MetricError::Length`], [`MetricError::Class`].
    pub fn update(&mut self, truth: &[usize], predicted: &[usize]) -> Result<(), MetricError> {
        checks::length("predicted classes", truth.len(), predicted.len())?;
        checks::classes(truth, self.classes())?;
        checks::classes(predicted, self.classes())?;
        let classes = self.classes();
        for (&truth, &predicted) in truth.iter().zip(predicted) {
            self.counts[truth * classes + predicted] += 1;
        }
        Ok(())
    }

    /// Returns the number of classes.
    pub fn classes(&self) -> usize {
        self.names.len()
    }

    /// Returns the names of the classes.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Returns the number of rows of class `truth` that were predicted as class `predicted`; 0 for
    /// a class that does not exist.
    pub fn count(&self, truth: usize, predicted: usize) -> u64 {
        let classes = self.classes();
        if truth < classes && predicted < classes {
            self.counts[truth * classes + predicted]
        } else {
            0
        }
    }

    /// Returns all cells, row by row: `[C, C]`.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// Returns the number of rows counted.
    pub fn rows(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns all cells as fractions, row by row, `[C, C]`; `None` where the denominator is 0.
    /// [`Normalize::Counts`] returns the counts.
    pub fn normalized(&self, normalize: Normalize) -> Vec<Option<f64>> {
        let classes = self.classes();
        let mut by_truth = vec![0; classes];
        let mut by_prediction = vec![0; classes];
        for (cell, count) in self.counts.iter().enumerate() {
            by_truth[cell / classes] += count;
            by_prediction[cell % classes] += count;
        }
        let all = self.rows();
        let share = |(cell, &count): (usize, &u64)| {
            let whole = match normalize {
                Normalize::Counts => 1,
                Normalize::Truth => by_truth[cell / classes],
                Normalize::Predicted => by_prediction[cell % classes],
                Normalize::All => all,
            };
            ZeroDivision::Undefined.divide(count as f64, whole as f64)
        };
        self.counts.iter().enumerate().map(share).collect()
    }

    /// Draws the matrix as a heat map: darker cells hold more. A fraction with denominator 0 is a
    /// dash.
    pub fn plot(&self, normalize: Normalize) -> HeatMap {
        let values = self.normalized(normalize);
        let most = match normalize {
            Normalize::Counts => {
                values.iter().flatten().fold(0.0_f64, |most, &value| most.max(value))
            }
            Normalize::Truth | Normalize::Predicted | Normalize::All => 1.0,
        };
        let text = |value: f64| match normalize {
            Normalize::Counts => value.to_string(),
            Normalize::Truth | Normalize::Predicted | Normalize::All => format!("{value:.2}"),
        };
        let cell = |value: Option<f64>| Cell {
            intensity: value.filter(|_| most > 0.0).map_or(0.0, |value| value / most),
            text: value.map_or("–".to_owned(), text),
        };
        HeatMap {
            title: "Confusion matrix".to_owned(),
            x_label: "predicted class".to_owned(),
            y_label: "true class".to_owned(),
            columns: self.names.clone(),
            rows: self.names.clone(),
            cells: values.into_iter().map(cell).collect(),
        }
    }

    /// Returns the fraction of rows whose class was predicted.
    ///
    /// # Errors
    /// [`MetricError::Empty`].
    pub fn accuracy(&self) -> Result<f64, MetricError> {
        self.class_counts().accuracy()
    }

    /// Returns the mean recall over the classes that occur among the true ones.
    ///
    /// # Errors
    /// [`MetricError::Empty`].
    pub fn balanced_accuracy(&self) -> Result<f64, MetricError> {
        self.class_counts().balanced_accuracy()
    }

    /// Returns Matthews' correlation coefficient; see
    /// [`matthews_corrcoef`](super::matthews_corrcoef).
    ///
    /// # Errors
    /// [`MetricError::Empty`], [`MetricError::Undefined`].
    pub fn mcc(&self) -> Result<f64, MetricError> {
        self.class_counts().mcc()
    }

    /// Returns the precision, TP / (TP + FP).
    ///
    /// # Errors
    /// [`MetricError::Empty`]; [`MetricError::Undefined`] for 0/0 under
    /// [`ZeroDivision::Undefined`]; [`MetricError::Setting`] if [`Average::Class`] names a class
    /// that does not exist.
    pub fn precision(
        &self,
        average: Average,
        zero_division: ZeroDivision,
    ) -> Result<f64, MetricError> {
        self.score(Ratio::Precision, average, zero_division)
    }

    /// Returns the recall, TP / (TP + FN).
    ///
    /// # Errors
    /// As [`precision`](Self::precision).
    pub fn recall(
        &self,
        average: Average,
        zero_division: ZeroDivision,
    ) -> Result<f64, MetricError> {
        self.score(Ratio::Recall, average, zero_division)
    }

    /// Returns the F1 score, 2 TP / (2 TP + FP + FN).
    ///
    /// # Errors
    /// As [`precision`](Self::precision).
    pub fn f1(&self, average: Average, zero_division: ZeroDivision) -> Result<f64, MetricError> {
        self.fbeta(1.0, average, zero_division)
    }

    /// Returns the F-beta score, (1 + β²) TP / ((1 + β²) TP + β² FN + FP).
    ///
    /// # Errors
    /// As [`precision`](Self::precision); [`MetricError::Setting`] if `beta` is negative or NaN.
    pub fn fbeta(
        &self,
        beta: f64,
        average: Average,
        zero_division: ZeroDivision,
    ) -> Result<f64, MetricError> {
        self.score(Ratio::f_beta(beta)?, average, zero_division)
    }

    /// Returns the Jaccard score, TP / (TP + FP + FN).
    ///
    /// # Errors
    /// As [`precision`](Self::precision).
    pub fn jaccard(
        &self,
        average: Average,
        zero_division: ZeroDivision,
    ) -> Result<f64, MetricError> {
        self.score(Ratio::Jaccard, average, zero_division)
    }

    /// Returns precision, recall and F1 of each class and their averages, to print as a table.
    ///
    /// # Errors
    /// [`MetricError::Empty`].
    pub fn report(&self, zero_division: ZeroDivision) -> Result<ClassificationReport, MetricError> {
        let name = |class: usize| self.names[class].clone();
        ClassificationReport::new(&self.class_counts(), name, zero_division)
    }

    fn score(
        &self,
        ratio: Ratio,
        average: Average,
        zero_division: ZeroDivision,
    ) -> Result<f64, MetricError> {
        if let Average::Class(class) = average {
            let exists = class < self.classes();
            require(exists, "the class", class as f64, "one of the matrix")?;
        }
        self.class_counts().score(ratio, average, zero_division)
    }

    fn class_counts(&self) -> ClassCounts {
        let classes = self.classes();
        let mut counts = vec![ClassCount::default(); classes];
        for (cell, &count) in self.counts.iter().enumerate() {
            let (truth, predicted) = (cell / classes, cell % classes);
            counts[truth].support += count;
            counts[predicted].predicted += count;
            counts[truth].true_positives += if truth == predicted { count } else { 0 };
        }
        let occurs = |(_, count): &(usize, ClassCount)| count.support + count.predicted > 0;
        ClassCounts(counts.into_iter().enumerate().filter(occurs).collect())
    }
}

fn zeros(classes: usize) -> Result<Vec<u64>, MetricError> {
    let mut counts = Vec::new();
    const MOST: usize = 1 << 28; // 2 GiB
    let cells = classes.checked_mul(classes).filter(|cells| (1..=MOST).contains(cells));
    let fits = cells.is_some_and(|cells| counts.try_reserve_exact(cells).is_ok());
    require(fits, "classes", classes as f64, "at least 1, and their square fit in memory")?;
    counts.resize(classes * classes, 0);
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_in_rows() {
        let matrix = confusion_matrix(&[0, 0, 1, 2], &[1, 1, 1, 0], 3).unwrap();
        assert_eq!(matrix.counts(), [0, 2, 0, 0, 1, 0, 1, 0, 0]);
        assert_eq!((matrix.count(0, 1), matrix.count(1, 0), matrix.count(3, 0)), (2, 0, 0));
        assert_eq!(matrix.rows(), 4);
    }

    #[test]
    fn shares_of_nothing_are_none() {
        let matrix = confusion_matrix(&[0, 0, 0, 0], &[0, 0, 0, 1], 2).unwrap();
        let shares = |normalize| matrix.normalized(normalize);
        assert_eq!(shares(Normalize::Truth), [Some(0.75), Some(0.25), None, None]);
        assert_eq!(shares(Normalize::Predicted), [Some(1.0), Some(1.0), Some(0.0), Some(0.0)]);
        assert_eq!(shares(Normalize::All), [Some(0.75), Some(0.25), Some(0.0), Some(0.0)]);
        assert_eq!(shares(Normalize::Counts), [3.0, 1.0, 0.0, 0.0].map(Some));
        assert_eq!(matrix.plot(Normalize::Truth).cells[2].text, "–");
    }

    #[test]
    fn a_refused_batch_leaves_the_matrix_as_it_was() {
        let mut matrix = ConfusionMatrix::new(2).unwrap();
        matrix.update(&[0, 1], &[0, 1]).unwrap();
        let before = matrix.clone();
        let error = matrix.update(&[0, 1], &[1, 2]).unwrap_err();
        assert_eq!(error.to_string(), "row 1 is of class 2: expected a class below 2");
        let error = matrix.update(&[0, 1], &[1]).unwrap_err();
        assert_eq!(error.to_string(), "expected 2 predicted classes, got 1");
        assert_eq!(matrix, before);
        assert!(matrix.f1(Average::Class(2), ZeroDivision::Zero).is_err());
    }

    #[test]
    fn a_number_of_classes_that_cannot_be_is_refused() {
        for classes in [0, usize::MAX, 1 << 31] {
            assert!(matches!(ConfusionMatrix::new(classes), Err(MetricError::Setting(_))));
        }
    }

    #[test]
    fn classes_that_nobody_met_do_not_count() {
        let of_three = confusion_matrix(&[0, 1, 1], &[0, 0, 1], 3).unwrap();
        let of_two = confusion_matrix(&[0, 1, 1], &[0, 0, 1], 2).unwrap();
        let f1 = |matrix: &ConfusionMatrix| matrix.f1(Average::Macro, ZeroDivision::Zero);
        assert_eq!(f1(&of_three), f1(&of_two));
        assert_eq!(f1(&of_two), Ok(2.0 / 3.0));
    }
}
