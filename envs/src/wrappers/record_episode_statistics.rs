//! Adds up what episodes bring.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Act, Env, EnvError, Obs, Rng, Step};

/// What one episode came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EpisodeStatistics {
    /// The sum of the rewards, undiscounted.
    pub episode_return: f64,
    /// The number of steps.
    pub length: u64,
}

/// Keeps the return and length of the last episodes (Gymnasium's `RecordEpisodeStatistics`).
///
/// An episode that a reset cuts off counts as none.
///
/// ```
/// use gymnast_envs::{Env, Seed, classic::CartPole, wrappers::RecordEpisodeStatistics};
///
/// let mut env = RecordEpisodeStatistics::new(CartPole::default(), 100)?;
/// let mut rng = Seed::new(0).rng();
/// env.reset(&mut rng)?;
/// while !env.step(&1, &mut rng)?.outcome.is_final() {}
/// assert_eq!(env.last().map(|episode| episode.length), Some(10));
/// # Ok::<(), gymnast_envs::EnvError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RecordEpisodeStatistics<E> {
    env: E,
    capacity: usize,
    current: EpisodeStatistics,
    finished: VecDeque<EpisodeStatistics>,
    episodes: u64,
}

impl<E> RecordEpisodeStatistics<E> {
    /// Wraps an environment and keeps its last `capacity` episodes (Gymnasium: 100).
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `capacity` is 0.
    pub fn new(env: E, capacity: usize) -> Result<Self, EnvError> {
        if capacity == 0 {
            let reason = "`capacity` must be at least 1, got 0".to_owned();
            return Err(super::invalid("RecordEpisodeStatistics", reason));
        }
        let current = EpisodeStatistics::default();
        Ok(Self { env, capacity, current, finished: VecDeque::new(), episodes: 0 })
    }

    /// The episode that goes on, so far.
    pub fn current(&self) -> EpisodeStatistics {
        self.current
    }

    /// The last episodes that ended, the oldest first.
    pub fn finished(&self) -> impl Iterator<Item = &EpisodeStatistics> {
        self.finished.iter()
    }

    /// The last episode that ended.
    pub fn last(&self) -> Option<&EpisodeStatistics> {
        self.finished.back()
    }

    /// The number of episodes that ended, those no longer kept too.
    pub fn episodes(&self) -> u64 {
        self.episodes
    }

    crate::wrappers::access!();
}

impl<E: Env> Env for RecordEpisodeStatistics<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        self.current = EpisodeStatistics::default();
        self.env.reset(rng)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let step = self.env.step(action, rng)?;
        self.current.episode_return += step.reward;
        self.current.length += 1;
        if step.outcome.is_final() {
            if self.finished.len() == self.capacity {
                self.finished.pop_front();
            }
            self.finished.push_back(std::mem::take(&mut self.current));
            self.episodes += 1;
        }
        Ok(step)
    }

    fn save(&self) -> Option<Value> {
        Some(json!({
            "env": self.env.save()?,
            "current": self.current,
            "finished": self.finished,
            "episodes": self.episodes,
        }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let current = super::part(snapshot, "current")?;
        let mut finished: VecDeque<_> = super::part(snapshot, "finished")?;
        let episodes = super::part(snapshot, "episodes")?;
        self.env.restore(&snapshot["env"])?;
        // The snapshot may come from a wrapper that keeps more.
        finished.drain(..finished.len().saturating_sub(self.capacity));
        (self.current, self.finished, self.episodes) = (current, finished, episodes);
        Ok(())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.env.set_state(state)?;
        self.current = EpisodeStatistics::default();
        Ok(())
    }

    crate::wrappers::forward! { env: spaces, state, model, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, classic::MountainCar, wrappers::TimeLimit};

    #[test]
    fn the_last_episodes_are_kept_and_no_more() {
        let limited = TimeLimit::new(MountainCar::default(), 7);
        let mut env = RecordEpisodeStatistics::new(limited, 2).unwrap();
        let mut rng = Seed::new(0).rng();
        for _ in 0..3 {
            env.reset(&mut rng).unwrap();
            while !env.step(&1, &mut rng).unwrap().outcome.is_final() {}
        }
        let episode = EpisodeStatistics { episode_return: -7.0, length: 7 };
        assert_eq!(env.finished().collect::<Vec<_>>(), [&episode; 2]);
        assert_eq!((env.episodes(), env.current()), (3, EpisodeStatistics::default()));
        assert!(RecordEpisodeStatistics::new(env, 0).is_err());
    }
}
