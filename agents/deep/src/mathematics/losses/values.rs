//! Losses of action values and of return distributions, by rows of a minibatch.
//!
//! `prediction` and `target` hold B rows of N numbers; `weight` holds B, or none where all rows count
//! alike. The loss is the mean over rows of each row's loss times its weight.

use gymnast_core::likelihood::log_sum_exp;
use gymnast_harness::AgentError;

use crate::mathematics::targets::row_width;

/// The mean of the Huber losses with δ = 1: ½ e² where |e| ≤ 1, |e| − ½ elsewhere, for e = prediction −
/// target, N = 1 (Huber, 1964; the clipped errors of Mnih et al., 2015).
///
/// Differentiated by each prediction: clamp(e, −1, 1) · weight / B.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths differ.
pub fn huber(
    prediction: &[f32],
    target: &[f32],
    weight: &[f32],
    by_prediction: &mut Vec<f32>,
) -> Result<f64, AgentError> {
    let batch = prediction.len();
    check(prediction, target, weight, batch)?;
    by_prediction.clear();
    let mut sum = 0.0;
    for (row, (q, y)) in prediction.iter().zip(target).enumerate() {
        let (error, weight) = (q - y, of_row(weight, row));
        sum += f64::from(huber_of(error)) * f64::from(weight);
        by_prediction.push(error.clamp(-1.0, 1.0) * weight / batch as f32);
    }
    Ok(sum / batch as f64)
}

/// The cross-entropy −Σᵢ targetᵢ ln pᵢ of probabilities p = softmax(logits) (Bellemare, Dabney and Munos,
/// 2017, algorithm 1). `prediction` holds ln p: see [`log_softmax`].
///
/// Differentiated by each logit: (pᵢ Σ target − targetᵢ) · weight / B.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths differ.
pub fn cross_entropy(
    prediction: &[f32],
    target: &[f32],
    weight: &[f32],
    atoms: usize,
    by_logit: &mut Vec<f32>,
) -> Result<f64, AgentError> {
    let batch = prediction.len() / atoms.max(1);
    check(prediction, target, weight, batch)?;
    by_logit.clear();
    let mut sum = 0.0;
    let rows = prediction.chunks_exact(atoms).zip(target.chunks_exact(atoms));
    for (row, (log_p, target)) in rows.enumerate() {
        let weight = of_row(weight, row);
        let loss: f32 = log_p.iter().zip(target).map(|(log_p, target)| -log_p * target).sum();
        sum += f64::from(loss) * f64::from(weight);
        let (all, each) = (target.iter().sum::<f32>(), weight / batch as f32);
        let slopes = log_p.iter().zip(target).map(|(log_p, y)| (log_p.exp() * all - y) * each);
        by_logit.extend(slopes);
    }
    Ok(sum / batch as f64)
}

/// The quantile Huber loss with κ = 1, Σᵢ meanⱼ |τᵢ − 1{uᵢⱼ < 0}| L(uᵢⱼ), for the errors uᵢⱼ = targetⱼ −
/// predictionᵢ of quantiles at the midpoints τᵢ = (i + ½) / N (Dabney et al., 2018, equation 10 and
/// algorithm 1). The target's rows may have another width than the prediction's.
///
/// Differentiated by each quantile: −meanⱼ |τᵢ − 1{uᵢⱼ < 0}| clamp(uᵢⱼ, −1, 1) · weight / B.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths do not fit.
pub fn quantile_huber(
    prediction: &[f32],
    target: &[f32],
    weight: &[f32],
    atoms: usize,
    by_quantile: &mut Vec<f32>,
) -> Result<f64, AgentError> {
    let batch = prediction.len() / atoms.max(1);
    AgentError::check_len("the predictions", batch * atoms, prediction.len())?;
    let width = row_width("the targets", batch, target.len())?;
    check_weights(weight, batch)?;
    by_quantile.clear();
    let mut sum = 0.0;
    let rows = prediction.chunks_exact(atoms).zip(target.chunks_exact(width.max(1)));
    for (row, (quantiles, target)) in rows.enumerate() {
        let weight = of_row(weight, row);
        let each = weight / (batch * width) as f32;
        for (i, quantile) in quantiles.iter().enumerate() {
            let tau = (i as f32 + 0.5) / atoms as f32;
            let (mut loss, mut slope) = (0.0, 0.0);
            for y in target {
                let error = y - quantile;
                let side = if error < 0.0 { 1.0 - tau } else { tau };
                loss += side * huber_of(error);
                slope -= side * error.clamp(-1.0, 1.0);
            }
            sum += f64::from(loss * weight) / width as f64;
            by_quantile.push(slope * each);
        }
    }
    Ok(sum / batch as f64)
}

