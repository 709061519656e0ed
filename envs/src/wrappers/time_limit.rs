//! Cuts episodes short.

use serde_json::{Value, json};

use crate::{Act, Env, EnvError, Obs, Outcome, Rng, Step};

/// Truncates an episode after a number of steps (Gymnasium's `TimeLimit`).
///
/// An episode that terminates on its last step counts as terminated.
#[derive(Clone, Debug)]
pub struct TimeLimit<E> {
    env: E,
    max_episode_steps: Option<u32>,
    elapsed_steps: u32,
}

impl<E> TimeLimit<E> {
    /// Wraps an environment; without a limit it changes nothing.
    pub fn new(env: E, max_episode_steps: impl Into<Option<u32>>) -> Self {
        Self { env, max_episode_steps: max_episode_steps.into(), elapsed_steps: 0 }
    }

    crate::wrappers::wrapped!();

    /// Counts a step and cuts the episode short if it was the last.
    #[inline]
    fn count(&mut self, outcome: &mut Outcome) {
        self.elapsed_steps = self.elapsed_steps.saturating_add(1);
        let is_last = self.max_episode_steps.is_some_and(|max| self.elapsed_steps >= max);
        if is_last && !outcome.terminated() {
            *outcome = Outcome::Truncated;
        }
    }

    /// The steps of the running episode.
    pub(crate) fn elapsed_steps(&self) -> u32 {
        self.elapsed_steps
    }
}

impl<E: Env> Env for TimeLimit<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        self.elapsed_steps = 0;
        self.env.reset(rng)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let mut step = self.env.step(action, rng)?;
        self.count(&mut step.outcome);
        Ok(step)
    }

    #[inline(always)] // with what `each` does in it
    fn step_together<H>(
        holders: &mut [H],
        env: impl Fn(&mut H) -> &mut Self,
        actions: &[Act<E>],
        rngs: &mut [Rng],
        mut each: impl FnMut(usize, &mut H, &mut Rng, Step<Obs<E>>),
    ) -> bool {
        E::step_together(
            holders,
            |holder| &mut env(holder).env,
            actions,
            rngs,
            |i, holder, rng, mut step| {
                env(holder).count(&mut step.outcome);
                each(i, holder, rng, step);
            },
        )
    }

    fn save(&self) -> Option<Value> {
        Some(json!({ "env": self.env.save()?, "elapsed_steps": self.elapsed_steps }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let elapsed = snapshot["elapsed_steps"].as_u64().and_then(|n| u32::try_from(n).ok());
        let elapsed = elapsed.ok_or_else(|| EnvError::InvalidState {
            expected: "`elapsed_steps`, a 32-bit number".to_owned(),
            got: snapshot["elapsed_steps"].to_string(),
        })?;
        // First what may still fail, lest half a snapshot be taken up.
        self.env.restore(&snapshot["env"])?;
        self.elapsed_steps = elapsed;
        Ok(())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        // A state that is set from outside starts a new count.
        self.elapsed_steps = 0;
        self.env.set_state(state)
    }

    crate::wrappers::forward! { env: spaces, state, model, render }
}
