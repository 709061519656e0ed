//! Losses as settings.

use serde::{Deserialize, Serialize};
use tch::{Kind, Reduction, Tensor};

use super::check::{
    check_classes, check_like, check_numbers, check_prediction, check_setting, check_some_weight,
    check_weights, class_weights, like,
};
use super::regression::normal_nll;
use super::{LossError, classification};

/// A loss and its settings, with PyTorch's names and defaults.
///
/// Each loss is a mean; with class weights, the variant documents its divisor. Weights inverse to
/// the class frequencies balance rare and frequent classes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Loss {
    /// The mean squared error; prediction and target have the same shape.
    Mse,
    /// The mean absolute error; prediction and target have the same shape.
    L1,
    /// The Huber loss (see [`huber`](super::huber)); prediction and target have the same shape.
    Huber {
        /// The error at which the loss turns from quadratic to linear; > 0.
        #[serde(default = "one")]
        delta: f64,
    },
    /// The smooth L1 loss, the Huber loss divided by δ; prediction and target have the same shape.
    SmoothL1 {
        /// The error at which the loss turns from quadratic to linear; > 0.
        #[serde(default = "one")]
        beta: f64,
    },
    /// The negative log likelihood of a normal distribution (see
    /// [`gaussian_nll`](super::gaussian_nll)): the prediction `[B, 2 D]` holds D means followed by
    /// the logarithms of D variances, the target is `[B, D]`.
    GaussianNll {
        /// The smallest variance; > 0.
        #[serde(default = "one_millionth")]
        eps: f64,
    },
    /// The binary cross-entropy of scores; prediction and target have the same shape, the target is
    /// in [0, 1].
    BceWithLogits {
        /// The weight of class 1, relative to 1 for class 0: one number, or one for each column of
        /// the prediction `[B, …, K]`; ≥ 0. The mean divides by the count, not by the weights.
        #[serde(default)]
        pos_weight: Option<Vec<f32>>,
    },
    /// The cross-entropy of class scores: the prediction is `[B, C, …]`, the target holds classes
    /// `[B, …]` of kind `Int64` or distributions `[B, C, …]`, for mixed classes or another
    /// network's outputs.
    CrossEntropy {
        /// The weight of each class; ≥ 0. For classes the mean divides by the weights in the batch,
        /// for distributions by the count.
        #[serde(default)]
        class_weight: Option<Vec<f32>>,
        /// The part of each target that is spread evenly over all classes; in [0, 1).
        #[serde(default)]
        label_smoothing: f64,
    },
    /// The focal loss of two classes (Lin et al. 2017, <https://arxiv.org/abs/1708.02002>, equation
    /// 5); prediction and target have the same shape, the target is 0 or 1.
    BinaryFocal {
        /// The focusing parameter γ, ≥ 0: larger values reduce the loss of well-classified
        /// examples; 0 is the cross-entropy.
        #[serde(default = "two")]
        gamma: f64,
        /// The weight of class 1, in [0, 1]; class 0 has 1 − α. `None`: both have 1.
        #[serde(default)]
        alpha: Option<f64>,
    },
    /// The focal loss of several classes: the prediction is `[B, C, …]` with C at least 2, the
    /// target holds classes `[B, …]` of kind `Int64`.
    Focal {
        /// The focusing parameter γ, ≥ 0: larger values reduce the loss of well-classified
        /// examples; 0 is the cross-entropy.
        #[serde(default = "two")]
        gamma: f64,
        /// The weight of each class; ≥ 0. The mean divides by the count, not by the weights.
        #[serde(default)]
        alpha: Option<Vec<f32>>,
    },
    /// The hinge loss of two classes; prediction and target have the same shape, the target is −1
    /// or 1.
    Hinge {
        /// The score from which the loss of a correct prediction is 0; > 0.
        #[serde(default = "one")]
        margin: f64,
    },
    /// The hinge loss of several classes (Crammer and Singer 2001,
    /// <https://jmlr.org/papers/v2/crammer01a.html>, summed over the other classes as in PyTorch):
    /// the prediction is `[B, C]`, the target holds classes `[B]` of kind `Int64`.
    MultiMargin {
        /// The power of each term, 1 or 2.
        #[serde(default = "first_power")]
        p: u8,
        /// The lead of the true class's score from which its loss is 0; > 0.
        #[serde(default = "one")]
        margin: f64,
        /// The weight of each class; ≥ 0. The mean divides by the count, not by the weights.
        #[serde(default)]
        class_weight: Option<Vec<f32>>,
    },
}

