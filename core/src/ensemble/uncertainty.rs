//! The uncertainty of an ensemble.

use super::{EnsembleError, check_lengths, check_numbers, check_probabilities};
use crate::require;
use crate::statistics::argmax;

/// The uncertainty of an ensemble about the class of a row; entropies in nats.
///
/// The entropy of the mean is the sum of the members' mean entropy (noise in the data) and their
/// disagreement, which more data would reduce: Depeweg et al., "Decomposition of uncertainty in
/// Bayesian deep learning" (2018), equation 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassUncertainty {
    /// The entropy of the members' mean probabilities: the total uncertainty.
    pub predictive_entropy: f64,
    /// The mean entropy of the members' probabilities: the noise in the data.
    pub expected_entropy: f64,
    /// The difference of the two, at least 0: the members' disagreement.
    pub mutual_information: f64,
    /// The fraction of the members that predict another class than the mean.
    pub disagreement: f64,
}

/// Computes the uncertainty of each row: probabilities `[N, classes]` of each member to `[N]`.
///
/// Lakshminarayanan, Pritzel and Blundell, "Simple and scalable predictive uncertainty estimation using
/// deep ensembles" (2017), <https://arxiv.org/abs/1612.01474>.
///
/// # Errors
/// [`EnsembleError::NoMembers`], [`EnsembleError::Length`], [`EnsembleError::Number`] if a number
/// is not a probability, [`EnsembleError::RowSum`], [`EnsembleError::Setting`] if `classes` is 0.
pub fn class_uncertainty(
    members: &[Vec<f64>],
    classes: usize,
) -> Result<Vec<ClassUncertainty>, EnsembleError> {
    check_probabilities(members, classes)?;
    let (m, rows) = (members.len() as f64, members[0].len() / classes);
    let of_row = |row: usize| {
        let each = || members.iter().map(|member| &member[row * classes..][..classes]);
        let mean: Vec<f64> =
            (0..classes).map(|class| each().map(|p| p[class]).sum::<f64>() / m).collect();
        let predictive_entropy = entropy(&mean);
        let expected_entropy = each().map(entropy).sum::<f64>() / m;
        let class = argmax(&mean);
        let others = each().filter(|p| argmax(p) != class).count();
        ClassUncertainty {
            predictive_entropy,
            expected_entropy,
            mutual_information: (predictive_entropy - expected_entropy).max(0.0),
            disagreement: others as f64 / m,
        }
    };
    Ok((0..rows).map(of_row).collect())
}

fn entropy(probabilities: &[f64]) -> f64 {
    let parts = probabilities.iter().filter(|&&p| p > 0.0).map(|p| p * p.ln());
    0.0 - parts.sum::<f64>()
}

/// The mean and the variance of a mixture of normal distributions, one for each member.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mixture {
    /// The mean of the members' means.
    pub mean: f64,
    /// The mean of the members' variances: the noise in the data.
    pub noise: f64,
    /// The variance of the members' means: their disagreement.
    pub disagreement: f64,
}

impl Mixture {
    /// Returns the variance of the mixture: noise plus disagreement.
    pub fn variance(&self) -> f64 {
        self.noise + self.disagreement
    }
}

/// Mixes the members' normal distributions with equal weights: means and variances, `[N]` of each
/// member, to `[N]`. A network trained with [`Loss::GaussianNll`](crate::loss::Loss) outputs means
/// and logarithms of variances.
///
/// Lakshminarayanan et al. (2017), section 2.4: `σ*² = M⁻¹ Σ (σ_m² + μ_m²) − μ*²`.
///
/// # Errors
/// [`EnsembleError::NoMembers`], [`EnsembleError::Length`], [`EnsembleError::Number`] if a mean is
/// not finite, a variance negative or not finite, or a result not finite;
/// [`EnsembleError::Setting`] if the numbers of members with means and with variances differ.
pub fn mixture(means: &[Vec<f64>], variances: &[Vec<f64>]) -> Result<Vec<Mixture>, EnsembleError> {
    let rows = check_lengths(means, "means")?;
    let (needed, given) = (means.len(), variances.len());
    let key = "the number of members with variances";
    require(given == needed, key, given as f64, "that of the members with means")?;
    let (member, what, expected) = (0, "variances", rows);
    let got = check_lengths(variances, what)?;
    if got != expected {
        return Err(EnsembleError::Length { member, what, expected, got });
    }
    check_numbers(means, "a finite mean", f64::is_finite)?;
    check_numbers(variances, "a variance, finite and ≥ 0", |v| v >= 0.0 && v.is_finite())?;
    let m = means.len() as f64;
    let of_row = |row: usize| {
        let average = |of: &[Vec<f64>]| of.iter().map(|member| member[row]).sum::<f64>() / m;
        let mean = average(means);
        let off = means.iter().map(|member| (member[row] - mean).powi(2));
        let mixture =
            Mixture { mean, noise: average(variances), disagreement: off.sum::<f64>() / m };
        let (value, allowed) =
            (mixture.mean + mixture.variance(), "numbers whose squares are finite");
        if value.is_finite() {
            Ok(mixture)
        } else {
            Err(EnsembleError::Number { member: 0, index: row, value: means[0][row], allowed })
        }
    };
    (0..rows).map(of_row).collect()
}
