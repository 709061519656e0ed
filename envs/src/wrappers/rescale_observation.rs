//! Observations between other bounds.

use super::{ArraySpace, affine::Affine};
use crate::{Act, BoundedSpace as _, Env, EnvError, FeatureSpace as _, Obs, Rng, Space as _, Step};

/// Stretches observations from the environment's bounds to new ones (Gymnasium's
/// `RescaleObservation`).
///
/// An observation outside the environment's own bounds lands outside the new ones.
#[derive(Clone, Debug)]
pub struct RescaleObservation<E: Env> {
    env: E,
    inner: E::ObservationSpace,
    outer: E::ObservationSpace,
    map: Affine,
}

impl<E: Env<ObservationSpace: ArraySpace>> RescaleObservation<E> {
    /// Wraps an environment, with the same new bounds for every number.
    ///
    /// # Errors
    /// As [`with_bounds`](Self::with_bounds).
    pub fn new(env: E, min_obs: f32, max_obs: f32) -> Result<Self, EnvError> {
        let width = env.observation_space().width();
        Self::with_bounds(env, vec![min_obs; width], vec![max_obs; width])
    }

    /// Wraps an environment, with new bounds for each number.
    ///
    /// # Errors
    /// [`SpaceError::Invalid`](crate::SpaceError::Invalid) if there are not as many bounds as
    /// numbers, one is NaN, a lower bound is not below its upper one, or a side is unbounded in
    /// only one of the two spaces.
    pub fn with_bounds(env: E, min_obs: Vec<f32>, max_obs: Vec<f32>) -> Result<Self, EnvError> {
        let inner = env.observation_space();
        let outer = inner.with_bounds(min_obs, max_obs)?;
        let map = Affine::between(&inner, &outer)?;
        Ok(Self { env, inner, outer, map })
    }

    crate::wrappers::wrapped!();

    fn rescale(&self, observation: &Obs<E>) -> Obs<E> {
        let mut rescaled = observation.clone();
        self.map.apply(rescaled.as_mut());
        // Rounding must not carry an observation out of the new bounds.
        if self.inner.contains(observation) {
            return self.outer.clip(rescaled.as_ref());
        }
        rescaled
    }
}

impl<E: Env<ObservationSpace: ArraySpace>> Env for RescaleObservation<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> E::ObservationSpace {
        self.outer.clone()
    }

    crate::wrappers::change_observations!(rescale);
    crate::wrappers::forward! { env: action_space, snapshot, state, set_state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classic::{CartPole, MountainCar};

    #[test]
    fn the_valley_in_the_unit_square() {
        let mut env = RescaleObservation::new(MountainCar::default(), 0.0, 1.0).unwrap();
        // The middle of [−1.2, 0.6] and the greatest speed.
        env.set_state(&[-0.3, 0.07]).unwrap();
        let [position, velocity] = env.observe().unwrap();
        assert!((position - 0.5).abs() < 1e-6, "{position}");
        assert_eq!(velocity, 1.0);
    }

    #[test]
    fn bounds_are_checked() {
        // CartPole's velocities are unbounded.
        assert!(RescaleObservation::new(CartPole::default(), 0.0, 1.0).is_err());
        let inf = f32::INFINITY;
        let (low, high) = (vec![-1.0, -inf, -1.0, -inf], vec![1.0, inf, 1.0, inf]);
        let mut env = RescaleObservation::with_bounds(CartPole::default(), low, high).unwrap();
        env.set_state(&[2.4, 3.0, 0.0, -3.0]).unwrap();
        assert_eq!(env.observe(), Some([0.5, 3.0, 0.0, -3.0]));
        for (low, high) in [(1.0, 1.0), (f32::NAN, 1.0)] {
            assert!(RescaleObservation::new(MountainCar::default(), low, high).is_err());
        }
    }
}
