//! Experience replay: transitions in columns, sampled uniformly.
//!
//! Source: Lin, "Self-improving reactive agents based on reinforcement learning, planning and
//! teaching" (1992); Mnih et al., "Human-level control through deep reinforcement learning"
//! (2015). Multi-step returns: Sutton and Barto (2018), section 7.1.

use gymnast_envs::{Experience, FeatureSpace, FiniteSpace, Rng};
use gymnast_harness::{Checkpoint, CheckpointError, StateDict};
use rand::RngExt as _;
use tch::Tensor;

/// A memory of the last `capacity` transitions with finite actions.
///
/// Each column is one allocation, made when the memory is made. What is stored of an outcome is
/// its discount: γ, or 0 after termination, so that no loss sees a flag. Each transition knows its
/// successor in the same episode, so that returns over several steps are put together when they
/// are sampled.
pub struct Replay {
    observations: Vec<f32>,      // [capacity, width]
    next_observations: Vec<f32>, // [capacity, width]
    actions: Vec<i64>,           // [capacity]
    rewards: Vec<f32>,           // [capacity]
    discounts: Vec<f32>,         // [capacity]
    successors: Vec<u32>,        // [capacity], `NONE` where there is none (yet)
    /// Where each environment's running episode was stored last, `NONE` where it has just begun.
    latest: Vec<u32>, // [num_envs]
    width: usize,
    capacity: usize,
    n_step: usize,
    /// Where the next transition goes.
    next: usize,
    len: usize,
    scratch: Scratch,
}

/// No row.
const NONE: u32 = u32::MAX;

/// Some transitions over `n` steps (fewer at an episode's end), as tensors.
pub struct Batch {
    /// What was seen.
    pub observation: Tensor, // [B, width]
    /// What was done, as the action's number.
    pub action: Tensor, // [B], i64
    /// What was received: Σ γᵏ rₖ.
    pub reward: Tensor, // [B]
    /// What was seen after the last of the steps.
    pub next_observation: Tensor, // [B, width]
    /// The factor on that state's value: γⁿ, 0 after termination.
    pub discount: Tensor, // [B]
}

/// A batch before it becomes tensors, kept for the next one.
#[derive(Default)]
struct Scratch {
    observations: Vec<f32>,
    next_observations: Vec<f32>,
    actions: Vec<i64>,
    rewards: Vec<f32>,
    discounts: Vec<f32>,
}

impl Replay {
    /// An empty memory for `capacity` transitions of `num_envs` environments, whose observations
    /// have `width` features; what it samples spans `n_step` steps (at least 1).
    ///
    /// # Panics
    /// If `capacity` does not fit 32 bits or is not above `num_envs`.
    #[must_use]
    pub fn new(capacity: usize, width: usize, num_envs: usize, n_step: usize) -> Self {
        assert!(u32::try_from(capacity).is_ok_and(|n| n < NONE), "a row's number has 32 bits");
        // Else a transition could give way before its successor comes.
        assert!(capacity > num_envs, "a memory holds more than one transition an environment");
        Self {
            observations: vec![0.0; capacity * width],
            next_observations: vec![0.0; capacity * width],
            actions: vec![0; capacity],
            rewards: vec![0.0; capacity],
            discounts: vec![0.0; capacity],
            successors: vec![NONE; capacity],
            latest: vec![NONE; num_envs],
            width,
            capacity,
            n_step,
            next: 0,
            len: 0,
            scratch: Scratch::default(),
        }
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
    /// way.
    pub fn push<O: FeatureSpace, A: FiniteSpace>(
        &mut self,
        observation_space: &O,
        action_space: &A,
        experience: &Experience<O, A>,
        gamma: f64,
        reward_scale: f64,
    ) {
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
            self.actions[self.next] = action_space.index_of(&experience.actions[i]) as i64;
            self.rewards[self.next] = (experience.rewards[i] * reward_scale) as f32;
            self.discounts[self.next] = experience.outcomes[i].discount(gamma) as f32;
            self.next = (self.next + 1) % self.capacity;
            self.len = self.capacity.min(self.len + 1);
        }
    }

    /// Draws `batch` transitions uniformly, with replacement.
    ///
    /// # Panics
    /// If nothing is stored.
    pub fn sample(&mut self, batch: usize, rng: &mut Rng) -> Batch {
        let scratch = &mut self.scratch;
        scratch.clear();
        for _ in 0..batch {
            let first = rng.random_range(0..self.len as u64) as usize;
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
            scratch.observations.extend_from_slice(&self.observations[row(first)]);
            scratch.next_observations.extend_from_slice(&self.next_observations[row(last)]);
            scratch.actions.push(self.actions[first]);
            scratch.rewards.push(reward);
            scratch.discounts.push(discount);
        }
        let rows = [batch as i64, self.width as i64];
        Batch {
            observation: Tensor::from_slice(&scratch.observations).view(rows),
            action: Tensor::from_slice(&scratch.actions),
            reward: Tensor::from_slice(&scratch.rewards),
            next_observation: Tensor::from_slice(&scratch.next_observations).view(rows),
            discount: Tensor::from_slice(&scratch.discounts),
        }
    }
}

