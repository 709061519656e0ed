//! Drawing minibatches, uniformly or by priority.

use gymnast_envs::Rng;
use gymnast_harness::AgentError;
use rand::RngExt as _;

use super::{Batch, NONE, Replay};

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
    fn gather(&self, from: usize, batch: &mut Batch<T>) {
        for &first in &batch.row[from..] {
            let (mut last, mut reward) = (first, self.rewards[first]);
            let mut discount = self.discounts[first];
            for _ in 1..self.n_step {
                let successor = self.observations.successor(last);
                if successor == NONE {
                    break;
                }
                last = successor as usize;
                reward += discount * self.rewards[last];
                discount *= self.discounts[last];
            }
            let action = first * self.action_width..(first + 1) * self.action_width;
            self.observations.append_observation(first, &mut batch.observation);
            batch.action.extend_from_slice(&self.actions[action]);
            batch.reward.push(reward);
            self.observations.append_next_observation(last, &mut batch.next_observation);
            batch.discount.push(discount);
        }
    }
}

fn not_prioritized() -> AgentError {
    let (what, expected) = ("the replay memory", "one with priorities".to_owned());
    AgentError::Mismatch { what, expected, got: "one without".to_owned() }
}
