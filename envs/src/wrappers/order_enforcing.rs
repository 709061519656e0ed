//! Refuses steps where only a reset makes sense.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Act, Env, EnvError, Obs, Rng, Step};

/// Makes it an error to step before the first reset or after an episode's end (Gymnasium's
/// `OrderEnforcing`, which checks the former alone).
#[derive(Clone, Debug)]
pub struct OrderEnforcing<E> {
    env: E,
    phase: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Phase {
    New,
    Running,
    Ended,
}

impl<E> OrderEnforcing<E> {
    /// Wraps an environment that has not been reset.
    pub fn new(env: E) -> Self {
        Self { env, phase: Phase::New }
    }

    crate::wrappers::access!();
}

impl<E: Env> Env for OrderEnforcing<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    #[inline]
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
        Some(json!({ "env": self.env.save()?, "phase": self.phase }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let phase = super::part(snapshot, "phase")?;
        self.env.restore(&snapshot["env"])?;
        self.phase = phase;
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
    use crate::{Seed, classic::CartPole};

    #[test]
    fn steps_need_a_reset_before_and_after() {
        let (mut env, mut rng) = (OrderEnforcing::new(CartPole::default()), Seed::new(0).rng());
        assert!(matches!(env.step(&0, &mut rng), Err(EnvError::NeedsReset { .. })));
        env.reset(&mut rng).unwrap();
        while !env.step(&0, &mut rng).unwrap().outcome.is_final() {}
        let error = env.step(&0, &mut rng).unwrap_err();
        assert_eq!(error.to_string(), "step was called after the episode ended: call reset first");
        env.reset(&mut rng).unwrap();
        assert!(env.step(&0, &mut rng).is_ok());
    }
}
