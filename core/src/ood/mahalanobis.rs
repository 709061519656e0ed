//! The Mahalanobis score: distance to the nearest class.

use serde::{Deserialize, Serialize};

use super::{OodError, check_finite};
use crate::data::{DataError, Table};
use crate::require;

/// The negative squared Mahalanobis distance of features to the nearest class: `max_c −(x − μ_c)ᵀ
/// Σ⁻¹ (x − μ_c)`, with normal distributions around the class means and one shared covariance. 0 at
/// a mean, negative elsewhere.
///
/// Lee et al., "A simple unified framework for detecting out-of-distribution samples and
/// adversarial attacks" (2018), <https://arxiv.org/abs/1807.03888>, equations 1 and 2. Features are
/// an encoder's outputs for the training rows, or the rows themselves. `Σ` is shrunk towards a
/// multiple of the identity, `(1 − s) Σ + s tr(Σ)/d I`, scikit-learn's `shrunk_covariance`:
/// features that hardly vary or depend on each other would make it singular. Scale features of
/// different units first ([`StandardScaler`](crate::data::StandardScaler)), because the identity
/// adds the same to each.
///
/// ```
/// use gymnast_core::{data::Table, ood::Mahalanobis};
///
/// // Two classes, around (0, 0) and (10, 0).
/// let features = Table::new(vec![-1.0, 0.0, 1.0, 0.0, 0.0, 2.0, 10.0, 2.0, 10.0, -2.0], 2)?;
/// let near = Mahalanobis::fit(&features, &[0, 0, 0, 1, 1], 0.1)?;
/// let scores = near.scores(&Table::new(vec![10.0, 0.0, 5.0, 0.0], 2)?)?;
/// assert!(scores[0] > scores[1]);
/// # Ok::<(), gymnast_core::ood::OodError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Mahalanobis {
    means: Vec<f64>,  // [C, d]
    factor: Vec<f64>, // [d, d], lower triangular: Σ = L Lᵀ
    width: usize,
}

/// What came from a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    means: Vec<f64>,
    factor: Vec<f64>,
    width: usize,
}

impl TryFrom<Unchecked> for Mahalanobis {
    type Error = OodError;

    fn try_from(Unchecked { means, factor, width }: Unchecked) -> Result<Self, OodError> {
        require(width > 0, "width", width as f64, "at least 1")?;
        let whole = means.len().max(1).next_multiple_of(width);
        for (what, expected, got) in [
            ("numbers in the means", whole, means.len()),
            ("numbers in the factor", width.saturating_mul(width), factor.len()),
        ] {
            if expected != got {
                return Err(DataError::Count { what, expected, got }.into());
            }
        }
        for &number in means.iter().chain(&factor) {
            require(number.is_finite(), "a mean or factor", number, "finite")?;
        }
        for &number in factor.iter().step_by(width + 1) {
            require(number > 0.0, "the factor's diagonal", number, "positive")?;
        }
        Ok(Self { means, factor, width })
    }
}

