//! Targets that are distributions of returns.

use gymnast_harness::AgentError;

use super::row_width;

/// The returns that a categorical distribution knows: `atoms` numbers z₀ … from `low` to `high`,
/// equally far apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Support {
    /// The least.
    pub low: f32,
    /// The greatest, above `low`.
    pub high: f32,
    /// How many there are, at least 2.
    pub atoms: usize,
}

impl Support {
    /// Checks that it has at least two atoms, and room between its ends.
    fn check(&self) -> Result<(), AgentError> {
        let Self { low, high, atoms } = *self;
        if atoms >= 2 && low < high && low.is_finite() && high.is_finite() {
            return Ok(());
        }
        let expected = "at least 2 atoms from `low` to a greater `high`, both finite".to_owned();
        Err(AgentError::Mismatch { what: "the support", expected, got: format!("{self:?}") })
    }

    /// From one atom to the next.
    fn step(&self) -> f64 {
        (f64::from(self.high) - f64::from(self.low)) / (self.atoms - 1) as f64
    }

    /// The return zᵢ.
    #[must_use]
    pub fn atom(&self, i: usize) -> f32 {
        self.exact_atom(i) as f32
    }

    fn exact_atom(&self, i: usize) -> f64 {
        f64::from(self.low) + self.step() * i as f64
    }
}

/// The target of C51: the distribution of r + γ Z(s', a*), projected onto the support. The
/// probability of a return between two atoms goes to both of them, the nearer the more; that of one
/// beyond the ends goes to the end.
///
/// `reward` and `discount` hold B numbers, `next_probability` and `target` B rows of N.
///
/// Source: Bellemare, Dabney and Munos, "A distributional perspective on reinforcement learning"
/// (2017), equation 7 and algorithm 1.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths or the support do not fit.
pub fn categorical(
    reward: &[f32],
    discount: &[f32],
    next_probability: &[f32],
    support: &Support,
    target: &mut Vec<f32>,
) -> Result<(), AgentError> {
    support.check()?;
    let (rows, atoms) = (reward.len(), support.atoms);
    AgentError::check_len("the discounts", rows, discount.len())?;
    let numbers = rows.saturating_mul(atoms);
    AgentError::check_len("the next probabilities", numbers, next_probability.len())?;
    target.clear();
    target.resize(reward.len() * atoms, 0.0);
    let rows = target.chunks_exact_mut(atoms).zip(next_probability.chunks_exact(atoms));
    for ((&reward, &discount), (target, probability)) in reward.iter().zip(discount).zip(rows) {
        for (i, probability) in probability.iter().enumerate() {
            let value = f64::from(reward) + f64::from(discount) * support.exact_atom(i);
            let position = (value - f64::from(support.low)) / support.step();
            let position = position.clamp(0.0, (atoms - 1) as f64);
            let share = position.fract() as f32; // of the upper neighbour; 0 on an atom
            let lower = position as usize;
            target[lower] += probability * (1.0 - share);
            if share > 0.0 {
                target[lower + 1] += probability * share;
            }
        }
    }
    Ok(())
}

/// The target of QR-DQN: r + γ θⱼ(s', a*) for each of the N quantiles θⱼ.
///
/// `reward` and `discount` hold B numbers, `next_quantile` and `target` B rows of N.
///
/// Source: Dabney et al., "Distributional reinforcement learning with quantile regression" (2018),
/// algorithm 1.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths do not fit.
pub fn quantile(
    reward: &[f32],
    discount: &[f32],
    next_quantile: &[f32],
    target: &mut Vec<f32>,
) -> Result<(), AgentError> {
    AgentError::check_len("the discounts", reward.len(), discount.len())?;
    let quantiles = row_width("the next quantiles", reward.len(), next_quantile.len())?;
    target.clear();
    let rows = next_quantile.chunks_exact(quantiles.max(1));
    for ((reward, discount), next_quantile) in reward.iter().zip(discount).zip(rows) {
        target.extend(next_quantile.iter().map(|next| reward + discount * next));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns −1, 0, 1.
    const SUPPORT: Support = Support { low: -1.0, high: 1.0, atoms: 3 };

    fn project(reward: f32, discount: f32, next: [f32; 3]) -> Vec<f32> {
        let mut target = vec![f32::NAN; 7];
        categorical(&[reward], &[discount], &next, &SUPPORT, &mut target).unwrap();
        target
    }

    #[test]
    fn projections_agree_with_values_worked_by_hand() {
        let next = [0.25, 0.5, 0.25];
        // Onto themselves.
        assert_eq!(project(0.0, 1.0, next), next);
        // −0.25, 0.25, 0.75: a quarter and three quarters of a step from their neighbours.
        let expected = [0.25 * 0.25, 0.25 * 0.75 + 0.5 * 0.75 + 0.25 * 0.25];
        let expected = [expected[0], expected[1], 0.5 * 0.25 + 0.25 * 0.75];
        assert_eq!(project(0.25, 0.5, next), expected);
        // Terminated: all on the reward, between two atoms, on one, and beyond either end.
        assert_eq!(project(0.25, 0.0, next), [0.0, 0.75, 0.25]);
        assert_eq!(project(0.0, 0.0, next), [0.0, 1.0, 0.0]);
        assert_eq!(project(1.0, 0.0, next), [0.0, 0.0, 1.0]);
        assert_eq!(project(7.0, 0.0, next), [0.0, 0.0, 1.0]);
        assert_eq!(project(-7.0, 0.0, next), [1.0, 0.0, 0.0]);
        // Truncated: it bootstraps. 0, 1, 2: what lies above the highest atom falls on it.
        assert_eq!(project(1.0, 1.0, next), [0.0, 0.25, 0.75]);
        // The other player's return turns around.
        assert_eq!(project(0.0, -1.0, [0.5, 0.25, 0.25]), [0.25, 0.25, 0.5]);
    }

    #[test]
    fn quantiles_agree_with_values_worked_by_hand() {
        let mut target = vec![f32::NAN; 7];
        // Goes on, terminated, truncated.
        let next = [1.0, 3.0, 50.0, 70.0, -2.0, 2.0];
        quantile(&[1.0, 2.0, 3.0], &[0.5, 0.0, 0.5], &next, &mut target).unwrap();
        assert_eq!(target, [1.5, 2.5, 2.0, 2.0, 2.0, 4.0]);
    }
}
