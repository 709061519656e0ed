//! Experience replay: transitions in columns, sampled uniformly or by priority.
//!
//! Source: Lin, "Self-improving reactive agents based on reinforcement learning, planning and
//! teaching" (1992); Mnih et al., "Human-level control through deep reinforcement learning"
//! (2015). Multi-step returns: Sutton and Barto (2018), section 7.1. Priorities: Schaul et al.,
//! "Prioritized experience replay" (2016).

mod checkpoint;
mod priorities;
mod sum_tree;

use gymnast_envs::{Experience, FeatureSpace, Rng, Space};
use gymnast_harness::AgentError;
use rand::RngExt as _;

use priorities::Priorities;

/// A memory of the last `capacity` transitions.
///
/// An action is a row of `T`: its number where actions are finite (`i64`, one a row), its real
/// numbers where they are not (`f32`).
///
/// Each column is one allocation, made when the memory is made. What is stored of an outcome is
/// its discount: γ, or 0 after termination, so that no loss sees a flag. Each transition knows its
/// successor in the same episode, so that returns over several steps are put together when they
/// are sampled.
pub struct Replay<T> {
    observations: Vec<f32>,      // [capacity, width]
    next_observations: Vec<f32>, // [capacity, width]
    actions: Vec<T>,             // [capacity, action_width]
    rewards: Vec<f32>,           // [capacity]
    discounts: Vec<f32>,         // [capacity]
    successors: Vec<u32>,        // [capacity], `NONE` where there is none (yet)
    /// Where each environment's running episode was stored last, `NONE` where it has just begun.
    latest: Vec<u32>, // [num_envs]
    priorities: Option<Priorities>,
    width: usize,
    action_width: usize,
    capacity: usize,
    n_step: usize,
    /// Where the next transition goes.
    next: usize,
    len: usize,
}

/// No row.
const NONE: u32 = u32::MAX;

/// Some transitions over `n` steps (fewer at an episode's end), in columns that the next batch
/// can use again.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch<T> {
    /// What was seen: `[B, width]`.
    pub observation: Vec<f32>,
    /// What was done: `[B, action_width]`.
    pub action: Vec<T>,
    /// What was received, Σ γᵏ rₖ: `[B]`.
    pub reward: Vec<f32>,
    /// What was seen after the last of the steps: `[B, width]`.
    pub next_observation: Vec<f32>,
    /// The factor on that state's value, γⁿ, or 0 after termination: `[B]`.
    pub discount: Vec<f32>,
    /// The rows of the memory that they start from: `[B]`.
    pub row: Vec<usize>,
    /// The importance weight of each, at most 1: `[B]`, or nothing where all count the same.
    pub weight: Vec<f32>,
}

impl<T: Copy + Default> Replay<T> {
    /// An empty memory for `capacity` transitions of `num_envs` environments, whose observations
    /// and actions are rows of those `widths`; what it samples spans `n_step` steps (at least 1).
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where the system has not as much memory, `capacity` does not fit 32
    /// bits or is not above `num_envs`, or `n_step` is 0.
    pub fn new(
        capacity: usize,
        widths: (usize, usize),
        num_envs: usize,
        n_step: usize,
    ) -> Result<Self, AgentError> {
        let require = AgentError::require;
        let holds = u32::try_from(capacity).is_ok_and(|n| n < NONE);
        require(
            holds,
            "buffer_size",
            &capacity,
            "at most 4294967294, as a row's number has 32 bits",
        )?;
        // Else a transition could give way before its successor comes.
        let expected = "more than one transition an environment";
        require(capacity > num_envs, "buffer_size", &capacity, expected)?;
        require(n_step > 0, "n_step", &n_step, "at least 1")?;
        let (width, action_width) = widths;
        // Asked for as a whole, as the columns themselves are handed out before there is memory.
        let mut probe = Vec::<u8>::new();
        // Reward, discount, successor; priorities, where there are some, are two trees of doubles.
        let fixed = 3 * size_of::<f32>() + 4 * size_of::<f64>();
        let actions = action_width.checked_mul(size_of::<T>());
        let of_row = width.checked_mul(2 * size_of::<f32>()).zip(actions).and_then(
            |(observations, actions)| observations.checked_add(actions)?.checked_add(fixed),
        );
        let bytes = of_row.and_then(|of_row| capacity.checked_mul(of_row));
        let fits = bytes.is_some_and(|n| probe.try_reserve_exact(n).is_ok());
        AgentError::require(fits, "buffer_size", &capacity, "what fits into the memory there is")?;
        drop(probe);
        Ok(Self {
            observations: vec![0.0; capacity * width],
            next_observations: vec![0.0; capacity * width],
            actions: vec![T::default(); capacity * action_width],
            rewards: vec![0.0; capacity],
            discounts: vec![0.0; capacity],
            successors: vec![NONE; capacity],
            latest: vec![NONE; num_envs],
            priorities: None,
            width,
            action_width,
            capacity,
            n_step,
            next: 0,
            len: 0,
        })
    }

    /// The same, still empty, with priorities `(|δ| + offset)^exponent`.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] unless the exponent lies in [0, 1] and the offset is positive, as a
    /// row of priority 0 would never be drawn again.
    pub fn prioritized(mut self, exponent: f64, offset: f64) -> Result<Self, AgentError> {
        let require = AgentError::require;
        let (fits, expected) = ((0.0..=1.0).contains(&exponent), "an exponent in [0, 1]");
        require(fits, "priority_exponent", &exponent, expected)?;
        let fits = offset > 0.0 && offset.is_finite();
        require(fits, "priority_offset", &offset, "a positive number")?;
        self.priorities = Some(Priorities::new(self.capacity, exponent, offset));
        Ok(self)
    }

