//! Actions that stick.

use rand::RngExt as _;
use serde_json::Value;

use super::snapshot::{self, elements_from_json, elements_to_json, invalid_option};
use crate::{Act, Env, EnvError, Obs, Rng, Step};

/// Repeats the previous action instead of the chosen one with some probability (Gymnasium's
/// `StickyAction`), drawn from the caller's stream at every step but an episode's first.
///
/// Source: Machado et al., "Revisiting the Arcade Learning Environment" (2018), section 5.2.
#[derive(Clone, Debug)]
pub struct StickyAction<E: Env> {
    env: E,
    repeat_action_probability: f64,
    last_action: Option<Act<E>>,
}

impl<E: Env> StickyAction<E> {
    /// Wraps an environment.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if the probability lies outside [0, 1].
    pub fn new(env: E, repeat_action_probability: f64) -> Result<Self, EnvError> {
        if !(0.0..=1.0).contains(&repeat_action_probability) {
            let reason = format!(
                "`repeat_action_probability` must lie between 0 and 1, got \
                 {repeat_action_probability}"
            );
            return Err(invalid_option("StickyAction", reason));
        }
        Ok(Self { env, repeat_action_probability, last_action: None })
    }

    crate::wrappers::wrapped!();

    /// The action that the environment took last in this episode, if any.
    pub fn last_action(&self) -> Option<&Act<E>> {
        self.last_action.as_ref()
    }
}

impl<E: Env> Env for StickyAction<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        self.last_action = None;
        self.env.reset(rng)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        if let Some(last) = &self.last_action
            && rng.random::<f64>() < self.repeat_action_probability
        {
            return self.env.step(last, rng);
        }
        let step = self.env.step(action, rng)?;
        self.last_action = Some(action.clone());
        Ok(step)
    }

    fn save(&self) -> Option<Value> {
        let last_action = elements_to_json(&self.action_space(), self.last_action.as_slice());
        snapshot::save(&self.env, last_action)
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let last_action: Vec<Value> = snapshot::own(snapshot)?;
        if last_action.len() > 1 {
            return Err(snapshot::invalid(snapshot, "at most one last action"));
        }
        let last_action = elements_from_json(&self.action_space(), &last_action)?.pop();
        self.env.restore(&snapshot["env"])?;
        self.last_action = last_action;
        Ok(())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        // A state that is set from outside has no previous action.
        self.last_action = None;
        self.env.set_state(state)
    }

    crate::wrappers::forward! { env: spaces, state, start, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, classic::CartPole};

    fn taken(probability: f64, actions: &[i64]) -> Vec<i64> {
        let mut rng = Seed::new(0).rng();
        let mut env = StickyAction::new(CartPole::default(), probability).unwrap();
        env.reset(&mut rng).unwrap();
        let mut take = |action| {
            env.step(action, &mut rng).unwrap();
            *env.last_action().unwrap()
        };
        actions.iter().map(&mut take).collect()
    }

    #[test]
    fn never_always_and_sometimes() {
        assert_eq!(taken(0.0, &[0, 1, 1, 0]), [0, 1, 1, 0]);
        assert_eq!(taken(1.0, &[0, 1, 1, 0]), [0, 0, 0, 0]);
        let mut rng = Seed::new(1).rng();
        let mut env = StickyAction::new(CartPole::default(), 0.25).unwrap();
        let (mut repeats, n) = (0, 10_000);
        for _ in 0..n {
            env.reset(&mut rng).unwrap();
            env.step(&0, &mut rng).unwrap();
            env.step(&1, &mut rng).unwrap();
            repeats += i32::from(env.last_action() == Some(&0));
        }
        // Four standard deviations: 4 · √(n · 0.25 · 0.75) = 173.
        assert!((repeats - n / 4).abs() < 173, "{repeats}");
    }

    #[test]
    fn the_probability_is_checked() {
        for probability in [-0.1, 1.1, f64::NAN] {
            assert!(StickyAction::new(CartPole::default(), probability).is_err());
        }
    }
}
