//! What a value should have been: bootstrapped targets, as pure functions.
//!
//! Termination is folded into the discount (γ, or 0 after termination), so that no target sees a
//! flag. Time stands in the names: `next_q` belongs to the successor. They are plain Rust, as
//! nothing is differentiated through a target and a call into libtorch costs more than the
//! arithmetic. Slices whose lengths do not fit each other are an error ([`AgentError::Mismatch`]).

mod distributional;

use gymnast_core::statistics;
use gymnast_harness::AgentError;

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
/// # Errors
/// [`AgentError::Mismatch`] where the lengths do not fit or an action is none of the A.
pub fn q_learning(
    reward: &[f32],
    discount: &[f32],
    next_q: &[f32],
    next_action: &[usize],
    target: &mut Vec<f32>,
) -> Result<(), AgentError> {
    let actions = row_width("the next values", reward.len(), next_q.len())?;
    AgentError::check_len("the discounts", reward.len(), discount.len())?;
    AgentError::check_len("the next actions", reward.len(), next_action.len())?;
    if let Some(got) = next_action.iter().find(|&&action| action >= actions) {
        let (expected, got) = (format!("one of {actions}"), got.to_string());
        return Err(AgentError::Mismatch { what: "a next action", expected, got });
    }
    let rows = next_q.chunks_exact(actions.max(1)).zip(next_action);
    target.clear();
    target.extend(reward.iter().zip(discount).zip(rows).map(
        |((reward, discount), (next_q, &next_action))| reward + discount * next_q[next_action],
    ));
    Ok(())
}

/// The width of each of `rows` rows that `len` numbers make.
pub(crate) fn row_width(what: &'static str, rows: usize, len: usize) -> Result<usize, AgentError> {
    match len.checked_div(rows) {
        Some(width) if width * rows == len && width > 0 => Ok(width),
        None if len == 0 => Ok(0),
        _ => {
            let (expected, got) = (format!("{rows} rows of one width"), format!("{len} numbers"));
            Err(AgentError::Mismatch { what, expected, got })
        }
    }
}

/// The greedy action of each row, argmax_a Q(s, a), among those that are allowed there.
///
/// `q` holds B rows of `n_actions`. `allowed` gives the mask of a row, 1 for each action that may be
/// taken and 0 for each that may not; `None` where all may. In a row that allows nothing, as that
/// of a game that is over, all may as well: its value counts for nothing.
///
/// # Errors
/// [`AgentError::Mismatch`] where a row has no [`greedy`] action, as a value is NaN.
pub fn greedy_actions<'a>(
    q: &[f32],
    n_actions: usize,
    allowed: impl Fn(usize) -> Option<&'a [f32]>,
    actions: &mut Vec<usize>,
) -> Result<(), AgentError> {
    actions.clear();
    if n_actions == 0 || !q.len().is_multiple_of(n_actions) {
        let (expected, got) = (format!("rows of {n_actions}"), format!("{} numbers", q.len()));
        return Err(AgentError::Mismatch { what: "the values", expected, got });
    }
    for (row, q) in q.chunks_exact(n_actions).enumerate() {
        let action = greedy(q, allowed(row)).ok_or_else(|| AgentError::Mismatch {
            what: "the values of a state's actions",
            expected: "numbers, and as many in its mask".to_owned(),
            got: format!("{q:?}"),
        })?;
        actions.push(action);
    }
    Ok(())
}

/// The greedy action among those allowed; see [`greedy_actions`]. `None` where a value is NaN, beside
/// which none is greatest, where there are no actions or the mask has not one number for each.
#[must_use]
pub fn greedy(q: &[f32], allowed: Option<&[f32]>) -> Option<usize> {
    let best = argmax(q)?;
    let Some(allowed) = allowed else { return Some(best) };
    if allowed.len() != q.len() {
        return None;
    }
    let allowed = (0..q.len()).filter(|&action| allowed[action] > 0.0);
    let better = |best: usize, action: usize| if q[action] > q[best] { action } else { best };
    Some(allowed.reduce(better).unwrap_or(best))
}

/// The target of an actor's critic: r + γ Q'(s', a'), where a' is the actor's.
///
/// `reward`, `discount`, `next_value` and `target` hold B numbers. With the least of two critics as
/// `next_value` it is that of clipped double Q-learning.
///
/// Source: Lillicrap et al., "Continuous control with deep reinforcement learning" (2016),
/// algorithm 1; Fujimoto, van Hoof and Meger, "Addressing function approximation error in
/// actor-critic methods" (2018), algorithm 1.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths differ.
pub fn actor_critic(
    reward: &[f32],
    discount: &[f32],
    next_value: &[f32],
    target: &mut Vec<f32>,
) -> Result<(), AgentError> {
    AgentError::check_len("the discounts", reward.len(), discount.len())?;
    AgentError::check_len("the next values", reward.len(), next_value.len())?;
    target.clear();
    let rows = reward.iter().zip(discount).zip(next_value);
    target.extend(rows.map(|((reward, discount), value)| reward + discount * value));
    Ok(())
}

