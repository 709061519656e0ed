//! Neighbouring environments of a vector, stepped by one thread.

use std::slice::{from_mut, from_ref};

use super::{AutoresetMode, Experience, Gate};
use crate::{Act, Codec, Env, EnvError, Obs, Outcome, Rng, Space, Step};

/// An observation as the vector returns it.
pub(super) type Shown<E, OC> =
    <<OC as Codec<<E as Env>::ObservationSpace>>::Target as Space>::Element;

/// The columns that a step writes, one row per environment.
pub(super) struct Columns<'a, O: Space> {
    pub(super) next_observations: &'a mut [O::Element],
    pub(super) rewards: &'a mut [f64],
    pub(super) outcomes: &'a mut [Outcome],
    pub(super) is_reset: &'a mut [bool],
}

impl<'a, O: Space> Columns<'a, O> {
    /// Splits the rows after the first `n`.
    fn split(self, n: usize) -> (Self, Self) {
        let Self { next_observations, rewards, outcomes, is_reset } = self;
        let (next_observations, other_observations) = next_observations.split_at_mut(n);
        let (rewards, other_rewards) = rewards.split_at_mut(n);
        let (outcomes, other_outcomes) = outcomes.split_at_mut(n);
        let (is_reset, other_resets) = is_reset.split_at_mut(n);
        (
            Self { next_observations, rewards, outcomes, is_reset },
            Self {
                next_observations: other_observations,
                rewards: other_rewards,
                outcomes: other_outcomes,
                is_reset: other_resets,
            },
        )
    }
}

impl<O: Space, A: Space> Experience<O, A> {
    /// Returns what a step writes, except observations and actions, which the caller writes.
    pub(super) fn columns(&mut self) -> Columns<'_, O> {
        Columns {
            next_observations: &mut self.next_observations,
            rewards: &mut self.rewards,
            outcomes: &mut self.outcomes,
            is_reset: &mut self.is_reset,
        }
    }
}

/// The state that a vector keeps for one environment.
pub(super) struct Place<'a, E: Env, OC: Codec<E::ObservationSpace>> {
    pub(super) gate: Gate<'a, E::ObservationSpace>,
    pub(super) env: &'a mut E,
    pub(super) rng: &'a mut Rng,
    pub(super) observation: &'a mut Shown<E, OC>,
    pub(super) finished: &'a mut bool,
    pub(super) steps: &'a mut u64,
}

impl<E: Env, OC: Codec<E::ObservationSpace>> Place<'_, E, OC> {
    /// Takes one action and writes the result to row `i`. Writes the observation twice: as the
    /// successor, and as the observation for the next action. Returns whether the episode is over and
    /// the caller must [begin](Self::reset) the next one.
    #[inline(always)] // a result that is returned through memory costs more than a step of a grid
    pub(super) fn step(
        &mut self,
        action: &Act<E>,
        mode: AutoresetMode,
        rows: &mut Columns<'_, OC::Target>,
        i: usize,
    ) -> Result<bool, EnvError> {
        if *self.finished {
            let next = &mut rows.next_observations[i];
            rows.is_reset[i] = true;
            self.reborrow().reset()?;
            next.clone_from(self.observation);
            (rows.rewards[i], rows.outcomes[i]) = (0.0, Outcome::Continues);
            *self.finished = false;
            return Ok(false);
        }
        let mut taken = None;
        let (envs, actions) = (from_mut(&mut *self.env), from_ref(action));
        let each = |_, _: &mut E, _: &mut Rng, step| taken = Some(step);
        E::step_together(envs, |env| env, actions, from_mut(&mut *self.rng), each);
        match taken {
            Some(step) => self.record(step, mode, rows, i),
            None => self.step_apart(action, mode, rows, i),
        }
    }

    /// Takes one action in an environment that does not [step together](Env::step_together).
    #[inline(never)]
    fn step_apart(
        &mut self,
        action: &Act<E>,
        mode: AutoresetMode,
        rows: &mut Columns<'_, OC::Target>,
        i: usize,
    ) -> Result<bool, EnvError> {
        let step = self.env.step(action, self.rng)?;
        self.record(step, mode, rows, i)
    }

    /// Checks a step and writes it to row `i`. Returns whether the caller must begin the next episode.
    #[inline(always)]
    fn record(
        &mut self,
        step: Step<Obs<E>>,
        mode: AutoresetMode,
        rows: &mut Columns<'_, OC::Target>,
        i: usize,
    ) -> Result<bool, EnvError> {
        let next = &mut rows.next_observations[i];
        rows.is_reset[i] = false;
        *self.steps += 1;
        self.gate.step(&step.observation, step.reward, *self.steps)?;
        (rows.rewards[i], rows.outcomes[i]) = (step.reward, step.outcome);
        OC::encode(self.gate.space, &step.observation, next);
        self.env.recycle(step.observation);
        if step.outcome.is_final() && mode == AutoresetMode::SameStep {
            return Ok(true);
        }
        *self.finished = step.outcome.is_final();
        self.observation.clone_from(next);
        Ok(false)
    }

    #[inline(always)]
    pub(super) fn reborrow(&mut self) -> Place<'_, E, OC> {
        Place {
            gate: Gate { ..self.gate },
            env: self.env,
            rng: self.rng,
            observation: self.observation,
            finished: self.finished,
            steps: self.steps,
        }
    }

    /// Begins an episode. Takes the place by value: one that is borrowed for a call would be written to
    /// memory on every step.
    #[inline(never)]
    pub(super) fn reset(self) -> Result<(), EnvError> {
        let first = self.env.reset(self.rng)?;
        self.gate.reset(&first)?;
        *self.steps = 0;
        OC::encode(self.gate.space, &first, self.observation);
        self.env.recycle(first);
        Ok(())
    }
}

