//! Observations that know the time.

use serde_json::Value;

use super::snapshot::{self, invalid_option};
use crate::{Act, Env, EnvError, FeatureSpace, Obs, Rng, RowSpace, Step};

/// Appends the number of steps taken to each observation, flattened (Gymnasium's
/// `TimeAwareObservation`).
///
/// Give it the limit at which [`TimeLimit`](super::TimeLimit) inside it cuts episodes; beyond that
/// the time lies outside the observation space.
#[derive(Clone, Debug)]
pub struct TimeAwareObservation<E: Env> {
    env: E,
    inner: E::ObservationSpace,
    outer: RowSpace,
    /// How many steps make one unit of the time that is shown.
    steps_per_unit: u32,
    elapsed_steps: u32,
}

impl<E: Env<ObservationSpace: FeatureSpace>> TimeAwareObservation<E> {
    /// Wraps an environment; time goes from 0 to `max_episode_steps`.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `max_episode_steps` is 0.
    pub fn new(env: E, max_episode_steps: u32) -> Result<Self, EnvError> {
        Self::with_unit(env, max_episode_steps, 1)
    }

    /// Wraps an environment; time goes from 0 to 1, reached after `max_episode_steps`
    /// (Gymnasium's `normalize_time=True`).
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `max_episode_steps` is 0.
    pub fn normalized(env: E, max_episode_steps: u32) -> Result<Self, EnvError> {
        Self::with_unit(env, max_episode_steps, max_episode_steps)
    }

    crate::wrappers::wrapped!();

    fn with_unit(env: E, max_episode_steps: u32, steps_per_unit: u32) -> Result<Self, EnvError> {
        if max_episode_steps == 0 {
            let reason = "`max_episode_steps` must be at least 1, got 0";
            return Err(invalid_option("TimeAwareObservation", reason));
        }
        let inner = env.observation_space();
        let (mut low, mut high) = inner.bounds();
        low.push(0.0);
        high.push((f64::from(max_episode_steps) / f64::from(steps_per_unit)) as f32);
        let parts = [inner.parts(), vec![vec![1]]].concat();
        let mut outer = RowSpace::new(low, high, vec![inner.width() + 1])?.with_parts(parts)?;
        if let Some(places) = inner.action_mask() {
            outer = outer.with_action_mask(places)?;
        }
        Ok(Self { env, inner, outer, steps_per_unit, elapsed_steps: 0 })
    }

    fn append_time(&self, observation: &Obs<E>) -> Vec<f32> {
        let width = self.inner.width();
        let mut features = vec![0.0; width + 1];
        self.inner.flatten(observation, &mut features[..width]);
        features[width] = (f64::from(self.elapsed_steps) / f64::from(self.steps_per_unit)) as f32;
        features
    }
}

impl<E: Env<ObservationSpace: FeatureSpace>> Env for TimeAwareObservation<E> {
    type ObservationSpace = RowSpace;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> RowSpace {
        self.outer.clone()
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<Vec<f32>, EnvError> {
        let observation = self.env.reset(rng)?;
        self.elapsed_steps = 0;
        Ok(self.append_time(&observation))
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Vec<f32>>, EnvError> {
        let step = self.env.step(action, rng)?;
        self.elapsed_steps = self.elapsed_steps.saturating_add(1);
        Ok(step.map(|observation| self.append_time(&observation)))
    }

    fn save(&self) -> Option<Value> {
        snapshot::save(&self.env, self.elapsed_steps)
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        self.elapsed_steps = snapshot::restore(&mut self.env, snapshot)?;
        Ok(())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        // A state that is set from outside starts a new count.
        self.env.set_state(state)?;
        self.elapsed_steps = 0;
        Ok(())
    }

    fn observe(&self) -> Option<Vec<f32>> {
        Some(self.append_time(&self.env.observe()?))
    }

    crate::wrappers::forward! { env: action_space, state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, Space as _, classic::CartPole};

    #[test]
    fn time_is_the_last_number() {
        let mut rng = Seed::new(0).rng();
        let mut counted = TimeAwareObservation::new(CartPole::default(), 4).unwrap();
        let mut normalized = TimeAwareObservation::normalized(CartPole::default(), 4).unwrap();
        assert_eq!(counted.observation_space().high()[4], 4.0);
        assert_eq!(normalized.observation_space().high()[4], 1.0);
        assert_eq!(counted.reset(&mut rng).unwrap()[4], 0.0);
        normalized.reset(&mut rng).unwrap();
        for elapsed in [1.0, 2.0, 3.0, 4.0] {
            let observation = counted.step(&0, &mut rng).unwrap().observation;
            assert_eq!(observation[4], elapsed);
            let observation = normalized.step(&0, &mut rng).unwrap().observation;
            assert_eq!(observation[4], elapsed / 4.0);
            assert!(normalized.observation_space().contains(&observation));
        }
        assert!(TimeAwareObservation::new(CartPole::default(), 0).is_err());
    }
}
