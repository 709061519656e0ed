//! What a value should have been: bootstrapped targets, as pure functions.
//!
//! Termination is folded into the discount (γ, or 0 after termination), so that no target sees a
//! flag. Time stands in the names: `next_q` belongs to the successor. They are plain Rust, as
//! nothing is differentiated through a target and a call into libtorch costs more than the
//! arithmetic.

/// The target of Q-learning: r + γ max_a Q(s', a).
///
/// `reward`, `discount` and `target` hold B numbers, `next_q` B rows of A.
///
/// Source: Mnih et al. (2015), algorithm 1.
///
/// # Panics
/// If there is no action.
pub fn q_learning(reward: &[f32], discount: &[f32], next_q: &[f32], target: &mut Vec<f32>) {
    double_q(reward, discount, next_q, next_q, target);
}

/// The target of double Q-learning: r + γ Q'(s', argmax_a Q(s', a)), where Q selects the action
/// and Q' evaluates it.
///
/// `reward`, `discount` and `target` hold B numbers, both values B rows of A.
///
/// Source: van Hasselt, Guez and Silver, "Deep reinforcement learning with double Q-learning"
/// (2016), equation 4.
///
/// # Panics
/// If there is no action.
pub fn double_q(
    reward: &[f32],
    discount: &[f32],
    next_q_selector: &[f32],
    next_q_evaluator: &[f32],
    target: &mut Vec<f32>,
) {
    let actions = next_q_selector.len() / reward.len().max(1);
    let rows = next_q_selector.chunks_exact(actions).zip(next_q_evaluator.chunks_exact(actions));
    target.clear();
    target.extend(reward.iter().zip(discount).zip(rows).map(
        |((reward, discount), (selector, evaluator))| {
            reward + discount * evaluator[argmax(selector)]
        },
    ));
}

/// The target of an actor's critic: r + γ Q'(s', a'), where a' is the actor's.
///
/// `reward`, `discount`, `next_value` and `target` hold B numbers. With the least of two critics as
/// `next_value` it is that of clipped double Q-learning.
///
/// Source: Lillicrap et al., "Continuous control with deep reinforcement learning" (2016),
/// algorithm 1; Fujimoto, van Hoof and Meger, "Addressing function approximation error in
/// actor-critic methods" (2018), algorithm 1.
pub fn actor_critic(reward: &[f32], discount: &[f32], next_value: &[f32], target: &mut Vec<f32>) {
    target.clear();
    let rows = reward.iter().zip(discount).zip(next_value);
    target.extend(rows.map(|((reward, discount), value)| reward + discount * value));
}

/// The target of soft Q-learning: r + γ (Q'(s', a') − α log π(a' | s')) for a' drawn from π.
///
/// All slices hold B numbers; `alpha` is the temperature.
///
/// Source: Haarnoja et al., "Soft actor-critic algorithms and applications" (2018), equations 3
/// and 5.
pub fn soft_q(
    reward: &[f32],
    discount: &[f32],
    next_value: &[f32],
    next_log_prob: &[f32],
    alpha: f32,
    target: &mut Vec<f32>,
) {
    target.clear();
    let rows = reward.iter().zip(discount).zip(next_value.iter().zip(next_log_prob));
    target.extend(rows.map(|((reward, discount), (value, log_prob))| {
        reward + discount * (value - alpha * log_prob)
    }));
}

/// The first of the greatest values. Two actions of a network are never equal but by accident.
///
/// # Panics
/// If there are no values.
#[must_use]
pub fn argmax(values: &[f32]) -> usize {
    let better = |best: usize, i: usize| if values[i] > values[best] { i } else { best };
    (0..values.len()).reduce(better).expect("an action space is not empty")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_agree_with_values_worked_by_hand() {
        let reward = [1.0, 2.0, 3.0];
        // Goes on, terminated, goes on with another discount (a cut episode bootstraps too).
        let discount = [0.5, 0.0, 0.25];
        let online = [1.0, 5.0, 9.0, 2.0, 4.0, 3.0];
        let target = [7.0, 2.0, 1.0, 1.0, 6.0, 8.0];
        let mut got = vec![f32::NAN; 7];
        q_learning(&reward, &discount, &target, &mut got);
        assert_eq!(got, [4.5, 2.0, 5.0]);
        // Selected online: actions 1, 0, 0; evaluated by the target: 2, 1, 6.
        double_q(&reward, &discount, &online, &target, &mut got);
        assert_eq!(got, [2.0, 2.0, 4.5]);
    }

    #[test]
    fn targets_of_real_valued_actions_agree_with_values_worked_by_hand() {
        // Goes on, terminated, truncated: a cut episode bootstraps, an ended one does not.
        let (reward, discount) = ([1.0, 2.0, 3.0], [0.5, 0.0, 0.5]);
        let (next_value, next_log_prob) = ([4.0, 100.0, -2.0], [-1.0, 50.0, 3.0]);
        let mut got = vec![f32::NAN; 7];
        actor_critic(&reward, &discount, &next_value, &mut got);
        assert_eq!(got, [3.0, 2.0, 2.0]);
        soft_q(&reward, &discount, &next_value, &next_log_prob, 0.5, &mut got);
        assert_eq!(got, [3.25, 2.0, 1.25]);
    }
}
