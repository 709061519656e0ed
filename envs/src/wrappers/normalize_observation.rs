//! Observations of mean 0 and variance 1.

use serde_json::{Value, json};

use super::{RunningStatistics, SharedStatistics};
use crate::{Act, Env, EnvError, Obs, RealSpace, Rng, Step};

/// Keeps the variance away from 0.
const EPSILON: f64 = 1e-8;

/// Shifts and scales observations to mean 0 and variance 1, as seen so far (Gymnasium's
/// `NormalizeObservation`).
///
/// Mean and variance are those of all observations of resets and steps; Gymnasium's start from a
/// made-up observation of weight 1e-4 instead. They are part of the snapshot. Evaluation reads the
/// statistics of training without changing them:
///
/// ```
/// use gymnast_envs::{classic::CartPole, wrappers::NormalizeObservation};
///
/// let training = NormalizeObservation::new(CartPole::default());
/// let evaluation = NormalizeObservation::sharing(CartPole::default(), training.statistics())?
///     .frozen();
/// # Ok::<(), gymnast_envs::EnvError>(())
/// ```
#[derive(Debug)]
pub struct NormalizeObservation<E> {
    env: E,
    statistics: SharedStatistics,
    is_frozen: bool,
}

impl<E: Env<ObservationSpace: RealSpace>> NormalizeObservation<E> {
    /// Wraps an environment, with statistics of its own.
    pub fn new(env: E) -> Self {
        let statistics = RunningStatistics::new(width(&env));
        Self { env, statistics: SharedStatistics::new(statistics), is_frozen: false }
    }

    /// Wraps an environment that shares the statistics of others: of the same vector, or of
    /// training. For statistics at a fixed time, share a copy:
    /// `SharedStatistics::new(statistics.get())`.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if the statistics are of observations of another size.
    pub fn sharing(env: E, statistics: &SharedStatistics) -> Result<Self, EnvError> {
        let (expected, got) = (width(&env), statistics.lock().mean().len());
        if expected != got {
            let reason = format!("`statistics` must be of {expected} numbers, got {got}");
            return Err(super::invalid("NormalizeObservation", reason));
        }
        Ok(Self { env, statistics: statistics.clone(), is_frozen: false })
    }

    /// The same, leaving the statistics as they are.
    #[must_use]
    pub fn frozen(mut self) -> Self {
        self.freeze();
        self
    }

    /// From now on leaves the statistics as they are. The switch is no part of a snapshot.
    pub fn freeze(&mut self) {
        self.is_frozen = true;
    }

    /// From now on updates the statistics with each observation.
    pub fn update(&mut self) {
        self.is_frozen = false;
    }

    /// Whether the statistics are left as they are.
    pub fn is_frozen(&self) -> bool {
        self.is_frozen
    }

    /// The statistics, to share or to copy.
    pub fn statistics(&self) -> &SharedStatistics {
        &self.statistics
    }

    crate::wrappers::access!();

    fn take_in(&self, observation: Obs<E>) -> Result<Obs<E>, EnvError> {
        let numbers = observation.as_ref();
        // One such number would spoil the statistics for good.
        if let Some(i) = numbers.iter().position(|x| !x.is_finite()) {
            let problem = format!("observation {i} is {}, which has no mean", numbers[i]);
            return Err(EnvError::Failed(problem));
        }
        if !self.is_frozen {
            self.statistics.lock().update(numbers.iter().map(|&x| f64::from(x)));
        }
        Ok(self.normalize(observation))
    }

    fn normalize(&self, mut observation: Obs<E>) -> Obs<E> {
        let statistics = self.statistics.lock();
        for (i, x) in observation.as_mut().iter_mut().enumerate() {
            let deviation = f64::from(*x) - statistics.mean()[i];
            *x = (deviation / (statistics.variance(i) + EPSILON).sqrt()) as f32;
        }
        observation
    }
}

fn width<E: Env<ObservationSpace: RealSpace>>(env: &E) -> usize {
    use crate::FeatureSpace as _;
    env.observation_space().width()
}

impl<E: Env<ObservationSpace: RealSpace>> Env for NormalizeObservation<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> E::ObservationSpace {
        let n = width(&self.env);
        let unbounded = (vec![f32::NEG_INFINITY; n], vec![f32::INFINITY; n]);
        let space = self.env.observation_space().with_bounds(&unbounded.0, &unbounded.1);
        space.expect("a box without bounds exists in every shape")
    }

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        let observation = self.env.reset(rng)?;
        self.take_in(observation)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let Step { observation, reward, outcome } = self.env.step(action, rng)?;
        Ok(Step { observation: self.take_in(observation)?, reward, outcome })
    }

    fn save(&self) -> Option<Value> {
        Some(json!({ "env": self.env.save()?, "statistics": self.statistics.get() }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let statistics = RunningStatistics::from_snapshot(snapshot, width(&self.env))?;
        self.env.restore(&snapshot["env"])?;
        self.statistics.set(statistics);
        Ok(())
    }

    fn observe(&self) -> Option<Obs<E>> {
        self.env.observe().map(|observation| self.normalize(observation))
    }

    crate::wrappers::forward! { env: action_space, state, set_state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, classic::CartPole};

    #[test]
    fn evaluation_reads_the_statistics_of_training_and_leaves_them() {
        let mut rng = Seed::new(0).rng();
        let mut training = NormalizeObservation::new(CartPole::default());
        training.reset(&mut rng).unwrap();
        training.step(&1, &mut rng).unwrap();
        let shared = NormalizeObservation::sharing(CartPole::default(), training.statistics());
        let mut evaluation = shared.unwrap().frozen();
        evaluation.set_state(&[0.0; 4]).unwrap();
        let before = evaluation.observe();
        evaluation.reset(&mut rng).unwrap();
        assert_eq!(training.statistics().get().count(), 2);
        training.step(&1, &mut rng).unwrap();
        evaluation.set_state(&[0.0; 4]).unwrap();
        assert_ne!(evaluation.observe(), before);
        let wrong = SharedStatistics::new(RunningStatistics::new(3));
        assert!(NormalizeObservation::sharing(CartPole::default(), &wrong).is_err());
    }

    #[test]
    fn two_observations_are_one_deviation_from_their_mean() {
        let mut env = NormalizeObservation::new(CartPole::default());
        let first = env.reset(&mut Seed::new(0).rng()).unwrap();
        assert_eq!(first, [0.0; 4]);
        let second = env.step(&1, &mut Seed::new(0).rng()).unwrap().observation;
        assert!((second[1] - 1.0).abs() < 1e-6 && (second[3] + 1.0).abs() < 1e-6, "{second:?}");
    }
}
