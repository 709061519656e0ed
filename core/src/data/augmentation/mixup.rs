//! Mixup: pairs of rows interpolated.

use rand::{Rng, seq::SliceRandom as _};
use rand_distr::{Beta, Distribution as _};

use crate::data::{Batch, DataError};
use crate::{SettingError, require};

/// The result of [`mixup`].
#[derive(Debug, Clone)]
pub struct Mixed {
    /// The mixed rows: inputs and targets `lambda · own + (1 − lambda) · partner's`.
    pub batch: Batch,
    /// The index of each row's partner.
    pub partner: Vec<usize>,
    /// The weight λ of a row in its mixture, in [0, 1].
    pub lambda: f32,
}

/// Mixes each row with another row of the batch. The row's weight λ is drawn once from Beta(α, α).
///
/// Targets are mixed too, so they should be real numbers or one-hot
/// ([`Dataset::one_hot`](crate::data::Dataset::one_hot)). For class numbers compute the loss as `λ
/// · loss(own) + (1 − λ) · loss(partner's)`, with the targets of the original batch.
///
/// Source: Zhang et al., "mixup: beyond empirical risk minimization" (2018).
///
/// # Errors
/// [`DataError::Setting`] unless `alpha` is positive and finite, and the drawn weight is a number
/// (extreme values of `alpha` underflow).
pub fn mixup<R: Rng + ?Sized>(batch: &Batch, alpha: f64, rng: &mut R) -> Result<Mixed, DataError> {
    let allowed = "positive and finite";
    require(alpha.is_finite(), "alpha", alpha, allowed)?;
    let beta = Beta::new(alpha, alpha).map_err(|_| SettingError::new("alpha", alpha, allowed))?;
    let lambda = beta.sample(rng) as f32;
    let allowed = "less extreme, for example 0.1 to 10";
    require((0.0..=1.0).contains(&lambda), "alpha", alpha, allowed)?;
    let mut partner: Vec<usize> = (0..batch.len()).collect();
    partner.shuffle(rng);
    let mix = |numbers: &[f32]| {
        let Some(width) = numbers.len().checked_div(batch.len()) else { return Vec::new() };
        let own = numbers.iter().enumerate();
        own.map(|(i, x)| {
            let other = numbers[partner[i / width] * width + i % width];
            lambda * x + (1.0 - lambda) * other
        })
        .collect()
    };
    let (inputs, targets) = (mix(&batch.inputs), mix(&batch.targets));
    Ok(Mixed {
        batch: Batch { rows: batch.rows, views: batch.views, inputs, targets },
        partner,
        lambda,
    })
}
