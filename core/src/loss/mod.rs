//! What a network is to minimise.
//!
//! [`Loss`] chooses a loss by name, checks what it is given and computes it, with PyTorch's names and
//! meanings. Beside it stand what does not compare a prediction with a target alone, [`gaussian_nll`]
//! and [`ctc`]; losses between embeddings, [`nt_xent`] and [`info_nce`]; the [`Penalty`] on large parameters; and the functions of the agents'
//! updates.
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

use crate::text::number;

/// Why a loss cannot be computed.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum LossError {
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
    /// There are more or fewer weights than classes.
    #[error("{key} holds {got} weights: expected one for each of {expected} classes")]
    Weights {
        /// The setting's name.
        key: &'static str,
        /// How many classes there are.
        expected: usize,
        /// How many weights.
        got: usize,
    },
    /// A tensor of another shape.
    #[error("{what} is of shape {got:?}: expected {expected}")]
    Shape {
        /// Which tensor.
        what: &'static str,
        /// The shape that it should have.
        expected: String,
        /// The shape that it has.
        got: Vec<i64>,
    },
    /// A tensor of another kind.
    #[error("{what} is of kind {got:?}: expected {expected}")]
    Kind {
        /// Which tensor.
        what: &'static str,
        /// The kind that it should have.
        expected: &'static str,
        /// The kind that it has.
        got: Kind,
    },
    /// A tensor on another device than the prediction.
    #[error("{what} is on {got:?}: expected {expected:?}, where the prediction is")]
    Device {
        /// Which tensor.
        what: &'static str,
        /// Where it should be.
        expected: Device,
        /// Where it is.
        got: Device,
    },
    /// A number that the loss has no meaning for.
    #[error("{what} holds {}: expected numbers {allowed}", number(*got))]
    Number {
        /// Which tensor.
        what: &'static str,
        /// What its numbers may be.
        allowed: &'static str,
        /// The first that is not.
        got: f64,
    },
    /// A class that there is not.
    #[error("the target holds class {got}: expected classes from 0 to below {classes}")]
    Label {
        /// The class.
        got: i64,
        /// How many there are.
        classes: i64,
    },
    /// Every class in the batch weighs nothing, so that there is no mean.
    #[error("all classes in the batch have the weight 0: expected at least one with more")]
    NoWeight,
    /// A sequence's length for [`ctc`] is out of its range.
    #[error("the {what} length of sequence {row} is {got}: expected {allowed}")]
    SequenceLength {
        /// The input's or the target's.
        what: &'static str,
        /// Which sequence of the batch, from 0.
        row: usize,
        /// What it may be.
        allowed: String,
        /// What it is.
        got: usize,
    },
    /// A range for a [`Penalty`] is no part of the parameters.
    #[error("the range {range:?} is no part of the {length} parameters")]
    Range {
        /// The range.
        range: Range<usize>,
        /// How many parameters there are.
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
