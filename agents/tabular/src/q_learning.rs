//! Q-learning: off-policy control by one-step temporal differences.
//!
//! Source: Watkins, "Learning from Delayed Rewards" (1989); Sutton and Barto, "Reinforcement
//! Learning: An Introduction", 2nd edition (2018), section 6.5:
//!
//! ```text
//! loop for each step of an episode:
//!     choose A from S with the ε-greedy policy derived from Q
//!     take action A, observe R, S'
//!     Q(S, A) ← Q(S, A) + α [R + γ max_a Q(S', a) − Q(S, A)]
//! ```
//!
//! Where S' is terminal its value is 0; where the episode is only cut short it is not. Among
//! actions of equal value each is as likely as the others.
//!
//! Metrics: `td_error` (the mean absolute temporal-difference error), `epsilon`, `alpha`.

use gymnast_envs::{Experience, FiniteSpace, Rng};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Metrics, Mode, Plan, Policy, Preset, Presets,
    Schedule, StateDict, Training,
};
use serde::{Deserialize, Serialize};

use crate::QTable;

/// Metrics are returned once every so many updates.
const METRICS_EVERY: u64 = 1000;

gymnast_harness::documented! {
    /// The settings of [`QLearning`].
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct QLearningConfig {
        /// The step size α, in (0, 1].
        pub alpha: Schedule,
        /// The share of random actions ε, in [0, 1].
        pub epsilon: Schedule,
        /// The discount γ, in [0, 1].
        pub gamma: f64,
        /// What every action is thought to be worth at first; optimism makes for exploration.
        pub initial_value: f64,
    }
}

impl Default for QLearningConfig {
    fn default() -> Self {
        Self {
            alpha: Schedule::Constant(0.1),
            epsilon: Schedule::linear(1.0, 0.05, 0.5),
            gamma: 0.99,
            initial_value: 0.0,
        }
    }
}

impl Presets for QLearningConfig {
    fn presets() -> Vec<Preset<Self>> {
        let preset = |env, alpha, epsilon, gamma, env_steps| Preset {
            env,
            settings: Self { alpha, epsilon, gamma, initial_value: 0.0 },
            training: Training {
                env_steps,
                eval_every: env_steps / 50,
                max_eval_steps: 500,
                log_every: env_steps / 50,
                checkpoint_every: env_steps / 5,
                ..Training::default()
            },
            source: "tuned here",
        };
        let line = Schedule::linear;
        vec![
            preset("FrozenLake-v1", line(0.5, 0.001, 1.0), line(1.0, 0.1, 0.8), 0.999, 300_000),
            preset(
                "FrozenLake8x8-v1",
                line(0.5, 0.001, 1.0),
                line(1.0, 0.1, 0.8),
                0.999,
                1_000_000,
            ),
            preset("CliffWalking-v1", line(0.5, 0.1, 1.0), line(0.5, 0.05, 0.5), 1.0, 50_000),
            preset("Taxi-v4", line(0.9, 0.1, 1.0), line(1.0, 0.05, 0.5), 0.99, 300_000),
        ]
    }
}

/// The Q-learning agent.
pub struct QLearning<O, A> {
    observation_space: O,
    action_space: A,
    config: QLearningConfig,
    plan: Plan,
    q: QTable,
    env_steps: u64,
    absolute_td_error: f64,
}

impl<O: FiniteSpace, A: FiniteSpace> QLearning<O, A> {
    /// An agent that has learned nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`].
    pub fn new(
        observation_space: O,
        action_space: A,
        config: QLearningConfig,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        config.alpha.check("alpha", f64::MIN_POSITIVE, 1.0, "a step size in (0, 1]")?;
        config.epsilon.check("epsilon", 0.0, 1.0, "a share in [0, 1]")?;
        let gamma = config.gamma;
        AgentError::require((0.0..=1.0).contains(&gamma), "gamma", &gamma, "a discount in [0, 1]")?;
        let initial = config.initial_value;
        AgentError::require(initial.is_finite(), "initial_value", &initial, "a finite number")?;
        let q = QTable::new(observation_space.size(), action_space.size(), initial);
        let plan = *plan;
        Ok(Self {
            observation_space,
            action_space,
            config,
            plan,
            q,
            env_steps: 0,
            absolute_td_error: 0.0,
        })
    }

    /// What has been learned.
    #[must_use]
    pub fn table(&self) -> &QTable {
        &self.q
    }

