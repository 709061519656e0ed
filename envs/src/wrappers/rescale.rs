//! Boxes stretched to other bounds.

use crate::{Act, Env, EnvError, Obs, RealSpace, Rng, Space as _, Step, Transition};

/// Maps the numbers of one box to those of another, bound to bound.
#[derive(Clone, Debug)]
struct Rescale {
    from: (Vec<f32>, Vec<f32>),
    to: (Vec<f32>, Vec<f32>),
}

impl Rescale {
    /// In f64, and within the bounds whatever rounding does.
    fn apply(&self, numbers: &mut [f32]) {
        for (i, x) in numbers.iter_mut().enumerate() {
            let [from_low, from_high, low, high] =
                [self.from.0[i], self.from.1[i], self.to.0[i], self.to.1[i]].map(f64::from);
            let share = (f64::from(*x) - from_low) / (from_high - from_low);
            *x = ((low + share * (high - low)) as f32).clamp(self.to.0[i], self.to.1[i]);
        }
    }
}

/// The bounds of a space beside equally many times `low` and `high`, if they can be mapped.
#[allow(clippy::type_complexity, reason = "two boxes, each a pair of bounds")]
fn two_boxes<S: RealSpace>(
    space: &S,
    (low, high): (f32, f32),
    wrapper: &'static str,
) -> Result<((Vec<f32>, Vec<f32>), (Vec<f32>, Vec<f32>), S), EnvError> {
    if !(low < high && low.is_finite() && high.is_finite()) {
        let reason = format!("`low` must be below `high`, both finite, got {low} and {high}");
        return Err(super::invalid(wrapper, reason));
    }
    let bounds = space.bounds();
    let is_open = |(l, h): (&f32, &f32)| !(l < h && l.is_finite() && h.is_finite());
    if let Some(i) = bounds.0.iter().zip(&bounds.1).position(is_open) {
        let (low, high) = (bounds.0[i], bounds.1[i]);
        let reason = format!(
            "number {i} of {} must lie between two different finite bounds, got {low} and {high}",
            space.describe()
        );
        return Err(super::invalid(wrapper, reason));
    }
    let other = (vec![low; bounds.0.len()], vec![high; bounds.0.len()]);
    let target = space.with_bounds(&other.0, &other.1)?;
    Ok((bounds, other, target))
}

/// Takes actions between other bounds than the environment's (Gymnasium's `RescaleAction`).
#[derive(Clone, Debug)]
pub struct RescaleAction<E: Env> {
    env: E,
    space: E::ActionSpace,
    rescale: Rescale,
}

impl<E: Env<ActionSpace: RealSpace>> RescaleAction<E> {
    /// Wraps an environment so that `low..=high` stands for its own bounds.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `low` is not below `high` or the environment's bounds are
    /// not finite.
    pub fn new(env: E, low: f32, high: f32) -> Result<Self, EnvError> {
        let (to, from, space) = two_boxes(&env.action_space(), (low, high), "RescaleAction")?;
        Ok(Self { env, space, rescale: Rescale { from, to } })
    }

    crate::wrappers::access!();

    fn rescaled(&self, action: &Act<E>) -> Result<Act<E>, EnvError> {
        if !self.space.contains(action) {
            return Err(EnvError::invalid_action(&self.space, action));
        }
        let mut action = action.clone();
        self.rescale.apply(action.as_mut());
        Ok(action)
    }
}

impl<E: Env<ActionSpace: RealSpace>> Env for RescaleAction<E> {
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
        let action = self.rescaled(action)?;
        self.env.step(&action, rng)
    }

    fn transitions(&self, now: &Obs<E>, action: &Act<E>) -> Option<Vec<Transition<Obs<E>>>> {
        self.env.transitions(now, &self.rescaled(action).ok()?)
    }

    fn initial_states(&self) -> Option<Vec<(f64, Obs<E>)>> {
        self.env.initial_states()
    }

    crate::wrappers::forward! { env: observation_space, snapshot, state, set_state, observe, render }
}

/// Shows observations between other bounds than the environment's (Gymnasium's
/// `RescaleObservation`).
#[derive(Clone, Debug)]
pub struct RescaleObservation<E: Env> {
    env: E,
    space: E::ObservationSpace,
    rescale: Rescale,
}

impl<E: Env<ObservationSpace: RealSpace>> RescaleObservation<E> {
    /// Wraps an environment so that `low..=high` stands for its own bounds.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `low` is not below `high` or the environment's bounds are
    /// not finite.
    pub fn new(env: E, low: f32, high: f32) -> Result<Self, EnvError> {
        let own = env.observation_space();
        let (from, to, space) = two_boxes(&own, (low, high), "RescaleObservation")?;
        Ok(Self { env, space, rescale: Rescale { from, to } })
    }

    crate::wrappers::access!();

    fn rescaled(&self, mut observation: Obs<E>) -> Obs<E> {
        self.rescale.apply(observation.as_mut());
        observation
    }
}

impl<E: Env<ObservationSpace: RealSpace>> Env for RescaleObservation<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> E::ObservationSpace {
        self.space.clone()
    }

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        let observation = self.env.reset(rng)?;
        Ok(self.rescaled(observation))
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let step = self.env.step(action, rng)?;
        Ok(step.map(|observation| self.rescaled(observation)))
    }

    fn observe(&self) -> Option<Obs<E>> {
        self.env.observe().map(|observation| self.rescaled(observation))
    }

    crate::wrappers::forward! { env: action_space, snapshot, state, set_state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Seed,
        classic::{CartPole, MountainCar, Pendulum},
    };

    #[test]
    fn bounds_go_to_bounds_and_the_middle_to_the_middle() {
        let mut env = RescaleAction::new(Pendulum::default(), 0.0, 1.0).unwrap();
        let mut plain = Pendulum::default();
        let mut rng = Seed::new(0).rng();
        for (ours, theirs) in [(0.0, -2.0), (0.5, 0.0), (1.0, 2.0), (0.75, 1.0)] {
            env.set_state(&[1.0, 0.5]).unwrap();
            plain.set_state(&[1.0, 0.5]).unwrap();
            let step = env.step(&[ours], &mut rng).unwrap();
            assert_eq!(step, plain.step(&[theirs], &mut rng).unwrap());
        }
        assert!(env.step(&[1.5], &mut rng).is_err());
        let mut car = RescaleObservation::new(MountainCar::default(), -1.0, 1.0).unwrap();
        car.set_state(&[-0.3, 0.07]).unwrap();
        let seen = car.observe().unwrap();
        assert!(seen[0].abs() < 1e-6 && seen[1] == 1.0, "{seen:?}");
    }

    #[test]
    fn bounds_that_cannot_be_mapped_are_refused() {
        let error = RescaleObservation::new(CartPole::default(), -1.0, 1.0).unwrap_err();
        assert!(error.to_string().contains("number 1"), "{error}");
        for (low, high) in [(1.0, 1.0), (1.0, -1.0), (f32::NAN, 1.0), (0.0, f32::INFINITY)] {
            assert!(RescaleAction::new(Pendulum::default(), low, high).is_err());
        }
    }
}
