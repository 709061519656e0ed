//! One environment of a vector whose types are erased.

use super::{Codec, Erased};
use crate::{Env, EnvError, Experience, Lane, Space, VectorEnv as _};

/// A lane of an [`Erased`] vector: the typed one, its rows written in another space.
struct ErasedLane<'a, O: Space, A: Space, OC: Codec<O>, AC: Codec<A>> {
    inner: Box<dyn Lane<O, A> + 'a>,
    observation_space: O,
    action_space: A,
    observation: &'a mut <OC::Target as Space>::Element,
    experience: Experience<OC::Target, AC::Target>,
}

impl<O, A, OC, AC> Lane<OC::Target, AC::Target> for ErasedLane<'_, O, A, OC, AC>
where
    O: Space,
    A: Space,
    OC: Codec<O>,
    AC: Codec<A>,
{
    fn observations(&self) -> &[<OC::Target as Space>::Element] {
        std::slice::from_ref(self.observation)
    }

    fn step(
        &mut self,
        action: &<AC::Target as Space>::Element,
    ) -> Result<&Experience<OC::Target, AC::Target>, EnvError> {
        let (space, rows) = (&self.observation_space, &mut self.experience);
        let stepped = self.inner.step(&AC::decode(&self.action_space, action)?)?;
        OC::encode(space, &stepped.next_observations[0], &mut rows.next_observations[0]);
        rows.actions.clear();
        rows.actions.push(action.clone());
        rows.rewards.copy_from_slice(&stepped.rewards);
        rows.outcomes.copy_from_slice(&stepped.outcomes);
        rows.is_reset.copy_from_slice(&stepped.is_reset);
        std::mem::swap(&mut rows.observations[0], self.observation);
        OC::encode(space, &self.inner.observations()[0], self.observation);
        Ok(&self.experience)
    }
}

/// The lanes of a vector; none before its first reset.
pub(super) fn lanes<E, OC, AC>(
    vector: &mut Erased<E, OC, AC>,
) -> Vec<Box<dyn Lane<OC::Target, AC::Target> + '_>>
where
    E: Env,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
{
    let observation_space = vector.inner.observation_space().clone();
    let action_space = vector.inner.action_space().clone();
    let lanes = vector.inner.lanes().into_iter().zip(&mut vector.observations);
    lanes
        .map(|(inner, observation)| {
            let lane = ErasedLane::<_, _, OC, AC> {
                inner,
                observation_space: observation_space.clone(),
                action_space: action_space.clone(),
                experience: Experience::row(observation.clone()),
                observation,
            };
            Box::new(lane) as Box<dyn Lane<_, _>>
        })
        .collect()
}
