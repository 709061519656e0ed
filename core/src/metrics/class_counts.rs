//! For each class, the rows where it is true, predicted and both: the basis of all classification
//! scores.

use std::collections::BTreeMap;

use super::{MetricError, checks};
use crate::require;

/// How the scores of several classes are averaged.
///
/// As in scikit-learn, averages run over the classes that occur among the true or the predicted
/// ones; other classes do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Average {
    /// Computes the score from the summed counts of all classes: every row has the same weight.
    Micro,
    /// The mean over classes: every class has the same weight.
    Macro,
    /// The mean over classes, each weighted by its number of true rows.
    Weighted,
    /// The score of one class against the rest. Use `Class(1)` for two-class problems.
    Class(usize),
}

/// The value of 0/0, for example of the precision of a class that was never predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZeroDivision {
    /// It counts as 0.
    Zero,
    /// It counts as 1.
    One,
    /// It is undefined: an error for a single score, left out of means (scikit-learn's `nan`). A
    /// mean of which nothing is left is an error.
    Undefined,
}

/// A ratio of a class's counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ratio {
    Precision,
    Recall,
    FBeta(f64),
    Jaccard,
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct ClassCount {
    pub(super) true_positives: u64,
    /// The number of rows whose true class it is.
    pub(super) support: u64,
    pub(super) predicted: u64,
}

/// The counts of the classes that occur, ascending.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClassCounts(pub(super) BTreeMap<usize, ClassCount>);

impl ZeroDivision {
    pub(super) fn divide(self, numerator: f64, denominator: f64) -> Option<f64> {
        if denominator != 0.0 {
            return Some(numerator / denominator);
        }
        match self {
            Self::Zero => Some(0.0),
            Self::One => Some(1.0),
            Self::Undefined => None,
        }
    }
}

impl Ratio {
    pub(super) fn f_beta(beta: f64) -> Result<Self, MetricError> {
        require(beta >= 0.0, "beta", beta, "at least 0")?;
        Ok(Self::FBeta(beta))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::FBeta(_) => "the F score",
            Self::Jaccard => "the Jaccard score",
        }
    }

    pub(super) fn of(self, count: ClassCount, zero_division: ZeroDivision) -> Option<f64> {
        let ClassCount { true_positives, support, predicted } = count;
        let (both, support, predicted) = (true_positives as f64, support as f64, predicted as f64);
        let whole = match self {
            Self::Precision => predicted,
            Self::Recall => support,
            // (1 + β²) TP / (β² support + predicted), divided by 1 + β², so that β may be infinite.
            // F1 is 2 TP / (2 TP + FP + FN): defined also where precision is not.
            Self::FBeta(beta) => {
                let share = 1.0 / (1.0 + beta.powi(-2));
                share * support + (1.0 - share) * predicted
            }
            Self::Jaccard => support + predicted - both,
        };
        zero_division.divide(both, whole)
    }
}

impl ClassCounts {
    pub(super) fn of_rows(truth: &[usize], predicted: &[usize]) -> Result<Self, MetricError> {
        checks::length("predicted classes", truth.len(), predicted.len())?;
        let mut counts: BTreeMap<usize, ClassCount> = BTreeMap::new();
        for (&truth, &predicted) in truth.iter().zip(predicted) {
            let count = counts.entry(truth).or_default();
            count.support += 1;
            count.true_positives += u64::from(truth == predicted);
            counts.entry(predicted).or_default().predicted += 1;
        }
        Ok(Self(counts))
    }

    /// Sums the counts of all classes.
    fn sum(&self) -> Result<ClassCount, MetricError> {
        let sum = self.0.values().fold(ClassCount::default(), |sum, count| ClassCount {
            true_positives: sum.true_positives + count.true_positives,
            support: sum.support + count.support,
            predicted: sum.predicted + count.predicted,
        });
        if sum.support == 0 { Err(MetricError::Empty) } else { Ok(sum) }
    }

    pub(super) fn accuracy(&self) -> Result<f64, MetricError> {
        let sum = self.sum()?;
        Ok(sum.true_positives as f64 / sum.support as f64)
    }

    pub(super) fn balanced_accuracy(&self) -> Result<f64, MetricError> {
        self.score(Ratio::Recall, Average::Macro, ZeroDivision::Undefined)
    }

    pub(super) fn mcc(&self) -> Result<f64, MetricError> {
        let sum = self.sum()?;
        // Whole numbers up to the last step: differences of squares would lose digits.
        let products = |product: fn(&ClassCount) -> (u64, u64)| -> i128 {
            let pairs = self.0.values().map(product);
            pairs.map(|(a, b)| i128::from(a) * i128::from(b)).sum()
        };
        let rows = i128::from(sum.support);
        let both = i128::from(sum.true_positives) * rows
            - products(|count| (count.support, count.predicted));
        let truth = rows * rows - products(|count| (count.support, count.support));
        let predicted = rows * rows - products(|count| (count.predicted, count.predicted));
        if truth == 0 || predicted == 0 {
            return Err(MetricError::Undefined {
                score: "MCC",
                why: "there must be at least two true and two predicted classes",
            });
        }
        Ok(both as f64 / (truth as f64 * predicted as f64).sqrt())
    }