impl Loss {
    /// Returns the cross-entropy without class weights or label smoothing.
    #[must_use]
    pub fn cross_entropy() -> Self {
        Self::CrossEntropy { class_weight: None, label_smoothing: 0.0 }
    }

    /// Computes the mean loss, `[]`, differentiable by the prediction.
    ///
    /// A prediction that is not finite is not an error; it makes the loss not finite.
    ///
    /// # Errors
    /// [`LossError`]: a setting out of its range, tensors whose shapes, kinds or devices do not
    /// match, invalid targets, weights that are all 0.
    pub fn compute(&self, prediction: &Tensor, target: &Tensor) -> Result<Tensor, LossError> {
        self.check()?;
        match self {
            Self::Mse => {
                check_numbers_to_meet(prediction, target)?;
                Ok(prediction.mse_loss(target, Reduction::Mean))
            }
            Self::L1 => {
                check_numbers_to_meet(prediction, target)?;
                Ok(prediction.l1_loss(target, Reduction::Mean))
            }
            Self::Huber { delta } => {
                check_numbers_to_meet(prediction, target)?;
                Ok(prediction.huber_loss(target, Reduction::Mean, *delta))
            }
            Self::SmoothL1 { beta } => {
                check_numbers_to_meet(prediction, target)?;
                Ok(prediction.smooth_l1_loss(target, Reduction::Mean, *beta))
            }
            Self::GaussianNll { eps } => {
                let is_pairs = |size: &[i64]| size.len() == 2 && size[1] % 2 == 0;
                check_prediction(prediction, "[B, 2 D]", is_pairs)?;
                let halves = prediction.chunk(2, 1);
                check_numbers_to_meet(&halves[0], target)?;
                Ok(normal_nll(&halves[0], target, &halves[1].exp(), *eps))
            }
            Self::BceWithLogits { pos_weight } => {
                let is_part = |target: &Tensor| target.ge(0.0).logical_and(&target.le(1.0));
                check_same(prediction, target, "in [0, 1]", is_part)?;
                let weight = column_weights(pos_weight.as_deref(), prediction)?;
                let none = None::<&Tensor>;
                Ok(prediction.binary_cross_entropy_with_logits(
                    target,
                    none,
                    weight.as_ref(),
                    Reduction::Mean,
                ))
            }
            Self::CrossEntropy { class_weight, label_smoothing } => {
                check_prediction(prediction, "[B, C, …]", |size| size.len() >= 2)?;
                let weight = class_weights("class_weight", class_weight.as_deref(), prediction)?;
                if target.kind() == Kind::Int64 {
                    check_classes(target, &without_classes(prediction), prediction)?;
                    check_some_weight(weight.as_ref(), target)?;
                } else {
                    check_distributions(target, prediction)?;
                }
                let (weight, smoothing) = (weight.as_ref(), *label_smoothing);
                Ok(classification::smoothed_cross_entropy(prediction, target, weight, smoothing))
            }
            Self::BinaryFocal { gamma, alpha } => {
                let is_class = |target: &Tensor| target.eq(0.0).logical_or(&target.eq(1.0));
                check_same(prediction, target, "0 or 1", is_class)?;
                Ok(classification::binary_focal(prediction, target, *gamma, *alpha))
            }
            Self::Focal { gamma, alpha } => {
                let is_scores = |size: &[i64]| size.len() >= 2 && size[1] >= 2;
                check_prediction(prediction, "[B, C, …] with C at least 2", is_scores)?;
                check_classes(target, &without_classes(prediction), prediction)?;
                let alpha = class_weights("alpha", alpha.as_deref(), prediction)?;
                Ok(classification::focal(prediction, target, *gamma, alpha.as_ref()))
            }
            Self::Hinge { margin } => {
                let is_side = |target: &Tensor| target.eq(-1.0).logical_or(&target.eq(1.0));
                check_same(prediction, target, "-1 or 1", is_side)?;
                Ok(classification::hinge(prediction, target, *margin))
            }
            Self::MultiMargin { p, margin, class_weight } => {
                check_prediction(prediction, "[B, C]", |size| size.len() == 2)?;
                check_classes(target, &without_classes(prediction), prediction)?;
                let weight = class_weights("class_weight", class_weight.as_deref(), prediction)?;
                let weight = weight.as_ref();
                Ok(classification::multi_margin(prediction, target, *p, *margin, weight))
            }
        }
    }

