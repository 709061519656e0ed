//! Losses of distributions, for distributional agents.

use tch::{Reduction, Tensor};

use super::check::{check_device, check_like, check_prediction, check_setting, check_shape};
use super::{LossError, weighted_mean};

/// Computes the cross-entropy `−Σ pᵢ log qᵢ` of a distribution `q` under a target `p`, the loss of
/// categorical DQN.
///
/// `log_probability` and `target` are `[B, N]`; the result is `[]`, averaged like
/// [`huber`](super::huber)'s losses.
///
/// Source: Bellemare, Dabney and Munos (2017), algorithm 1.
///
/// # Errors
/// [`LossError`]: shapes, kinds or devices that do not match.
pub fn cross_entropy(
    log_probability: &Tensor,
    target: &Tensor,
    weight: Option<&Tensor>,
) -> Result<Tensor, LossError> {
    check_prediction(log_probability, "[B, N]", |size| size.len() == 2)?;
    check_like("the target", target, log_probability)?;
    check_row_weights(weight, log_probability)?;
    let losses = -(log_probability * target).sum_dim_intlist(1, false, log_probability.kind()); // [B]
    Ok(weighted_mean(losses, weight))
}

/// One weight for each row of a prediction.
fn check_row_weights(weight: Option<&Tensor>, prediction: &Tensor) -> Result<(), LossError> {
    let Some(weight) = weight else { return Ok(()) };
    check_shape("the weight", weight, &prediction.size()[..1])?;
    check_device("the weight", weight, prediction)
}

/// Computes the quantile Huber loss, `Σᵢ meanⱼ |τᵢ − 1{uᵢⱼ < 0}| L_κ(uᵢⱼ)`, for the errors `uᵢⱼ =
/// targetⱼ − predictionᵢ` of quantiles at the midpoints `τᵢ = (i + ½) / N`. `L_κ` is
/// [`huber`](super::huber)'s loss.
///
/// `prediction` is `[B, N]`, `target` is `[B, M]`; the result is `[]`, averaged like
/// [`huber`](super::huber)'s losses. The target should not require gradients.
///
/// Source: Dabney et al., "Distributional reinforcement learning with quantile regression" (2018),
/// equation 10 and algorithm 1.
///
/// # Errors
/// [`LossError`]: shapes, kinds or devices that do not match, a `kappa` that is not positive.
pub fn quantile_huber(
    prediction: &Tensor,
    target: &Tensor,
    kappa: f64,
    weight: Option<&Tensor>,
) -> Result<Tensor, LossError> {
    check_setting("kappa", kappa, "finite and > 0", kappa > 0.0 && kappa.is_finite())?;
    check_prediction(prediction, "[B, N]", |size| size.len() == 2)?;
    check_prediction(target, "[B, M]", |size| size.len() == 2)?;
    let n = prediction.size()[1];
    check_shape("the target", target, &[prediction.size()[0], target.size()[1]])?;
    check_device("the target", target, prediction)?;
    check_row_weights(weight, prediction)?;
    let midpoints: Vec<f32> = (0..n).map(|i| (i as f32 + 0.5) / n as f32).collect();
    let midpoints = Tensor::from_slice(&midpoints).to_device(prediction.device()).unsqueeze(1); // [N, 1]
    let error = target.unsqueeze(1) - prediction.unsqueeze(2); // [B, N, M]
    let kind = prediction.kind();
    let is_below = error.less(0.0).to_kind(kind);
    let huber = error.huber_loss(&error.zeros_like(), Reduction::None, kappa);
    let losses = (midpoints - is_below).abs() * huber;
    let losses = losses.mean_dim(2, false, kind).sum_dim_intlist(1, false, kind); // [B]
    Ok(weighted_mean(losses, weight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SettingError;
    use crate::loss::testing::{number, tensor};

    #[test]
    fn cross_entropy_by_hand() {
        let log_probability = tensor(&[0.5, 0.5, 0.25, 0.75]).log().view([2, 2]);
        let target = tensor(&[1.0, 0.0, 0.5, 0.5]).view([2, 2]);
        let losses = [2_f64.ln(), 0.5 * 4_f64.ln() - 0.5 * 0.75_f64.ln()];
        let mean = f64::midpoint(losses[0], losses[1]);
        assert!(
            (number(&cross_entropy(&log_probability, &target, None).unwrap()) - mean).abs() < 1e-6
        );
        let weight = tensor(&[0.0, 1.0]);
        let weighted = number(&cross_entropy(&log_probability, &target, Some(&weight)).unwrap());
        assert!((weighted - losses[1] / 2.0).abs() < 1e-6);
    }

    #[test]
    fn quantile_huber_by_hand() {
        // Quantiles at ¼ and ¾. Errors 1 − 0 and −3 − 0, then 1 − 2 and −3 − 2; κ = 1.
        let (prediction, target) = (tensor(&[0.0, 2.0]), tensor(&[1.0, -3.0]));
        let (prediction, target) = (prediction.view([1, 2]), target.view([1, 2]));
        let first = f64::midpoint(0.25 * 0.5, 0.75 * 2.5);
        let second = f64::midpoint(0.25 * 0.5, 0.25 * 4.5);
        let loss = number(&quantile_huber(&prediction, &target, 1.0, None).unwrap());
        assert!((loss - (first + second)).abs() < 1e-6, "{loss}");
        let weight = tensor(&[0.5]);
        let weighted = quantile_huber(&prediction, &target, 1.0, Some(&weight)).unwrap();
        let weighted = number(&weighted);
        assert!((weighted - (first + second) / 2.0).abs() < 1e-6, "{weighted}");
    }

    #[test]
    fn nothing_is_broadcast_unasked() {
        let (two, one) = (tensor(&[0.5; 4]).view([2, 2]), tensor(&[0.5; 2]).view([1, 2]));
        let is_shape = |loss| matches!(loss, Err(LossError::Shape { .. }));
        assert!(is_shape(cross_entropy(&two, &one, None)));
        assert!(is_shape(cross_entropy(&two, &two, Some(&one))));
        assert!(is_shape(quantile_huber(&two, &one, 1.0, None)));
        assert!(is_shape(quantile_huber(&two, &tensor(&[1.0; 2]), 1.0, None)));
        assert!(is_shape(quantile_huber(&two, &two, 1.0, Some(&tensor(&[1.0])))));
        let kappa = quantile_huber(&two, &two, f64::NAN, None);
        assert!(matches!(kappa, Err(LossError::Setting(SettingError { key: "kappa", .. }))));
    }
}
