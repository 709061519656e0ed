//! Two rows mixed into one.

use rand::{Rng, seq::SliceRandom as _};
use rand_distr::{Beta, Distribution as _};

use crate::data::{Batch, DataError};

/// What [`mixup`] made of a batch.
#[derive(Debug, Clone)]
pub struct Mixed {
    /// The mixed rows: inputs and targets `lambda · own + (1 − lambda) · partner's`.
    pub batch: Batch,
    /// Each row's partner.
    pub partner: Vec<usize>,
    /// The share of a row in its mixture; in [0, 1].
    pub lambda: f32,
}

/// Mixes each row with another of the same batch, a row's share λ drawn once from Beta(α, α).
///
/// Targets are mixed too, so they should be real numbers or one-hot
/// ([`Dataset::one_hot`](crate::data::Dataset::one_hot)). Class numbers do not mix; for those the loss
/// is `λ · loss(own) + (1 − λ) · loss(partner's)`, with the targets of the batch that came in.
///
/// Source: Zhang et al., "mixup: beyond empirical risk minimization" (2018).
///
/// # Errors
/// [`DataError::Setting`] unless `alpha` is positive and finite, and not so extreme that the share drawn is
/// no number.
pub fn mixup<R: Rng + ?Sized>(batch: &Batch, alpha: f64, rng: &mut R) -> Result<Mixed, DataError> {
    let error = DataError::Setting { key: "alpha", value: alpha, allowed: "positive and finite" };
    if !alpha.is_finite() {
        return Err(error);
    }
    let beta = Beta::new(alpha, alpha).map_err(|_| error)?;
    let lambda = beta.sample(rng) as f32;
    let allowed = "less extreme, 0.1 to 10 say";
    DataError::require((0.0..=1.0).contains(&lambda), "alpha", alpha, allowed)?;
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
