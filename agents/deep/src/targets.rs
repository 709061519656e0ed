//! What a value should have been: bootstrapped targets, as pure functions.
//!
//! Termination is folded into the discount (γ, or 0 after termination), so that no target sees a
//! flag. Time stands in the names: `next_q` belongs to the successor. They are plain Rust, as
//! nothing is differentiated through a target and a call into libtorch costs more than the
//! arithmetic.

mod distributional;

use gymnast_core::statistics;

pub use distributional::{Support, categorical, quantile};

/// The target of Q-learning and of double Q-learning: r + γ Q'(s', a*), for a next action that was
/// selected before, by [`greedy_actions`].
///
/// Where Q' selected it as well, it is r + γ max_a Q'(s', a) (Mnih et al., 2015, algorithm 1); where
/// another Q did, that of double Q-learning (van Hasselt, Guez and Silver, "Deep reinforcement
/// learning with double Q-learning", 2016, equation 4).
///
/// `reward`, `discount`, `next_action` and `target` hold B numbers, `next_q` B rows of A.
///
/// # Panics
/// If an action is none of the A.
pub fn q_learning(
    reward: &[f32],
    discount: &[f32],
    next_q: &[f32],
    next_action: &[usize],
    target: &mut Vec<f32>,
) {
    let actions = next_q.len() / reward.len().max(1);
    let rows = next_q.chunks_exact(actions).zip(next_action);
    target.clear();
    target.extend(reward.iter().zip(discount).zip(rows).map(
        |((reward, discount), (next_q, &next_action))| reward + discount * next_q[next_action],
    ));
}

/// The greedy action of each row, argmax_a Q(s, a), among those that are allowed there.
///
/// `q` holds B rows of `n_actions`. `allowed` gives the mask of a row, 1 for each action that may be
/// taken and 0 for each that may not; `None` where all may. In a row that allows nothing, as that
/// of a game that is over, all may as well: its value counts for nothing.
pub fn greedy_actions<'a>(
    q: &[f32],
    n_actions: usize,
    allowed: impl Fn(usize) -> Option<&'a [f32]>,
    actions: &mut Vec<usize>,
) {
    actions.clear();
    let rows = q.chunks_exact(n_actions).enumerate();
    actions.extend(rows.map(|(row, q)| greedy(q, allowed(row))));
}

/// The greedy action among those allowed; see [`greedy_actions`].
///
/// # Panics
/// If there are no actions.
#[must_use]
pub fn greedy(q: &[f32], allowed: Option<&[f32]>) -> usize {
    let Some(allowed) = allowed else { return argmax(q) };
    let allowed = (0..q.len()).filter(|&action| allowed[action] > 0.0);
    let better = |best: usize, action: usize| if q[action] > q[best] { action } else { best };
    allowed.reduce(better).unwrap_or_else(|| argmax(q))
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
    statistics::argmax(values).expect("an action space is not empty")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Q-learning's target with the actions that `selector` selects.
    fn target(selector: &[f32], allowed: Option<&[f32]>) -> [f32; 3] {
        let reward = [1.0, 2.0, 3.0];
        // Goes on, terminated, goes on with another discount (a cut episode bootstraps too).
        let discount = [0.5, 0.0, 0.25];
        let next_q = [7.0, 2.0, 1.0, 1.0, 6.0, 8.0];
        let (mut next_action, mut target) = (vec![9; 7], vec![f32::NAN; 7]);
        let row = |row: usize| allowed.map(|allowed| &allowed[2 * row..2 * row + 2]);
        greedy_actions(selector, 2, row, &mut next_action);
        q_learning(&reward, &discount, &next_q, &next_action, &mut target);
        target.try_into().unwrap()
    }

    #[test]
    fn targets_agree_with_values_worked_by_hand() {
        assert_eq!(target(&[7.0, 2.0, 1.0, 1.0, 6.0, 8.0], None), [4.5, 2.0, 5.0]);
        // Selected online: actions 1, 0, 0; evaluated by the target: 2, 1, 6.
        assert_eq!(target(&[1.0, 5.0, 9.0, 2.0, 4.0, 3.0], None), [2.0, 2.0, 4.5]);
    }

    #[test]
    fn only_allowed_actions_are_selected() {
        let q = [7.0, 2.0, 1.0, 1.0, 6.0, 8.0];
        // The better action is forbidden in the first and the last row; nothing is allowed in the
        // second, which is terminal.
        let mask = [0.0, 1.0, 0.0, 0.0, 1.0, 0.0];
        assert_eq!(target(&q, Some(&mask)), [2.0, 2.0, 4.5]);
        let values = [-1.0, f32::NEG_INFINITY, -3.0, 0.0];
        assert_eq!(greedy(&values, Some(&[0.0, 1.0, 1.0, 0.0])), 2);
        assert_eq!(greedy(&values, Some(&[0.0; 4])), 3);
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