/// Turns each row of `atoms` logits into the logarithms of their probabilities.
pub fn log_softmax(logits: &mut [f32], atoms: usize) {
    for row in logits.chunks_exact_mut(atoms) {
        let all = log_sum_exp(row);
        row.iter_mut().for_each(|logit| *logit -= all);
    }
}

fn huber_of(error: f32) -> f32 {
    let size = error.abs();
    if size <= 1.0 { 0.5 * error * error } else { size - 0.5 }
}

fn of_row(weight: &[f32], row: usize) -> f32 {
    weight.get(row).copied().unwrap_or(1.0)
}

fn check(
    prediction: &[f32],
    target: &[f32],
    weight: &[f32],
    batch: usize,
) -> Result<(), AgentError> {
    AgentError::check_len("the predictions", target.len(), prediction.len())?;
    check_weights(weight, batch)
}

fn check_weights(weight: &[f32], batch: usize) -> Result<(), AgentError> {
    if weight.is_empty() {
        Ok(())
    } else {
        AgentError::check_len("the weights", batch, weight.len())
    }
}

#[cfg(test)]
mod tests {
    use gymnast_core::loss;
    use tch::Tensor;

    use super::*;
    use crate::mathematics::losses::tests::assert_derives;

    const PREDICTION: [f32; 6] = [0.3, -1.2, 2.0, 0.1, 4.0, -0.7];
    const TARGET: [f32; 6] = [0.5, 1.5, 2.0, -3.0, 3.5, 0.9];

    fn rows(numbers: &[f32]) -> Tensor {
        Tensor::from_slice(numbers).view([2, 3])
    }

    #[test]
    fn they_agree_with_libtorch() {
        for weight in [vec![], vec![0.25, 2.0]] {
            let row_weight = (!weight.is_empty()).then(|| Tensor::from_slice(&weight));
            let mut gradient = vec![f32::NAN; 9];

            let loss = quantile_huber(&PREDICTION, &TARGET, &weight, 3, &mut gradient).unwrap();
            assert_derives(&PREDICTION, (loss, &gradient), |x| {
                let x = x.view([2, 3]);
                loss::quantile_huber(&x, &rows(&TARGET), 1.0, row_weight.as_ref()).unwrap()
            });

            // Two rows that do not sum to 1, as a target with rounding.
            let target = [0.5, 0.25, 0.2, 0.0, 0.9, 0.3];
            let mut log_p = PREDICTION;
            log_softmax(&mut log_p, 3);
            let loss = cross_entropy(&log_p, &target, &weight, 3, &mut gradient).unwrap();
            assert_derives(&PREDICTION, (loss, &gradient), |x| {
                let log_p = x.view([2, 3]).log_softmax(-1, tch::Kind::Float);
                loss::cross_entropy(&log_p, &rows(&target), row_weight.as_ref()).unwrap()
            });
        }
        for weight in [vec![], vec![0.25, 2.0, 1.0, 0.0, 0.5, 3.0]] {
            let row_weight = (!weight.is_empty()).then(|| Tensor::from_slice(&weight));
            let mut gradient = vec![f32::NAN; 9];
            let loss = huber(&PREDICTION, &TARGET, &weight, &mut gradient).unwrap();
            assert_derives(&PREDICTION, (loss, &gradient), |x| {
                loss::huber(x, &Tensor::from_slice(&TARGET), 1.0, row_weight.as_ref()).unwrap()
            });
        }
    }

    #[test]
    fn lengths_that_do_not_fit_are_errors() {
        let out = &mut Vec::new();
        assert!(huber(&PREDICTION, &TARGET[1..], &[], out).is_err());
        assert!(huber(&PREDICTION, &TARGET, &[1.0], out).is_err());
        assert!(cross_entropy(&PREDICTION, &TARGET[1..], &[], 3, out).is_err());
        assert!(cross_entropy(&PREDICTION, &TARGET, &[1.0], 3, out).is_err());
        assert!(quantile_huber(&PREDICTION, &TARGET[1..], &[], 3, out).is_err());
        assert!(quantile_huber(&PREDICTION, &TARGET, &[1.0], 3, out).is_err());
        assert!(quantile_huber(&PREDICTION, &TARGET, &[], 4, out).is_err());
    }
}
