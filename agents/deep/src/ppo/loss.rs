//! PPO's losses, as pure functions.

use tch::{Kind, Tensor};

use super::PpoConfig;

/// The losses of one minibatch.
pub(super) struct Losses {
    /// [`clipped_surrogate`].
    pub(super) policy: Tensor, // []
    /// The mean squared error of the values, or [`clipped_value`].
    pub(super) value: Tensor, // []
    /// The policy's mean entropy.
    pub(super) entropy: Tensor, // []
    /// ln π(a|s; θ) − ln π_old(a|s).
    pub(super) log_ratio: Tensor, // [B]
}

impl Losses {
    /// What is descended: equation 9 with its sign turned.
    pub(super) fn total(&self, config: &PpoConfig) -> Tensor {
        let total = &self.policy + config.value_coefficient * &self.value;
        if config.entropy_coefficient == 0.0 {
            return total;
        }
        total - config.entropy_coefficient * &self.entropy
    }

    /// Both losses, the entropy, the approximate Kullback–Leibler divergence of the policies
    /// (Schulman, "Approximating KL divergence", 2020: the mean of ratio − 1 − ln ratio) and the
    /// share of ratios beyond the clip range.
    pub(super) fn diagnose(&self, clip: f64) -> [f64; 5] {
        let _guard = tch::no_grad_guard();
        let ratio = self.log_ratio.exp(); // [B]
        let kl = (&ratio - 1.0 - &self.log_ratio).mean(Kind::Float);
        let clipped = (ratio - 1.0).abs().gt(clip).mean(Kind::Float);
        let numbers = [&self.policy, &self.value, &self.entropy, &kl, &clipped];
        numbers.map(|number| number.double_value(&[]))
    }
}

/// −mean min(ratio · A, clip(ratio, 1 − ε, 1 + ε) · A): equation 7, to be descended.
///
/// `ratio` and `advantage` are `[B]`, the result is `[]`.
pub(super) fn clipped_surrogate(ratio: &Tensor, advantage: &Tensor, clip: f64) -> Tensor {
    let clipped = ratio.clamp(1.0 - clip, 1.0 + clip);
    -(ratio * advantage).minimum(&(clipped * advantage)).mean(Kind::Float)
}

/// mean max((V − R)², (V_clipped − R)²), where V_clipped is at most ε away from what the value was
/// when the rollout was made: as in OpenAI Baselines.
///
/// All are `[B]`, the result is `[]`.
pub(super) fn clipped_value(value: &Tensor, old: &Tensor, returns: &Tensor, clip: f64) -> Tensor {
    let clipped = old + (value - old).clamp(-clip, clip);
    let (error, clipped) = ((value - returns).square(), (clipped - returns).square());
    error.maximum(&clipped).mean(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(numbers: &[f32]) -> Tensor {
        Tensor::from_slice(numbers)
    }

    #[test]
    fn the_surrogate_and_its_gradient_by_hand() {
        let ratio = tensor(&[1.5, 0.5, 1.5, 0.5, 1.1]).set_requires_grad(true);
        let advantage = tensor(&[1.0, 1.0, -1.0, -1.0, 2.0]);
        let loss = clipped_surrogate(&ratio, &advantage, 0.2);
        // The least of (1.5, 1.2), (0.5, 0.8), (−1.5, −1.2), (−0.5, −0.8), (2.2, 2.2).
        let expected = -(1.2 + 0.5 - 1.5 - 0.8 + 2.2) / 5.0;
        assert!((loss.double_value(&[]) - expected).abs() < 1e-6);
        loss.backward();
        let gradient = Vec::<f32>::try_from(ratio.grad()).unwrap();
        // Nothing pulls where the clip holds.
        for (got, expected) in gradient.iter().zip([0.0, -0.2, 0.2, 0.0, -0.4]) {
            assert!((got - expected).abs() < 1e-6, "{gradient:?}");
        }
    }

    #[test]
    fn the_clipped_value_by_hand() {
        let (value, old) = (tensor(&[2.0, 2.0, 0.1]), tensor(&[0.0; 3]));
        let returns = tensor(&[3.0, 1.0, 1.0]);
        // Clipped to 0.2, 0.2, 0.1: the greater of (1, 7.84), (1, 0.64), (0.81, 0.81).
        let loss = clipped_value(&value, &old, &returns, 0.2).double_value(&[]);
        assert!((loss - (7.84 + 1.0 + 0.81) / 3.0).abs() < 1e-5, "{loss}");
    }

    #[test]
    fn diagnostics_and_the_total_by_hand() {
        let scalar = |x: f32| tensor(&[x]).squeeze();
        let losses = Losses {
            policy: scalar(1.0),
            value: scalar(2.0),
            entropy: scalar(3.0),
            log_ratio: tensor(&[0.0, 2_f32.ln()]),
        };
        // Ratios 1 and 2.
        let expected = [1.0, 2.0, 3.0, (1.0 - 2_f64.ln()) / 2.0, 0.5];
        for (got, expected) in losses.diagnose(0.2).into_iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6);
        }
        let config =
            PpoConfig { value_coefficient: 0.5, entropy_coefficient: 0.1, ..PpoConfig::default() };
        let total = losses.total(&config).double_value(&[]);
        assert!((total - (1.0 + 0.5 * 2.0 - 0.1 * 3.0)).abs() < 1e-6);
    }
}
