//! Classification losses.

use tch::{Kind, Reduction, Tensor};

use super::LossError;
use super::check::{
    check_classes, check_device, check_kind, check_prediction, check_shape, check_some_weight,
};

/// PyTorch's number of the ignored class; no class here has it, because classes are checked.
const NONE_IGNORED: i64 = -100;

/// Computes the cross-entropy of class scores, `−ln softmax(logits)[class]`; PyTorch's
/// `cross_entropy`.
///
/// `logits` is `[B, C]`, `class` is `[B]` of whole numbers below C, `class_weight` is `[C]`. The
/// result is `[]`: the mean over the batch, each row weighted by its class. Weights inverse to the
/// class frequencies balance rare and frequent classes.
///
/// # Errors
/// [`LossError`]: shapes, kinds or devices that do not match, a class not below C,
/// [`LossError::NoWeight`] if all rows have the weight 0.
pub fn class_cross_entropy(
    logits: &Tensor,
    class: &Tensor,
    class_weight: Option<&Tensor>,
) -> Result<Tensor, LossError> {
    check_prediction(logits, "[B, C]", |size| size.len() == 2)?;
    check_classes(class, &logits.size()[..1], logits)?;
    if let Some(weight) = class_weight {
        check_shape("the class weight", weight, &logits.size()[1..])?;
        check_kind("the class weight", weight, logits)?;
        check_device("the class weight", weight, logits)?;
        check_some_weight(Some(weight), class)?;
    }
    Ok(smoothed_cross_entropy(logits, class, class_weight, 0.0))
}

/// Computes [`class_cross_entropy`] with label smoothing (Szegedy et al. 2016,
/// <https://arxiv.org/abs/1512.00567>), or with distributions `[B, C, …]` instead of classes `[B,
/// …]`.
///
/// PyTorch's: a smoothed class counts `(1 − ε) w_y ℓ_y + ε / C Σ_c w_c ℓ_c`, and the sum over the batch
/// is divided by `Σ w_y`, as without smoothing. With distributions it is divided by B, whatever the
/// weights.
pub(super) fn smoothed_cross_entropy(
    logits: &Tensor,
    target: &Tensor,
    class_weight: Option<&Tensor>,
    label_smoothing: f64,
) -> Tensor {
    let mean = Reduction::Mean;
    logits.cross_entropy_loss(target, class_weight, mean, NONE_IGNORED, label_smoothing)
}

/// The focal loss of classes, `−α_y (1 − p_y)^γ ln p_y`, averaged over the batch: `[B, C, …]` scores,
/// `[B, …]` classes, `[C]` weights.
pub(super) fn focal(logits: &Tensor, class: &Tensor, gamma: f64, alpha: Option<&Tensor>) -> Tensor {
    let class = class.unsqueeze(1); // [B, 1, …]
    let log_probability = logits.log_softmax(1, None::<Kind>);
    // ln (1 − p_y), from the others' scores: a power of 1 − p would have no gradient where p is 1.
    let log_others = log_probability.masked_fill(&is_class(logits, &class), f64::NEG_INFINITY);
    let log_others = log_others.logsumexp(1, true);
    let losses = -log_probability.gather(1, &class, false) * (log_others * gamma).exp();
    weighted(losses, alpha.map(|alpha| of_class(alpha, &class))).mean(None::<Kind>)
}

/// The focal loss of two classes, `−α_t (1 − p_t)^γ ln p_t`, averaged: scores of the class 1, targets 0
/// or 1 of the same shape; α_t is α for the class 1, 1 − α for the class 0.
pub(super) fn binary_focal(
    logits: &Tensor,
    target: &Tensor,
    gamma: f64,
    alpha: Option<f64>,
) -> Tensor {
    let score = logits * (target * 2.0 - 1.0); // of the true class
    let losses = -score.log_sigmoid() * ((-score).log_sigmoid() * gamma).exp();
    let alpha = alpha.map(|alpha| target * (2.0 * alpha - 1.0) + (1.0 - alpha));
    weighted(losses, alpha).mean(None::<Kind>)
}

/// The hinge loss, `max(0, margin − target · score)`, averaged: targets −1 or 1 of the scores' shape.
pub(super) fn hinge(score: &Tensor, target: &Tensor, margin: f64) -> Tensor {
    (margin - score * target).relu().mean(None::<Kind>)
}

/// The hinge loss of classes, `w_y / C Σ_{c ≠ y} max(0, margin − x_y + x_c)^p`, averaged over the batch:
/// `[B, C]` scores, `[B]` classes, `[C]` weights; p is 1 or 2.
pub(super) fn multi_margin(
    scores: &Tensor,
    class: &Tensor,
    p: u8,
    margin: f64,
    class_weight: Option<&Tensor>,
) -> Tensor {
    let class = class.unsqueeze(1); // [B, 1]
    let excess = (scores - scores.gather(1, &class, false) + margin).relu(); // [B, C]
    let excess = excess.masked_fill(&is_class(scores, &class), 0.0);
    let losses = if p == 1 { excess } else { excess.square() };
    weighted(losses, class_weight.map(|weight| of_class(weight, &class)))
        .mean_dim(1, false, None::<Kind>)
        .mean(None::<Kind>)
}

/// Where `scores`, `[B, C, …]`, are those of `class`, `[B, 1, …]`.
fn is_class(scores: &Tensor, class: &Tensor) -> Tensor {
    let nowhere = Tensor::zeros(scores.size(), (Kind::Bool, scores.device()));
    nowhere.scatter_value(1, class, 1)
}