    /// Returns whether targets are classes of kind `Int64`; those of
    /// [`CrossEntropy`](Self::CrossEntropy) may also be distributions.
    pub fn compares_classes(&self) -> bool {
        matches!(self, Self::CrossEntropy { .. } | Self::Focal { .. } | Self::MultiMargin { .. })
    }

    /// Checks that every setting is in its range; [`compute`](Self::compute) checks as well.
    ///
    /// # Errors
    /// [`LossError::Setting`].
    pub fn check(&self) -> Result<(), LossError> {
        let positive = |key, value: f64| {
            check_setting(key, value, "finite and > 0", value > 0.0 && value.is_finite())
        };
        let nonnegative = |key, value: f64| {
            check_setting(key, value, "finite and ≥ 0", value >= 0.0 && value.is_finite())
        };
        match self {
            Self::Mse | Self::L1 => Ok(()),
            Self::Huber { delta } => positive("delta", *delta),
            Self::SmoothL1 { beta } => positive("beta", *beta),
            Self::GaussianNll { eps } => positive("eps", *eps),
            Self::BceWithLogits { pos_weight } => {
                check_weights("pos_weight", pos_weight.as_deref())
            }
            Self::CrossEntropy { class_weight, label_smoothing: smoothing } => {
                let is_part = (0.0..1.0).contains(smoothing);
                check_setting("label_smoothing", *smoothing, "in [0, 1)", is_part)?;
                check_weights("class_weight", class_weight.as_deref())
            }
            Self::BinaryFocal { gamma, alpha } => {
                nonnegative("gamma", *gamma)?;
                let alpha = alpha.unwrap_or(0.5);
                check_setting("alpha", alpha, "in [0, 1]", (0.0..=1.0).contains(&alpha))
            }
            Self::Focal { gamma, alpha } => {
                nonnegative("gamma", *gamma)?;
                check_weights("alpha", alpha.as_deref())
            }
            Self::Hinge { margin } => positive("margin", *margin),
            Self::MultiMargin { p, margin, class_weight } => {
                check_setting("p", f64::from(*p), "1 or 2", matches!(p, 1 | 2))?;
                positive("margin", *margin)?;
                check_weights("class_weight", class_weight.as_deref())
            }
        }
    }
}

fn check_numbers_to_meet(prediction: &Tensor, target: &Tensor) -> Result<(), LossError> {
    check_same(prediction, target, "finite", Tensor::isfinite)
}

/// A target of the prediction's shape whose numbers are as `holds` asks.
fn check_same(
    prediction: &Tensor,
    target: &Tensor,
    allowed: &'static str,
    holds: impl Fn(&Tensor) -> Tensor,
) -> Result<(), LossError> {
    check_prediction(prediction, "[B, …]", |size| !size.is_empty())?;
    check_like("the target", target, prediction)?;
    check_numbers("the target", target, allowed, holds)
}

/// Distributions over classes: `[B, C, …]`, each column of numbers ≥ 0 with the sum 1.
fn check_distributions(target: &Tensor, prediction: &Tensor) -> Result<(), LossError> {
    const ROUNDING: f64 = 1e-3;
    if target.kind() != prediction.kind() {
        return Err(LossError::Kind {
            what: "the target",
            expected: "Int64, classes, or the prediction's, distributions",
            got: target.kind(),
        });
    }
    check_like("the target", target, prediction)?;
    check_numbers("the target", target, "≥ 0", |target| target.ge(0.0))?;
    let sums = target.sum_dim_intlist(1, false, None::<Kind>);
    let is_one = |sums: &Tensor| (sums - 1.0).abs().le(ROUNDING);
    check_numbers("the target's sum over the classes", &sums, "equal to 1", is_one)
}

/// The prediction's shape without its classes.
fn without_classes(prediction: &Tensor) -> Vec<i64> {
    let mut size = prediction.size();
    size.remove(1);
    size
}

/// One weight, or one for each column.
fn column_weights(
    weights: Option<&[f32]>,
    prediction: &Tensor,
) -> Result<Option<Tensor>, LossError> {
    let Some(weights) = weights else { return Ok(None) };
    let columns = prediction.size().last().map_or(1, |&columns| columns as usize);
    if weights.len() != 1 && weights.len() != columns {
        return Err(LossError::Weights {
            key: "pos_weight",
            expected: columns,
            got: weights.len(),
        });
    }
    Ok(Some(like(weights, prediction)))
}

fn one() -> f64 {
    1.0
}

fn two() -> f64 {
    2.0
}

fn one_millionth() -> f64 {
    1e-6
}

fn first_power() -> u8 {
    1
}