/// The target of soft Q-learning: r + γ (Q'(s', a') − α log π(a' | s')) for a' drawn from π.
///
/// All slices hold B numbers; `alpha` is the temperature.
///
/// Source: Haarnoja et al., "Soft actor-critic algorithms and applications" (2018), equations 3
/// and 5.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths differ.
pub fn soft_q(
    reward: &[f32],
    discount: &[f32],
    next_value: &[f32],
    next_log_prob: &[f32],
    alpha: f32,
    target: &mut Vec<f32>,
) -> Result<(), AgentError> {
    AgentError::check_len("the discounts", reward.len(), discount.len())?;
    AgentError::check_len("the next values", reward.len(), next_value.len())?;
    AgentError::check_len("the log-probabilities", reward.len(), next_log_prob.len())?;
    target.clear();
    let rows = reward.iter().zip(discount).zip(next_value.iter().zip(next_log_prob));
    target.extend(rows.map(|((reward, discount), (value, log_prob))| {
        reward + discount * (value - alpha * log_prob)
    }));
    Ok(())
}

/// The first of the greatest values: two actions of a network are never equal but by accident. `None`
/// if there are no values or one is NaN.
#[must_use]
pub fn argmax(values: &[f32]) -> Option<usize> {
    statistics::argmax(values)
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
        greedy_actions(selector, 2, row, &mut next_action).unwrap();
        q_learning(&reward, &discount, &next_q, &next_action, &mut target).unwrap();
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
        assert_eq!(greedy(&values, Some(&[0.0, 1.0, 1.0, 0.0])), Some(2));
        assert_eq!(greedy(&values, Some(&[0.0; 4])), Some(3));
    }

    #[test]
    fn nothing_is_greatest_beside_nan_or_of_nothing() {
        for nan in 0..3 {
            let mut values = [1.0, 2.0, 3.0];
            values[nan] = f32::NAN;
            assert_eq!((argmax(&values), greedy(&values, None)), (None, None));
            assert_eq!(greedy(&values, Some(&[1.0; 3])), None);
            assert!(greedy_actions(&values, 3, |_| None, &mut vec![]).is_err());
        }
        assert_eq!(greedy(&[], None), None);
        assert_eq!(greedy(&[1.0, 2.0], Some(&[1.0])), None);
        assert!(greedy_actions(&[1.0, 2.0, 3.0], 2, |_| None, &mut vec![]).is_err());
        assert!(greedy_actions(&[1.0], 0, |_| None, &mut vec![]).is_err());
    }

    #[test]
    fn slices_that_do_not_fit_are_errors() {
        let (two, three, out) = ([1.0; 2], [1.0; 3], &mut vec![7.0]);
        assert!(q_learning(&two, &three, &[1.0; 4], &[0, 0], out).is_err());
        assert!(q_learning(&two, &two, &[1.0; 5], &[0, 0], out).is_err());
        assert!(q_learning(&two, &two, &[], &[0, 0], out).is_err());
        assert!(q_learning(&two, &two, &[1.0; 4], &[0], out).is_err());
        let error = q_learning(&two, &two, &[1.0; 4], &[0, 2], out).unwrap_err().to_string();
        assert_eq!(error, "a next action: expected one of 2, got 2");
        assert!(actor_critic(&two, &three, &two, out).is_err());
        assert!(actor_critic(&two, &two, &three, out).is_err());
        assert!(soft_q(&two, &three, &two, &two, 1.0, out).is_err());
        assert!(soft_q(&two, &two, &three, &two, 1.0, out).is_err());
        assert!(soft_q(&two, &two, &two, &three, 1.0, out).is_err());
        let support = Support { low: -1.0, high: 1.0, atoms: 3 };
        assert!(categorical(&two, &three, &[0.5; 6], &support, out).is_err());
        assert!(categorical(&two, &two, &[0.5; 5], &support, out).is_err());
        for support in [Support { atoms: 1, ..support }, Support { low: 1.0, ..support }] {
            assert!(categorical(&two, &two, &[0.5; 6], &support, out).is_err());
        }
        assert!(quantile(&two, &three, &[0.5; 6], out).is_err());
        assert!(quantile(&two, &two, &[0.5; 5], out).is_err());
        assert_eq!(out, &[7.0]);
    }

    #[test]
    fn targets_of_real_valued_actions_agree_with_values_worked_by_hand() {
        // Goes on, terminated, truncated: a cut episode bootstraps, an ended one does not.
        let (reward, discount) = ([1.0, 2.0, 3.0], [0.5, 0.0, 0.5]);
        let (next_value, next_log_prob) = ([4.0, 100.0, -2.0], [-1.0, 50.0, 3.0]);
        let mut got = vec![f32::NAN; 7];
        actor_critic(&reward, &discount, &next_value, &mut got).unwrap();
        assert_eq!(got, [3.0, 2.0, 2.0]);
        soft_q(&reward, &discount, &next_value, &next_log_prob, 0.5, &mut got).unwrap();
        assert_eq!(got, [3.25, 2.0, 1.25]);
    }
}
