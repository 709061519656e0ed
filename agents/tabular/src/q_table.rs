//! A table of action values.

use gymnast_envs::Rng;
use gymnast_harness::{Checkpoint, CheckpointError, StateDict};
use rand::RngExt as _;

/// One value for each state and action.
#[derive(Clone, Debug, PartialEq)]
pub struct QTable {
    values: Vec<f64>, // [S, A]
    actions: usize,
    /// The first value that was not finite.
    diverged: Option<f64>,
}

impl QTable {
    /// Returns the number of actions.
    #[must_use]
    pub fn actions(&self) -> usize {
        self.actions
    }

    /// Returns the number of states.
    #[must_use]
    pub fn states(&self) -> usize {
        self.values.len() / self.actions
    }

    /// Creates a table with the value `initial` everywhere.
    #[must_use]
    pub fn new(states: usize, actions: usize, initial: f64) -> Self {
        Self { values: vec![initial; states * actions], actions, diverged: None }
    }

    /// Whether it has that state and action, and the number beside them (a reward, a trace) is finite:
    /// what rules keep of steps, before a checkpoint's are taken up.
    pub(crate) fn holds(&self, &(state, action, number): &(usize, usize, f64)) -> bool {
        state < self.states() && action < self.actions && number.is_finite()
    }

    /// Returns the values of a state's actions.
    #[inline]
    #[must_use]
    pub fn row(&self, state: usize) -> &[f64] {
        &self.values[state * self.actions..][..self.actions]
    }

    /// Sets the value of an action in a state.
    #[inline]
    pub fn set(&mut self, state: usize, action: usize, value: f64) {
        debug_assert!(action < self.actions);
        self.values[state * self.actions + action] = value;
        if !value.is_finite() {
            self.diverged.get_or_insert(value);
        }
    }

    /// Moves a value by the fraction `alpha` towards a target. Returns the distance before: the
    /// temporal-difference error.
    #[inline]
    pub fn step_towards(&mut self, target: f64, state: usize, action: usize, alpha: f64) -> f64 {
        let q = self.row(state)[action];
        let td_error = target - q;
        self.set(state, action, q + alpha * td_error);
        td_error
    }

    /// Returns the first value set that is not finite; the table is then unusable. An agent returns
    /// [`AgentError::Diverged`](gymnast_harness::AgentError::Diverged) before it acts by it.
    #[inline]
    #[must_use]
    pub fn diverged(&self) -> Option<f64> {
        self.diverged
    }

    /// Returns the highest action value in a state.
    #[inline]
    #[must_use]
    pub fn max(&self, state: usize) -> f64 {
        // One instruction each; `f64::max` takes four, to treat NaN on both sides alike.
        self.row(state).iter().fold(f64::NEG_INFINITY, |max, &q| if q > max { q } else { max })
    }

    /// Returns the expected value of a state under the ε-greedy policy: Σ_a π(a | s) Q(s, a).
    #[inline]
    #[must_use]
    pub fn expected(&self, state: usize, epsilon: f64) -> f64 {
        let mean = self.row(state).iter().sum::<f64>() / self.actions as f64;
        epsilon * mean + (1.0 - epsilon) * self.max(state)
    }

    /// Returns an action with the highest value in a state; ties are broken uniformly at random.
    /// NaN is never the highest value; if all values are NaN, all actions are tied.
    ///
    /// Draws from `rng` only to break ties.
    #[inline(always)] // most of a step of the smallest environments
    pub fn greedy(&self, state: usize, rng: &mut Rng) -> usize {
        let (row, max) = (self.row(state), self.max(state));
        let (mut best, mut ties) = (0, 0);
        // Without a jump, which could not be foreseen.
        for (action, &q) in row.iter().enumerate() {
            best = if q >= max { action } else { best };
            ties += usize::from(q >= max);
        }
        if ties == 1 { best } else { Self::tied(row, max, ties, rng) }
    }

    /// Draws one of the actions with the highest value; of all where none is.
    #[inline(never)]
    fn tied(row: &[f64], max: f64, ties: usize, rng: &mut Rng) -> usize {
        if ties == 0 {
            return rng.random_range(0..row.len());
        }
        let chosen = rng.random_range(0..=ties - 1);
        let mut tied = (0..row.len()).filter(|&action| row[action] == max);
        tied.nth(chosen).expect("as many are tied")
    }

    /// Returns a random action with probability `epsilon`, else a [`greedy`](Self::greedy) one.
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
        let shape = [self.states(), self.actions];
        state.insert_array("q", &shape, &self.values);
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let shape = [self.states(), self.actions];
        self.values = state.array_checked("q", &shape, "finite values", |q: &f64| q.is_finite())?;
        self.diverged = None;
        Ok(())
    }
}

#[cfg(test)]
impl QTable {
    /// The value of an action in a state, to be changed.
    pub(crate) fn value_mut(&mut self, state: usize, action: usize) -> &mut f64 {
        &mut self.values[state * self.actions + action]
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::Seed;

    use super::*;

    #[test]
    fn what_is_not_finite_is_remembered_and_never_preferred() {
        let mut table = QTable::new(2, 3, 0.0);
        let mut rng = Seed::new(0).rng();
        assert_eq!(table.diverged(), None);
        table.set(0, 0, f64::NAN);
        table.set(0, 1, -5.0);
        table.set(0, 2, -6.0);
        assert!(table.diverged().unwrap().is_nan());
        assert_eq!(table.greedy(0, &mut rng), 1);
        // Of nothing but NaN the first is no better than the others.
        (0..3).for_each(|action| table.set(1, action, f64::NAN));
        let chosen: std::collections::BTreeSet<_> =
            (0..100).map(|_| table.greedy(1, &mut rng)).collect();
        assert_eq!(chosen.len(), 3);
        let mut table = QTable::new(1, 1, 1e308);
        table.step_towards(-1e308, 0, 0, 1.0);
        assert_eq!(table.diverged(), Some(f64::NEG_INFINITY));
    }

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
