//! What a value should have been: bootstrapped targets, as pure functions.
//!
//! Termination is folded into the discount (γ, or 0 after termination), so that no target sees a
//! flag. Time stands in the names: `next_q` belongs to the successor.

use tch::Tensor;

/// The target of Q-learning: r + γ max_a Q(s', a).
///
/// `reward` and `discount` are `[B]`, `next_q` is `[B, A]`; returns `[B]`.
///
/// Source: Mnih et al. (2015), algorithm 1.
pub fn q_learning(reward: &Tensor, discount: &Tensor, next_q: &Tensor) -> Tensor {
    reward + discount * next_q.amax(-1, false)
}

/// The target of double Q-learning: r + γ Q'(s', argmax_a Q(s', a)), where Q selects the action
/// and Q' evaluates it.
///
/// `reward` and `discount` are `[B]`, both values `[B, A]`; returns `[B]`.
///
/// Source: van Hasselt, Guez and Silver, "Deep reinforcement learning with double Q-learning"
/// (2016), equation 4.
pub fn double_q(
    reward: &Tensor,
    discount: &Tensor,
    next_q_selector: &Tensor,
    next_q_evaluator: &Tensor,
) -> Tensor {
    reward + discount * pick(next_q_evaluator, &next_q_selector.argmax(-1, false))
}

/// The value of the action taken: `q` is `[B, A]`, `action` `[B]`; returns `[B]`.
pub fn pick(q: &Tensor, action: &Tensor) -> Tensor {
    q.gather(-1, &action.unsqueeze(-1), false).squeeze_dim(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_agree_with_values_worked_by_hand() {
        let reward = Tensor::from_slice(&[1.0_f32, 2.0, 3.0]);
        // Goes on, terminated, goes on with another discount (a cut episode bootstraps too).
        let discount = Tensor::from_slice(&[0.9_f32, 0.0, 0.5]);
        let online = Tensor::from_slice2(&[[1.0_f32, 5.0], [9.0, 2.0], [4.0, 3.0]]);
        let target = Tensor::from_slice2(&[[7.0_f32, 2.0], [1.0, 1.0], [6.0, 8.0]]);
        let one = q_learning(&reward, &discount, &target);
        assert!(one.allclose(&Tensor::from_slice(&[7.3_f32, 2.0, 7.0]), 1e-6, 0.0, false));
        // Selected online: actions 1, 0, 0; evaluated by the target: 2, 1, 6.
        let two = double_q(&reward, &discount, &online, &target);
        assert!(two.allclose(&Tensor::from_slice(&[2.8_f32, 2.0, 6.0]), 1e-6, 0.0, false));
    }
}
