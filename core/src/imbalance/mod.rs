//! Imbalanced classes: resampled or weighted rows, cost-sensitive decisions, tuned thresholds.
//!
//! | method | what it changes |
//! |---|---|
//! | [`Resampler`] | the training rows: copies, fewer, synthetic ones (SMOTE), no Tomek links |
//! | [`Sampler::Balanced`](crate::data::Sampler) | the minibatches, which hold equally many rows of
//! all classes |
//! | [`ClassWeight`] | the weight of a row, in the `class_weight` or `alpha` of a
//! [`Loss`](crate::loss::Loss) |
//! | [`Loss::Focal`](crate::loss::Loss) | reduces the weight of well-classified rows |
//! | [`CostMatrix`], [`tune_threshold`] | the decision, without training again |
//! | [`Resampler::BalancedBootstrap`] | the rows of each member of an [`ensemble`](crate::ensemble) |
//!
//! **Resample last.** Splitting after resampling puts copies of a row, or rows synthesised from it,
//! on both sides, and the score is too good. Here that is an error: the result of
//! [`Resampler::fit_resample`] trains like any other [`Dataset`](crate::data::Dataset), but every
//! split refuses it ([`Fold::select`](crate::model_selection::Fold::select), `train_test_split` and
//! others), and so does a training for its held-out rows. The mark is part of the dataset, so it
//! survives scaling, relabelling and selection; a separate type would be lost in the first
//! conversion.
//!
//! Evaluate by precision, recall, the precision-recall curve and calibration
//! ([`rare_class_scores`]), not by accuracy: if 4 % of the rows are in the rare class, never
//! predicting it is 96 % accurate. Methods that change how often classes are seen also change the
//! predicted probabilities.
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

use crate::SettingError;
use crate::data::DataError;
use crate::metrics::MetricError;

/// Why classes cannot be balanced.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ImbalanceError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// There are fewer than two classes with rows.
    #[error("there are rows of {got} classes: expected at least two")]
    Classes {
        /// The number of classes with rows.
        got: usize,
    },
    /// A class has no rows, so it cannot be weighted.
    #[error("class {class} has no rows: expected at least one of each class")]
    EmptyClass {
        /// The class.
        class: usize,
    },
    /// A class has too few rows to synthesise others.
    #[error(
        "class {class} has {rows} rows: expected more than k_neighbors = {k_neighbors}, so that each \
         has as many neighbours of its class; choose fewer, or random oversampling"
    )]
    Neighbors {
        /// The class.
        class: usize,
        /// The number of its rows.
        rows: usize,
        /// The number of neighbours asked for.
        k_neighbors: usize,
    },
    /// No row of a class lies at the border.
    #[error(
        "no row of class {class} lies at its border (at least half of its {m_neighbors} nearest rows, \
         but not all, of other classes): expected at least one; choose another m_neighbors, or SMOTE"
    )]
    NoBorder {
        /// The class.
        class: usize,
        /// The number of neighbours considered.
        m_neighbors: usize,
    },
    /// No threshold gives the cheapest decisions.
    #[error(
        "no threshold decides by these costs: expected both errors to cost more than right decisions"
    )]
    NoThreshold,
    /// The rows are invalid or have no classes.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The scores or probabilities are invalid.
    #[error(transparent)]
    Metric(#[from] MetricError),
}
