//! Observations and rewards changed by a function.

use crate::{Act, Env, EnvError, Obs, Rng, Space, Step, Transition};

/// Shows what a function makes of each observation (Gymnasium's `TransformObservation`).
///
/// ```
/// use gymnast_envs::{BoxSpace, classic::CartPole, wrappers::TransformObservation};
///
/// // Positions alone, without the velocities.
/// let space = BoxSpace::<2>::symmetric([4.8, 0.42]);
/// let env = TransformObservation::new(CartPole::default(), space, |o: &[f32; 4]| [o[0], o[2]]);
/// ```
#[derive(Clone, Debug)]
pub struct TransformObservation<E, S, F> {
    env: E,
    space: S,
    transform: F,
}

impl<E: Env, S: Space, F: Fn(&Obs<E>) -> S::Element> TransformObservation<E, S, F> {
    /// Wraps an environment; what `transform` returns lies in `space`.
    pub fn new(env: E, space: S, transform: F) -> Self {
        Self { env, space, transform }
    }

    crate::wrappers::access!();
}

impl<E, S, F> Env for TransformObservation<E, S, F>
where
    E: Env,
    S: Space,
    F: Fn(&Obs<E>) -> S::Element + Send,
{
    type ObservationSpace = S;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> S {
        self.space.clone()
    }

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<S::Element, EnvError> {
        let observation = self.env.reset(rng)?;
        Ok((self.transform)(&observation))
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<S::Element>, EnvError> {
        let step = self.env.step(action, rng)?;
        Ok(step.map(|observation| (self.transform)(&observation)))
    }

    fn observe(&self) -> Option<S::Element> {
        self.env.observe().map(|observation| (self.transform)(&observation))
    }

    crate::wrappers::forward! { env: action_space, snapshot, state, set_state, render }
}

/// Gives what a function makes of each reward (Gymnasium's `TransformReward`).
#[derive(Clone, Debug)]
pub struct TransformReward<E, F> {
    env: E,
    transform: F,
}

impl<E: Env, F: Fn(f64) -> f64> TransformReward<E, F> {
    /// Wraps an environment.
    pub fn new(env: E, transform: F) -> Self {
        Self { env, transform }
    }

    crate::wrappers::access!();
}

impl<E: Env, F: Fn(f64) -> f64 + Send> Env for TransformReward<E, F> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        self.env.reset(rng)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let mut step = self.env.step(action, rng)?;
        step.reward = (self.transform)(step.reward);
        Ok(step)
    }

    fn transitions(&self, now: &Obs<E>, action: &Act<E>) -> Option<Vec<Transition<Obs<E>>>> {
        let mut model = self.env.transitions(now, action)?;
        for transition in &mut model {
            transition.reward = (self.transform)(transition.reward);
        }
        Some(model)
    }

    fn initial_states(&self) -> Option<Vec<(f64, Obs<E>)>> {
        self.env.initial_states()
    }

    crate::wrappers::forward! { env: spaces, snapshot, state, set_state, observe, render }
}

/// Keeps rewards between two bounds (Gymnasium's `ClipReward`).
#[derive(Clone, Debug)]
pub struct ClipReward<E> {
    env: E,
    low: f64,
    high: f64,
}

impl<E> ClipReward<E> {
    /// Wraps an environment; rewards below `low` become `low`, those above `high` become `high`.
    /// Either may be infinite.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `low` exceeds `high` or one is NaN.
    pub fn new(env: E, low: f64, high: f64) -> Result<Self, EnvError> {
        if low <= high {
            return Ok(Self { env, low, high });
        }
        let reason = format!("`low` must not exceed `high`, got {low} and {high}");
        Err(super::invalid("ClipReward", reason))
    }

    crate::wrappers::access!();
}

impl<E: Env> Env for ClipReward<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        self.env.reset(rng)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let mut step = self.env.step(action, rng)?;
        step.reward = step.reward.clamp(self.low, self.high);
        Ok(step)
    }

    fn transitions(&self, now: &Obs<E>, action: &Act<E>) -> Option<Vec<Transition<Obs<E>>>> {
        let mut model = self.env.transitions(now, action)?;
        for transition in &mut model {
            transition.reward = transition.reward.clamp(self.low, self.high);
        }
        Some(model)
    }

    fn initial_states(&self) -> Option<Vec<(f64, Obs<E>)>> {
        self.env.initial_states()
    }

    crate::wrappers::forward! { env: spaces, snapshot, state, set_state, observe, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BoxSpace, Seed, classic::CartPole, toy_text::CliffWalking};

    #[test]
    fn the_model_of_changed_rewards_is_changed_alike() {
        let mut rng = Seed::new(0).rng();
        let mut clipped = ClipReward::new(CliffWalking::default(), -10.0, 0.0).unwrap();
        clipped.reset(&mut rng).unwrap();
        assert_eq!(clipped.transitions(&36, &1).unwrap()[0].reward, -10.0);
        assert_eq!(clipped.step(&1, &mut rng).unwrap().reward, -10.0);
        let mut halved = TransformReward::new(CliffWalking::default(), |r| r / 2.0);
        halved.reset(&mut rng).unwrap();
        assert_eq!(halved.transitions(&36, &0).unwrap()[0].reward, -0.5);
        assert_eq!(halved.step(&0, &mut rng).unwrap().reward, -0.5);
        for (low, high) in [(1.0, 0.0), (f64::NAN, 0.0), (0.0, f64::NAN)] {
            assert!(ClipReward::new(CliffWalking::default(), low, high).is_err());
        }
    }

    #[test]
    fn changed_observations_come_with_their_space() {
        let space = BoxSpace::<1>::symmetric([0.42]);
        let angle = |o: &[f32; 4]| [o[2]];
        let mut env = TransformObservation::new(CartPole::default(), space, angle);
        env.set_state(&[1.0, 2.0, 0.125, 4.0]).unwrap();
        assert_eq!(env.observe(), Some([0.125]));
        let mut rng = Seed::new(0).rng();
        assert!(space.contains(&env.reset(&mut rng).unwrap()));
    }
}
