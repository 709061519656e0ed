//! Observations as rows of numbers.

use crate::{Act, Env, EnvError, FeatureSpace, Obs, Rng, RowSpace, Step, Transition};

/// Writes observations as rows of numbers (Gymnasium's `FlattenObservation`): a product of spaces
/// one after the other, discrete ones as one-hot.
#[derive(Clone, Debug)]
pub struct FlattenObservation<E: Env> {
    env: E,
    inner: E::ObservationSpace,
    outer: RowSpace,
}

impl<E: Env<ObservationSpace: FeatureSpace>> FlattenObservation<E> {
    /// Wraps an environment.
    ///
    /// # Errors
    /// [`SpaceError::Invalid`](crate::SpaceError::Invalid) if the observation space states bounds that are none.
    pub fn new(env: E) -> Result<Self, EnvError> {
        let inner = env.observation_space();
        let (low, high) = inner.bounds();
        let outer = RowSpace::new(low, high, vec![inner.width()])?;
        let mut outer = outer.clone().with_storage(inner.storage()).unwrap_or(outer);
        if let Some(places) = inner.action_mask() {
            outer = outer.with_action_mask(places)?;
        }
        Ok(Self { env, inner, outer })
    }

    crate::wrappers::wrapped!();

    fn flatten(&self, observation: &Obs<E>) -> Vec<f32> {
        let mut features = vec![0.0; self.inner.width()];
        self.inner.flatten(observation, &mut features);
        features
    }
}

impl<E: Env<ObservationSpace: FeatureSpace>> Env for FlattenObservation<E> {
    type ObservationSpace = RowSpace;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> RowSpace {
        self.outer.clone()
    }

    fn transitions(
        &self,
        observation: &Vec<f32>,
        action: &Act<E>,
    ) -> Option<Vec<Transition<Vec<f32>>>> {
        let observation = self.inner.unflatten(observation).ok()?;
        let transitions = self.env.transitions(&observation, action)?;
        Some(transitions.into_iter().map(|t| t.map(|o| self.flatten(&o))).collect())
    }

    fn initial_states(&self) -> Option<Vec<(f64, Vec<f32>)>> {
        let states = self.env.initial_states()?;
        Some(states.into_iter().map(|(p, observation)| (p, self.flatten(&observation))).collect())
    }

    crate::wrappers::change_observations!(flatten);
    crate::wrappers::forward! { env: action_space, snapshot, state, set_state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Seed, Space as _,
        toy_text::{CliffWalking, CliffWalkingConfig},
    };

    #[test]
    fn a_cell_as_one_hot_with_its_model() {
        let mut rng = Seed::new(0).rng();
        let cliff = CliffWalking::new(CliffWalkingConfig { is_slippery: false });
        let mut env = FlattenObservation::new(cliff).unwrap();
        let one_hot = |cell: usize| (0..48).map(|i| f32::from(i == cell)).collect::<Vec<_>>();
        let start = env.reset(&mut rng).unwrap();
        assert_eq!(start, one_hot(36));
        assert!(env.observation_space().contains(&start));
        assert_eq!(env.initial_states(), Some(vec![(1.0, one_hot(36))]));
        // Up from the start.
        let transitions = env.transitions(&start, &0).unwrap();
        assert_eq!(transitions[0].next_state, one_hot(24));
        assert_eq!(env.step(&0, &mut rng).unwrap().observation, one_hot(24));
    }
}
