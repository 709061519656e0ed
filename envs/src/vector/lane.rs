//! Access to one environment of a vector.

use super::{
    Gate,
    part::{Place, Shown},
};
use crate::{Act, AutoresetMode, Codec, Env, EnvError, Experience, Outcome, Space, SyncVectorEnv};

/// One environment of a vector with its random stream, borrowed so that a thread can step it at its
/// own pace.
pub trait Lane<O: Space, A: Space>: Send {
    /// Returns the current observation, as the only row.
    fn observations(&self) -> &[O::Element];

    /// Takes one action. The next call overwrites the result, which has one row.
    ///
    /// # Errors
    /// As [`VectorEnv::step`](crate::VectorEnv::step).
    fn step(&mut self, action: &A::Element) -> Result<&Experience<O, A>, EnvError>;
}

/// A lane of a [`SyncVectorEnv`].
struct SyncLane<'a, E: Env, OC: Codec<E::ObservationSpace>, AC: Codec<E::ActionSpace>> {
    place: Place<'a, E, OC>,
    mode: AutoresetMode,
    action_space: &'a E::ActionSpace,
    actions: Vec<Act<E>>,
    experience: Experience<OC::Target, AC::Target>,
}

impl<E, OC, AC> Lane<OC::Target, AC::Target> for SyncLane<'_, E, OC, AC>
where
    E: Env,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
{
    fn observations(&self) -> &[Shown<E, OC>] {
        std::slice::from_ref(self.place.observation)
    }

    fn step(
        &mut self,
        action: &<AC::Target as Space>::Element,
    ) -> Result<&Experience<OC::Target, AC::Target>, EnvError> {
        if self.mode == AutoresetMode::Disabled && *self.place.finished {
            return Err(EnvError::NeedsReset { when: "after the episode ended" });
        }
        let action = std::slice::from_ref(action);
        let taken = AC::decode_all(self.action_space, action, &mut self.actions)?;
        let rows = &mut self.experience;
        std::mem::swap(&mut rows.observations[0], self.place.observation);
        action.clone_into(&mut rows.actions);
        if self.place.step(&taken[0], self.mode, &mut rows.columns(), 0)? {
            self.place.reborrow().reset()?;
        }
        Ok(&self.experience)
    }
}

/// Returns the lanes of a vector; empty before its first reset.
pub(super) fn lanes<E, OC, AC>(
    vector: &mut SyncVectorEnv<E, OC, AC>,
) -> Vec<Box<dyn Lane<OC::Target, AC::Target> + '_>>
where
    E: Env,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
{
    let SyncVectorEnv { envs, rngs, observations, finished, steps, .. } = vector;
    let (mode, name, (space, action_space)) = (vector.mode, &vector.name, &vector.spaces);
    let is_alone = envs.len() == 1;
    let shown = observations.iter_mut().zip(finished).zip(steps);
    let places = envs.iter_mut().zip(rngs).zip(shown);
    places
        .enumerate()
        .map(|(i, ((env, rng), ((observation, finished), steps)))| {
            let experience = Experience::row(observation.clone());
            let gate = Gate { space, env: name, index: (!is_alone).then_some(i) };
            let place = Place { gate, env, rng, observation, finished, steps };
            let actions = Vec::with_capacity(1);
            let lane = SyncLane::<E, OC, AC> { place, mode, action_space, actions, experience };
            Box::new(lane) as Box<dyn Lane<_, _>>
        })
        .collect()
}

impl<O: Space, A: Space> Experience<O, A> {
    /// Creates one row to write to. Its observations only need the right form.
    fn row(observation: O::Element) -> Self {
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
