//! One decision for several steps.

use super::{ArraySpace, snapshot::invalid_option};
use crate::{Act, Env, EnvError, Obs, Rng, Step};

/// Takes each action several times and sums the rewards, undiscounted (Gymnasium's
/// `RepeatAction`, often called frame skip). Stops where the episode ends.
#[derive(Clone, Copy, Debug)]
pub struct RepeatAction<E> {
    env: E,
    num_repeats: u32,
}

impl<E> RepeatAction<E> {
    /// Wraps an environment.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `num_repeats` is 0.
    pub fn new(env: E, num_repeats: u32) -> Result<Self, EnvError> {
        if num_repeats == 0 {
            let reason = "`num_repeats` must be at least 1, got 0";
            return Err(invalid_option("RepeatAction", reason));
        }
        Ok(Self { env, num_repeats })
    }

    crate::wrappers::wrapped!();
}

impl<E: Env> Env for RepeatAction<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let mut last = self.env.step(action, rng)?;
        for _ in 1..self.num_repeats {
            if last.outcome.is_final() {
                break;
            }
            self.env.recycle(last.observation);
            let step = self.env.step(action, rng)?;
            last = Step { reward: last.reward + step.reward, ..step };
        }
        Ok(last)
    }

    crate::wrappers::forward! { env: reset, spaces, snapshot, state, set_state, start, render }
}

/// Takes each action several times, sums the rewards, and shows the greater of the last two
/// observations, number by number (Gymnasium's `MaxAndSkipObservation`).
///
/// Where an episode ends early these are the last two that were seen; Gymnasium shows what its
/// buffer holds from an earlier step.
#[derive(Clone, Copy, Debug)]
pub struct MaxAndSkipObservation<E> {
    env: E,
    skip: u32,
}

impl<E: Env<ObservationSpace: ArraySpace>> MaxAndSkipObservation<E> {
    /// Wraps an environment; Gymnasium's default `skip` is 4.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `skip` is below 2.
    pub fn new(env: E, skip: u32) -> Result<Self, EnvError> {
        if skip < 2 {
            let reason = format!("`skip` must be at least 2, got {skip}");
            return Err(invalid_option("MaxAndSkipObservation", reason));
        }
        Ok(Self { env, skip })
    }

    crate::wrappers::wrapped!();
}

impl<E: Env<ObservationSpace: ArraySpace>> Env for MaxAndSkipObservation<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let mut last = self.env.step(action, rng)?;
        let mut before = None;
        for _ in 1..self.skip {
            if last.outcome.is_final() {
                break;
            }
            let step = self.env.step(action, rng)?;
            before = Some(last.observation);
            last = Step { reward: last.reward + step.reward, ..step };
        }
        if let Some(before) = before {
            for (x, &y) in last.observation.as_mut().iter_mut().zip(before.as_ref()) {
                // A NaN in either stays.
                // What is no finite number must be seen, though −∞ is never the greater.
                if x.is_finite() && (y > *x || !y.is_finite()) {
                    *x = y;
                }
            }
        }
        Ok(last)
    }

    crate::wrappers::forward! { env: reset, spaces, snapshot, state, set_state, start, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, classic::CartPole, wrappers::TimeLimit};

    #[test]
    fn rewards_add_up_until_the_end() {
        let mut rng = Seed::new(0).rng();
        let limited = || TimeLimit::new(CartPole::default(), 5);
        let mut env = RepeatAction::new(limited(), 3).unwrap();
        env.reset(&mut rng).unwrap();
        let steps = [env.step(&0, &mut rng).unwrap(), env.step(&0, &mut rng).unwrap()];
        assert_eq!(steps.map(|step| step.reward), [3.0, 2.0]);
        assert!(!steps[0].outcome.is_final() && steps[1].outcome.truncated());
        env.set_state(&[2.4, 10.0, 0.0, 0.0]).unwrap();
        let last = env.step(&0, &mut rng).unwrap();
        assert!(last.outcome.terminated() && last.reward == 1.0);
        assert!(RepeatAction::new(limited(), 0).is_err());
    }

    #[test]
    fn the_greater_of_the_last_two() {
        let mut rng = Seed::new(0).rng();
        let mut plain = CartPole::default();
        let mut env = MaxAndSkipObservation::new(CartPole::default(), 3).unwrap();
        plain.set_state(&[0.0; 4]).unwrap();
        env.set_state(&[0.0; 4]).unwrap();
        let [_, second, third] = [0; 3].map(|_| plain.step(&0, &mut rng).unwrap().observation);
        // Pushed to the left, the cart falls behind and the pole tips to the right.
        let expected = [second[0], second[1], third[2], third[3]];
        let step = env.step(&0, &mut rng).unwrap();
        assert_eq!((step.observation, step.reward), (expected, 3.0));
        assert!(MaxAndSkipObservation::new(CartPole::default(), 1).is_err());
    }
}
