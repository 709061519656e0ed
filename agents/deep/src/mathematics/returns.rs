//! Returns and advantages of trajectories, as pure functions.
//!
//! Termination is folded into the discount and the end of an episode into the trace, so that no
//! estimate sees a flag. Values of successors belong to the true ones, also where an episode was
//! cut short and the next row is another episode's.
//!
//! Slices that do not fit each other are an error ([`AgentError::Mismatch`]): nothing is cut to the
//! shortest.

use gymnast_harness::AgentError;

/// Steps of several environments, side by side: row t · `num_envs` + i is step t of environment i.
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a> {
    /// The rewards.
    pub reward: &'a [f32],
    /// The factor on the successor's value: γ, or 0 after termination.
    pub discount: &'a [f32],
    /// The factor on what follows in the environment's next row: γ, or 0 where the episode was
    /// over, for either reason.
    pub trace: &'a [f32],
    /// The number of environments.
    pub num_envs: usize,
}

impl Steps<'_> {
    /// Checks that the columns have one number a row, and the rows come in whole steps; returns their
    /// number.
    fn check(&self) -> Result<usize, AgentError> {
        let rows = self.reward.len();
        AgentError::check_len("the discounts", rows, self.discount.len())?;
        AgentError::check_len("the traces", rows, self.trace.len())?;
        if self.num_envs == 0 || !rows.is_multiple_of(self.num_envs) {
            let expected = format!("at least 1, and a divisor of the {rows} rows");
            let (what, got) = ("num_envs", self.num_envs.to_string());
            return Err(AgentError::Mismatch { what, expected, got });
        }
        Ok(rows)
    }
}

/// Generalised advantage estimation: A = δ + γλ A', where δ = r + γ V(s') − V(s).
///
/// `value` and `next_value` hold V(s) and V(s') of each row. After the last rows the sum ends, with
/// V(s') standing for the rest.
///
/// Source: Schulman et al., "High-dimensional continuous control using generalized advantage
/// estimation" (2016), equations 11, 12 and 16.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths differ.
pub fn gae(
    steps: &Steps<'_>,
    value: &[f32],
    next_value: &[f32],
    lambda: f64,
    advantage: &mut Vec<f32>,
) -> Result<(), AgentError> {
    let rows = steps.check()?;
    AgentError::check_len("the values", rows, value.len())?;
    AgentError::check_len("the successors' values", rows, next_value.len())?;
    advantage.clear();
    advantage.resize(rows, 0.0);
    for row in (0..rows).rev() {
        let delta = steps.reward[row] + steps.discount[row] * next_value[row] - value[row];
        let later = advantage.get(row + steps.num_envs).copied().unwrap_or(0.0);
        advantage[row] = delta + lambda as f32 * steps.trace[row] * later;
    }
    Ok(())
}

/// The return R = r + γ R' to the last row or the episode's end, where γ V(s') stands for the rest.
///
/// Source: Mnih et al., "Asynchronous methods for deep reinforcement learning" (2016), algorithm
/// S3.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths differ.
pub fn bootstrapped(
    steps: &Steps<'_>,
    next_value: &[f32],
    returns: &mut Vec<f32>,
) -> Result<(), AgentError> {
    let rows = steps.check()?;
    AgentError::check_len("the successors' values", rows, next_value.len())?;
    returns.clear();
    returns.resize(rows, 0.0);
    for row in (0..rows).rev() {
        let later = returns.get(row + steps.num_envs).filter(|_| steps.trace[row] != 0.0);
        let rest = match later {
            Some(later) => steps.trace[row] * later,
            None => steps.discount[row] * next_value[row],
        };
        returns[row] = steps.reward[row] + rest;
    }
    Ok(())
}

/// The return G = r + γ G' of each step of one episode, `rest` coming after the last.
///
/// Source: Sutton and Barto (2018), equation 3.9.
pub fn discounted(reward: &[f32], gamma: f64, rest: f32, returns: &mut Vec<f32>) {
    let first = returns.len();
    returns.extend_from_slice(reward);
    let mut later = rest;
    for g in returns[first..].iter_mut().rev() {
        *g += gamma as f32 * later;
        later = *g;
    }
}

