//! Several steps as one.

use crate::{Act, Env, EnvError, Obs, RealSpace, Rng, Step};

/// Repeats each action for some steps, adds up their rewards, and shows the greater of each number
/// in the last two observations (Gymnasium's `MaxAndSkipObservation`). An episode's end cuts the
/// repetition short.
///
/// Source: Mnih et al., "Human-level control through deep reinforcement learning" (2015).
#[derive(Clone, Debug)]
pub struct MaxAndSkipObservation<E> {
    env: E,
    skip: u32,
}

impl<E> MaxAndSkipObservation<E> {
    /// Wraps an environment; each action is taken `skip` times (Gymnasium: 4).
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `skip` is below 2.
    pub fn new(env: E, skip: u32) -> Result<Self, EnvError> {
        if skip < 2 {
            let reason = format!("`skip` must be at least 2, got {skip}");
            return Err(super::invalid("MaxAndSkipObservation", reason));
        }
        Ok(Self { env, skip })
    }

    crate::wrappers::access!();
}

impl<E: Env<ObservationSpace: RealSpace>> Env for MaxAndSkipObservation<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        self.env.reset(rng)
    }

    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let mut last = self.env.step(action, rng)?;
        let mut before = None;
        for _ in 1..self.skip {
            if last.outcome.is_final() {
                break;
            }
            let mut next = self.env.step(action, rng)?;
            next.reward += last.reward;
            before = Some(std::mem::replace(&mut last, next).observation);
        }
        if let Some(before) = before {
            for (x, &other) in last.observation.as_mut().iter_mut().zip(before.as_ref()) {
                *x = x.max(other);
            }
        }
        Ok(last)
    }

    crate::wrappers::forward! { env: spaces, snapshot, state, set_state, observe, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, classic::CartPole, wrappers::TimeLimit};

    #[test]
    fn rewards_add_up_and_the_end_cuts_short() {
        let limited = TimeLimit::new(CartPole::default(), 6);
        let mut env = MaxAndSkipObservation::new(limited.clone(), 4).unwrap();
        let mut plain = limited;
        let (mut rng, mut same) = (Seed::new(0).rng(), Seed::new(0).rng());
        env.reset(&mut rng).unwrap();
        plain.reset(&mut same).unwrap();
        let steps: Vec<_> = (0..6).map(|_| plain.step(&1, &mut same).unwrap()).collect();
        let first = env.step(&1, &mut rng).unwrap();
        let greater = |i: usize| steps[2].observation[i].max(steps[3].observation[i]);
        assert_eq!(first.observation, std::array::from_fn(greater));
        assert_eq!((first.reward, first.outcome.is_final()), (4.0, false));
        let second = env.step(&1, &mut rng).unwrap();
        assert_eq!((second.reward, second.outcome.truncated()), (2.0, true));
        assert!(MaxAndSkipObservation::new(env, 1).is_err());
    }
}
