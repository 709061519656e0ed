//! Returns and lengths of the last episodes.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::snapshot::{self, invalid_option};
use crate::{Act, Env, EnvError, Obs, Rng, Step};

/// Keeps the return and length of the last finished episodes (Gymnasium's
/// `RecordEpisodeStatistics`).
///
/// ```
/// use gymnast_envs::{Env, Seed, classic::CartPole, wrappers::RecordEpisodeStatistics};
///
/// let mut env = RecordEpisodeStatistics::new(CartPole::default(), 100)?;
/// let mut rng = Seed::new(0).rng();
/// env.reset(&mut rng)?;
/// while !env.step(&1, &mut rng)?.outcome.is_final() {}
/// let episode = env.last().expect("an episode ended");
/// assert_eq!(episode.episode_return, episode.length as f64);
/// # Ok::<(), gymnast_envs::EnvError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RecordEpisodeStatistics<E> {
    env: E,
    buffer_length: usize,
    record: Record,
}

/// One finished episode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EpisodeStatistics {
    /// The sum of rewards, undiscounted.
    pub episode_return: f64,
    /// The number of steps.
    pub length: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Record {
    running: EpisodeStatistics,
    finished: VecDeque<EpisodeStatistics>,
    episode_count: u64,
}

impl<E> RecordEpisodeStatistics<E> {
    /// Wraps an environment and keeps its last `buffer_length` episodes.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `buffer_length` is 0.
    pub fn new(env: E, buffer_length: usize) -> Result<Self, EnvError> {
        if buffer_length == 0 {
            let reason = "`buffer_length` must be at least 1, got 0";
            return Err(invalid_option("RecordEpisodeStatistics", reason));
        }
        Ok(Self { env, buffer_length, record: Record::default() })
    }

    crate::wrappers::wrapped!();

    /// The last finished episodes, oldest first.
    pub fn episodes(&self) -> impl ExactSizeIterator<Item = &EpisodeStatistics> {
        self.record.finished.iter()
    }

    /// The episode that finished last, if any did.
    #[must_use]
    pub fn last(&self) -> Option<&EpisodeStatistics> {
        self.record.finished.back()
    }

    /// The number of episodes that finished, also those no longer kept.
    #[must_use]
    pub fn episode_count(&self) -> u64 {
        self.record.episode_count
    }
}

impl<E: Env> Env for RecordEpisodeStatistics<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        let observation = self.env.reset(rng)?;
        self.record.running = EpisodeStatistics::default();
        Ok(observation)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let step = self.env.step(action, rng)?;
        let record = &mut self.record;
        record.running.episode_return += step.reward;
        record.running.length += 1;
        if step.outcome.is_final() {
            if record.finished.len() == self.buffer_length {
                record.finished.pop_front();
            }
            record.finished.push_back(record.running);
            record.episode_count += 1;
        }
        Ok(step)
    }

    fn save(&self) -> Option<Value> {
        snapshot::save(&self.env, &self.record)
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let mut record: Record = snapshot::restore(&mut self.env, snapshot)?;
        // The snapshot may come from a wrapper that keeps more.
        let surplus = record.finished.len().saturating_sub(self.buffer_length);
        record.finished.drain(..surplus);
        self.record = record;
        Ok(())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.env.set_state(state)?;
        self.record.running = EpisodeStatistics::default();
        Ok(())
    }

    crate::wrappers::forward! { env: spaces, state, model, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, classic::CartPole, wrappers::TimeLimit};

    #[test]
    fn truncated_and_terminated_episodes_are_kept_in_order() {
        let mut rng = Seed::new(0).rng();
        let limited = TimeLimit::new(CartPole::default(), 3);
        let mut env = RecordEpisodeStatistics::new(limited, 2).unwrap();
        for _ in 0..2 {
            env.reset(&mut rng).unwrap();
            while !env.step(&0, &mut rng).unwrap().outcome.is_final() {}
        }
        env.reset(&mut rng).unwrap();
        env.set_state(&[2.4, 10.0, 0.0, 0.0]).unwrap();
        assert!(env.step(&0, &mut rng).unwrap().outcome.terminated());
        let expected = [(3.0, 3), (1.0, 1)];
        let got: Vec<_> = env.episodes().map(|e| (e.episode_return, e.length)).collect();
        assert_eq!(got, expected);
        assert_eq!(env.episode_count(), 3);
        assert!(RecordEpisodeStatistics::new(CartPole::default(), 0).is_err());
    }
}
