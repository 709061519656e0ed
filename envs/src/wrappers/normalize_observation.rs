//! Observations with mean 0 and variance 1.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ArraySpace, RunningMeanStd,
    running_mean_std::check_epsilon,
    snapshot::{self, invalid_option},
};
use crate::{Act, Env, EnvError, FeatureSpace as _, Obs, Rng, Step};

/// Shifts and scales each number of an observation to mean 0 and variance 1 over all that were
/// seen (Gymnasium's `NormalizeObservation`): (x − mean) / √(var + ε).
///
/// The first observation of an episode is taken up too, each before it is normalised. Statistics
/// are kept in f64, where Gymnasium keeps f32.
///
/// ```
/// use gymnast_envs::{Env, Seed, classic::Pendulum, wrappers::NormalizeObservation};
///
/// let mut training = NormalizeObservation::new(Pendulum::default(), 1e-8)?;
/// training.reset(&mut Seed::new(0).rng())?;
/// // An evaluation sees through the same eyes and does not change them.
/// let mut evaluation = NormalizeObservation::new(Pendulum::default(), 1e-8)?;
/// evaluation.set_statistics(training.statistics().clone())?;
/// evaluation.set_update(false);
/// # Ok::<(), gymnast_envs::EnvError>(())
/// ```
#[derive(Clone, Debug)]
pub struct NormalizeObservation<E> {
    env: E,
    epsilon: f64,
    eyes: Eyes,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Eyes {
    statistics: RunningMeanStd,
    update: bool,
}

impl<E: Env<ObservationSpace: ArraySpace>> NormalizeObservation<E> {
    /// Wraps an environment; Gymnasium's default `epsilon` is 1e-8.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `epsilon` is not positive.
    pub fn new(env: E, epsilon: f64) -> Result<Self, EnvError> {
        check_epsilon("NormalizeObservation", epsilon)?;
        let statistics = RunningMeanStd::new(env.observation_space().width());
        Ok(Self { env, epsilon, eyes: Eyes { statistics, update: true } })
    }

    /// Takes up statistics from elsewhere.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if their width differs from the observations'.
    pub fn set_statistics(&mut self, statistics: RunningMeanStd) -> Result<(), EnvError> {
        let (width, got) = (self.eyes.statistics.mean().len(), statistics.mean().len());
        if width != got {
            let reason = format!("{width} means are needed, one a number, got {got}");
            return Err(invalid_option("NormalizeObservation", reason));
        }
        self.eyes.statistics = statistics;
        Ok(())
    }

    fn normalize(&self, mut observation: Obs<E>) -> Obs<E> {
        let moments = self.eyes.statistics.mean().iter().zip(self.eyes.statistics.var());
        for (x, (mean, var)) in observation.as_mut().iter_mut().zip(moments) {
            *x = ((f64::from(*x) - mean) / (var + self.epsilon).sqrt()) as f32;
        }
        observation
    }

    fn see(&mut self, observation: Obs<E>) -> Result<Obs<E>, EnvError> {
        if self.eyes.update {
            self.eyes.statistics.update(observation.as_ref())?;
        }
        Ok(self.normalize(observation))
    }
}

impl<E> NormalizeObservation<E> {
    crate::wrappers::wrapped!();

    /// Whether observations from now on change the statistics; an evaluation turns that off.
    pub fn set_update(&mut self, update: bool) {
        self.eyes.update = update;
    }

    /// The statistics of the observations.
    #[must_use]
    pub fn statistics(&self) -> &RunningMeanStd {
        &self.eyes.statistics
    }
}

impl<E: Env<ObservationSpace: ArraySpace>> Env for NormalizeObservation<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> E::ObservationSpace {
        self.env.observation_space().unbounded()
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        let observation = self.env.reset(rng)?;
        self.see(observation)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let Step { observation, reward, outcome } = self.env.step(action, rng)?;
        Ok(Step { observation: self.see(observation)?, reward, outcome })
    }

    fn save(&self) -> Option<Value> {
        snapshot::save(&self.env, &self.eyes)
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let eyes: Eyes = snapshot::own(snapshot)?;
        if eyes.statistics.mean().len() != self.eyes.statistics.mean().len() {
            return Err(snapshot::invalid(snapshot, "statistics of another width"));
        }
        self.env.restore(&snapshot["env"])?;
        self.eyes = eyes;
        Ok(())
    }

    fn observe(&self) -> Option<Obs<E>> {
        Some(self.normalize(self.env.observe()?))
    }

    crate::wrappers::forward! { env: action_space, recycle, state, set_state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, classic::CartPole};

    #[test]
    fn normalised_by_hand_and_frozen() {
        let mut rng = Seed::new(0).rng();
        let mut env = NormalizeObservation::new(CartPole::default(), 1.0).unwrap();
        let known = RunningMeanStd::from_parts(vec![0.5; 4], vec![3.0; 4], 7.0).unwrap();
        env.set_statistics(known.clone()).unwrap();
        env.set_update(false);
        env.reset(&mut rng).unwrap();
        env.set_state(&[1.0, 0.5, -0.25, 2.5]).unwrap();
        // (x − 0.5) / √(3 + 1).
        assert_eq!(env.observe(), Some([0.25, 0.0, -0.375, 1.0]));
        env.step(&0, &mut rng).unwrap();
        assert_eq!(env.statistics(), &known);
        env.set_update(true);
        env.step(&0, &mut rng).unwrap();
        assert_eq!(env.statistics().count(), 8.0);
    }

    #[test]
    fn parameters_are_checked() {
        for epsilon in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(NormalizeObservation::new(CartPole::default(), epsilon).is_err());
        }
        let mut env = NormalizeObservation::new(CartPole::default(), 1e-8).unwrap();
        assert!(env.set_statistics(RunningMeanStd::new(3)).is_err());
    }
}
