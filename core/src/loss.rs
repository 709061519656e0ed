//! What a network's parameters are to minimise.

use tch::{Kind, Reduction, Tensor};

/// The Huber loss (Huber 1964): `½ e²` where `|e| ≤ δ`, `δ (|e| − ½ δ)` beyond, for the error
/// `e = prediction − target`; as PyTorch's `huber_loss`. The smooth L1 loss is this one divided by
/// δ, so with `δ = 1` the two are the same.
///
/// `prediction`, `target` and `weight` are `[B]`, the result is `[]`: the mean over the batch of
/// each loss times its weight. As the mean divides by B, not by the weights' sum, the importance
/// weights of prioritised replay keep their meaning. The target should not require gradients.
///
/// # Panics
/// If the shapes differ in a way that does not broadcast, or `delta` is not positive.
pub fn huber(prediction: &Tensor, target: &Tensor, delta: f64, weight: Option<&Tensor>) -> Tensor {
    match weight {
        None => prediction.huber_loss(target, Reduction::Mean, delta),
        Some(weight) => {
            let losses = prediction.huber_loss(target, Reduction::None, delta); // [B]
            (losses * weight).mean(Kind::Float)
        }
    }
}

/// The mean squared error: `e²`, averaged like [`huber`]'s losses, and without its factor ½.
///
/// # Panics
/// If the shapes differ in a way that does not broadcast.
pub fn mse(prediction: &Tensor, target: &Tensor, weight: Option<&Tensor>) -> Tensor {
    match weight {
        None => prediction.mse_loss(target, Reduction::Mean),
        Some(weight) => {
            let losses = prediction.mse_loss(target, Reduction::None); // [B]
            (losses * weight).mean(Kind::Float)
        }
    }
}

/// The cross-entropy of class scores: `−ln softmax(logits)[class]`, as PyTorch's `cross_entropy`.
///
/// `logits` is `[B, C]`, `class` `[B]` of whole numbers below C, `class_weight` `[C]`; the result is
/// `[]`: the mean over the batch, in which a row counts as much as the weight of its class. Weights
/// inverse to how often classes occur let rare ones count as much as frequent ones.
///
/// # Panics
/// If the shapes or kinds do not fit, or a class is not below C.
pub fn class_cross_entropy(
    logits: &Tensor,
    class: &Tensor,
    class_weight: Option<&Tensor>,
) -> Tensor {
    const NONE_IGNORED: i64 = -100; // PyTorch's: no class has a negative number
    logits.cross_entropy_loss(class, class_weight, Reduction::Mean, NONE_IGNORED, 0.0)
}

/// The cross entropy `−Σ pᵢ log qᵢ` of a distribution `q` under a target `p`, which categorical
/// DQN minimises.
///
/// `log_probability` and `target` are `[B, N]`, the result is `[]`: averaged like [`huber`]'s losses.
///
/// Source: Bellemare, Dabney and Munos (2017), algorithm 1.
///
/// # Panics
/// If the shapes differ.
pub fn cross_entropy(log_probability: &Tensor, target: &Tensor, weight: Option<&Tensor>) -> Tensor {
    let losses = -(log_probability * target).sum_dim_intlist(1, false, Kind::Float); // [B]
    weighted_mean(losses, weight)
}

/// The quantile Huber loss: `Σᵢ meanⱼ |τᵢ − 1{uᵢⱼ < 0}| L_κ(uᵢⱼ)` for the errors
/// `uᵢⱼ = targetⱼ − predictionᵢ` of quantiles at the midpoints `τᵢ = (i + ½) / N`, where `L_κ` is
/// [`huber`]'s loss.
///
/// `prediction` is `[B, N]`, `target` is `[B, M]`, the result is `[]`: averaged like [`huber`]'s
/// losses. The target should not require gradients.
///
/// Source: Dabney et al., "Distributional reinforcement learning with quantile regression" (2018),
/// equation 10 and algorithm 1.
///
/// # Panics
/// If the shapes differ in a way that does not broadcast, or `kappa` is not positive.
pub fn quantile_huber(
    prediction: &Tensor,
    target: &Tensor,
    kappa: f64,
    weight: Option<&Tensor>,
) -> Tensor {
    let n = prediction.size()[1];
    let midpoints: Vec<f32> = (0..n).map(|i| (i as f32 + 0.5) / n as f32).collect();
    let midpoints = Tensor::from_slice(&midpoints).unsqueeze(1); // [N, 1]
    let error = target.unsqueeze(1) - prediction.unsqueeze(2); // [B, N, M]
    let is_below = error.less(0.0).to_kind(Kind::Float);
    let huber = error.huber_loss(&error.zeros_like(), Reduction::None, kappa);
    let losses = (midpoints - is_below).abs() * huber;
    let losses = losses.mean_dim(2, false, Kind::Float).sum_dim_intlist(1, false, Kind::Float); // [B]
    weighted_mean(losses, weight)
}

