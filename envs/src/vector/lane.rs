//! One environment of a vector by itself.

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

/// What a vector keeps of one environment.
pub(super) struct Place<'a, E: Env> {
    pub(super) env: &'a mut E,
    pub(super) rng: &'a mut Rng,
    pub(super) observation: &'a mut Obs<E>,
    pub(super) finished: &'a mut bool,
}

impl<E: Env> Place<'_, E> {
    /// Takes one action and writes what came of it to row `i`, which holds the observation that the
    /// action was chosen from.
    #[inline]
    pub(super) fn step(
        &mut self,
        action: &Act<E>,
        mode: AutoresetMode,
        rows: &mut Experience<E::ObservationSpace, E::ActionSpace>,
        i: usize,
    ) -> Result<(), EnvError> {
        let Self { env, rng, observation, finished } = self;
        rows.is_reset[i] = **finished;
        if **finished {
            let first = env.reset(rng)?;
            observation.clone_from(&first);
            rows.next_observations[i] = first;
            (rows.rewards[i], rows.outcomes[i]) = (0.0, Outcome::Continues);
            **finished = false;
            return Ok(());
        }
        let step = env.step(action, rng)?;
        (rows.rewards[i], rows.outcomes[i]) = (step.reward, step.outcome);
        if step.outcome.is_final() && mode == AutoresetMode::SameStep {
            **observation = env.reset(rng)?;
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
        self.place.step(action, self.mode, rows, 0)?;
        Ok(&self.experience)
    }
}

/// The lanes of a vector; none before its first reset.
pub(super) fn lanes<E: Env>(
    vector: &mut SyncVectorEnv<E>,
) -> Vec<Box<dyn Lane<E::ObservationSpace, E::ActionSpace> + '_>> {
    let mode = vector.mode;
    let shown = vector.observations.iter_mut().zip(&mut vector.finished);
    let places = vector.envs.iter_mut().zip(&mut vector.rngs).zip(shown);
    places
        .map(|((env, rng), (observation, finished))| {
            let experience = Experience::row(observation.clone());
            let place = Place { env, rng, observation, finished };
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
