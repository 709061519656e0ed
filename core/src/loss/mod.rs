//! Loss functions.
//!
//! [`Loss`] selects a loss by name, checks its inputs and computes it, with PyTorch's names and
//! definitions. Separate functions compute losses with other inputs ([`gaussian_nll`], [`ctc`]),
//! losses of embeddings ([`nt_xent`], [`info_nce`]) and the losses of the agents' updates;
//! [`Penalty`] regularises parameters.
//!
//! ```
//! use gymnast_core::loss::Loss;
//! use tch::Tensor;
//!
//! let loss = Loss::CrossEntropy { class_weight: Some(vec![1.0, 4.0]), label_smoothing: 0.1 };
//! let logits = Tensor::from_slice(&[2_f32, 0.0, 0.0, 1.0]).view([2, 2]); // [B, C]
//! let mean = loss.compute(&logits, &Tensor::from_slice(&[0_i64, 1]))?; // []
//! assert!(mean.double_value(&[]) > 0.0);
//!
//! let error = loss.compute(&logits, &Tensor::from_slice(&[0_i64, 2])).unwrap_err();
//! assert_eq!(error.to_string(), "the target holds class 2: expected classes from 0 to below 2");
//! # Ok::<(), gymnast_core::loss::LossError>(())
//! ```

pub(crate) mod check;
mod classification;
mod config;
mod contrastive;
mod ctc;
mod distribution;
pub(crate) mod formula;
mod penalty;
mod regression;

pub use classification::class_cross_entropy;
pub use config::Loss;
pub use contrastive::{
    Direction, diagonal_cross_entropy, info_nce, negative_cosine_similarity, normalize, nt_xent,
};
pub use ctc::{CtcConfig, ctc, ctc_greedy_decode};
pub use distribution::{cross_entropy, quantile_huber};
pub use penalty::Penalty;
pub use regression::{gaussian_nll, huber, mse};

use std::ops::Range;

use tch::{Device, Kind, Tensor};
use thiserror::Error;

use crate::SettingError;
use crate::text::number;

/// Why a loss cannot be computed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LossError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The number of weights differs from the number of classes.
    #[error("{key} holds {got} weights: expected one for each of {expected} classes")]
    Weights {
        /// The setting's name.
        key: &'static str,
        /// The number of classes.
        expected: usize,
        /// The number of weights.
        got: usize,
    },
    /// A tensor has an unexpected shape.
    #[error("{what} is of shape {got:?}: expected {expected}")]
    Shape {
        /// The name of the tensor.
        what: &'static str,
        /// The expected shape.
        expected: String,
        /// The actual shape.
        got: Vec<i64>,
    },
    /// A tensor has an unexpected kind.
    #[error("{what} is of kind {got:?}: expected {expected}")]
    Kind {
        /// The name of the tensor.
        what: &'static str,
        /// The expected kind.
        expected: &'static str,
        /// The actual kind.
        got: Kind,
    },
    /// A tensor is on another device than the prediction.
    #[error("{what} is on {got:?}: expected {expected:?}, where the prediction is")]
    Device {
        /// The name of the tensor.
        what: &'static str,
        /// The device of the prediction.
        expected: Device,
        /// The device of the tensor.
        got: Device,
    },
    /// A number is outside the loss's domain.
    #[error("{what} holds {}: expected numbers {allowed}", number(*got))]
    Number {
        /// The name of the tensor.
        what: &'static str,
        /// The allowed numbers.
        allowed: &'static str,
        /// The first invalid number.
        got: f64,
    },
    /// A class is out of range.
    #[error("the target holds class {got}: expected classes from 0 to below {classes}")]
    Label {
        /// The class.
        got: i64,
        /// The number of classes.
        classes: i64,
    },
    /// All classes in the batch have the weight 0, so the mean is undefined.
    #[error("all classes in the batch have the weight 0: expected at least one with more")]
    NoWeight,
    /// A sequence's length for [`ctc`] is out of its range.
    #[error("the {what} length of sequence {row} is {got}: expected {allowed}")]
    SequenceLength {
        /// Input or target.
        what: &'static str,
        /// The sequence of the batch, from 0.
        row: usize,
        /// The allowed lengths.
        allowed: String,
        /// The length given.
        got: usize,
    },
    /// A range of a [`Penalty`] is outside the parameters.
    #[error("the range {range:?} is outside the {length} parameters")]
    Range {
        /// The range.
        range: Range<usize>,
        /// The number of parameters.
        length: usize,
    },
}

/// Of losses `[B]`, each times its weight.
fn weighted_mean(losses: Tensor, weight: Option<&Tensor>) -> Tensor {
    match weight {
        None => losses.mean(Kind::Float),
        Some(weight) => (losses * weight).mean(Kind::Float),
    }
}

/// What the tests of several losses need.
#[cfg(test)]
mod testing {
    use tch::Tensor;

    pub(super) fn tensor(values: &[f32]) -> Tensor {
        Tensor::from_slice(values)
    }

    pub(super) fn number(tensor: &Tensor) -> f64 {
        assert!(tensor.size().is_empty());
        tensor.double_value(&[])
    }
}
