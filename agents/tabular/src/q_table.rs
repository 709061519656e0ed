//! Action values in a table.

use gymnast_envs::Rng;
use gymnast_harness::{Checkpoint, CheckpointError, StateDict};
use rand::RngExt as _;

/// One value for each state and action.
#[derive(Clone, Debug, PartialEq)]
pub struct QTable {
    values: Vec<f64>, // [S, A]
    actions: usize,
}

impl QTable {
    /// The number of actions.
    #[must_use]
    pub fn actions(&self) -> usize {
        self.actions
    }

    /// A table that holds `initial` everywhere.
    #[must_use]
    pub fn new(states: usize, actions: usize, initial: f64) -> Self {
        Self { values: vec![initial; states * actions], actions }
    }

    /// The values of a state's actions.
    #[inline]
    #[must_use]
    pub fn row(&self, state: usize) -> &[f64] {
        &self.values[state * self.actions..][..self.actions]
    }

    /// The value of an action in a state, to be changed.
    #[inline]
    pub fn value_mut(&mut self, state: usize, action: usize) -> &mut f64 {
        debug_assert!(action < self.actions);
        &mut self.values[state * self.actions + action]
    }

    /// Moves a value by the share `alpha` of the way to a target. Returns the way there: the
    /// temporal-difference error.
    #[inline]
    pub fn step_towards(&mut self, target: f64, state: usize, action: usize, alpha: f64) -> f64 {
        let q = self.value_mut(state, action);
        let td_error = target - *q;
        *q += alpha * td_error;
        td_error
    }

    /// The greatest value of a state.
    #[inline]
    #[must_use]
    pub fn max(&self, state: usize) -> f64 {
        self.row(state).iter().copied().fold(f64::NEG_INFINITY, f64::max)
    }

    /// What the ε-greedy policy expects in a state: Σ_a π(a | s) Q(s, a).
    #[inline]
    #[must_use]
    pub fn expected(&self, state: usize, epsilon: f64) -> f64 {
        let mean = self.row(state).iter().sum::<f64>() / self.actions as f64;
        epsilon * mean + (1.0 - epsilon) * self.max(state)
    }

    /// An action of the greatest value in a state: each of several with the same probability.
    ///
    /// Draws from `rng` only where there are several.
    #[inline]
    pub fn greedy(&self, state: usize, rng: &mut Rng) -> usize {
        let row = self.row(state);
        let max = self.max(state);
        let mut best = row.iter().enumerate().filter(|&(_, &q)| q == max).map(|(action, _)| action);
        let first = best.next().unwrap_or(0);
        let ties = best.count();
        if ties == 0 {
            return first;
        }
        let chosen = rng.random_range(0..=ties);
        let mut best = (0..row.len()).filter(|&action| row[action] == max);
        best.nth(chosen).unwrap_or(first)
    }

    /// A random action with probability `epsilon`, else a [`greedy`](Self::greedy) one.
    #[inline]
    pub fn epsilon_greedy(&self, state: usize, epsilon: f64, rng: &mut Rng) -> usize {
        if epsilon > 0.0 && rng.random::<f64>() < epsilon {
            rng.random_range(0..self.actions)
        } else {
            self.greedy(state, rng)
        }
    }
}

impl Checkpoint for QTable {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        let shape = [self.values.len() / self.actions, self.actions];
        state.insert_array("q", &shape, &self.values);
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let shape = [self.values.len() / self.actions, self.actions];
        self.values = state.array("q", &shape)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::Seed;

    use super::*;

    #[test]
    fn ties_are_broken_evenly() {
        let mut table = QTable::new(2, 4, 1.0);
        *table.value_mut(1, 2) = 0.0;
        let mut rng = Seed::new(0).rng();
        let mut counts = [0; 4];
        for _ in 0..30_000 {
            counts[table.greedy(1, &mut rng)] += 1;
        }
        assert_eq!(counts[2], 0);
        assert!([0, 1, 3].iter().all(|&a| (9_500..10_500).contains(&counts[a])), "{counts:?}");
    }

    #[test]
    fn the_expectation_is_that_of_the_epsilon_greedy_policy() {
        let mut table = QTable::new(1, 4, 0.0);
        for (action, value) in [1.0, 4.0, 4.0, -1.0].into_iter().enumerate() {
            *table.value_mut(0, action) = value;
        }
        // The two best share 0.8, and each of the four has 0.05: 0.45 × 8 + 0.05 × (1 − 1) = 3.6.
        assert!((table.expected(0, 0.2) - 3.6).abs() < 1e-12);
    }

    #[test]
    fn epsilon_is_the_share_of_random_actions() {
        let mut table = QTable::new(1, 2, 0.0);
        *table.value_mut(0, 1) = 1.0;
        let mut rng = Seed::new(0).rng();
        let other = (0..100_000).filter(|_| table.epsilon_greedy(0, 0.2, &mut rng) == 0).count();
        assert!((9_500..10_500).contains(&other), "{other}");
    }
}
