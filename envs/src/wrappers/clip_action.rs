//! Actions of any size.

use crate::{
    Act, Env, EnvError, FeatureSpace as _, Obs, RealSpace, Rng, Space as _, Step, Transition,
};

/// Takes actions of any size and clips them to the environment's bounds (Gymnasium's
/// `ClipAction`). NaN is an error.
#[derive(Clone, Debug)]
pub struct ClipAction<E: Env> {
    env: E,
    space: E::ActionSpace,
    low: Vec<f32>,
    high: Vec<f32>,
}

impl<E: Env<ActionSpace: RealSpace>> ClipAction<E> {
    /// Wraps an environment.
    pub fn new(env: E) -> Self {
        let bounded = env.action_space();
        let (low, high) = bounded.bounds();
        let unbounded = (vec![f32::NEG_INFINITY; low.len()], vec![f32::INFINITY; low.len()]);
        let space = bounded.with_bounds(&unbounded.0, &unbounded.1);
        Self { env, space: space.expect("a box without bounds exists in every shape"), low, high }
    }

    crate::wrappers::access!();

    fn clip(&self, action: &Act<E>) -> Result<Act<E>, EnvError> {
        if !self.space.contains(action) {
            return Err(EnvError::invalid_action(&self.space, action));
        }
        let mut clipped = action.clone();
        let bounds = self.low.iter().zip(&self.high);
        for (x, (&low, &high)) in clipped.as_mut().iter_mut().zip(bounds) {
            *x = x.clamp(low, high);
        }
        Ok(clipped)
    }
}

impl<E: Env<ActionSpace: RealSpace>> Env for ClipAction<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn action_space(&self) -> E::ActionSpace {
        self.space.clone()
    }

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        self.env.reset(rng)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let clipped = self.clip(action)?;
        self.env.step(&clipped, rng)
    }

    fn transitions(&self, now: &Obs<E>, action: &Act<E>) -> Option<Vec<Transition<Obs<E>>>> {
        self.env.transitions(now, &self.clip(action).ok()?)
    }

    fn initial_states(&self) -> Option<Vec<(f64, Obs<E>)>> {
        self.env.initial_states()
    }

    crate::wrappers::forward! { env: observation_space, snapshot, state, set_state, observe, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, classic::MountainCarContinuous};

    #[test]
    fn an_action_beyond_the_bounds_counts_as_the_bound() {
        let mut env = ClipAction::new(MountainCarContinuous::default());
        let mut rng = Seed::new(0).rng();
        env.set_state(&[-0.5, 0.0]).unwrap();
        // Unwrapped, the cost would be that of the action as given: 2.5.
        assert_eq!(env.step(&[5.0], &mut rng).unwrap().reward, -0.1);
        assert!(matches!(env.step(&[f32::NAN], &mut rng), Err(EnvError::InvalidAction { .. })));
        assert!(env.action_space().contains(&[1e9]));
    }
}
