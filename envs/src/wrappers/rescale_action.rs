//! Actions between other bounds.

use super::{ArraySpace, affine::Affine};
use crate::{Act, BoundedSpace as _, Env, EnvError, FeatureSpace as _, Obs, Rng, Space as _, Step};

/// Takes actions between new bounds and stretches them to the environment's own (Gymnasium's
/// `RescaleAction`).
///
/// An action outside the new bounds lands outside the environment's, which deals with it as it
/// does with any other; NaN is an error.
#[derive(Clone, Debug)]
pub struct RescaleAction<E: Env> {
    env: E,
    inner: E::ActionSpace,
    outer: E::ActionSpace,
    unbounded: E::ActionSpace,
    map: Affine,
}

impl<E: Env<ActionSpace: ArraySpace>> RescaleAction<E> {
    /// Wraps an environment, with the same new bounds for every number.
    ///
    /// # Errors
    /// As [`with_bounds`](Self::with_bounds).
    pub fn new(env: E, min_action: f32, max_action: f32) -> Result<Self, EnvError> {
        let width = env.action_space().width();
        Self::with_bounds(env, vec![min_action; width], vec![max_action; width])
    }

    /// Wraps an environment, with new bounds for each number.
    ///
    /// # Errors
    /// [`SpaceError::Invalid`](crate::SpaceError::Invalid) if there are not as many bounds as
    /// numbers, one is NaN, a lower bound is not below its upper one, or a side is unbounded in
    /// only one of the two spaces.
    pub fn with_bounds(
        env: E,
        min_action: Vec<f32>,
        max_action: Vec<f32>,
    ) -> Result<Self, EnvError> {
        let inner = env.action_space();
        let outer = inner.with_bounds(min_action, max_action)?;
        let map = Affine::between(&outer, &inner)?;
        Ok(Self { env, unbounded: inner.unbounded(), inner, outer, map })
    }

    crate::wrappers::wrapped!();

    fn rescale(&self, action: &Act<E>) -> Result<Act<E>, EnvError> {
        if !self.unbounded.contains(action) {
            return Err(EnvError::invalid_action(&self.outer, action));
        }
        let mut rescaled = action.clone();
        self.map.apply(rescaled.as_mut());
        // Rounding must not carry a permitted action out of the environment's bounds.
        if self.outer.contains(action) {
            return Ok(self.inner.clip(rescaled.as_ref()));
        }
        Ok(rescaled)
    }
}

impl<E: Env<ActionSpace: ArraySpace>> Env for RescaleAction<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn action_space(&self) -> E::ActionSpace {
        self.outer.clone()
    }

    crate::wrappers::change_actions!(rescale);
    crate::wrappers::forward! { env: observation_space, snapshot, state, set_state, start, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BoxSpace, classic::Pendulum};

    #[test]
    fn the_unit_interval_covers_the_torque() {
        let env = RescaleAction::new(Pendulum::default(), 0.0, 1.0).unwrap();
        assert_eq!(env.action_space(), BoxSpace::new([0.0], [1.0]).unwrap());
        for (action, torque) in [(0.0, -2.0), (0.25, -1.0), (1.0, 2.0), (2.0, 6.0)] {
            assert_eq!(env.rescale(&[action]).unwrap(), [torque]);
        }
        assert!(env.rescale(&[f32::NAN]).is_err());
    }

    #[test]
    fn bounds_are_checked() {
        for (low, high) in [(1.0, 1.0), (1.0, 0.0), (f32::NAN, 1.0), (0.0, f32::INFINITY)] {
            assert!(RescaleAction::new(Pendulum::default(), low, high).is_err());
        }
        assert!(
            RescaleAction::with_bounds(Pendulum::default(), vec![0.0; 2], vec![1.0; 2]).is_err()
        );
    }
}