impl Scratch {
    fn clear(&mut self) {
        self.observations.clear();
        self.next_observations.clear();
        self.actions.clear();
        self.rewards.clear();
        self.discounts.clear();
    }
}

impl Checkpoint for Replay {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        let (len, rows) = (self.len, [self.len, self.width]);
        state.insert("next", &self.next)?;
        state.insert_array("observations", &rows, &self.observations[..len * self.width]);
        state.insert_array("next_observations", &rows, &self.next_observations[..len * self.width]);
        state.insert_array("actions", &[len], &self.actions[..len]);
        state.insert_array("rewards", &[len], &self.rewards[..len]);
        state.insert_array("discounts", &[len], &self.discounts[..len]);
        state.insert_array("successors", &[len], &self.successors[..len]);
        state.insert("latest", &self.latest)?;
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let (shape, rewards) = state.array_of_any_shape::<f32>("rewards")?;
        let len = rewards.len();
        let next: usize = state.get("next")?;
        if shape.len() != 1 || len > self.capacity || next >= self.capacity {
            return Err(CheckpointError::Mismatch {
                name: "rewards".to_owned(),
                expected: format!("at most {} transitions", self.capacity),
                got: format!("{shape:?}, the next at {next}"),
            });
        }
        let observations = state.array("observations", &[len, self.width])?;
        let next_observations = state.array("next_observations", &[len, self.width])?;
        let actions: Vec<i64> = state.array("actions", &[len])?;
        let discounts: Vec<f32> = state.array("discounts", &[len])?;
        let successors: Vec<u32> = state.array("successors", &[len])?;
        let latest: Vec<u32> = state.get("latest")?;
        let is_row = |&row: &u32| row == NONE || (row as usize) < len;
        if latest.len() != self.latest.len() || !successors.iter().chain(&latest).all(is_row) {
            return Err(CheckpointError::Mismatch {
                name: "successors".to_owned(),
                expected: format!("rows below {len}, of {} environments", self.latest.len()),
                got: format!("other rows, or those of {} environments", latest.len()),
            });
        }
        self.observations[..len * self.width].copy_from_slice(&observations);
        self.next_observations[..len * self.width].copy_from_slice(&next_observations);
        self.actions[..len].copy_from_slice(&actions);
        self.rewards[..len].copy_from_slice(&rewards);
        self.discounts[..len].copy_from_slice(&discounts);
        self.successors[..len].copy_from_slice(&successors);
        self.latest = latest;
        (self.next, self.len) = (next, len);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::{Discrete, Outcome, RowSpace, Seed};

    use super::*;

    fn space() -> RowSpace {
        RowSpace::new(vec![-100.0; 2], vec![100.0; 2], vec![2]).unwrap()
    }

    fn filled(capacity: usize, transitions: usize, n_step: usize) -> Replay {
        let mut replay = Replay::new(capacity, 2, 1, n_step);
        for i in 0..transitions {
            let x = i as f32;
            let outcomes = [Outcome::Continues, Outcome::Terminated, Outcome::Truncated];
            let experience = Experience {
                observations: vec![vec![x, -x]],
                actions: vec![(i % 2) as i64],
                rewards: vec![f64::from(x) / 2.0],
                next_observations: vec![vec![x + 1.0, -x - 1.0]],
                outcomes: vec![outcomes[i % 3]],
                is_reset: vec![false],
            };
            replay.push(&space(), &Discrete::new(2), &experience, 0.9, 1.0);
        }
        replay
    }

    #[test]
    fn the_oldest_gives_way_and_rows_stay_together() {
        let mut replay = filled(4, 6, 1);
        assert_eq!(replay.len(), 4);
        let batch = replay.sample(200, &mut Seed::new(0).rng());
        let mut seen = [false; 6];
        for row in 0..200 {
            let x = batch.observation.double_value(&[row, 0]);
            assert_eq!(batch.observation.double_value(&[row, 1]), -x);
            assert_eq!(batch.next_observation.double_value(&[row, 0]), x + 1.0);
            assert_eq!(batch.action.int64_value(&[row]), x as i64 % 2);
            assert_eq!(batch.reward.double_value(&[row]), x / 2.0);
            let discount = [0.9_f32, 0.0, 0.9][x as usize % 3];
            assert_eq!(batch.discount.double_value(&[row]), f64::from(discount));
            seen[x as usize] = true;
        }
        assert_eq!(seen, [false, false, true, true, true, true]);
    }

