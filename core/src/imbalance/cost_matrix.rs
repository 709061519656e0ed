//! Cost-sensitive decisions.

use super::ImbalanceError;
use crate::data::DataError;
use crate::metrics::{ConfusionMatrix, MetricError, uneven_row};
use crate::require;

/// The largest cost: sums of costs, and products with counts of rows, stay finite.
const LARGEST: f64 = 1e100;

/// The cost of predicting a class for rows of each class; gains are negative costs.
///
/// Elkan, "The foundations of cost-sensitive learning" (2001).
///
/// ```
/// use gymnast_core::imbalance::CostMatrix;
///
/// // To miss a poor wine costs nine times what a false alarm does.
/// let costs = CostMatrix::new(vec![0.0, 1.0, 9.0, 0.0], 2)?;
/// assert_eq!(costs.decide(&[0.85, 0.15])?, [1]);
/// assert_eq!(costs.threshold()?, 0.1);
/// # Ok::<(), gymnast_core::imbalance::ImbalanceError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CostMatrix {
    costs: Vec<f64>, // [C, C], truth by decision
    classes: usize,
}

impl CostMatrix {
    /// Creates a matrix from costs `[C, C]`: truth in rows, decision in columns, as in a
    /// [`ConfusionMatrix`].
    ///
    /// # Errors
    /// [`ImbalanceError::Setting`] for fewer than two classes or a cost beyond ±10¹⁰⁰,
    /// [`ImbalanceError::Data`].
    pub fn new(costs: Vec<f64>, classes: usize) -> Result<Self, ImbalanceError> {
        require(classes >= 2, "the number of classes", classes as f64, "at least 2")?;
        let (expected, got) = (classes.saturating_mul(classes), costs.len());
        if expected != got {
            return Err(DataError::Count { what: "costs", expected, got }.into());
        }
        for &cost in &costs {
            require(cost.abs() <= LARGEST, "a cost", cost, "a number from -1e100 to 1e100")?;
        }
        Ok(Self { costs, classes })
    }

    /// Returns the number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Returns the cost of predicting `decision` if `truth` is true.
    ///
    /// # Panics
    /// If a class does not exist.
    pub fn cost(&self, truth: usize, decision: usize) -> f64 {
        assert!(decision < self.classes, "class {decision} of {}", self.classes);
        self.costs[truth * self.classes + decision]
    }

    /// Returns the class with the lowest expected cost for each row of probabilities, `[N, C]`; the
    /// first of equals. Computes `argmin_d Σ_t p(t) cost(t, d)`, Elkan's equation 1.
    ///
    /// It needs calibrated probabilities: train without class weights and resampling.
    ///
    /// # Errors
    /// [`ImbalanceError::Data`] if the numbers do not form whole rows, [`ImbalanceError::Setting`]
    /// if one is not a probability, [`ImbalanceError::Metric`] if a row does not sum to 1.
    pub fn decide(&self, probabilities: &[f64]) -> Result<Vec<usize>, ImbalanceError> {
        let (classes, got) = (self.classes, probabilities.len());
        if !got.is_multiple_of(classes) {
            let expected = got.next_multiple_of(classes);
            return Err(DataError::Count { what: "probabilities", expected, got }.into());
        }
        for &p in probabilities {
            require((0.0..=1.0).contains(&p), "a probability", p, "in [0, 1]")?;
        }
        if let Some((row, sum)) = uneven_row(probabilities, classes, f32::EPSILON.into()) {
            return Err(MetricError::RowSum { row, sum }.into());
        }
        let decide = |row: &[f64]| {
            let expected = |decision: usize| -> f64 {
                row.iter().enumerate().map(|(truth, p)| p * self.cost(truth, decision)).sum()
            };
            (1..classes).fold(0, |best, d| if expected(d) < expected(best) { d } else { best })
        };
        Ok(probabilities.chunks_exact(classes).map(decide).collect())
    }

    /// Returns the probability of class 1 from which deciding for it is cheaper, for two classes:
    /// `(c₀₁ − c₀₀) / (c₀₁ − c₀₀ + c₁₀ − c₁₁)`, truth first; Elkan's equation 2.
    ///
    /// # Errors
    /// [`ImbalanceError::Data`] unless there are two classes, [`ImbalanceError::NoThreshold`]
    /// unless both errors cost more than the right decisions.
    pub fn threshold(&self) -> Result<f64, ImbalanceError> {
        let &[right_0, alarm, miss, right_1] = self.costs.as_slice() else {
            return Err(DataError::Count { what: "classes", expected: 2, got: self.classes }.into());
        };
        if alarm <= right_0 || miss <= right_1 {
            return Err(ImbalanceError::NoThreshold);
        }
        Ok((alarm - right_0) / (alarm - right_0 + miss - right_1))
    }

    /// Returns the mean cost of a row for the decisions in a confusion matrix.
    ///
    /// # Errors
    /// [`ImbalanceError::Data`] if it has another number of classes, [`ImbalanceError::Metric`] if
    /// it is empty.
    pub fn mean_cost(&self, matrix: &ConfusionMatrix) -> Result<f64, ImbalanceError> {
        let (what, expected, got) = ("classes", self.classes, matrix.classes());
        if expected != got {
            return Err(DataError::Count { what, expected, got }.into());
        }
        if matrix.rows() == 0 {
            return Err(MetricError::Empty.into());
        }
        let costs = self.costs.iter().zip(matrix.counts());
        Ok(costs.map(|(cost, &n)| cost * n as f64).sum::<f64>() / matrix.rows() as f64)
    }
}