/// The weight of each class, in the shape of `class`.
fn of_class(weight: &Tensor, class: &Tensor) -> Tensor {
    weight.take(class)
}

fn weighted(losses: Tensor, weight: Option<Tensor>) -> Tensor {
    match weight {
        None => losses,
        Some(weight) => losses * weight,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{number, tensor};

    #[test]
    fn class_cross_entropy_by_hand() {
        // Weights 1, 2, 5 of 8 and 1, 1, 2 of 4.
        let logits = [1.0, 2.0, 5.0, 1.0, 1.0, 2.0].map(f32::ln);
        let (logits, class) = (tensor(&logits).view([2, 3]), Tensor::from_slice(&[1_i64, 2]));
        let losses = [4_f64.ln(), 2_f64.ln()];
        let mean = (losses[0] + losses[1]) / 2.0;
        assert!((number(&class_cross_entropy(&logits, &class, None).unwrap()) - mean).abs() < 1e-6);
        // The mean of rows that count 3 and 1, not their sum over the batch.
        let weighted = (3.0 * losses[0] + losses[1]) / 4.0;
        let weight = tensor(&[9.0, 3.0, 1.0]);
        let loss = class_cross_entropy(&logits, &class, Some(&weight)).unwrap();
        assert!((number(&loss) - weighted).abs() < 1e-6);
        let double = weight.to_kind(Kind::Double);
        let wrong = class_cross_entropy(&logits, &class, Some(&double)).unwrap_err();
        assert!(matches!(wrong, LossError::Kind { what: "the class weight", .. }), "{wrong}");
        let absent = tensor(&[9.0, 0.0, 0.0]);
        let wrong = class_cross_entropy(&logits, &class, Some(&absent)).unwrap_err();
        assert_eq!(wrong, LossError::NoWeight);
        let none = class_cross_entropy(&logits, &Tensor::from_slice(&[1_i64, 3]), None);
        assert_eq!(none.unwrap_err(), LossError::Label { got: 3, classes: 3 });
        let one = class_cross_entropy(&logits, &Tensor::from_slice(&[1_i64]), None);
        assert!(matches!(one, Err(LossError::Shape { .. })));
        let two = class_cross_entropy(&logits, &class, Some(&tensor(&[1.0, 1.0])));
        assert!(matches!(two, Err(LossError::Shape { .. })));
    }

    #[test]
    fn focal_by_hand() {
        // The true class has ¼: ¾² ln 4, weighed by its α.
        let logits = tensor(&[1.0, 2.0, 1.0].map(f32::ln)).view([1, 3]);
        let class = Tensor::from_slice(&[2_i64]);
        let loss = 0.75 * 0.75 * 4_f64.ln();
        assert!((number(&focal(&logits, &class, 2.0, None)) - loss).abs() < 1e-6);
        let alpha = tensor(&[1.0, 1.0, 0.5]);
        assert!((number(&focal(&logits, &class, 2.0, Some(&alpha))) - loss / 2.0).abs() < 1e-6);
        // Of two classes: the same from both sides.
        let logits = tensor(&[3_f32.ln(), -3_f32.ln()]); // ¾ and ¼ for the class 1
        let target = tensor(&[0.0, 1.0]);
        let even = number(&binary_focal(&logits, &target, 2.0, None));
        assert!((even - loss).abs() < 1e-6, "{even}");
        let uneven =
            number(&binary_focal(&logits.narrow(0, 0, 1), &target.narrow(0, 0, 1), 2.0, Some(0.9)));
        assert!((uneven - 0.1 * loss).abs() < 1e-6, "{uneven}");
    }

    #[test]
    fn focal_has_a_gradient_where_all_is_learned() {
        for gamma in [0.0, 0.5, 2.0] {
            for scale in [1.0, 1e3, -1e3] {
                let logits =
                    tensor(&[scale, -scale, 0.0, 0.0]).view([2, 2]).set_requires_grad(true);
                focal(&logits, &Tensor::from_slice(&[0_i64, 1]), gamma, None).backward();
                assert_eq!(logits.grad().isfinite().all().int64_value(&[]), 1, "{gamma} {scale}");
                let logits = tensor(&[scale, 0.0]).set_requires_grad(true);
                binary_focal(&logits, &tensor(&[1.0, 1.0]), gamma, None).backward();
                assert_eq!(logits.grad().isfinite().all().int64_value(&[]), 1, "{gamma} {scale}");
            }
        }
    }

    #[test]
    fn hinge_by_hand() {
        let (score, target) = (tensor(&[0.5, 2.0, 0.25]), tensor(&[1.0, 1.0, -1.0]));
        assert!((number(&hinge(&score, &target, 1.0)) - (0.5 + 0.0 + 1.25) / 3.0).abs() < 1e-6);
        let (scores, class) = (tensor(&[1.0, 1.5, 0.5]).view([1, 3]), Tensor::from_slice(&[0_i64]));
        assert!((number(&multi_margin(&scores, &class, 1, 1.0, None)) - 2.0 / 3.0).abs() < 1e-6);
        let weight = tensor(&[2.0, 1.0, 1.0]);
        let squared = number(&multi_margin(&scores, &class, 2, 1.0, Some(&weight)));
        assert!((squared - 2.0 * (2.25 + 0.25) / 3.0).abs() < 1e-6, "{squared}");
    }
}
