//! Proportional prioritisation: what surprised is drawn more often.

use gymnast_core::text::number;
use gymnast_envs::Rng;
use gymnast_harness::{CheckpointError, StateDict};
use rand::RngExt as _;

use super::sum_tree::SumTree;

/// The priorities of a memory's rows, `p = (|δ| + ε)^α`; a row is drawn with probability `p / Σ p`.
///
/// Source: Schaul et al., "Prioritized experience replay" (2016), section 3.3 and algorithm 1.
#[derive(Clone, Debug)]
pub(super) struct Priorities {
    tree: SumTree,
    exponent: f64, // α
    offset: f64,   // ε
    /// The greatest priority that any row ever had, which new ones get.
    greatest: f64,
}

impl Priorities {
    /// Those of an empty memory of `capacity` rows.
    pub(super) fn new(capacity: usize, exponent: f64, offset: f64) -> Self {
        Self { tree: SumTree::new(capacity), exponent, offset, greatest: 1.0 }
    }

    /// A row holds a new transition: nothing is more urgent.
    pub(super) fn insert(&mut self, row: usize) {
        self.tree.set(row, self.greatest);
    }

    /// Sets the priority of a row to that of an error.
    pub(super) fn set(&mut self, row: usize, error: f32) {
        let priority = (f64::from(error).abs() + self.offset).powf(self.exponent);
        self.greatest = self.greatest.max(priority);
        self.tree.set(row, priority);
    }

    /// Draws rows, one from each of `size` equal stretches of the priorities' sum.
    pub(super) fn draw(&self, size: usize, rng: &mut Rng, rows: &mut Vec<usize>) {
        let stretch = self.tree.total() / size as f64;
        rows.clear();
        let positions = (0..size).map(|i| (i as f64 + rng.random::<f64>()) * stretch);
        rows.extend(positions.map(|position| self.tree.find(position)));
    }

    /// The importance weights of rows among `len`, `(len · p / Σ p)^−β`, divided by the greatest of
    /// them.
    pub(super) fn write_weights(
        &self,
        rows: &[usize],
        len: usize,
        beta: f64,
        weights: &mut Vec<f32>,
    ) {
        let priorities = self.tree.weights();
        let weight = |&row: &usize| (len as f64 * priorities[row] / self.tree.total()).powf(-beta);
        let greatest = rows.iter().map(weight).fold(0.0, f64::max);
        weights.clear();
        weights.extend(rows.iter().map(|row| (weight(row) / greatest) as f32));
    }

    pub(super) fn bytes(&self) -> usize {
        self.tree.bytes()
    }

    pub(super) fn save(&self, len: usize, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_array("priorities", &[len], &self.tree.weights()[..len]);
        state.insert("greatest_priority", &self.greatest)
    }

    pub(super) fn load(&mut self, len: usize, state: &StateDict) -> Result<(), CheckpointError> {
        let (rows, expected) =
            (self.tree.weights().len() as f64, "a positive number, its sum finite");
        let fits = |&p: &f64| p > 0.0 && (p * rows).is_finite();
        let greatest = state.get_checked("greatest_priority", expected, fits)?;
        let expected = format!("positive numbers up to the greatest, {}", number(greatest));
        let is_priority = |&p: &f64| p > 0.0 && p <= greatest;
        let priorities = state.array_checked("priorities", &[len], &expected, is_priority)?;
        priorities.iter().enumerate().for_each(|(row, &priority)| self.tree.set(row, priority));
        self.greatest = greatest;
        Ok(())
    }
}
