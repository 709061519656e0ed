//! PPO's losses and their gradients, as pure functions; as those in [`losses`](crate::losses).

use crate::mathematics::losses::mean;

/// What the losses of a minibatch are; their sum over minibatches, in the making of a mean.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Losses {
    /// [`clipped_surrogate`].
    pub(super) policy: f64,
    /// The mean squared error of the values, or [`clipped_value`].
    pub(super) value: f64,
    /// The policy's mean entropy.
    pub(super) entropy: f64,
    /// [`approx_kl`].
    pub(super) approx_kl: f64,
    /// [`clip_fraction`].
    pub(super) clip_fraction: f64,
}

impl std::ops::AddAssign for Losses {
    fn add_assign(&mut self, other: Self) {
        self.policy += other.policy;
        self.value += other.value;
        self.entropy += other.entropy;
        self.approx_kl += other.approx_kl;
        self.clip_fraction += other.clip_fraction;
    }
}

/// −mean min(ratio · A, clip(ratio, 1 − ε, 1 + ε) · A): equation 7, to be descended.
///
/// Differentiated by each ln π(a|s), of which the ratio is the exponential but for a constant
/// factor: −ratio · A / B, and 0 where the clip holds.
pub(super) fn clipped_surrogate(
    ratio: &[f32],
    advantage: &[f32],
    clip: f64,
    by_log_prob: &mut Vec<f32>,
) -> f64 {
    let each = 1.0 / advantage.len() as f32;
    let (least, greatest) = ((1.0 - clip) as f32, (1.0 + clip) as f32);
    let rows = ratio
        .iter()
        .zip(advantage)
        .map(|(&ratio, &advantage)| (ratio * advantage, ratio.clamp(least, greatest) * advantage));
    by_log_prob.clear();
    by_log_prob.extend(rows.clone().map(
        |(free, clipped)| {
            if clipped < free { 0.0 } else { -free * each }
        },
    ));
    -mean(rows.map(|(free, clipped)| if clipped < free { clipped } else { free }))
}

/// mean max((V − R)², (V_clipped − R)²), where V_clipped is at most ε away from what the value was
/// when the rollout was made: as in OpenAI Baselines.
///
/// Differentiated by each V: 2 (V − R) / B, and 0 where the clip holds.
pub(super) fn clipped_value(
    value: &[f32],
    old: &[f32],
    returns: &[f32],
    clip: f64,
    by_value: &mut Vec<f32>,
) -> f64 {
    let (each, clip) = (2.0 / returns.len() as f32, clip as f32);
    let rows = value.iter().zip(old).zip(returns).map(|((&value, &old), &returns)| {
        (value - returns, old + (value - old).clamp(-clip, clip) - returns)
    });
    by_value.clear();
    by_value.extend(
        rows.clone().map(
            |(free, clipped)| {
                if clipped * clipped > free * free { 0.0 } else { free * each }
            },
        ),
    );
    mean(rows.map(|(free, clipped)| {
        let (free, clipped) = (free * free, clipped * clipped);
        if clipped > free { clipped } else { free }
    }))
}

/// The approximate Kullback–Leibler divergence of the policies: the mean of ratio − 1 − ln ratio
/// (Schulman, "Approximating KL divergence", 2020).
pub(super) fn approx_kl(log_ratio: &[f32], ratio: &[f32]) -> f64 {
    mean(log_ratio.iter().zip(ratio).map(|(log_ratio, ratio)| ratio - 1.0 - log_ratio))
}

/// The share of ratios beyond the clip range.
pub(super) fn clip_fraction(ratio: &[f32], clip: f64) -> f64 {
    mean(ratio.iter().map(|ratio| f32::from(u8::from(f64::from((ratio - 1.0).abs()) > clip))))
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;
    use crate::mathematics::losses::tests::assert_derives;

    #[test]
    fn the_surrogate_by_hand_and_by_libtorch() {
        let ratio = [1.5, 0.5, 1.5, 0.5, 1.1, 1.3_f32];
        let advantage = [1.0, 1.0, -1.0, -1.0, 2.0, 0.0];
        let mut gradient = vec![f32::NAN; 9];
        let loss = clipped_surrogate(&ratio, &advantage, 0.2, &mut gradient);
        // The least of (1.5, 1.2), (0.5, 0.8), (−1.5, −1.2), (−0.5, −0.8), (2.2, 2.2), (0, 0).
        assert!((loss + (1.2 + 0.5 - 1.5 - 0.8 + 2.2) / 6.0).abs() < 1e-6);
        // Nothing pulls where the clip holds.
        for (got, expected) in gradient.iter().zip([0.0, -0.5, 1.5, 0.0, -2.2, 0.0]) {
            assert!((got - expected / 6.0).abs() < 1e-6, "{gradient:?}");
        }
        assert_derives(&ratio.map(f32::ln), (loss, &gradient), |log_ratio| {
            let (ratio, advantage) = (log_ratio.exp(), Tensor::from_slice(&advantage));
            let clipped = ratio.clamp(0.8, 1.2);
            -(ratio * &advantage).minimum(&(clipped * &advantage)).mean(Kind::Float)
        });
    }

    #[test]
    fn the_clipped_value_by_hand_and_by_libtorch() {
        let (value, old) = ([2.0, 2.0, 0.1, -2.0], [0.0; 4]);
        let returns = [3.0, 1.0, 1.0, 0.5];
        let mut gradient = Vec::new();
        let loss = clipped_value(&value, &old, &returns, 0.2, &mut gradient);
        // Clipped to 0.2, 0.2, 0.1, −0.2: the greater of (1, 7.84), (1, 0.64), (0.81, 0.81),
        // (6.25, 0.49).
        assert!((loss - (7.84 + 1.0 + 0.81 + 6.25) / 4.0).abs() < 1e-5, "{loss}");
        for (got, expected) in gradient.iter().zip([0.0, 2.0, -1.8, -5.0]) {
            assert!((got - expected / 4.0).abs() < 1e-6, "{gradient:?}");
        }
        assert_derives(&value, (loss, &gradient), |value| {
            let (old, returns) = (Tensor::from_slice(&old), Tensor::from_slice(&returns));
            let clipped = &old + (value - &old).clamp(-0.2, 0.2);
            let (error, clipped) = ((value - &returns).square(), (clipped - &returns).square());
            error.maximum(&clipped).mean(Kind::Float)
        });
    }

    #[test]
    fn diagnostics_by_hand() {
        let (log_ratio, ratio) = ([0.0, 2_f32.ln()], [1.0, 2.0]);
        assert!((approx_kl(&log_ratio, &ratio) - (1.0 - 2_f64.ln()) / 2.0).abs() < 1e-6);
        assert_eq!(clip_fraction(&[1.0, 2.0, 0.5, 1.1], 0.2), 0.5);
    }
}
