//! Out-of-distribution detection: finds rows unlike the training data.
//!
//! **Higher scores mean more similar to the training rows.** In-distribution is the positive class
//! everywhere ([`detection_scores`]). A row is flagged if its score is below a threshold
//! ([`threshold_at_tpr`]).
//!
//! | score | needs | source |
//! |---|---|---|
//! | [`max_softmax_probability`] | the outputs | Hendrycks and Gimpel (2017) |
//! | [`energy_score`] | the outputs | Liu et al. (2020) |
//! | `Odin` | the network's gradient | Liang et al. (2018) |
//! | [`Mahalanobis`] | features of training rows | Lee et al. (2018) |
//! | `OutlierExposure`, with any of them | outliers to train with | Hendrycks et al. (2019) |
//!
//! `Odin` and `OutlierExposure` need the feature `torch`. Tune temperature, ε and shrinkage on
//! validation rows and on other outliers than those of the test.
//!
//! ```
//! use gymnast_core::ood::{detection_scores, energy_score, max_softmax_probability};
//!
//! let (inside, outside) = ([9.0, 0.0, 7.0, 1.0], [0.5, 0.25, 1.0, 1.0]); // two rows of two outputs
//! let score = |outputs: &[f32]| energy_score(outputs, 2, 1.0);
//! let found = detection_scores(&score(&inside)?, &score(&outside)?)?;
//! assert_eq!((found.auroc, found.fpr_at_95_tpr), (1.0, 0.0));
//! assert!(max_softmax_probability(&inside, 2)?[0] > 0.99);
//! # Ok::<(), gymnast_core::ood::OodError>(())
//! ```

mod detection;
mod mahalanobis;
#[cfg(feature = "torch")]
mod odin;
#[cfg(feature = "torch")]
mod outlier_exposure;
mod scores;
#[cfg(test)]
mod tests;

pub use detection::{Detection, detection_scores, threshold_at_tpr};
pub use mahalanobis::Mahalanobis;
#[cfg(feature = "torch")]
pub use odin::Odin;
#[cfg(feature = "torch")]
pub use outlier_exposure::{OutlierExposure, outlier_exposure_loss};
pub use scores::{energy_score, max_softmax_probability, scaled_max_softmax_probability};

use thiserror::Error;

use crate::SettingError;
use crate::data::DataError;
use crate::metrics::MetricError;
use crate::text::number;

/// Why rows cannot be scored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OodError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// There are no rows.
    #[error("got no rows: expected at least one")]
    Empty,
    /// A number is NaN or infinite.
    #[error("row {row}, column {column} holds {value}: expected finite numbers")]
    NotFinite {
        /// The row, from 0.
        row: usize,
        /// The column, from 0.
        column: usize,
        /// The number.
        value: f32,
    },
    /// Features do not vary in some direction, so distances along it are undefined.
    #[error(
        "the covariance is singular at feature {feature}: expected features that all vary by \
         themselves; raise `shrinkage`, got {}",
        number(*shrinkage)
    )]
    Singular {
        /// The first feature that depends on those before it, or is constant.
        feature: usize,
        /// The shrinkage used.
        shrinkage: f64,
    },
    /// The network is in training mode, where outputs depend on chance and on other rows.
    #[error("the network is in training mode: expected evaluation mode, `set_training(false)`")]
    Training,
    /// The rows are invalid or have no classes.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Scores cannot be compared.
    #[error(transparent)]
    Metric(#[from] MetricError),
    /// The network returned an error.
    #[cfg(feature = "torch")]
    #[error(transparent)]
    Network(#[from] crate::nn::NetworkError),
}

/// The first number that is NaN or infinite, as an error.
fn check_finite(numbers: &[f32], width: usize) -> Result<(), OodError> {
    match numbers.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(place) => Err(OodError::NotFinite {
            row: place / width,
            column: place % width,
            value: numbers[place],
        }),
    }
}
