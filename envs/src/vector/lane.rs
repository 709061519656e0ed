//! One environment of a vector by itself.

use super::Gate;
use crate::{
    Act, AutoresetMode, Env, EnvError, Experience, Obs, Outcome, Rng, Space, SyncVectorEnv,
};

/// One environment of a vector with its stream, borrowed from it: to be stepped at a pace of its
/// own, on another thread than its neighbours.
pub trait Lane<O: Space, A: Space>: Send {
    /// What the environment shows now, as the only row.
    fn observations(&self) -> &[O::Element];

    /// Takes one action. The result, of one row, is overwritten by the next call.
    ///
    /// # Errors
    /// As [`VectorEnv::step`](crate::VectorEnv::step).
    fn step(&mut self, action: &A::Element) -> Result<&Experience<O, A>, EnvError>;
}

/// The columns that a step writes, one row an environment.
pub(super) struct Columns<'a, O: Space> {
    pub(super) next_observations: &'a mut [O::Element],
    pub(super) rewards: &'a mut [f64],
    pub(super) outcomes: &'a mut [Outcome],
    pub(super) is_reset: &'a mut [bool],
}

impl<'a, O: Space> Columns<'a, O> {
    /// The first `n` rows, and the others.
    pub(super) fn split(self, n: usize) -> (Self, Self) {
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
    /// What a step writes but for what the caller knows: observations and actions.
    pub(super) fn columns(&mut self) -> Columns<'_, O> {
        Columns {
            next_observations: &mut self.next_observations,
            rewards: &mut self.rewards,
            outcomes: &mut self.outcomes,
            is_reset: &mut self.is_reset,
        }
    }
}

/// What a vector keeps of one environment.
pub(super) struct Place<'a, E: Env> {
    pub(super) gate: Gate<'a, E::ObservationSpace>,
    pub(super) env: &'a mut E,
    pub(super) rng: &'a mut Rng,
    pub(super) observation: &'a mut Obs<E>,
    pub(super) finished: &'a mut bool,
    pub(super) steps: &'a mut u64,
}

impl<E: Env> Place<'_, E> {
    /// Takes one action and writes what came of it to row `i`, which holds the observation that the
    /// action was chosen from.
    #[inline]
    pub(super) fn step(
        &mut self,
        action: &Act<E>,
        mode: AutoresetMode,
        rows: &mut Columns<'_, E::ObservationSpace>,
        i: usize,
    ) -> Result<(), EnvError> {
        let Self { gate, env, rng, observation, finished, steps } = self;
        rows.is_reset[i] = **finished;
        if **finished {
            let first = env.reset(rng)?;
            gate.reset(&first)?;
            **steps = 0;
            observation.clone_from(&first);
            rows.next_observations[i] = first;
            (rows.rewards[i], rows.outcomes[i]) = (0.0, Outcome::Continues);
            **finished = false;
            return Ok(());
        }
        let step = env.step(action, rng)?;
        **steps += 1;
        gate.step(&step.observation, step.reward, **steps)?;
        (rows.rewards[i], rows.outcomes[i]) = (step.reward, step.outcome);
        if step.outcome.is_final() && mode == AutoresetMode::SameStep {
            let first = env.reset(rng)?;
            gate.reset(&first)?;
            **steps = 0;
            **observation = first;
        } else {
            **finished = step.outcome.is_final();
            observation.clone_from(&step.observation);
        }
        rows.next_observations[i] = step.observation;
        Ok(())
    }
}

/// A lane of a [`SyncVectorEnv`].
struct SyncLane<'a, E: Env> {
    place: Place<'a, E>,
    mode: AutoresetMode,
    experience: Experience<E::ObservationSpace, E::ActionSpace>,
}

impl<E: Env> Lane<E::ObservationSpace, E::ActionSpace> for SyncLane<'_, E> {
    fn observations(&self) -> &[Obs<E>] {
        std::slice::from_ref(self.place.observation)
    }

    fn step(
        &mut self,
        action: &Act<E>,
    ) -> Result<&Experience<E::ObservationSpace, E::ActionSpace>, EnvError> {
        if self.mode == AutoresetMode::Disabled && *self.place.finished {
            return Err(EnvError::NeedsReset { when: "after the episode ended" });
        }
        let rows = &mut self.experience;
        std::mem::swap(&mut rows.observations[0], self.place.observation);
        rows.actions.clear();
        rows.actions.push(action.clone());
        self.place.step(action, self.mode, &mut rows.columns(), 0)?;
        Ok(&self.experience)
    }
}

/// The lanes of a vector; none before its first reset.
pub(super) fn lanes<E: Env>(
    vector: &mut SyncVectorEnv<E>,
) -> Vec<Box<dyn Lane<E::ObservationSpace, E::ActionSpace> + '_>> {
    let SyncVectorEnv { envs, rngs, observations, finished, steps, .. } = vector;
    let (mode, name, space) = (vector.mode, &vector.name, &vector.observation_space);
    let is_alone = envs.len() == 1;
    let shown = observations.iter_mut().zip(finished).zip(steps);
    let places = envs.iter_mut().zip(rngs).zip(shown);
    places
        .enumerate()
        .map(|(i, ((env, rng), ((observation, finished), steps)))| {
            let experience = Experience::row(observation.clone());
            let gate = Gate { space, env: name, index: (!is_alone).then_some(i) };
            let place = Place { gate, env, rng, observation, finished, steps };
            Box::new(SyncLane { place, mode, experience }) as Box<dyn Lane<_, _>>
        })
        .collect()
}

impl<O: Space, A: Space> Experience<O, A> {
    /// One row to be written to, whose observations are of the right form at least.
    pub(crate) fn row(observation: O::Element) -> Self {
        Self {
            observations: vec![observation.clone()],
            actions: Vec::with_capacity(1),
            rewards: vec![0.0],
            next_observations: vec![observation],
            outcomes: vec![Outcome::Continues],
            is_reset: vec![false],
        }
    }
}
