//! Rare classes: rows resampled or weighted, decisions by cost, thresholds tuned.
//!
//! | means | what it changes |
//! |---|---|
//! | [`Resampler`] | the training rows: copies, fewer, synthetic ones (SMOTE), no Tomek links |
//! | [`Sampler::Balanced`](crate::data::Sampler) | the minibatches, which hold all classes alike |
//! | [`ClassWeight`] | how much a row counts, in the `class_weight` or `alpha` of a [`Loss`](crate::loss::Loss) |
//! | [`Loss::Focal`](crate::loss::Loss) | how little a row counts that is learned already |
//! | [`CostMatrix`], [`tune_threshold`] | what becomes of the probabilities, nothing is trained anew |
//! | [`Resampler::BalancedBootstrap`] | the rows of each member of an [`ensemble`](crate::ensemble) |
//!
//! **Resample last.** Who resamples first and splits then finds copies of one row, or a row and what
//! was made of it, on both sides, and too good a score. Here that is an error, not a warning: what
//! [`Resampler::fit_resample`] returns trains like any other [`Dataset`](crate::data::Dataset), but
//! every split refuses it ([`Fold::select`](crate::model_selection::Fold::select), `train_test_split`
//! and the like), as does a training for its held-out rows. The mark is the data set's own, so that it
//! outlives scaling, relabelling and selection; a type of its own would be lost at the first
//! conversion that a training asks for.
//!
//! Judge by precision, recall, the precision-recall curve and calibration ([`rare_class_scores`]), not
//! by accuracy: where 4 % of the rows are of the rare class, never to name it is 96 % right. All that
//! changes how often classes are learned from changes the probabilities too; read them with care then.
//!
//! ```
//! use gymnast_core::data::{DataError, load_wine_quality};
//! use gymnast_core::imbalance::Resampler;
//! use gymnast_core::model_selection::StratifiedKFold;
//! use rand::SeedableRng;
//!
//! let wine = load_wine_quality().relabel(|q| usize::from(q <= 4), ["good", "poor"])?;
//! let fold = StratifiedKFold { n_splits: 5 }.split(&wine.classes()?)?.next().expect("the first");
//! let (train, test) = fold.select(&wine)?;
//! let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
//! let more = Resampler::smote().fit_resample(&train, &mut rng)?.data;
//! assert_eq!((train.class_counts()?, more.class_counts()?), (vec![1228, 51], vec![1228, 1228]));
//! assert!(matches!(fold.select(&more), Err(DataError::Resampled { .. })));
//! # let _ = test;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod class_weight;
mod cost_matrix;
mod neighbors;
mod random;
mod resampler;
mod scores;
mod smote;
#[cfg(test)]
mod tests;
mod threshold;
mod tomek;

pub use class_weight::{ClassWeight, effective_number};
pub use cost_matrix::CostMatrix;
pub use resampler::{Origin, Resampled, Resampler};
pub use scores::rare_class_scores;
pub use threshold::{Criterion, TunedThreshold, tune_threshold};
pub use tomek::tomek_links;

use thiserror::Error;

use crate::data::DataError;
use crate::metrics::MetricError;
use crate::text::number;

/// Why classes cannot be balanced.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ImbalanceError {
    /// A setting is out of its range.
    #[error("{key} must be {allowed}, got {}", number(*value))]
    Setting {
        /// The setting's name.
        key: &'static str,
        /// What it was set to.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// So many things of one kind were given for so many of another.
    #[error("got {got} {what}, expected {expected}")]
    Count {
        /// What was counted.
        what: &'static str,
        /// How many were expected.
        expected: usize,
        /// How many came.
        got: usize,
    },
    /// There is nothing to balance.
    #[error("there are rows of {got} classes: expected at least two")]
    Classes {
        /// How many classes have rows.
        got: usize,
    },
    /// A class has no rows, so that no weight makes up for it.
    #[error("class {class} has no rows: expected at least one of each class")]
    EmptyClass {
        /// The class.
        class: usize,
    },
    /// A class has too few rows to make others between them.
    #[error(
        "class {class} has {rows} rows: expected more than k_neighbors = {k_neighbors}, so that each \
         has as many neighbours of its class; choose fewer, or random oversampling"
    )]
    Neighbors {
        /// The class.
        class: usize,
        /// How many rows it has.
        rows: usize,
        /// How many neighbours were asked for.
        k_neighbors: usize,
    },
    /// No row of a class lies at its border.
    #[error(
        "no row of class {class} lies at its border (at least half of its {m_neighbors} nearest rows, \
         but not all, of other classes): expected at least one; choose another m_neighbors, or SMOTE"
    )]
    NoBorder {
        /// The class.
        class: usize,
        /// How many rows around each were looked at.
        m_neighbors: usize,
    },
    /// The cheapest decision depends on no threshold.
    #[error(
        "no threshold decides by these costs: expected both errors to cost more than to be right"
    )]
    NoThreshold,
    /// The rows have no classes, or are none.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Scores or probabilities are none.
    #[error(transparent)]
    Metric(#[from] MetricError),
}

fn setting(
    holds: bool,
    key: &'static str,
    value: f64,
    allowed: &'static str,
) -> Result<(), ImbalanceError> {
    if holds { Ok(()) } else { Err(ImbalanceError::Setting { key, value, allowed }) }
}