/// Of losses `[B]`, each times its weight.
fn weighted_mean(losses: Tensor, weight: Option<&Tensor>) -> Tensor {
    match weight {
        None => losses.mean(Kind::Float),
        Some(weight) => (losses * weight).mean(Kind::Float),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(values: &[f32]) -> Tensor {
        Tensor::from_slice(values)
    }

    fn number(tensor: &Tensor) -> f64 {
        assert!(tensor.size().is_empty());
        tensor.double_value(&[])
    }

    #[test]
    fn huber_by_hand() {
        let (prediction, target) = (tensor(&[1.0, 0.0, 5.0]), tensor(&[0.0, 0.5, 2.0]));
        // δ = 2: ½ · 1, ½ · 0.25, 2 (3 − 1)
        let losses = [0.5, 0.125, 4.0];
        let mean = losses.iter().sum::<f64>() / 3.0;
        assert!((number(&huber(&prediction, &target, 2.0, None)) - mean).abs() < 1e-6);
        let weighted = (2.0 * losses[0] + 0.5 * losses[2]) / 3.0;
        let weight = tensor(&[2.0, 0.0, 0.5]);
        assert!((number(&huber(&prediction, &target, 2.0, Some(&weight))) - weighted).abs() < 1e-6);
    }

    #[test]
    fn smooth_l1_is_huber_divided_by_delta() {
        let (prediction, target) = (tensor(&[1.0, 0.0, 5.0]), tensor(&[0.0, 0.5, 2.0]));
        for delta in [0.25, 1.0, 2.0] {
            let smooth = prediction.smooth_l1_loss(&target, Reduction::Mean, delta);
            let ours = number(&huber(&prediction, &target, delta, None)) / delta;
            assert!((number(&smooth) - ours).abs() < 1e-6);
        }
    }

    #[test]
    fn squared_error_by_hand() {
        let (prediction, target) = (tensor(&[1.0, 3.0]), tensor(&[0.0, 1.0]));
        assert_eq!(number(&mse(&prediction, &target, None)), 2.5);
        assert_eq!(number(&mse(&prediction, &target, Some(&tensor(&[1.0, 0.5])))), 1.5);
    }

    #[test]
    fn cross_entropy_by_hand() {
        let log_probability = tensor(&[0.5, 0.5, 0.25, 0.75]).log().view([2, 2]);
        let target = tensor(&[1.0, 0.0, 0.5, 0.5]).view([2, 2]);
        let losses = [2_f64.ln(), 0.5 * 4_f64.ln() - 0.5 * 0.75_f64.ln()];
        let mean = f64::midpoint(losses[0], losses[1]);
        assert!((number(&cross_entropy(&log_probability, &target, None)) - mean).abs() < 1e-6);
        let weight = tensor(&[0.0, 1.0]);
        let weighted = number(&cross_entropy(&log_probability, &target, Some(&weight)));
        assert!((weighted - losses[1] / 2.0).abs() < 1e-6);
    }

    #[test]
    fn quantile_huber_by_hand() {
        // Quantiles at ¼ and ¾. Errors 1 − 0 and −3 − 0, then 1 − 2 and −3 − 2; κ = 1.
        let (prediction, target) = (tensor(&[0.0, 2.0]), tensor(&[1.0, -3.0]));
        let (prediction, target) = (prediction.view([1, 2]), target.view([1, 2]));
        let first = f64::midpoint(0.25 * 0.5, 0.75 * 2.5);
        let second = f64::midpoint(0.25 * 0.5, 0.25 * 4.5);
        let loss = number(&quantile_huber(&prediction, &target, 1.0, None));
        assert!((loss - (first + second)).abs() < 1e-6, "{loss}");
        let weighted = number(&quantile_huber(&prediction, &target, 1.0, Some(&tensor(&[0.5]))));
        assert!((weighted - (first + second) / 2.0).abs() < 1e-6, "{weighted}");
    }

    #[test]
    fn class_cross_entropy_by_hand() {
        // Weights 1, 2, 5 of 8 and 1, 1, 2 of 4.
        let logits = [1.0, 2.0, 5.0, 1.0, 1.0, 2.0].map(f32::ln);
        let (logits, class) = (tensor(&logits).view([2, 3]), Tensor::from_slice(&[1_i64, 2]));
        let losses = [4_f64.ln(), 2_f64.ln()];
        let mean = (losses[0] + losses[1]) / 2.0;
        assert!((number(&class_cross_entropy(&logits, &class, None)) - mean).abs() < 1e-6);
        // The mean of rows that count 3 and 1, not their sum over the batch.
        let weighted = (3.0 * losses[0] + losses[1]) / 4.0;
        let weight = tensor(&[9.0, 3.0, 1.0]);
        let loss = class_cross_entropy(&logits, &class, Some(&weight));
        assert!((number(&loss) - weighted).abs() < 1e-6);
    }
}