impl Mahalanobis {
    /// Fits means and covariance to rows of features, `[N, d]`, with their classes, `[N]`. Equal
    /// classes for all rows give a single normal distribution. A class without rows is skipped.
    ///
    /// # Errors
    /// [`OodError::Setting`] unless `shrinkage` lies in [0, 1], [`OodError::Data`],
    /// [`OodError::Empty`], [`OodError::NotFinite`]; [`OodError::Singular`] if the shrunk
    /// covariance is singular, as it always is without shrinkage for fewer rows than features.
    pub fn fit(features: &Table, classes: &[usize], shrinkage: f64) -> Result<Self, OodError> {
        require((0.0..=1.0).contains(&shrinkage), "shrinkage", shrinkage, "in [0, 1]")?;
        let (n, width) = (features.len(), features.width());
        if classes.len() != n {
            return Err(
                DataError::Count { what: "classes", expected: n, got: classes.len() }.into()
            );
        }
        if n == 0 {
            return Err(OodError::Empty);
        }
        check_finite(features.values(), width)?;
        let mut known = classes.to_vec();
        known.sort_unstable();
        known.dedup();
        let place = |class: &usize| known.binary_search(class).expect("it is among them");
        let (mut means, mut counts) = (vec![0.0; known.len() * width], vec![0.0; known.len()]);
        let rows = || features.values().chunks_exact(width).zip(classes.iter().map(place));
        for (row, class) in rows() {
            counts[class] += 1.0;
            let mean = &mut means[class * width..][..width];
            mean.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
        }
        for (mean, count) in means.chunks_exact_mut(width).zip(&counts) {
            mean.iter_mut().for_each(|sum| *sum /= count);
        }
        let mut covariance = vec![0.0; width * width];
        let mut off = vec![0.0; width];
        for (row, class) in rows() {
            subtract(row, &means[class * width..][..width], &mut off);
            for i in 0..width {
                for j in 0..=i {
                    covariance[i * width + j] += off[i] * off[j] / n as f64;
                }
            }
        }
        let trace: f64 = (0..width).map(|i| covariance[i * (width + 1)]).sum();
        covariance.iter_mut().for_each(|x| *x *= 1.0 - shrinkage);
        (0..width).for_each(|i| covariance[i * (width + 1)] += shrinkage * trace / width as f64);
        let factor = cholesky(covariance, width)
            .map_err(|feature| OodError::Singular { feature, shrinkage })?;
        Ok(Self { means, factor, width })
    }

    /// Returns the number of features.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Returns the score of each row, `[N, d]` to `[N]`.
    ///
    /// # Errors
    /// [`OodError::Data`] unless the rows have the fitted width, [`OodError::NotFinite`].
    pub fn scores(&self, features: &Table) -> Result<Vec<f64>, OodError> {
        let (expected, got) = (self.width, features.width());
        if expected != got {
            return Err(DataError::Count { what: "features in a row", expected, got }.into());
        }
        check_finite(features.values(), self.width)?;
        let mut off = vec![0.0; self.width];
        let rows = features.values().chunks_exact(self.width);
        Ok(rows.map(|row| self.score(row, &mut off)).collect())
    }

    fn score(&self, row: &[f32], off: &mut [f64]) -> f64 {
        let width = self.width;
        let distance = |mean: &[f64], off: &mut [f64]| {
            subtract(row, mean, off);
            // L z = x − μ by forward substitution; the distance is zᵀ z.
            for i in 0..width {
                let factors = &self.factor[i * width..][..i];
                let known: f64 = factors.iter().zip(&*off).map(|(l, z)| l * z).sum();
                off[i] = (off[i] - known) / self.factor[i * (width + 1)];
            }
            off.iter().map(|z| z * z).sum::<f64>()
        };
        let nearest = self.means.chunks_exact(width).map(|mean| distance(mean, off));
        // Not `f64::min`, which passes over NaN: a distance that overflowed has no rank.
        let least = |least: f64, own: f64| if own.is_nan() || own < least { own } else { least };
        0.0 - nearest.fold(f64::INFINITY, least)
    }
}

fn subtract(row: &[f32], mean: &[f64], off: &mut [f64]) {
    for ((off, &x), mean) in off.iter_mut().zip(row).zip(mean) {
        *off = f64::from(x) - mean;
    }
}

/// `L` of `Σ = L Lᵀ`, from the lower triangle of `Σ`; the first column at which it is singular where
/// it is.
fn cholesky(mut matrix: Vec<f64>, width: usize) -> Result<Vec<f64>, usize> {
    for j in 0..width {
        for i in j..width {
            let (row, column) = (&matrix[i * width..][..j], &matrix[j * width..][..j]);
            let known: f64 = row.iter().zip(column).map(|(a, b)| a * b).sum();
            let (own, left) = (matrix[i * width + j], matrix[i * width + j] - known);
            matrix[i * width + j] = match i == j {
                // Beside the column's own variance, as columns may have any units.
                true if left <= own * width as f64 * f64::EPSILON => return Err(j),
                true => left.sqrt(),
                false => left / matrix[j * (width + 1)],
            };
        }
    }
    Ok(matrix)
}
