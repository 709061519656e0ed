//! Rewards scaled by the spread of the discounted return.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    RunningMeanStd,
    running_mean_std::check_epsilon,
    snapshot::{self, invalid_option},
};
use crate::{Act, Env, EnvError, Obs, Rng, Step};

/// Divides rewards by the standard deviation of the discounted return (Gymnasium's
/// `NormalizeReward`): r / √(var + ε).
///
/// As in Gymnasium, the return that is watched is G ← γ(1 − terminated)G + r, taken up *before* the
/// reward is scaled, and it goes on over a truncation.
#[derive(Clone, Debug)]
pub struct NormalizeReward<E> {
    env: E,
    gamma: f64,
    epsilon: f64,
    watch: Watch,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Watch {
    discounted_return: f64,
    statistics: RunningMeanStd,
    update: bool,
}

impl<E> NormalizeReward<E> {
    /// Wraps an environment; Gymnasium's defaults are `gamma` 0.99 and `epsilon` 1e-8.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if `gamma` lies outside [0, 1] or `epsilon` is not positive.
    pub fn new(env: E, gamma: f64, epsilon: f64) -> Result<Self, EnvError> {
        if !(0.0..=1.0).contains(&gamma) {
            let reason = format!("`gamma` must lie between 0 and 1, got {gamma}");
            return Err(invalid_option("NormalizeReward", reason));
        }
        check_epsilon("NormalizeReward", epsilon)?;
        let statistics = RunningMeanStd::new(1);
        let watch = Watch { discounted_return: 0.0, statistics, update: true };
        Ok(Self { env, gamma, epsilon, watch })
    }

    crate::wrappers::wrapped!();

    /// Whether steps from now on change the statistics; an evaluation turns that off.
    pub fn set_update(&mut self, update: bool) {
        self.watch.update = update;
    }

    /// The statistics of the discounted return, one number wide.
    #[must_use]
    pub fn statistics(&self) -> &RunningMeanStd {
        &self.watch.statistics
    }

    /// Takes up statistics from elsewhere.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if they are not one number wide.
    pub fn set_statistics(&mut self, statistics: RunningMeanStd) -> Result<(), EnvError> {
        if statistics.mean().len() != 1 {
            let reason = format!("one mean is needed, got {}", statistics.mean().len());
            return Err(invalid_option("NormalizeReward", reason));
        }
        self.watch.statistics = statistics;
        Ok(())
    }
}

impl<E: Env> Env for NormalizeReward<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
        let mut step = self.env.step(action, rng)?;
        let watch = &mut self.watch;
        let discounted_return =
            step.outcome.discount(self.gamma) * watch.discounted_return + step.reward;
        if !discounted_return.is_finite() {
            return Err(EnvError::Failed(format!(
                "expected rewards whose discounted return is finite, got {} on top of {}",
                step.reward, watch.discounted_return
            )));
        }
        if watch.update {
            watch.statistics.update(&[discounted_return])?;
        }
        watch.discounted_return = discounted_return;
        step.reward /= (watch.statistics.var()[0] + self.epsilon).sqrt();
        Ok(step)
    }

    fn save(&self) -> Option<Value> {
        snapshot::save(&self.env, &self.watch)
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let watch: Watch = snapshot::own(snapshot)?;
        if watch.statistics.mean().len() != 1 {
            return Err(snapshot::invalid(snapshot, "statistics of one number are needed"));
        }
        self.env.restore(&snapshot["env"])?;
        self.watch = watch;
        Ok(())
    }

    crate::wrappers::forward! { env: reset, spaces, state, set_state, start, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, classic::CartPole, wrappers::TransformReward};

    #[test]
    fn scaled_by_hand_terminated_or_not() {
        let mut rng = Seed::new(0).rng();
        let mut env = NormalizeReward::new(CartPole::default(), 0.5, 1.0).unwrap();
        env.set_statistics(RunningMeanStd::from_parts(vec![0.0], vec![1.0], 1.0).unwrap()).unwrap();
        env.reset(&mut rng).unwrap();
        // G = 1: mean 0.5, variance (1 + 1/2) / 2 = 0.75.
        assert_eq!(env.step(&0, &mut rng).unwrap().reward, 1.0 / 1.75_f64.sqrt());
        // G = 1.5: delta 1, variance (0.75 · 2 + 2/3) / 3 = 13/18.
        let reward = env.step(&0, &mut rng).unwrap().reward;
        assert!((reward - 1.0 / (31.0_f64 / 18.0).sqrt()).abs() < 1e-15);
        // Terminated: G = 0 · 1.5 + 1; with frozen statistics the scale stays.
        env.set_update(false);
        env.set_state(&[2.4, 10.0, 0.0, 0.0]).unwrap();
        let last = env.step(&0, &mut rng).unwrap();
        assert!(last.outcome.terminated() && last.reward == reward);
        assert_eq!(env.watch.discounted_return, 1.0);
    }

    #[test]
    fn a_reward_that_is_no_number_leaves_nothing_behind() {
        let mut rng = Seed::new(0).rng();
        for bad in [f64::NAN, f64::INFINITY, f64::MAX] {
            // Good, bad, good.
            let count = std::sync::atomic::AtomicUsize::new(0);
            let reward = move |good| match count.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
            {
                1 => bad,
                _ => good,
            };
            let sometimes = TransformReward::new(CartPole::default(), reward);
            let mut env = NormalizeReward::new(sometimes, 0.5, 1.0).unwrap();
            env.reset(&mut rng).unwrap();
            env.step(&0, &mut rng).unwrap();
            let before = serde_json::to_string(&env.watch).unwrap();
            assert!(matches!(env.step(&0, &mut rng), Err(EnvError::Failed(_))), "{bad}");
            assert_eq!(serde_json::to_string(&env.watch).unwrap(), before);
            assert!(env.step(&0, &mut rng).unwrap().reward.is_finite());
        }
    }

    #[test]
    fn parameters_are_checked() {
        for (gamma, epsilon) in [(1.1, 1e-8), (f64::NAN, 1e-8), (0.9, 0.0), (0.9, f64::NAN)] {
            assert!(NormalizeReward::new(CartPole::default(), gamma, epsilon).is_err());
        }
        let mut env = NormalizeReward::new(CartPole::default(), 0.9, 1e-8).unwrap();
        assert!(env.set_statistics(RunningMeanStd::new(2)).is_err());
    }
}
