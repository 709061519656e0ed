//! Actions that stick.

use rand::RngExt as _;
use serde_json::{Value, json};

use crate::{Act, Env, EnvError, Obs, Rng, Space as _, Step};

/// Repeats the action before instead of the one given, with some probability (Gymnasium's
/// `StickyAction`).
///
/// Source: Machado et al., "Revisiting the arcade learning environment" (2018), who take 0.25.
#[derive(Clone, Debug)]
pub struct StickyAction<E: Env> {
    env: E,
    repeat_action_probability: f64,
    last: Option<Act<E>>,
}

impl<E: Env> StickyAction<E> {
    /// Wraps an environment. The draws come from the stream given to each step.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if the probability is not at least 0 and below 1.
    pub fn new(env: E, repeat_action_probability: f64) -> Result<Self, EnvError> {
        if !(0.0..1.0).contains(&repeat_action_probability) {
            let reason = format!(
                "`repeat_action_probability` must be at least 0 and below 1, got \
                 {repeat_action_probability}"
            );
            return Err(super::invalid("StickyAction", reason));
        }
        Ok(Self { env, repeat_action_probability, last: None })
    }

    crate::wrappers::access!();
}

impl<E: Env> Env for StickyAction<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        self.last = None;
        self.env.reset(rng)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        // Drawn on the first step too, so that the stream does not depend on the step.
        let sticks = rng.random::<f64>() < self.repeat_action_probability;
        let taken = self.last.take().filter(|_| sticks).unwrap_or_else(|| action.clone());
        let step = self.env.step(&taken, rng)?;
        self.last = Some(taken);
        Ok(step)
    }

    fn save(&self) -> Option<Value> {
        let space = self.env.action_space();
        let last = self.last.as_ref().map(|action| space.to_jsonable(action));
        Some(json!({ "env": self.env.save()?, "last": last }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let last = match &snapshot["last"] {
            Value::Null => None,
            // An environment may take actions beyond its bounds.
            action => Some(self.env.action_space().from_jsonable_unbounded(action)?),
        };
        self.env.restore(&snapshot["env"])?;
        self.last = last;
        Ok(())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.env.set_state(state)?;
        self.last = None;
        Ok(())
    }

    crate::wrappers::forward! { env: spaces, state, observe, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, toy_text::CliffWalking};

    #[test]
    fn a_share_of_the_actions_is_the_one_before() {
        let mut env = StickyAction::new(CliffWalking::default(), 0.25).unwrap();
        let mut rng = Seed::new(0).rng();
        let mut sticks = 0;
        for _ in 0..4000 {
            env.reset(&mut rng).unwrap();
            assert_eq!(env.step(&0, &mut rng).unwrap().observation, 24, "the first never sticks");
            sticks += i64::from(env.step(&1, &mut rng).unwrap().observation == 12);
        }
        assert!((900..1100).contains(&sticks), "{sticks}");
        for bad in [-0.1, 1.0, f64::NAN] {
            assert!(StickyAction::new(CliffWalking::default(), bad).is_err());
        }
    }
}