/// The share of the returns' variance that the values explain: 1 at best, 0 where they are no
/// better than a constant. `None` where the returns do not vary, or a number is not finite.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths differ.
pub fn explained_variance(value: &[f32], returns: &[f32]) -> Result<Option<f64>, AgentError> {
    AgentError::check_len("the values", returns.len(), value.len())?;
    let total = variance(returns.iter().map(|&g| f64::from(g)));
    let errors = returns.iter().zip(value).map(|(&g, &v)| f64::from(g) - f64::from(v));
    let share = (total > 1e-12).then(|| 1.0 - variance(errors) / total);
    Ok(share.filter(|share| share.is_finite()))
}

fn variance(numbers: impl Iterator<Item = f64> + Clone) -> f64 {
    let n = numbers.clone().count() as f64;
    let mean = numbers.clone().sum::<f64>() / n;
    numbers.map(|x| (x - mean).powi(2)).sum::<f64>() / n
}

/// Subtracts the mean and divides by the standard deviation (of a sample, as PyTorch's `std`). A
/// single number, which has none, stays.
pub fn normalize(advantage: &mut [f32]) {
    let n = advantage.len() as f64;
    if n < 2.0 {
        return;
    }
    let mean = advantage.iter().map(|&a| f64::from(a)).sum::<f64>() / n;
    let squares = advantage.iter().map(|&a| (f64::from(a) - mean).powi(2)).sum::<f64>();
    let deviation = (squares / (n - 1.0)).sqrt() + 1e-8;
    for a in advantage {
        *a = ((f64::from(*a) - mean) / deviation) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: [f32; 6] = [1.0, 10.0, 2.0, 20.0, 4.0, 40.0];
    const NEXT_VALUE: [f32; 6] = [2.0, 20.0, 4.0, 30.0, 6.0, 60.0];

    /// Two environments, three steps, γ = ½. The first goes on; the second's episode ends after its
    /// second step, with a final observation worth 30.
    fn steps(discount_at_the_end: f32) -> ([f32; 6], [f32; 6], [f32; 6]) {
        let reward = [1.0, -1.0, 2.0, -2.0, 3.0, -3.0];
        let mut discount = [0.5; 6];
        discount[3] = discount_at_the_end;
        let mut trace = [0.5; 6];
        trace[3] = 0.0;
        (reward, discount, trace)
    }

    #[test]
    fn advantages_agree_with_values_worked_by_hand() {
        // Truncated: the final observation's value counts. Terminated: it does not.
        for (discount_at_the_end, delta) in [(0.5, -2.0 + 15.0 - 20.0), (0.0, -2.0 - 20.0)] {
            let (reward, discount, trace) = steps(discount_at_the_end);
            let steps = Steps { reward: &reward, discount: &discount, trace: &trace, num_envs: 2 };
            let mut advantage = vec![f32::NAN];
            gae(&steps, &VALUE, &NEXT_VALUE, 0.5, &mut advantage).unwrap();
            // δ: 1 + 1 − 1, 2 + 2 − 2, 3 + 3 − 4; γλ = ¼.
            let first = [1.0 + (2.0 + 2.0 / 4.0) / 4.0, 2.0 + 2.0 / 4.0, 2.0];
            // δ: −1 + 10 − 10, as above, −3 + 30 − 40. Nothing flows back over the end.
            let second = [-1.0 + delta / 4.0, delta, -13.0];
            let expected = [first[0], second[0], first[1], second[1], first[2], second[2]];
            assert_eq!(advantage, expected);
        }
    }

    #[test]
    fn returns_agree_with_values_worked_by_hand() {
        for (discount_at_the_end, end) in [(0.5, -2.0 + 15.0), (0.0, -2.0)] {
            let (reward, discount, trace) = steps(discount_at_the_end);
            let steps = Steps { reward: &reward, discount: &discount, trace: &trace, num_envs: 2 };
            let mut returns = vec![f32::NAN];
            bootstrapped(&steps, &NEXT_VALUE, &mut returns).unwrap();
            // 3 + 6/2, 2 + 6/2, 1 + 5/2; −3 + 60/2, the end, −1 + end/2.
            assert_eq!(returns, [3.5, -1.0 + end / 2.0, 5.0, end, 6.0, 27.0]);
            // They are the values plus the advantages with λ = 1.
            let mut advantage = Vec::new();
            gae(&steps, &VALUE, &NEXT_VALUE, 1.0, &mut advantage).unwrap();
            // But for V(s') of a row, which here is not V(s) of the next: only last rows compare.
            for row in [3, 4, 5] {
                assert_eq!(returns[row], VALUE[row] + advantage[row]);
            }
        }
    }

    #[test]
    fn in_self_play_they_alternate_in_sign() {
        // A game of three moves, the last of which wins. γ = −1: what is seen next is the opponent's.
        let (reward, discount, trace) = ([0.0, 0.0, 1.0], [-1.0, -1.0, 0.0], [-1.0, -1.0, 0.0]);
        let steps = Steps { reward: &reward, discount: &discount, trace: &trace, num_envs: 1 };
        let (value, next_value) = ([0.25, 0.5, -0.5], [0.5, -0.5, 9.0]);
        let mut got = Vec::new();
        bootstrapped(&steps, &next_value, &mut got).unwrap();
        // The winner's moves are worth 1, the loser's −1.
        assert_eq!(got, [1.0, -1.0, 1.0]);
        gae(&steps, &value, &next_value, 1.0, &mut got).unwrap();
        assert_eq!(got, [0.75, -1.5, 1.5]);
        // δ: 0 − 0.5 − 0.25, 0 + 0.5 − 0.5, 1 + 0.5; γλ = −½.
        gae(&steps, &value, &next_value, 0.5, &mut got).unwrap();
        assert_eq!(got, [-0.75 + 0.25 * 1.5, -0.5 * 1.5, 1.5]);
        got.clear();
        discounted(&reward, -1.0, 0.0, &mut got);
        assert_eq!(got, [1.0, -1.0, 1.0]);
    }

    #[test]
    fn an_episode_by_hand() {
        let mut returns = vec![7.0];
        discounted(&[1.0, 2.0, 3.0], 0.5, 4.0, &mut returns);
        // 3 + 4/2, 2 + 5/2, 1 + 4.5/2, after what was there.
        assert_eq!(returns, [7.0, 3.25, 4.5, 5.0]);
    }

    #[test]
    fn explained_variance_by_hand() {
        // Constant errors; no better than a constant; errors 0, 2, 4, which vary four times as much.
        for (value, expected) in [([4.0, 5.0, 6.0], 1.0), ([9.0; 3], 0.0), ([1.0, 0.0, -1.0], -3.0)]
        {
            let share = explained_variance(&value, &[1.0, 2.0, 3.0]).unwrap().unwrap();
            assert!((share - expected).abs() < 1e-9, "{share}");
        }
        assert_eq!(explained_variance(&[0.0; 2], &[5.0; 2]).unwrap(), None);
        assert_eq!(explained_variance(&[f32::NAN, 1.0], &[5.0, 6.0]).unwrap(), None);
        assert_eq!(explained_variance(&[0.0, 1.0], &[5.0, f32::INFINITY]).unwrap(), None);
    }

    #[test]
    fn slices_of_other_lengths_are_errors() {
        let error = explained_variance(&[1.0], &[1.0, 2.0, 3.0]).unwrap_err().to_string();
        assert_eq!(error, "the values: expected 3 numbers, got 1");
        let numbers = [1.0; 6];
        let whole = Steps { reward: &numbers, discount: &numbers, trace: &numbers, num_envs: 2 };
        let out = &mut vec![7.0];
        for steps in [
            Steps { discount: &numbers[1..], ..whole },
            Steps { trace: &numbers[1..], ..whole },
            Steps { num_envs: 0, ..whole },
            Steps { num_envs: 4, ..whole },
        ] {
            assert!(gae(&steps, &numbers, &numbers, 1.0, out).is_err());
            assert!(bootstrapped(&steps, &numbers, out).is_err());
        }
        assert!(gae(&whole, &numbers[1..], &numbers, 1.0, out).is_err());
        assert!(gae(&whole, &numbers, &numbers[1..], 1.0, out).is_err());
        assert!(bootstrapped(&whole, &[1.0; 7], out).is_err());
        assert_eq!(out, &[7.0]);
    }

    #[test]
    fn normalised_by_hand() {
        let mut advantage = [1.0, 2.0, 3.0];
        normalize(&mut advantage);
        for (got, expected) in advantage.iter().zip([-1.0, 0.0, 1.0]) {
            assert!((got - expected).abs() < 1e-6);
        }
        let mut single = [5.0];
        normalize(&mut single);
        assert_eq!(single, [5.0]);
    }
}
