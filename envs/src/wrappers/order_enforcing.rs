//! Steps only within an episode.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::snapshot;
use crate::{Act, Env, EnvError, Obs, Rng, Step};

/// Makes a step before the first reset or after an episode's end an error (Gymnasium's
/// `OrderEnforcing`, which checks the former only).
#[derive(Clone, Debug)]
pub struct OrderEnforcing<E> {
    env: E,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    New,
    Running,
    Ended,
}

impl<E> OrderEnforcing<E> {
    /// Wraps an environment that was not reset yet.
    pub fn new(env: E) -> Self {
        Self { env, phase: Phase::New }
    }

    crate::wrappers::wrapped!();

    /// Whether the environment was reset, restored or had its state set.
    #[must_use]
    pub fn has_reset(&self) -> bool {
        self.phase != Phase::New
    }
}

impl<E: Env> Env for OrderEnforcing<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        let observation = self.env.reset(rng)?;
        self.phase = Phase::Running;
        Ok(observation)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        match self.phase {
            Phase::New => return Err(EnvError::NeedsReset { when: "before the first reset" }),
            Phase::Ended => return Err(EnvError::NeedsReset { when: "after the episode ended" }),
            Phase::Running => {}
        }
        let step = self.env.step(action, rng)?;
        if step.outcome.is_final() {
            self.phase = Phase::Ended;
        }
        Ok(step)
    }

    fn save(&self) -> Option<Value> {
        snapshot::save(&self.env, self.phase)
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        self.phase = snapshot::restore(&mut self.env, snapshot)?;
        Ok(())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.env.set_state(state)?;
        self.phase = Phase::Running;
        Ok(())
    }

    crate::wrappers::forward! { env: spaces, state, model, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, classic::CartPole, wrappers::TimeLimit};

    #[test]
    fn steps_outside_an_episode_are_errors() {
        let mut rng = Seed::new(0).rng();
        let mut env = OrderEnforcing::new(TimeLimit::new(CartPole::default(), 2));
        assert!(matches!(env.step(&0, &mut rng), Err(EnvError::NeedsReset { .. })));
        env.reset(&mut rng).unwrap();
        env.step(&0, &mut rng).unwrap();
        // Truncated.
        assert!(env.step(&1, &mut rng).unwrap().outcome.truncated());
        assert!(matches!(env.step(&0, &mut rng), Err(EnvError::NeedsReset { .. })));
        env.reset(&mut rng).unwrap();
        // Terminated: the cart is at the edge and moves outwards.
        env.set_state(&[2.4, 10.0, 0.0, 0.0]).unwrap();
        assert!(env.step(&1, &mut rng).unwrap().outcome.terminated());
        assert!(matches!(env.step(&0, &mut rng), Err(EnvError::NeedsReset { .. })));
    }
}
