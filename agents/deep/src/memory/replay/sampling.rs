//! Drawing minibatches, uniformly or by priority.

use gymnast_envs::Rng;
use gymnast_harness::AgentError;
use rand::RngExt as _;

use super::{Batch, NONE, Replay};
use crate::memory::append;

impl<T: Copy + Default> Replay<T> {
    /// Draws `size` transitions uniformly, with replacement, into `batch`.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] if nothing is stored.
    pub fn sample(
        &self,
        size: usize,
        rng: &mut Rng,
        batch: &mut Batch<T>,
    ) -> Result<(), AgentError> {
        batch.clear();
        self.sample_more(size, rng, batch)
    }

    /// Draws `size` transitions as [`sample`](Replay::sample) does and adds them to `batch`.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] if `size` is not 0 and nothing is stored.
    pub fn sample_more(
        &self,
        size: usize,
        rng: &mut Rng,
        batch: &mut Batch<T>,
    ) -> Result<(), AgentError> {
        if size > 0 {
            self.check_stored()?;
        }
        let from = batch.row.len();
        batch.row.extend((0..size).map(|_| rng.random_range(0..self.len as u64) as usize));
        self.gather(from, batch);
        Ok(())
    }

    fn check_stored(&self) -> Result<(), AgentError> {
        if self.len > 0 {
            return Ok(());
        }
        let (what, expected) = ("the replay memory", "at least one transition".to_owned());
        Err(AgentError::Mismatch { what, expected, got: "none".to_owned() })
    }

    /// Draws `size` transitions in proportion to their priorities, one from each of as many equal
    /// stretches, with importance weights `(N · P)^−beta` divided by the greatest of the batch.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] if nothing is stored, or the memory is not
    /// [`prioritized`](Self::prioritized).
    pub fn sample_by_priority(
        &self,
        size: usize,
        beta: f64,
        rng: &mut Rng,
        batch: &mut Batch<T>,
    ) -> Result<(), AgentError> {
        self.check_stored()?;
        let priorities = self.priorities.as_ref().ok_or_else(not_prioritized)?;
        batch.clear();
        priorities.draw(size, rng, &mut batch.row);
        priorities.write_weights(&batch.row, self.len, beta, &mut batch.weight);
        self.gather(0, batch);
        Ok(())
    }

    /// Sets the priorities of sampled rows to those of their errors δ, before anything else is
    /// pushed.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] unless the memory is [`prioritized`](Self::prioritized), there is one error
    /// a row, all rows are stored and all errors finite; nothing has changed then.
    pub fn reprioritize(&mut self, rows: &[usize], errors: &[f32]) -> Result<(), AgentError> {
        let priorities = self.priorities.as_mut().ok_or_else(not_prioritized)?;
        AgentError::check_len("the errors", rows.len(), errors.len())?;
        if let Some((row, error)) = rows.iter().zip(errors).find(|(_, error)| !error.is_finite()) {
            let (expected, got) = ("a finite number".to_owned(), format!("{error} of row {row}"));
            return Err(AgentError::Mismatch { what: "an error", expected, got });
        }
        if let Some(row) = rows.iter().find(|&&row| row >= self.len) {
            let (expected, got) = (format!("one of the {} stored", self.len), row.to_string());
            return Err(AgentError::Mismatch { what: "a row", expected, got });
        }
        rows.iter().zip(errors).for_each(|(&row, &error)| priorities.set(row, error));
        Ok(())
    }

    /// Puts together what the rows of `batch` start, those before `from` left out.
    ///
    /// Column by column, so that the reads of many rows wait for the memory at the same time.
    fn gather(&self, from: usize, batch: &mut Batch<T>) {
        const BLOCK: usize = 64;
        let Batch { observation, action, reward, next_observation, discount, row, .. } = batch;
        let mut last = [(0, NONE); BLOCK];
        for rows in row[from..].chunks(BLOCK) {
            for (&first, last) in rows.iter().zip(&mut last) {
                let row = self.gather_steps(first, reward, discount);
                *last = (row, self.observations.link(row));
            }
            for &first in rows {
                let places = first * self.action_width..(first + 1) * self.action_width;
                append(&self.actions[places], action);
            }
            for &first in rows {
                self.observations.append_observation(first, observation);
            }
            for &(row, link) in &last[..rows.len()] {
                self.observations.append_next_observation(row, link, next_observation);
            }
        }
    }

    /// Sums the steps from a row on. Returns the row of the last.
    #[inline]
    fn gather_steps(
        &self,
        first: usize,
        rewards: &mut Vec<f32>,
        discounts: &mut Vec<f32>,
    ) -> usize {
        let (mut last, [mut reward, mut discount]) = (first, self.outcomes[first]);
        for _ in 1..self.n_step {
            let successor = self.observations.successor(last);
            if successor == NONE {
                break;
            }
            last = successor as usize;
            let [next_reward, next_discount] = self.outcomes[last];
            reward += discount * next_reward;
            discount *= next_discount;
        }
        rewards.push(reward);
        discounts.push(discount);
        last
    }
}

fn not_prioritized() -> AgentError {
    let (what, expected) = ("the replay memory", "one with priorities".to_owned());
    AgentError::Mismatch { what, expected, got: "one without".to_owned() }
}
