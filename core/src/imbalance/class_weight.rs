//! Class weights for imbalanced data.

use serde::{Deserialize, Serialize};

use super::ImbalanceError;
use crate::data::DataError;
use crate::require;

/// The weights of the classes: the `class_weight` of [`Loss::CrossEntropy`](crate::loss::Loss), the
/// `alpha` of [`Loss::Focal`](crate::loss::Loss).
///
/// ```
/// use gymnast_core::imbalance::ClassWeight;
///
/// assert_eq!(ClassWeight::Balanced.weights(&[90, 10])?, Some(vec![100.0 / 180.0, 5.0]));
/// # Ok::<(), gymnast_core::imbalance::ImbalanceError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClassWeight {
    /// Weight 1 for every row.
    #[default]
    Uniform,
    /// Weights inverse to the class frequencies, `N / (C n_c)`: all classes have the same total
    /// weight, and the mean weight of a row is 1; scikit-learn's `balanced`.
    Balanced,
    /// Weights inverse to the [`effective_number`] of rows of a class, with the sum C: the
    /// class-balanced loss of Cui et al. (2019), between `Uniform` (β = 0) and nearly `Balanced` (β
    /// → 1).
    EffectiveNumber {
        /// β, in [0, 1): about 1 / (1 − β) rows cover a class. 0: uniform weights.
        beta: f64,
    },
    /// These weights, class 0 first; ≥ 0.
    Given(Vec<f32>),
}

impl ClassWeight {
    /// Returns the weight of each class, class 0 first; `None` if all weights are 1. `counts` are
    /// the rows of each class: [`Dataset::class_counts`](crate::data::Dataset::class_counts) of the
    /// training rows.
    ///
    /// # Errors
    /// [`ImbalanceError::EmptyClass`] if a class has no rows, [`ImbalanceError::Setting`],
    /// [`ImbalanceError::Data`] unless there is one given weight for each class.
    pub fn weights(&self, counts: &[usize]) -> Result<Option<Vec<f32>>, ImbalanceError> {
        let weights = match self {
            Self::Uniform => return Ok(None),
            Self::Balanced => {
                check_no_empty_class(counts)?;
                let mean = counts.iter().map(|&n| n as f64).sum::<f64>() / counts.len() as f64;
                counts.iter().map(|&n| (mean / n as f64) as f32).collect()
            }
            Self::EffectiveNumber { beta } => {
                check_no_empty_class(counts)?;
                let inverse = |&n: &usize| Ok(1.0 / effective_number(n, *beta)?);
                let inverses: Result<Vec<f64>, ImbalanceError> =
                    counts.iter().map(inverse).collect();
                let inverses = inverses?;
                let mean = inverses.iter().sum::<f64>() / counts.len() as f64;
                inverses.into_iter().map(|inverse| (inverse / mean) as f32).collect()
            }
            Self::Given(weights) => {
                for &weight in weights {
                    let fits = weight >= 0.0 && weight.is_finite();
                    require(fits, "class_weight", f64::from(weight), "finite and ≥ 0")?;
                }
                let (what, expected, got) = ("class weights", counts.len(), weights.len());
                if expected != got {
                    return Err(DataError::Count { what, expected, got }.into());
                }
                weights.clone()
            }
        };
        Ok(Some(weights))
    }
}

/// Returns the effective number of rows, `(1 − βⁿ) / (1 − β)`: the part of a class that `n` rows
/// cover, if each overlaps the covered part with probability β.
///
/// Cui et al., "Class-balanced loss based on effective number of samples" (2019),
/// <https://arxiv.org/abs/1901.05555>, proposition 1.
///
/// # Errors
/// [`ImbalanceError::Setting`] unless `beta` lies in [0, 1).
pub fn effective_number(n: usize, beta: f64) -> Result<f64, ImbalanceError> {
    require((0.0..1.0).contains(&beta), "beta", beta, "in [0, 1)")?;
    // 1 − βⁿ without cancelling: −expm1(n ln β).
    Ok(if beta == 0.0 { n.min(1) as f64 } else { -(n as f64 * beta.ln()).exp_m1() / (1.0 - beta) })
}

fn check_no_empty_class(counts: &[usize]) -> Result<(), ImbalanceError> {
    match counts.iter().position(|&n| n == 0) {
        Some(class) => Err(ImbalanceError::EmptyClass { class }),
        None if counts.is_empty() => Err(ImbalanceError::Classes { got: 0 }),
        None => Ok(()),
    }
}
