//! What acting met that is not finite, until somebody can be told.

use std::cell::Cell;

use gymnast_harness::{AgentError, Mode};

/// Whether what a policy put out last was finite: of NaN there is no best action, nor a worst.
///
/// [`Policy::act`](gymnast_harness::Policy::act) returns no error. So a policy that exploits leaves no
/// action then, the environments refuse the step, and no evaluation counts what means nothing. Where it
/// explores it goes on, and the agent's `learn`, called next, returns the error.
#[derive(Debug, Default)]
pub(crate) struct Divergence(Cell<Option<f32>>);

impl Divergence {
    /// Whether there are actions to be taken by these numbers. Remembers the first that is not finite.
    pub(crate) fn lets_act<'a>(
        &self,
        mode: Mode,
        numbers: impl IntoIterator<Item = &'a f32>,
    ) -> bool {
        self.0.set(numbers.into_iter().copied().find(|number| !number.is_finite()));
        self.0.get().is_none() || mode == Mode::Explore
    }

    /// What an agent asks before it learns from its last actions.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where what they were chosen by was not finite.
    pub(crate) fn check(&self, env_steps: u64) -> Result<(), AgentError> {
        let Some(number) = self.0.get() else { return Ok(()) };
        let (what, value) = ("an output of the policy's network", f64::from(number));
        Err(AgentError::Diverged { what, value, env_steps })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_remembers_the_last_act_alone() {
        let divergence = Divergence::default();
        divergence.check(0).unwrap();
        assert!(!divergence.lets_act(Mode::Exploit, &[1.0, f32::NAN]));
        assert!(divergence.lets_act(Mode::Explore, &[1.0, f32::NEG_INFINITY, f32::NAN]));
        let error = divergence.check(7).unwrap_err();
        let AgentError::Diverged { value, env_steps: 7, .. } = error else { panic!("{error}") };
        assert_eq!(value, f64::NEG_INFINITY);
        assert!(divergence.lets_act(Mode::Exploit, &[1.0, f32::MAX]));
        divergence.check(8).unwrap();
    }
}
