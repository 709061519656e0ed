//! Detects collapsed embeddings.

use std::fmt;

use tch::Tensor;

use super::{effective_rank, normalized_std};
use crate::loss::LossError;
use crate::require;

/// Whether and how embeddings have collapsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collapse {
    /// No collapse.
    None,
    /// Collapsed to few dimensions (Jing et al., "Understanding Dimensional Collapse in Contrastive
    /// Self-supervised Learning", 2022).
    Dimensional,
    /// Collapsed to nearly one point: the embeddings do not depend on the inputs.
    Complete,
}

/// The thresholds below which embeddings count as collapsed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CollapseThresholds {
    /// Complete collapse: the mean standard deviation of a dimension on the unit sphere is below
    /// this fraction of 1/√D, its value for an even spread; in [0, 1].
    pub std_share: f64,
    /// Dimensional collapse: the effective rank is below this fraction of the dimensions beyond the
    /// first that the rows can span; in [0, 1].
    pub rank_share: f64,
}

impl Default for CollapseThresholds {
    /// Uses a tenth and a twentieth: of 128 dimensions at least 7.35.
    fn default() -> Self {
        Self { std_share: 0.1, rank_share: 0.05 }
    }
}

/// The result of [`diagnose_collapse`].
#[derive(Debug, Clone, PartialEq)]
pub struct CollapseDiagnosis {
    /// The verdict.
    pub collapse: Collapse,
    /// The mean standard deviation of a dimension on the unit sphere ([`normalized_std`]).
    pub std: f64,
    /// Its value for evenly spread embeddings, 1/√D.
    pub even_std: f64,
    /// The effective number of dimensions they span ([`effective_rank`]).
    pub effective_rank: f64,
    /// The number of dimensions they could span: the lower of D and N − 1.
    pub dimensions: usize,
}

/// Diagnoses whether embeddings `[N, D]`, N at least 2, have collapsed.
///
/// # Errors
/// [`LossError::Setting`] unless both thresholds lie in [0, 1]; [`LossError::Shape`], [`LossError::Kind`],
/// [`LossError::Number`] for embeddings that are not finite.
pub fn diagnose_collapse(
    embeddings: &Tensor,
    thresholds: &CollapseThresholds,
) -> Result<CollapseDiagnosis, LossError> {
    let CollapseThresholds { std_share, rank_share } = *thresholds;
    for (key, value) in [("std_share", std_share), ("rank_share", rank_share)] {
        require((0.0..=1.0).contains(&value), key, value, "in [0, 1]")?;
    }
    let (std, effective_rank) = (normalized_std(embeddings)?, effective_rank(embeddings)?);
    let size = embeddings.size();
    let (even_std, dimensions) = (1.0 / (size[1] as f64).sqrt(), size[1].min(size[0] - 1));
    let least_rank = 1.0 + rank_share * (dimensions - 1) as f64;
    let collapse = if std < std_share * even_std {
        Collapse::Complete
    } else if effective_rank < least_rank && dimensions > 1 {
        Collapse::Dimensional
    } else {
        Collapse::None
    };
    let dimensions = dimensions as usize;
    Ok(CollapseDiagnosis { collapse, std, even_std, effective_rank, dimensions })
}

impl fmt::Display for CollapseDiagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { collapse, std, even_std, effective_rank, dimensions } = self;
        match collapse {
            Collapse::None => write!(
                f,
                "no collapse: each dimension deviates by {std:.4} (evenly spread {even_std:.4}), and \
                 {effective_rank:.1} of {dimensions} dimensions are used"
            ),
            Collapse::Dimensional => write!(
                f,
                "dimensional collapse: only {effective_rank:.1} of {dimensions} dimensions are used; \
                 a wider projection head or stronger augmentations may help"
            ),
            Collapse::Complete => write!(
                f,
                "complete collapse: each dimension deviates by {std:.4} only (evenly spread \
                 {even_std:.4}), all rows look alike; a contrastive objective, a predictor, batch \
                 normalisation or a lower learning rate may help"
            ),
        }
    }
}
