//! Regression losses.

use tch::{Kind, Reduction, Tensor};

use super::LossError;
use super::check::{check_like, check_numbers, check_prediction, check_setting};

/// Computes the Huber loss (Huber 1964): `½ e²` if `|e| ≤ δ`, else `δ (|e| − ½ δ)`, for the error
/// `e = prediction − target`; PyTorch's `huber_loss`. The smooth L1 loss is this divided by δ, so
/// with `δ = 1` the two are equal.
///
/// `prediction`, `target` and `weight` are `[B]`. The result is `[]`: the mean over the batch of
/// each loss times its weight. The mean divides by B, not by the sum of the weights, so the
/// importance weights of prioritised replay keep their meaning. The target should not require
/// gradients.
///
/// # Errors
/// [`LossError`]: shapes, kinds or devices that differ (nothing is broadcast); a `delta` that is
/// not positive.
pub fn huber(
    prediction: &Tensor,
    target: &Tensor,
    delta: f64,
    weight: Option<&Tensor>,
) -> Result<Tensor, LossError> {
    check_setting("delta", delta, "finite and > 0", delta > 0.0 && delta.is_finite())?;
    check_pair(prediction, target, weight)?;
    Ok(match weight {
        None => prediction.huber_loss(target, Reduction::Mean, delta),
        Some(weight) => {
            let losses = prediction.huber_loss(target, Reduction::None, delta); // [B]
            (losses * weight).mean(prediction.kind())
        }
    })
}

/// Computes the mean squared error: `e²`, averaged like [`huber`]'s losses, without the factor ½.
///
/// # Errors
/// [`LossError`]: shapes, kinds or devices that differ (nothing is broadcast).
pub fn mse(
    prediction: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
) -> Result<Tensor, LossError> {
    check_pair(prediction, target, weight)?;
    Ok(match weight {
        None => prediction.mse_loss(target, Reduction::Mean),
        Some(weight) => {
            let losses = prediction.mse_loss(target, Reduction::None); // [B]
            (losses * weight).mean(prediction.kind())
        }
    })
}

/// A prediction, its target and its weight, all of one shape.
fn check_pair(
    prediction: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
) -> Result<(), LossError> {
    check_prediction(prediction, "[B, …]", |size| !size.is_empty())?;
    check_like("the target", target, prediction)?;
    weight.map_or(Ok(()), |weight| check_like("the weight", weight, prediction))
}

/// Computes the negative log likelihood of a normal distribution, without its constant ½ ln 2π: the
/// mean of `½ (ln σ² + (target − mean)² / σ²)`; PyTorch's `gaussian_nll_loss`.
///
/// All three have the same shape; the result is `[]`. A variance below `eps` counts as `eps`, but
/// keeps the gradient of `eps`.
///
/// Source: Nix and Weigend, "Estimating the mean and variance of the target probability distribution"
/// (1994).
///
/// # Errors
/// [`LossError`]: shapes or kinds that differ, targets that are not finite, variances that are
/// negative or not finite, `eps` that is not positive.
pub fn gaussian_nll(
    mean: &Tensor,
    target: &Tensor,
    variance: &Tensor,
    eps: f64,
) -> Result<Tensor, LossError> {
    check_setting("eps", eps, "finite and > 0", eps > 0.0 && eps.is_finite())?;
    check_prediction(mean, "[B, …]", |size| !size.is_empty())?;
    check_like("the target", target, mean)?;
    check_like("the variance", variance, mean)?;
    check_numbers("the target", target, "finite", Tensor::isfinite)?;
    let is_variance = |variance: &Tensor| variance.isfinite().logical_and(&variance.ge(0.0));
    check_numbers("the variance", variance, "finite and ≥ 0", is_variance)?;
    Ok(normal_nll(mean, target, variance, eps))
}

/// [`gaussian_nll`] of what was checked.
pub(super) fn normal_nll(mean: &Tensor, target: &Tensor, variance: &Tensor, eps: f64) -> Tensor {
    let mut variance = variance.copy();
    let _ = crate::nn::no_grad(|| variance.clamp_min_(eps)); // the gradient passes by
    let losses = variance.log() + (target - mean).square() / &variance;
    (losses * 0.5).mean(None::<Kind>)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::testing::{number, tensor};

    #[test]
    fn huber_by_hand() {
        let (prediction, target) = (tensor(&[1.0, 0.0, 5.0]), tensor(&[0.0, 0.5, 2.0]));
        // δ = 2: ½ · 1, ½ · 0.25, 2 (3 − 1)
        let losses = [0.5, 0.125, 4.0];
        let mean = losses.iter().sum::<f64>() / 3.0;
        assert!((number(&huber(&prediction, &target, 2.0, None).unwrap()) - mean).abs() < 1e-6);
        let weighted = (2.0 * losses[0] + 0.5 * losses[2]) / 3.0;
        let weight = tensor(&[2.0, 0.0, 0.5]);
        assert!(
            (number(&huber(&prediction, &target, 2.0, Some(&weight)).unwrap()) - weighted).abs()
                < 1e-6
        );
    }

    #[test]
    fn smooth_l1_is_huber_divided_by_delta() {
        let (prediction, target) = (tensor(&[1.0, 0.0, 5.0]), tensor(&[0.0, 0.5, 2.0]));
        for delta in [0.25, 1.0, 2.0] {
            let smooth = prediction.smooth_l1_loss(&target, Reduction::Mean, delta);
            let ours = number(&huber(&prediction, &target, delta, None).unwrap()) / delta;
            assert!((number(&smooth) - ours).abs() < 1e-6);
        }
    }

    #[test]
    fn squared_error_by_hand() {
        let (prediction, target) = (tensor(&[1.0, 3.0]), tensor(&[0.0, 1.0]));
        assert_eq!(number(&mse(&prediction, &target, None).unwrap()), 2.5);
        let weight = tensor(&[1.0, 0.5]);
        assert_eq!(number(&mse(&prediction, &target, Some(&weight)).unwrap()), 1.5);
    }

    #[test]
    fn nothing_is_broadcast_unasked() {
        let (three, column) = (tensor(&[1.0, 0.0, 5.0]), tensor(&[0.0, 0.5, 2.0]).view([3, 1]));
        let is_shape = |loss| matches!(loss, Err(LossError::Shape { .. }));
        for other in [&column, &tensor(&[1.0]), &tensor(&[1.0, 2.0])] {
            assert!(
                is_shape(huber(&three, other, 1.0, None)) && is_shape(mse(&three, other, None))
            );
            assert!(is_shape(huber(&three, &three, 1.0, Some(other))));
            assert!(is_shape(mse(&three, &three, Some(other))));
        }
        assert!(is_shape(mse(&tensor(&[]), &tensor(&[]), None)));
        let double = three.to_kind(Kind::Double);
        assert!(matches!(mse(&three, &double, None), Err(LossError::Kind { .. })));
        for delta in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(huber(&three, &three, delta, None), Err(LossError::Setting(_))));
        }
    }
}
