//! A multi-armed bandit.

use rand::RngExt as _;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[cfg(feature = "render")]
use crate::render::{Frame, arms};
use crate::{Discrete, Env, EnvError, Rng, Seed, Step};

const MAX_ARMS: usize = 1000;

crate::documented! {
    /// The options of [`Bandit`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct BanditConfig {
        /// The number of arms, from 1 to 1000.
        pub arms: usize,
        /// The mean of the arms' values; 4 in figure 2.5.
        pub mean: f64,
        /// The standard deviation of the arms' values around `mean`; ≥ 0.
        pub spread: f64,
        /// The standard deviation of a reward around its arm's value; ≥ 0.
        pub noise: f64,
        /// The standard deviation of the random step that each value takes after each pull, ≥ 0;
        /// 0.01 in exercise 2.5, with a `spread` of 0.
        pub drift: f64,
        /// A seed for arms that stay the same in every episode; unset: new arms at each reset.
        pub arms_seed: Option<u64>,
    }
}

impl Default for BanditConfig {
    fn default() -> Self {
        Self { arms: 10, mean: 0.0, spread: 1.0, noise: 1.0, drift: 0.0, arms_seed: None }
    }
}

/// Bandit: pull one of ten arms again and again, for the highest total reward.
///
/// The action is the arm; the only observation is 0. At each reset the arms' values are drawn from
/// a normal distribution with mean 0 and variance 1; a pull gives a reward drawn around its arm's
/// value with variance 1. Episodes have no natural end: in the book they are 1000 pulls long.
///
/// The [`optimal_arm`](Self::optimal_arm) and all [`values`](Self::values) can be read, but are not
/// observed. Always pulling the best of ten arms gives 1.5388 per pull on average, a random arm 0.
///
/// Source: the 10-armed testbed of Sutton and Barto, "Reinforcement Learning: An Introduction" (2nd
/// edition, 2018), section 2.3 and figure 2.2.
#[derive(Clone, Debug)]
pub struct Bandit {
    config: BanditConfig,
    values: Vec<f64>,
    last_pull: Option<(usize, f64)>,
}

impl Bandit {
    /// Creates a bandit with these options. All arms have the value `mean` before the first reset.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if the number of arms is not in 1..=1000, a number is not finite
    /// or a standard deviation is negative.
    pub fn new(config: BanditConfig) -> Result<Self, EnvError> {
        let invalid = |reason| Err(EnvError::invalid_option("Bandit-v0", reason));
        let BanditConfig { arms, mean, spread, noise, drift, .. } = config;
        if !(1..=MAX_ARMS).contains(&arms) {
            return invalid(format!("`arms` must lie in 1..={MAX_ARMS}, got {arms}"));
        }
        // Far from where sums overflow.
        if !(-1e6..=1e6).contains(&mean) {
            return invalid(format!("`mean` must lie in -1e6..=1e6, got {mean}"));
        }
        for (name, deviation) in [("spread", spread), ("noise", noise), ("drift", drift)] {
            if !(0.0..=1e6).contains(&deviation) {
                return invalid(format!("`{name}` must lie in 0..=1e6, got {deviation}"));
            }
        }
        Ok(Self { values: vec![mean; arms], config, last_pull: None })
    }

    /// Returns the options.
    #[must_use]
    pub fn config(&self) -> &BanditConfig {
        &self.config
    }

    /// Returns the expected reward of each arm.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Returns the arm with the highest expected reward, the first of equals.
    #[must_use]
    pub fn optimal_arm(&self) -> usize {
        let better = |best, arm| if self.values[arm] > self.values[best] { arm } else { best };
        (0..self.values.len()).fold(0, better)
    }
}

impl Default for Bandit {
    fn default() -> Self {
        Self::new(BanditConfig::default()).expect("the defaults are valid")
    }
}

fn normal(rng: &mut Rng) -> f64 {
    rng.sample(StandardNormal)
}

impl Env for Bandit {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(self.config.arms)
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<i64, EnvError> {
        let mut own = self.config.arms_seed.map(|seed| Seed::new(seed).child("arms", 0).rng());
        let rng = own.as_mut().unwrap_or(rng);
        for value in &mut self.values {
            *value = self.config.mean + self.config.spread * normal(rng);
        }
        self.last_pull = None;
        Ok(0)
    }