    fn epsilon(&self) -> f64 {
        self.config.epsilon.at(self.plan.progress(self.env_steps))
    }

    fn alpha(&self) -> f64 {
        self.config.alpha.at(self.plan.progress(self.env_steps))
    }
}

impl<O: FiniteSpace, A: FiniteSpace> Policy<O, A> for QLearning<O, A> {
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) {
        let epsilon = match mode {
            Mode::Explore => self.epsilon(),
            Mode::Exploit => 0.0,
        };
        actions.clear();
        actions.extend(observations.iter().map(|observation| {
            let state = self.observation_space.index_of(observation);
            self.action_space.element(self.q.epsilon_greedy(state, epsilon, rng))
        }));
    }
}

impl<O: FiniteSpace, A: FiniteSpace> Agent<O, A> for QLearning<O, A> {
    fn learn(&mut self, experience: &Experience<O, A>) -> Result<Option<Metrics>, AgentError> {
        let alpha = self.alpha();
        for i in 0..experience.len() {
            let state = self.observation_space.index_of(&experience.observations[i]);
            let action = self.action_space.index_of(&experience.actions[i]);
            let next_state = self.observation_space.index_of(&experience.next_observations[i]);

            let discount = experience.outcomes[i].discount(self.config.gamma);
            let target = experience.rewards[i] + discount * self.q.max(next_state);
            let q = self.q.value_mut(state, action);
            let td_error = target - *q;
            *q += alpha * td_error;
            self.absolute_td_error += td_error.abs();
        }
        let before = self.env_steps;
        self.env_steps += experience.len() as u64;
        Ok((before / METRICS_EVERY < self.env_steps / METRICS_EVERY).then(|| self.metrics()))
    }
}

impl<O: FiniteSpace, A: FiniteSpace> QLearning<O, A> {
    fn metrics(&mut self) -> Metrics {
        let td_error = std::mem::take(&mut self.absolute_td_error) / METRICS_EVERY as f64;
        Metrics::new()
            .with("td_error", td_error)
            .with("epsilon", self.epsilon())
            .with("alpha", self.alpha())
    }
}

impl<O: FiniteSpace, A: FiniteSpace> Checkpoint for QLearning<O, A> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        self.q.save(state)?;
        state.insert("env_steps", &self.env_steps)?;
        state.insert("absolute_td_error", &self.absolute_td_error)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.q.load(state)?;
        self.env_steps = state.get("env_steps")?;
        self.absolute_td_error = state.get("absolute_td_error")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::{Discrete, Outcome, Seed};

    use super::*;

    fn agent(alpha: f64) -> QLearning<Discrete, Discrete> {
        let config = QLearningConfig {
            alpha: alpha.into(),
            gamma: 0.9,
            initial_value: 0.5,
            ..QLearningConfig::default()
        };
        let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 100 };
        QLearning::new(Discrete::new(2), Discrete::new(2), config, &plan).unwrap()
    }

    fn after(outcome: Outcome) -> f64 {
        let mut agent = agent(0.5);
        *agent.q.value_mut(1, 1) = 2.0;
        let experience = Experience {
            observations: vec![0],
            actions: vec![1],
            rewards: vec![1.0],
            next_observations: vec![1],
            outcomes: vec![outcome],
            is_reset: vec![false],
        };
        agent.learn(&experience).unwrap();
        agent.q.row(0)[1]
    }

    #[test]
    fn the_update_is_the_books() {
        // 0.5 + 0.5 (1 + 0.9 × 2 − 0.5) = 1.65; a cut episode bootstraps, a finished one does not:
        // 0.5 + 0.5 (1 − 0.5) = 0.75.
        assert!((after(Outcome::Continues) - 1.65).abs() < 1e-12);
        assert!((after(Outcome::Truncated) - 1.65).abs() < 1e-12);
        assert!((after(Outcome::Terminated) - 0.75).abs() < 1e-12);
    }

    #[test]
    fn settings_out_of_range_are_refused() {
        let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 1 };
        for config in [
            QLearningConfig { gamma: 1.5, ..Default::default() },
            QLearningConfig { alpha: 0.0.into(), ..Default::default() },
            QLearningConfig { epsilon: f64::NAN.into(), ..Default::default() },
        ] {
            assert!(QLearning::new(Discrete::new(2), Discrete::new(2), config, &plan).is_err());
        }
    }
}