    /// The running episodes go no further: what comes next does not follow from what came last.
    pub fn begin_episodes(&mut self) {
        self.latest.fill(NONE);
    }

    /// The number of transitions stored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Stores every transition of an experience, its reward times `reward_scale`, the oldest giving
    /// way. `write_action` writes an action as a row.
    ///
    /// # Errors
    /// [`AgentError::Env`] unless the experience has one row an environment.
    pub fn push<O: FeatureSpace, A: Space>(
        &mut self,
        observation_space: &O,
        experience: &Experience<O, A>,
        gamma: f64,
        reward_scale: f64,
        write_action: impl Fn(&A::Element, &mut [T]),
    ) -> Result<(), AgentError> {
        AgentError::check_rows(experience, self.latest.len())?;
        AgentError::check_rewards(&experience.rewards, reward_scale)?;
        for i in (0..experience.len()).filter(|&i| !experience.is_reset[i]) {
            // The row that gives way is older than its successor, which is there as long as it is.
            self.successors[self.next] = NONE;
            if let Some(successor) = self.successors.get_mut(self.latest[i] as usize) {
                *successor = self.next as u32;
            }
            let is_last = experience.outcomes[i].is_final();
            self.latest[i] = if is_last { NONE } else { self.next as u32 };
            let row = self.next * self.width..(self.next + 1) * self.width;
            let column = &mut self.observations[row.clone()];
            observation_space.flatten(&experience.observations[i], column);
            let column = &mut self.next_observations[row];
            observation_space.flatten(&experience.next_observations[i], column);
            let row = self.next * self.action_width..(self.next + 1) * self.action_width;
            write_action(&experience.actions[i], &mut self.actions[row]);
            self.rewards[self.next] = (experience.rewards[i] * reward_scale) as f32;
            self.discounts[self.next] = experience.outcomes[i].discount(gamma) as f32;
            self.advance();
        }
        Ok(())
    }

    /// Stores one transition that is given as rows and follows from no other, the oldest giving way.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] where a row has another width.
    pub fn push_row(
        &mut self,
        (observation, action): (&[f32], &[T]),
        reward: f32,
        next_observation: &[f32],
        discount: f32,
    ) -> Result<(), AgentError> {
        AgentError::check_len("an observation", self.width, observation.len())?;
        AgentError::check_len("an action", self.action_width, action.len())?;
        AgentError::check_len("a next observation", self.width, next_observation.len())?;
        let (row, action_row) = (self.next * self.width, self.next * self.action_width);
        self.observations[row..][..self.width].copy_from_slice(observation);
        self.next_observations[row..][..self.width].copy_from_slice(next_observation);
        self.actions[action_row..][..self.action_width].copy_from_slice(action);
        (self.rewards[self.next], self.discounts[self.next]) = (reward, discount);
        self.successors[self.next] = NONE;
        self.advance();
        Ok(())
    }

    /// The row at `next` is written: the one after it is next.
    fn advance(&mut self) {
        if let Some(priorities) = &mut self.priorities {
            priorities.insert(self.next);
        }
        self.next = (self.next + 1) % self.capacity;
        self.len = self.capacity.min(self.len + 1);
    }

    /// The memory with another capacity: it keeps the newest transitions, each by itself.
    ///
    /// # Errors
    /// As [`Replay::new`].
    pub fn with_capacity(&self, capacity: usize) -> Result<Self, AgentError> {
        let widths = (self.width, self.action_width);
        let mut other = Self::new(capacity, widths, self.latest.len(), self.n_step)?;
        let oldest = if self.len < self.capacity { 0 } else { self.next };
        for i in self.len.saturating_sub(capacity)..self.len {
            let i = (oldest + i) % self.capacity;
            let row = i * self.width..(i + 1) * self.width;
            let action = &self.actions[i * self.action_width..(i + 1) * self.action_width];
            let (reward, discount) = (self.rewards[i], self.discounts[i]);
            let next_observation = &self.next_observations[row.clone()];
            other.push_row(
                (&self.observations[row], action),
                reward,
                next_observation,
                discount,
            )?;
        }
        Ok(other)
    }

    /// The transitions stored, each of one step, in the order of their rows: the oldest gives its
    /// row to the newest.
    #[must_use]
    pub fn transitions(&self) -> Batch<T> {
        let rows = self.len * self.width;
        Batch {
            observation: self.observations[..rows].to_vec(),
            action: self.actions[..self.len * self.action_width].to_vec(),
            reward: self.rewards[..self.len].to_vec(),
            next_observation: self.next_observations[..rows].to_vec(),
            discount: self.discounts[..self.len].to_vec(),
            ..Batch::default()
        }
    }

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
                let successor = self.successors[last];
                if successor == NONE {
                    break;
                }
                last = successor as usize;
                reward += discount * self.rewards[last];
                discount *= self.discounts[last];
            }
            let row = |i: usize| i * self.width..(i + 1) * self.width;
            let action = first * self.action_width..(first + 1) * self.action_width;
            batch.observation.extend_from_slice(&self.observations[row(first)]);
            batch.action.extend_from_slice(&self.actions[action]);
            batch.reward.push(reward);
            batch.next_observation.extend_from_slice(&self.next_observations[row(last)]);
            batch.discount.push(discount);
        }
    }
}

fn not_prioritized() -> AgentError {
    let (what, expected) = ("the replay memory", "one with priorities".to_owned());
    AgentError::Mismatch { what, expected, got: "one without".to_owned() }
}

impl<T> Batch<T> {
    fn clear(&mut self) {
        let Self { observation, action, reward, next_observation, discount, row, weight } = self;
        for column in [observation, reward, next_observation, discount, weight] {
            column.clear();
        }
        action.clear();
        row.clear();
    }
}

#[cfg(test)]
mod tests;