    #[test]
    fn a_return_over_several_steps_ends_with_the_episode() {
        // Outcomes go on, terminated, truncated, go on, terminated, truncated: episodes of the
        // rows 0 1, 2, 3 4, 5. Rewards are half the row's number, γ is 0.9.
        let mut replay = filled(8, 6, 3);
        let batch = replay.sample(200, &mut Seed::new(0).rng());
        let expected = [
            (0.45, 0.0, 2),
            (0.5, 0.0, 2),
            (1.0, 0.9, 3),
            (3.3, 0.0, 5),
            (2.0, 0.0, 5),
            (2.5, 0.9, 6),
        ];
        for row in 0..200 {
            let first = batch.observation.double_value(&[row, 0]) as usize;
            let (reward, discount, next) = expected[first];
            assert!((batch.reward.double_value(&[row]) - reward).abs() < 1e-6, "{first}");
            assert!((batch.discount.double_value(&[row]) - discount).abs() < 1e-6, "{first}");
            assert_eq!(batch.next_observation.double_value(&[row, 0]), f64::from(next));
        }
    }

    #[test]
    fn a_reset_is_no_transition() {
        let mut replay = Replay::new(4, 2, 1, 1);
        let experience = Experience {
            observations: vec![vec![0.0; 2]],
            actions: vec![0],
            rewards: vec![0.0],
            next_observations: vec![vec![0.0; 2]],
            outcomes: vec![Outcome::Continues],
            is_reset: vec![true],
        };
        replay.push(&space(), &Discrete::new(2), &experience, 0.9, 1.0);
        assert!(replay.is_empty());
    }

    #[test]
    fn it_goes_on_from_a_checkpoint_as_if_nothing_had_happened() {
        for transitions in [3, 6] {
            let mut replay = filled(4, transitions, 2);
            let mut state = StateDict::new();
            replay.save(&mut state).unwrap();
            let mut other = Replay::new(4, 2, 1, 2);
            other.load(&state).unwrap();
            let sample = |replay: &mut Replay| replay.sample(50, &mut Seed::new(1).rng());
            assert_eq!(sample(&mut replay).observation, sample(&mut other).observation);
            assert_eq!(replay.next, other.next);
            assert_eq!(replay.latest, other.latest);
            assert!(Replay::new(2, 2, 1, 2).load(&state).is_err());
            assert!(Replay::new(4, 3, 1, 2).load(&state).is_err());
            assert!(Replay::new(4, 2, 2, 2).load(&state).is_err());
        }
    }

    proptest::proptest! {
        /// Whatever the capacity, the number of environments and the length of the episodes: what
        /// is sampled is what the last transitions, followed from any of them, come to.
        #[test]
        fn samples_are_what_the_episodes_come_to(
            room in 1_usize..20,
            num_envs in 1_usize..4,
            n_step in 1_usize..5,
            lengths in proptest::collection::vec(1_usize..6, 1..4),
            vector_steps in 1_usize..30,
        ) {
            let capacity = num_envs + room;
            let mut replay = Replay::new(capacity, 2, num_envs, n_step);
            // Environment e repeats episodes of one length; its t-th step pays t.
            let length = |e: usize| lengths[e % lengths.len()];
            let is_last = |e: usize, t: usize| (t + 1).is_multiple_of(length(e));
            for t in 0..vector_steps {
                let experience = Experience {
                    observations: (0..num_envs).map(|e| vec![t as f32, e as f32]).collect(),
                    actions: vec![0; num_envs],
                    rewards: vec![t as f64; num_envs],
                    next_observations: (0..num_envs).map(|e| vec![t as f32 + 1.0, e as f32]).collect(),
                    outcomes: (0..num_envs)
                        .map(|e| if is_last(e, t) { Outcome::Terminated } else { Outcome::Continues })
                        .collect(),
                    is_reset: vec![false; num_envs],
                };
                replay.push(&space(), &Discrete::new(2), &experience, 0.5, 1.0);
            }
            let stored = capacity.min(num_envs * vector_steps);
            proptest::prop_assert_eq!(replay.len(), stored);
            let batch = replay.sample(20, &mut Seed::new(0).rng());
            for row in 0..20 {
                let [t, e] = [0, 1].map(|i| batch.observation.double_value(&[row, i]) as usize);
                proptest::prop_assert!((num_envs * (vector_steps - t) - e) <= stored, "{} {}", t, e);
                let (mut reward, mut discount, mut last) = (t as f64, 0.5, t);
                while !is_last(e, last) && last + 1 < vector_steps && last + 1 < t + n_step {
                    last += 1;
                    reward += discount * last as f64;
                    discount *= 0.5;
                }
                if is_last(e, last) {
                    discount = 0.0;
                }
                proptest::prop_assert_eq!(batch.reward.double_value(&[row]), reward);
                proptest::prop_assert_eq!(batch.discount.double_value(&[row]), discount);
                let next = batch.next_observation.double_value(&[row, 0]);
                proptest::prop_assert_eq!(next, last as f64 + 1.0);
            }
        }
    }
}