/// Neighbouring environments with their rows.
pub(super) struct Part<'a, E: Env, OC: Codec<E::ObservationSpace>> {
    /// The index of the first environment.
    pub(super) first: usize,
    pub(super) envs: &'a mut [E],
    pub(super) rngs: &'a mut [Rng],
    pub(super) observations: &'a mut [Shown<E, OC>],
    pub(super) finished: &'a mut [bool],
    pub(super) steps: &'a mut [u64],
    pub(super) columns: Columns<'a, OC::Target>,
    pub(super) actions: &'a [Act<E>],
}

/// What all environments of a vector have in common.
pub(super) struct How<'a, O> {
    pub(super) space: &'a O,
    /// The environments' name in messages.
    pub(super) env: &'a str,
    pub(super) mode: AutoresetMode,
    /// The number of environments.
    pub(super) of: usize,
}

impl<'a, E: Env, OC: Codec<E::ObservationSpace>> Part<'a, E, OC> {
    /// Takes one action in each environment.
    #[inline(always)] // what a step returns would go through memory
    pub(super) fn step(mut self, how: &How<'_, E::ObservationSpace>) -> Result<(), EnvError> {
        let (envs, rngs) = (std::mem::take(&mut self.envs), std::mem::take(&mut self.rngs));
        let actions = self.actions;
        if !self.finished.iter().fold(false, |any, finished| any | finished) {
            let mut result = Ok(());
            let did = E::step_together(
                envs,
                |env| env,
                actions,
                rngs,
                |i, env, rng, step| {
                    if result.is_err() {
                        return;
                    }
                    let (mut place, rows) = self.place(i, env, rng, how);
                    // Assigning every result would copy a whole error each time. The place is made
                    // anew, lest all its parts be at hand for a reset after every step.
                    match place.record(step, how.mode, rows, i) {
                        Ok(false) => {}
                        Ok(true) => result = self.place(i, env, rng, how).0.reset(),
                        Err(error) => result = Err(error),
                    }
                },
            );
            if did {
                return result;
            }
        }
        for (i, ((env, rng), action)) in envs.iter_mut().zip(rngs).zip(actions).enumerate() {
            let (mut place, rows) = self.place(i, env, rng, how);
            if place.step(action, how.mode, rows, i)? {
                place.reborrow().reset()?;
            }
        }
        Ok(())
    }

    /// The same as a call, so that not each thread's part has a copy of the code.
    #[inline(never)]
    fn step_here(self, how: &How<'_, E::ObservationSpace>) -> Result<(), EnvError> {
        self.step(how)
    }

    /// Returns the i-th environment's state, and the columns.
    #[inline(always)]
    fn place<'p>(
        &'p mut self,
        i: usize,
        env: &'p mut E,
        rng: &'p mut Rng,
        how: &'p How<'_, E::ObservationSpace>,
    ) -> (Place<'p, E, OC>, &'p mut Columns<'a, OC::Target>) {
        let index = (how.of > 1).then_some(self.first + i);
        let place = Place {
            gate: Gate { space: how.space, env: how.env, index },
            env,
            rng,
            observation: &mut self.observations[i],
            finished: &mut self.finished[i],
            steps: &mut self.steps[i],
        };
        (place, &mut self.columns)
    }

    /// Takes one action in each environment on `threads` threads, including this one. Each
    /// environment has its own random stream, so the results equal those of one thread.
    pub(super) fn step_on(
        self,
        threads: usize,
        how: &How<'_, E::ObservationSpace>,
    ) -> Result<(), EnvError> {
        let share = self.actions.len().div_ceil(threads.max(1));
        if share >= self.actions.len() {
            return self.step_here(how);
        }
        let (mine, others) = self.split(share);
        std::thread::scope(|scope| {
            let others = scope.spawn(|| others.step_on(threads - 1, how));
            let mine = mine.step_here(how);
            let others = others.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // Of several errors, return that of the first environment.
            mine.and(others)
        })
    }

    /// Splits the environments after the first `n`.
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
