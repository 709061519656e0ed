//! Rewards of which the returns have variance 1.

use serde_json::{Value, json};

use super::RunningStatistics;
use crate::{Act, Env, EnvError, Obs, Rng, Step};

/// Keeps the variance away from 0.
const EPSILON: f64 = 1e-8;

/// Divides rewards by the standard deviation of the discounted return, as seen so far (Gymnasium's
/// `NormalizeReward`).
///
/// The return of a step is its reward and γ times that of the step before, from 0 at each reset.
/// Until there are two returns, rewards stay as they are: one return has no deviation.
#[derive(Clone, Debug)]
pub struct NormalizeReward<E> {
    env: E,
    gamma: f64,
    discounted_return: f64,
    statistics: RunningStatistics,
    is_frozen: bool,
}

impl<E> NormalizeReward<E> {
    /// Wraps an environment, its returns discounted by `gamma` (Gymnasium: 0.99).
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `gamma` lies outside 0..=1.
    pub fn new(env: E, gamma: f64) -> Result<Self, EnvError> {
        if !(0.0..=1.0).contains(&gamma) {
            let reason = format!("`gamma` must lie in 0..=1, got {gamma}");
            return Err(super::invalid("NormalizeReward", reason));
        }
        let statistics = RunningStatistics::new(1);
        Ok(Self { env, gamma, discounted_return: 0.0, statistics, is_frozen: false })
    }

    /// From now on leaves the statistics as they are. The switch is no part of a snapshot.
    pub fn freeze(&mut self) {
        self.is_frozen = true;
    }

    /// From now on updates the statistics with each step.
    pub fn update(&mut self) {
        self.is_frozen = false;
    }

    /// Whether the statistics are left as they are.
    pub fn is_frozen(&self) -> bool {
        self.is_frozen
    }

    /// The statistics of the discounted returns.
    pub fn statistics(&self) -> &RunningStatistics {
        &self.statistics
    }

    /// What rewards are divided by now.
    pub fn scale(&self) -> f64 {
        if self.statistics.count() < 2 {
            return 1.0;
        }
        (self.statistics.variance(0) + EPSILON).sqrt()
    }

    crate::wrappers::access!();
}

impl<E: Env> Env for NormalizeReward<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<E>, EnvError> {
        self.discounted_return = 0.0;
        self.env.reset(rng)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let mut step = self.env.step(action, rng)?;
        // One such number would spoil the statistics for good.
        if !step.reward.is_finite() {
            return Err(EnvError::Failed(format!("the reward is {}", step.reward)));
        }
        self.discounted_return = self.gamma * self.discounted_return + step.reward;
        if !self.is_frozen {
            self.statistics.update([self.discounted_return].into_iter());
        }
        step.reward /= self.scale();
        Ok(step)
    }

    fn save(&self) -> Option<Value> {
        Some(json!({
            "env": self.env.save()?,
            "discounted_return": self.discounted_return,
            "statistics": self.statistics,
        }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let statistics = RunningStatistics::from_snapshot(snapshot, 1)?;
        let discounted_return = super::part(snapshot, "discounted_return")?;
        self.env.restore(&snapshot["env"])?;
        (self.statistics, self.discounted_return) = (statistics, discounted_return);
        Ok(())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.env.set_state(state)?;
        self.discounted_return = 0.0;
        Ok(())
    }

    crate::wrappers::forward! { env: spaces, state, observe, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, classic::CartPole};

    #[test]
    fn rewards_are_divided_by_the_deviation_of_the_returns() {
        let mut env = NormalizeReward::new(CartPole::default(), 0.5).unwrap();
        let mut rng = Seed::new(0).rng();
        env.reset(&mut rng).unwrap();
        assert_eq!(env.step(&0, &mut rng).unwrap().reward, 1.0);
        // The returns are 1 and 1.5: deviation ¼.
        assert!((env.step(&1, &mut rng).unwrap().reward - 4.0).abs() < 1e-5);
        env.freeze();
        env.step(&0, &mut rng).unwrap();
        assert_eq!(env.statistics().count(), 2);
        for bad in [-0.1, 1.1, f64::NAN] {
            assert!(NormalizeReward::new(CartPole::default(), bad).is_err());
        }
    }
}
