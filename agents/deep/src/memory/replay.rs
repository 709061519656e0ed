//! Experience replay: transitions in columns, sampled uniformly or by priority.
//!
//! Source: Lin, "Self-improving reactive agents based on reinforcement learning, planning and
//! teaching" (1992); Mnih et al., "Human-level control through deep reinforcement learning"
//! (2015). Multi-step returns: Sutton and Barto (2018), section 7.1. Priorities: Schaul et al.,
//! "Prioritized experience replay" (2016).

mod batch;
mod checkpoint;
mod frames;
mod observations;
mod priorities;
mod sampling;
mod sum_tree;

use gymnast_envs::{Experience, FeatureSpace, Space, Storage};
use gymnast_harness::AgentError;

pub use batch::Batch;

use observations::Observations;
use priorities::Priorities;

/// A memory of the last `capacity` transitions.
///
/// An action is a row of `T`: its number where actions are finite (`i64`, one a row), its real
/// numbers where they are not (`f32`).
///
/// Each observation is stored once, in the form that its space names
/// ([`FeatureSpace::storage`]): what came of a transition is the observation of its successor in the
/// same episode, and a stack of frames is put together from those before it. Only what follows from no
/// other row is stored apart: episodes' last observations, at worst one a transition. Sampled is what
/// was pushed, to the bit.
///
/// Each column is one allocation, made when the memory is made; the system hands it out as it fills.
/// What is stored of an outcome is its discount: γ, or 0 after termination, so that no loss sees a
/// flag. As each transition knows its successor, returns over several steps are put together when they
/// are sampled.
pub struct Replay<T> {
    observations: Observations,
    actions: Vec<T>, // [capacity, action_width]
    /// Reward and discount, side by side as they are read together.
    outcomes: Vec<[f32; 2]>, // [capacity]
    /// Where each environment's running episode was stored last, `NONE` where it has just begun.
    latest: Vec<u32>, // [num_envs]
    priorities: Option<Priorities>,
    action_width: usize,
    capacity: usize,
    n_step: usize,
    len: usize,
}

/// No row.
const NONE: u32 = u32::MAX;

impl<T: Copy + Default> Replay<T> {
    /// Creates an empty memory for `capacity` transitions of `num_envs` environments, whose observations
    /// and actions are rows of these `widths`; sampled transitions span `n_step` steps (at least 1).
    ///
    /// # Errors
    /// As [`with_storage`](Self::with_storage).
    pub fn new(
        capacity: usize,
        widths: (usize, usize),
        num_envs: usize,
        n_step: usize,
    ) -> Result<Self, AgentError> {
        Self::with_storage(Storage::F32, capacity, widths, num_envs, n_step)
    }

    /// Creates an empty memory that stores observations as [their space](FeatureSpace::storage) says.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where the system has not as much memory, `capacity` does not fit 31
    /// bits or is not above `num_envs`, or `n_step` is 0; [`AgentError::Mismatch`] where an observation
    /// is no whole number of frames.
    pub fn with_storage(
        storage: Storage,
        capacity: usize,
        widths: (usize, usize),
        num_envs: usize,
        n_step: usize,
    ) -> Result<Self, AgentError> {
        let require = AgentError::require;
        let holds = i32::try_from(capacity).is_ok_and(|n| n < i32::MAX);
        require(
            holds,
            "buffer_size",
            &capacity,
            "at most 2147483646, as a row's number has 31 bits",
        )?;
        // Else a transition could give way before its successor comes.
        let expected = "more than one transition an environment";
        require(capacity > num_envs, "buffer_size", &capacity, expected)?;
        require(n_step > 0, "n_step", &n_step, "at least 1")?;
        let (width, action_width) = widths;
        if storage.frames == 0 || !width.is_multiple_of(storage.frames) {
            let expected = format!("{} frames of one size", storage.frames);
            let got = format!("{width} numbers");
            return Err(AgentError::Mismatch { what: "an observation", expected, got });
        }
        // Asked for as a whole, as the columns themselves are handed out before there is memory.
        let mut probe = Vec::<u8>::new();
        // Reward, discount; priorities, where there are some, are two trees of doubles.
        let fixed = 2 * size_of::<f32>() + 4 * size_of::<f64>();
        let actions = action_width.checked_mul(size_of::<T>());
        let of_row = Observations::bytes_of_row(storage, width).zip(actions).and_then(
            |(observations, actions)| observations.checked_add(actions)?.checked_add(fixed),
        );
        let frames = (storage.frames - 1).checked_mul(num_envs);
        let rows = frames.and_then(|frames| frames.checked_add(capacity));
        let bytes = of_row.zip(rows).and_then(|(of_row, rows)| rows.checked_mul(of_row));
        let fits = bytes.is_some_and(|n| probe.try_reserve_exact(n).is_ok());
        AgentError::require(fits, "buffer_size", &capacity, "what fits into the memory there is")?;
        drop(probe);
        Ok(Self {
            observations: Observations::new(storage, width, capacity, num_envs),
            actions: vec![T::default(); capacity * action_width],
            outcomes: vec![[0.0; 2]; capacity],
            latest: vec![NONE; num_envs],
            priorities: None,
            action_width,
            capacity,
            n_step,
            len: 0,
        })
    }

