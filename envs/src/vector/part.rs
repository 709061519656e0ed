//! Neighbouring environments of a vector, stepped by one thread.

use super::{
    AutoresetMode, Gate,
    lane::{Columns, Place},
};
use crate::{Act, Env, EnvError, Obs, Rng};

/// Neighbours, with their rows of what a step reads and writes.
pub(super) struct Part<'a, E: Env> {
    /// The number of the first of them.
    pub(super) first: usize,
    pub(super) envs: &'a mut [E],
    pub(super) rngs: &'a mut [Rng],
    pub(super) observations: &'a mut [Obs<E>],
    pub(super) finished: &'a mut [bool],
    pub(super) steps: &'a mut [u64],
    pub(super) columns: Columns<'a, E::ObservationSpace>,
    pub(super) actions: &'a [Act<E>],
}

/// What all environments of a vector have in common.
pub(super) struct How<'a, O> {
    pub(super) space: &'a O,
    /// What they are called in messages.
    pub(super) env: &'a str,
    pub(super) mode: AutoresetMode,
    /// How many there are.
    pub(super) of: usize,
}

impl<E: Env> Part<'_, E> {
    /// Takes one action in each.
    #[inline]
    pub(super) fn step(self, how: &How<'_, E::ObservationSpace>) -> Result<(), EnvError> {
        let Self { first, envs, rngs, observations, finished, steps, mut columns, actions } = self;
        for (i, action) in actions.iter().enumerate() {
            let index = (how.of > 1).then_some(first + i);
            let mut place = Place {
                gate: Gate { space: how.space, env: how.env, index },
                env: &mut envs[i],
                rng: &mut rngs[i],
                observation: &mut observations[i],
                finished: &mut finished[i],
                steps: &mut steps[i],
            };
            place.step(action, how.mode, &mut columns, i)?;
        }
        Ok(())
    }

    /// The same on `threads` threads, this one among them. Each environment has a stream of its own, so that
    /// the results are those of one thread.
    pub(super) fn step_on(
        self,
        threads: usize,
        how: &How<'_, E::ObservationSpace>,
    ) -> Result<(), EnvError> {
        let share = self.actions.len().div_ceil(threads.max(1));
        if share >= self.actions.len() {
            return self.step(how);
        }
        let (mine, others) = self.split(share);
        std::thread::scope(|scope| {
            let others = scope.spawn(|| others.step_on(threads - 1, how));
            let mine = mine.step(how);
            let others = others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // Of several errors that of the first environment.
            mine.and(others)
        })
    }

    /// The first `n`, and the others.
    fn split(self, n: usize) -> (Self, Self) {
        let (envs, other_envs) = self.envs.split_at_mut(n);
        let (rngs, other_rngs) = self.rngs.split_at_mut(n);
        let (observations, other_observations) = self.observations.split_at_mut(n);
        let (finished, other_finished) = self.finished.split_at_mut(n);
        let (steps, other_steps) = self.steps.split_at_mut(n);
        let (columns, other_columns) = self.columns.split(n);
        let (actions, other_actions) = self.actions.split_at(n);
        let first = self.first;
        (
            Self { first, envs, rngs, observations, finished, steps, columns, actions },
            Self {
                first: first + n,
                envs: other_envs,
                rngs: other_rngs,
                observations: other_observations,
                finished: other_finished,
                steps: other_steps,
                columns: other_columns,
                actions: other_actions,
            },
        )
    }
}
