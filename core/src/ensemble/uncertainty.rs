//! How sure an ensemble is.

use super::{EnsembleError, check_lengths, check_numbers, check_probabilities, setting};
use crate::statistics::argmax;

/// How unsure an ensemble is of the class of a row; entropies in nats.
///
/// The entropy of the mean is what its members are unsure of on average, the noise of the data, and
/// what they disagree about, which more data would settle: Depeweg et al., "Decomposition of
/// uncertainty in Bayesian deep learning" (2018), equation 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassUncertainty {
    /// The entropy of the mean of the members' probabilities: all there is.
    pub predictive_entropy: f64,
    /// The mean of the entropies of the members' probabilities: the data's.
    pub expected_entropy: f64,
    /// The difference of the two, at least 0: the members'.
    pub mutual_information: f64,
    /// The share of the members that name another class than the mean does.
    pub disagreement: f64,
}

/// How unsure an ensemble is of each row: probabilities `[N, classes]` of each member to `[N]`.
///
/// Lakshminarayanan, Pritzel and Blundell, "Simple and scalable predictive uncertainty estimation using
/// deep ensembles" (2017), <https://arxiv.org/abs/1612.01474>.
///
/// # Errors
/// [`EnsembleError::NoMembers`], [`EnsembleError::Length`], [`EnsembleError::Number`] where one is no
/// probability, [`EnsembleError::RowSum`], [`EnsembleError::Setting`] for no classes.
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

/// The mean and the variance of a mixture of normal distributions, one of each member.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mixture {
    /// The mean of the members' means.
    pub mean: f64,
    /// The mean of the members' variances: the data's noise.
    pub noise: f64,
    /// The variance of the members' means: what they disagree about.
    pub disagreement: f64,
}

impl Mixture {
    /// The variance of the mixture, of noise and disagreement.
    pub fn variance(&self) -> f64 {
        self.noise + self.disagreement
    }
}

/// What members say together whose predictions are normal distributions, in equal shares: means and
/// variances, `[N]` of each member, to `[N]`. A network that is trained by
/// [`Loss::GaussianNll`](crate::loss::Loss) says means and logarithms of variances.
///
/// Lakshminarayanan et al. (2017), section 2.4: `σ*² = M⁻¹ Σ (σ_m² + μ_m²) − μ*²`.
///
/// # Errors
/// [`EnsembleError::NoMembers`], [`EnsembleError::Length`], [`EnsembleError::Number`] where a mean is not
/// finite, a variance not finite and at least 0, or what they come to is not finite;
/// [`EnsembleError::Setting`] where as many members do not have both.
pub fn mixture(means: &[Vec<f64>], variances: &[Vec<f64>]) -> Result<Vec<Mixture>, EnsembleError> {
    let rows = check_lengths(means, "means")?;
    let (needed, given) = (means.len(), variances.len());
    let key = "the number of members with variances";
    setting(given == needed, key, given as f64, "that of the members with means")?;
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