    /// Gives an empty memory priorities `(|δ| + offset)^exponent`.
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

    /// Ends the running episodes: the next transitions do not follow from the last ones.
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

    /// The bytes of the transitions stored, all that belongs to them included; of the priorities'
    /// tree all at once.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of_row = self.action_width * size_of::<T>() + 2 * size_of::<f32>();
        let priorities = self.priorities.as_ref().map_or(0, Priorities::bytes);
        self.observations.bytes(self.len) + self.len * of_row + priorities
    }

    /// Stores every transition of an experience, its reward times `reward_scale`, the oldest giving
    /// way. `write_action` writes an action as a row.
    ///
    /// # Errors
    /// [`AgentError::Env`] unless the experience has one row an environment. [`AgentError::Mismatch`]
    /// where an observation is not what its space promises of it; what came before it is stored.
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
        for i in 0..experience.len() {
            if experience.is_reset[i] {
                self.latest[i] = NONE;
                continue;
            }
            let row = self.observations.next;
            self.observations.push(
                self.latest[i],
                |features| observation_space.flatten(&experience.observations[i], features),
                |features| observation_space.flatten(&experience.next_observations[i], features),
            )?;
            let is_last = experience.outcomes[i].is_final();
            self.latest[i] = if is_last { NONE } else { row as u32 };
            let places = row * self.action_width..(row + 1) * self.action_width;
            write_action(&experience.actions[i], &mut self.actions[places]);
            let reward = (experience.rewards[i] * reward_scale) as f32;
            self.outcomes[row] = [reward, experience.outcomes[i].discount(gamma) as f32];
            self.count(row);
        }
        Ok(())
    }

    /// Stores one transition that is given as rows and follows from no other, the oldest giving way.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] where a row has another width, or an observation is not what its space
    /// promises of it.
    pub fn push_row(
        &mut self,
        (observation, action): (&[f32], &[T]),
        reward: f32,
        next_observation: &[f32],
        discount: f32,
    ) -> Result<(), AgentError> {
        let width = self.observations.width();
        AgentError::check_len("an observation", width, observation.len())?;
        AgentError::check_len("an action", self.action_width, action.len())?;
        AgentError::check_len("a next observation", width, next_observation.len())?;
        let row = self.observations.next;
        self.observations.push(
            NONE,
            |features| features.copy_from_slice(observation),
            |features| features.copy_from_slice(next_observation),
        )?;
        // It may take the row of an episode that still goes on.
        self.latest.iter_mut().filter(|latest| **latest == row as u32).for_each(|l| *l = NONE);
        self.actions[row * self.action_width..][..self.action_width].copy_from_slice(action);
        self.outcomes[row] = [reward, discount];
        self.count(row);
        Ok(())
    }

    /// A row is written.
    fn count(&mut self, row: usize) {
        if let Some(priorities) = &mut self.priorities {
            priorities.insert(row);
        }
        self.len = self.capacity.min(self.len + 1);
    }

    /// The memory with another capacity: it keeps the newest transitions, each by itself.
    ///
    /// # Errors
    /// As [`Replay::new`].
    pub fn with_capacity(&self, capacity: usize) -> Result<Self, AgentError> {
        let (storage, widths) =
            (self.observations.storage(), (self.observations.width(), self.action_width));
        let (num_envs, n_step) = (self.latest.len(), self.n_step);
        let mut other = Self::with_storage(storage, capacity, widths, num_envs, n_step)?;
        let oldest = if self.len < self.capacity { 0 } else { self.observations.next };
        let (mut observation, mut next_observation) = (Vec::new(), Vec::new());
        for i in self.len.saturating_sub(capacity)..self.len {
            let i = (oldest + i) % self.capacity;
            observation.clear();
            self.observations.append_observation(i, &mut observation);
            next_observation.clear();
            self.observations.append_next_observation(
                i,
                self.observations.link(i),
                &mut next_observation,
            );
            let action = &self.actions[i * self.action_width..(i + 1) * self.action_width];
            let [reward, discount] = self.outcomes[i];
            other.push_row((&observation, action), reward, &next_observation, discount)?;
        }
        Ok(other)
    }

    /// The transitions stored, each of one step, in the order of their rows: the oldest gives its
    /// row to the newest.
    #[must_use]
    pub fn transitions(&self) -> Batch<T> {
        let mut batch = Batch {
            action: self.actions[..self.len * self.action_width].to_vec(),
            reward: self.outcomes[..self.len].iter().map(|[reward, _]| *reward).collect(),
            discount: self.outcomes[..self.len].iter().map(|[_, discount]| *discount).collect(),
            ..Batch::default()
        };
        for row in 0..self.len {
            self.observations.append_observation(row, &mut batch.observation);
            let link = self.observations.link(row);
            self.observations.append_next_observation(row, link, &mut batch.next_observation);
        }
        batch
    }
}

#[cfg(test)]
mod tests;