    #[inline]
    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        let arm = usize::try_from(*action).ok().filter(|&arm| arm < self.values.len());
        let Some(arm) = arm else {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        };
        let reward = self.values[arm] + self.config.noise * normal(rng);
        self.last_pull = Some((arm, reward));
        if self.config.drift > 0.0 {
            for value in &mut self.values {
                *value += self.config.drift * normal(rng);
            }
        }
        Ok(Step::new(0, reward, false))
    }

    fn save(&self) -> Option<Value> {
        Some(json!({ "values": self.values, "last_pull": self.last_pull }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let arms = self.values.len();
        let values = Vec::<f64>::deserialize(&snapshot["values"]).ok();
        let last_pull = Option::<(usize, f64)>::deserialize(&snapshot["last_pull"]).ok();
        let values = values.filter(|values| values.len() == arms);
        let last_pull = last_pull.filter(|pull| pull.is_none_or(|(arm, _)| arm < arms));
        let (Some(values), Some(last_pull)) = (values, last_pull) else {
            return Err(EnvError::InvalidState {
                expected: format!("`values` of {arms} arms and `last_pull`"),
                got: snapshot.to_string(),
            });
        };
        (self.values, self.last_pull) = (values, last_pull);
        Ok(())
    }

    /// Returns the arms' values.
    fn state(&self) -> Option<Vec<f64>> {
        Some(self.values.clone())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        let arms = self.values.len();
        if state.len() != arms || !state.iter().all(|value| value.is_finite()) {
            return Err(EnvError::InvalidState {
                expected: format!("the values of {arms} arms, finite"),
                got: format!("{state:?}"),
            });
        }
        self.values.copy_from_slice(state);
        Ok(())
    }

    fn observe(&self) -> Option<i64> {
        Some(0)
    }

    fn initial_states(&self) -> Option<Vec<(f64, i64)>> {
        Some(vec![(1.0, 0)])
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        Some(arms::bandit(&self.values, self.config.noise, self.last_pull))
    }

    /// Renders one line for each arm: its value, a star at the best arm and the reward of the last
    /// pull.
    fn render_ansi(&self) -> Option<String> {
        let best = self.optimal_arm();
        let line = |(arm, value): (usize, &f64)| {
            let star = if arm == best { '*' } else { ' ' };
            let pull = self.last_pull.filter(|pull| pull.0 == arm);
            let pull = pull.map(|(_, reward)| format!("  brought {reward:+.3}"));
            format!("{arm:4} {star} {value:+.3}{}\n", pull.unwrap_or_default())
        };
        Some(self.values.iter().enumerate().map(line).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_and_deviation(numbers: &[f64]) -> (f64, f64) {
        let n = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / n;
        (mean, (numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt())
    }

    #[test]
    fn arms_and_rewards_are_drawn_as_in_the_testbed() {
        let config = BanditConfig { mean: 4.0, spread: 2.0, noise: 0.5, ..Default::default() };
        let (mut bandit, mut rng) = (Bandit::new(config).unwrap(), Seed::new(0).rng());
        let mut values = Vec::new();
        let mut rewards = Vec::new();
        for _ in 0..2000 {
            bandit.reset(&mut rng).unwrap();
            values.extend_from_slice(bandit.values());
            for arm in 0..10 {
                let step = bandit.step(&arm, &mut rng).unwrap();
                assert_eq!((step.observation, step.outcome.is_final()), (0, false));
                rewards.push(step.reward - bandit.values()[arm as usize]);
            }
        }
        let (mean, deviation) = mean_and_deviation(&values);
        assert!((mean - 4.0).abs() < 0.06 && (deviation - 2.0).abs() < 0.04, "{mean} {deviation}");
        let (mean, deviation) = mean_and_deviation(&rewards);
        assert!(mean.abs() < 0.015 && (deviation - 0.5).abs() < 0.01, "{mean} {deviation}");
    }

    /// The expected greatest of ten standard normal numbers is 1.53875.
    #[test]
    fn the_best_of_ten_arms_is_worth_what_theory_says() {
        let (mut bandit, mut rng) = (Bandit::default(), Seed::new(1).rng());
        let best = |_| {
            bandit.reset(&mut rng).unwrap();
            bandit.values()[bandit.optimal_arm()]
        };
        let total: f64 = (0..20_000).map(best).sum();
        assert!((total / 20_000.0 - 1.53875).abs() < 0.015, "{total}");
    }

    #[test]
    fn the_optimal_arm_is_the_best() {
        let mut bandit = Bandit::new(BanditConfig { arms: 3, ..Default::default() }).unwrap();
        bandit.set_state(&[-1.0, 2.0, 0.5]).unwrap();
        assert_eq!(bandit.optimal_arm(), 1);
        for bad in [&[1.0, 2.0][..], &[1.0, 2.0, f64::NAN]] {
            assert!(bandit.set_state(bad).is_err());
        }
        let mut rng = Seed::new(0).rng();
        assert!(bandit.step(&3, &mut rng).is_err() && bandit.step(&-1, &mut rng).is_err());
        let other = Bandit::default().save().unwrap();
        assert!(bandit.restore(&other).is_err());
    }

    #[test]
    fn values_drift_where_they_are_told_to() {
        let config = BanditConfig { spread: 0.0, drift: 0.01, ..Default::default() };
        let (mut bandit, mut rng) = (Bandit::new(config).unwrap(), Seed::new(0).rng());
        bandit.reset(&mut rng).unwrap();
        assert_eq!(bandit.values(), [0.0; 10]);
        let mut ends = Vec::new();
        for _ in 0..200 {
            bandit.reset(&mut rng).unwrap();
            for _ in 0..100 {
                bandit.step(&0, &mut rng).unwrap();
            }
            ends.extend_from_slice(bandit.values());
        }
        // After 100 steps of 0.01 each, √100 times as far.
        assert!((mean_and_deviation(&ends).1 - 0.1).abs() < 0.006);
    }

    #[test]
    fn a_seed_of_their_own_fixes_the_arms() {
        let make = |seed| {
            let config = BanditConfig { arms_seed: Some(seed), ..Default::default() };
            let mut bandit = Bandit::new(config).unwrap();
            bandit.reset(&mut Seed::new(seed + 5).rng()).unwrap();
            bandit
        };
        let mut bandit = make(7);
        let values = bandit.values().to_vec();
        bandit.reset(&mut Seed::new(99).rng()).unwrap();
        assert_eq!(bandit.values(), values);
        assert_ne!(make(8).values(), values);
    }
}
