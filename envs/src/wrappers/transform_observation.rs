//! Observations put through a function.

use std::{fmt, sync::Arc};

use crate::{Act, Env, EnvError, Obs, Rng, Space, Step};

type Function<E, S> = dyn Fn(&Obs<E>) -> <S as Space>::Element + Send + Sync;

/// Puts every observation through a function into another space (Gymnasium's
/// `TransformObservation`).
///
/// ```
/// use gymnast_envs::{BoxSpace, Env, Seed, classic::CartPole, wrappers::TransformObservation};
///
/// // Positions without velocities.
/// let space = BoxSpace::symmetric([4.8, 0.42]);
/// let mut env = TransformObservation::new(CartPole::default(), space, |o| [o[0], o[2]]);
/// let [position, angle] = env.reset(&mut Seed::new(0).rng())?;
/// assert!(position.abs() < 0.05 && angle.abs() < 0.05);
/// # Ok::<(), gymnast_envs::EnvError>(())
/// ```
pub struct TransformObservation<E: Env, S: Space> {
    env: E,
    space: S,
    function: Arc<Function<E, S>>,
}

impl<E: Env, S: Space> TransformObservation<E, S> {
    /// Wraps an environment; `function` must put out elements of `space`.
    pub fn new(
        env: E,
        space: S,
        function: impl Fn(&Obs<E>) -> S::Element + Send + Sync + 'static,
    ) -> Self {
        Self { env, space, function: Arc::new(function) }
    }

    crate::wrappers::wrapped!();

    fn transform(&self, observation: &Obs<E>) -> S::Element {
        (self.function)(observation)
    }
}

impl<E: Env + Clone, S: Space> Clone for TransformObservation<E, S> {
    fn clone(&self) -> Self {
        let function = Arc::clone(&self.function);
        Self { env: self.env.clone(), space: self.space.clone(), function }
    }
}

impl<E: Env + fmt::Debug, S: Space> fmt::Debug for TransformObservation<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut wrapper = f.debug_struct("TransformObservation");
        wrapper.field("env", &self.env).field("space", &self.space).finish_non_exhaustive()
    }
}

impl<E: Env, S: Space> Env for TransformObservation<E, S> {
    type ObservationSpace = S;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> S {
        self.space.clone()
    }

    crate::wrappers::change_observations!(transform);
    crate::wrappers::forward! { env: action_space, snapshot, state, set_state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Discrete, Seed, classic::CartPole};

    #[test]
    fn first_later_and_present_observations_are_changed() {
        let mut rng = Seed::new(0).rng();
        let leans_right = |o: &[f32; 4]| i64::from(o[2] > 0.0);
        let mut env = TransformObservation::new(CartPole::default(), Discrete::new(2), leans_right);
        let first = env.reset(&mut rng).unwrap();
        assert_eq!(Some(first), env.observe());
        env.set_state(&[0.0, 0.0, 0.1, 0.0]).unwrap();
        assert_eq!((env.observe(), env.clone().observe()), (Some(1), Some(1)));
        env.set_state(&[0.0, 0.0, -0.1, 0.0]).unwrap();
        assert_eq!(env.step(&0, &mut rng).unwrap().observation, 0);
    }
}
