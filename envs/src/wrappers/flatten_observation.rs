//! Observations of any form as a row of numbers.

use crate::{Act, Env, EnvError, FeatureSpace as _, Obs, Rng, RowSpace, Step, Transition};

/// Shows the features of each observation as one row (Gymnasium's `FlattenObservation`).
#[derive(Clone, Debug)]
pub struct FlattenObservation<E: Env> {
    env: E,
    source: E::ObservationSpace,
    target: RowSpace,
}

impl<E: Env<ObservationSpace: crate::FeatureSpace>> FlattenObservation<E> {
    /// Wraps an environment.
    ///
    /// # Errors
    /// [`EnvError::Space`] if the bounds of its observation space do not fit its width.
    pub fn new(env: E) -> Result<Self, EnvError> {
        let source = env.observation_space();
        let (low, high) = source.bounds();
        let target = RowSpace::new(low, high, vec![source.width()])?;
        Ok(Self { env, source, target })
    }

    crate::wrappers::access!();

    fn flatten(&self, observation: &Obs<E>) -> Vec<f32> {
        let mut features = vec![0.0; self.source.width()];
        self.source.flatten(observation, &mut features);
        features
    }
}

impl<E: Env<ObservationSpace: crate::FeatureSpace>> Env for FlattenObservation<E> {
    type ObservationSpace = RowSpace;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> RowSpace {
        self.target.clone()
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<Vec<f32>, EnvError> {
        let observation = self.env.reset(rng)?;
        Ok(self.flatten(&observation))
    }

    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Vec<f32>>, EnvError> {
        let step = self.env.step(action, rng)?;
        Ok(step.map(|observation| self.flatten(&observation)))
    }

    fn observe(&self) -> Option<Vec<f32>> {
        self.env.observe().map(|observation| self.flatten(&observation))
    }

    fn transitions(&self, now: &Vec<f32>, action: &Act<E>) -> Option<Vec<Transition<Vec<f32>>>> {
        let model = self.env.transitions(&self.source.unflatten(now).ok()?, action)?;
        Some(model.into_iter().map(|t| t.map(|next| self.flatten(&next))).collect())
    }

    fn initial_states(&self) -> Option<Vec<(f64, Vec<f32>)>> {
        let starts = self.env.initial_states()?;
        Some(starts.into_iter().map(|(p, start)| (p, self.flatten(&start))).collect())
    }

    crate::wrappers::forward! { env: action_space, snapshot, state, set_state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, toy_text::Blackjack};

    #[test]
    fn a_hand_is_three_ones_among_45_numbers() {
        let mut env = FlattenObservation::new(Blackjack::default()).unwrap();
        let row = env.reset(&mut Seed::new(0).rng()).unwrap();
        assert_eq!((row.len(), row.iter().sum::<f32>()), (45, 3.0));
        let model = env.transitions(&row, &1).unwrap();
        assert!((model.iter().map(|t| t.probability).sum::<f64>() - 1.0).abs() < 1e-12);
    }
}