    pub(super) fn score(
        &self,
        ratio: Ratio,
        average: Average,
        zero_division: ZeroDivision,
    ) -> Result<f64, MetricError> {
        let sum = self.sum()?;
        let classes = || {
            let counts = self.0.values();
            counts.filter_map(|&count| Some((ratio.of(count, zero_division)?, count.support)))
        };
        let score = match average {
            Average::Micro => ratio.of(sum, zero_division),
            Average::Class(class) => {
                ratio.of(self.0.get(&class).copied().unwrap_or_default(), zero_division)
            }
            Average::Macro => weighted_mean(classes().map(|(score, _)| (score, 1.0))),
            Average::Weighted => {
                weighted_mean(classes().map(|(score, support)| (score, support as f64)))
            }
        };
        score.ok_or(MetricError::Undefined {
            score: ratio.name(),
            why: "it is 0/0: no row is of the class asked for",
        })
    }
}

/// Returns the mean of (value, weight); `None` if the weights sum to 0.
pub(super) fn weighted_mean(values: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let (sum, weights) = values.fold((0.0, 0.0), |(sum, weights), (value, weight)| {
        (sum + value * weight, weights + weight)
    });
    (weights > 0.0).then(|| sum / weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(truth: &[usize], predicted: &[usize]) -> ClassCounts {
        ClassCounts::of_rows(truth, predicted).unwrap()
    }

    #[test]
    fn f1_is_defined_where_precision_is_not() {
        // Class 1 is never predicted: its precision is 0/0, but F1 = 2·0 / (0 + 0 + 2).
        let counts = counts(&[0, 1, 1], &[0, 0, 0]);
        let score = |ratio| counts.score(ratio, Average::Class(1), ZeroDivision::Undefined);
        assert!(matches!(score(Ratio::Precision), Err(MetricError::Undefined { .. })));
        assert_eq!(score(Ratio::FBeta(1.0)), Ok(0.0));
        assert_eq!(score(Ratio::Recall), Ok(0.0));
    }

    #[test]
    fn beta_runs_from_precision_to_recall() {
        let counts = counts(&[0, 1, 1, 1], &[1, 1, 0, 0]);
        let score = |ratio| counts.score(ratio, Average::Class(1), ZeroDivision::Zero).unwrap();
        assert_eq!(score(Ratio::FBeta(0.0)), score(Ratio::Precision));
        assert_eq!(score(Ratio::FBeta(f64::INFINITY)), score(Ratio::Recall));
        assert_eq!(score(Ratio::FBeta(1e200)), score(Ratio::Recall));
        assert_eq!(score(Ratio::FBeta(1.0)), 0.4);
        assert!(Ratio::f_beta(-1.0).is_err() && Ratio::f_beta(f64::NAN).is_err());
    }

    #[test]
    fn zero_division_is_what_was_chosen() {
        // Precision: class 0 1/2, class 1 0/0, class 2 0/1.
        let counts = counts(&[0, 1, 1], &[0, 0, 2]);
        let precision =
            |zero_division| counts.score(Ratio::Precision, Average::Macro, zero_division).unwrap();
        assert_eq!(precision(ZeroDivision::Zero), 0.5 / 3.0);
        assert_eq!(precision(ZeroDivision::One), 0.5);
        assert_eq!(precision(ZeroDivision::Undefined), 0.25);
    }

    #[test]
    fn mcc_of_one_class_is_undefined_and_of_many_rows_exact() {
        assert!(counts(&[1, 1], &[0, 1]).mcc().is_err());
        assert!(counts(&[0, 1], &[1, 1]).mcc().is_err());
        let count = ClassCount { true_positives: 1 << 40, support: 1 << 40, predicted: 1 << 40 };
        let many = ClassCounts(BTreeMap::from([(0, count), (1, count)]));
        assert_eq!(many.mcc(), Ok(1.0));
    }

    #[test]
    fn nothing_has_no_score() {
        let nothing = counts(&[], &[]);
        assert_eq!(nothing.accuracy(), Err(MetricError::Empty));
        assert_eq!(nothing.balanced_accuracy(), Err(MetricError::Empty));
        assert_eq!(nothing.mcc(), Err(MetricError::Empty));
        let score = nothing.score(Ratio::Recall, Average::Macro, ZeroDivision::One);
        assert_eq!(score, Err(MetricError::Empty));
    }
}
