//! Q-learning: off-policy control by one-step temporal differences.

use gymnast_harness::{AgentError, Plan, Preset, Presets, Schedule, SearchRange, checkpoint};

use crate::{
    Common, QTable, Rates, TabularAgent, TimeStep, UpdateRule,
    settings::{lake_alpha, preset, search_ranges},
    tabular_settings,
};

/// The Q-learning agent.
///
/// Source: Watkins, "Learning from Delayed Rewards" (1989); Sutton and Barto, "Reinforcement
/// Learning: An Introduction", 2nd edition (2018), section 6.5:
///
/// ```text
/// loop for each step of an episode:
///     choose A from S with the ε-greedy policy derived from Q
///     take action A, observe R, S'
///     Q(S, A) ← Q(S, A) + α [R + γ max_a Q(S', a) − Q(S, A)]
/// ```
///
/// A terminal S' has the value 0; S' at a truncation keeps its value.
///
/// Metrics: those of every [`TabularAgent`]. Settings: [`QLearningConfig`].
pub type QLearning<O, A> = TabularAgent<O, A, QLearningRule>;

tabular_settings! {
    /// The settings of [`QLearning`].
    pub struct QLearningConfig {}
}

impl Presets for QLearningConfig {
    fn presets() -> Vec<Preset<Self>> {
        let line = Schedule::linear;
        let settings = |alpha, epsilon, gamma| Self::from(Common::new(alpha, epsilon, gamma));
        // High first values explore before chance does. Off-policy, half of the actions by chance do not
        // make the greedy policy more careful.
        let lake = settings(lake_alpha(), line(1.0, 0.5, 0.1), 0.99);
        let lake = Self { initial_value: 1.0, ..lake };
        // The goal is far: a smaller discount, or optimism about every state, hides it for long.
        let fading = Schedule::exponential(0.3, 0.002, 0.7);
        let large_lake = settings(fading, line(1.0, 0.1, 0.5), 0.999);
        let cliff = settings(line(0.5, 0.1, 1.0), line(0.5, 0.05, 0.5), 1.0);
        let taxi = settings(line(0.9, 0.1, 1.0), line(1.0, 0.05, 0.5), 0.99);
        // By self-play nothing is left to chance, so that nothing speaks against the whole step.
        let tic_tac_toe = settings(1.0.into(), 0.2.into(), -1.0);
        vec![
            preset("FrozenLake-v1", 300_000, lake),
            preset("FrozenLake8x8-v1", 1_000_000, large_lake),
            preset("CliffWalking-v1", 50_000, cliff),
            preset("Taxi-v4", 300_000, taxi),
            preset("TicTacToe-v0", 2_000_000, tic_tac_toe),
        ]
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[])
    }
}

/// The update rule of [`QLearning`].
pub struct QLearningRule {
    q: QTable,
}

impl UpdateRule for QLearningRule {
    type Config = QLearningConfig;

    fn new(_config: &QLearningConfig, q: QTable, _plan: &Plan) -> Result<Self, AgentError> {
        Ok(Self { q })
    }

    fn table(&self) -> &QTable {
        &self.q
    }

    fn begin_episodes(&mut self) {} // each step is learned from by itself

    #[inline(always)] // a step that is passed in memory waits there
    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64 {
        let discount = step.outcome.discount(rates.gamma);
        let target = step.reward + discount * self.q.max(step.next_state);
        self.q.step_towards(target, step.state, step.action, rates.alpha).abs()
    }
}

checkpoint!(QLearningRule { inline q });

#[cfg(test)]
mod tests {
    use gymnast_envs::{Discrete, Experience, Outcome, Seed};
    use gymnast_harness::Agent as _;

    use super::*;

    /// The value of an action before whose successor the best is worth 2.
    fn after(outcome: Outcome, gamma: f64) -> f64 {
        let config = QLearningConfig {
            alpha: 0.5.into(),
            gamma,
            initial_value: 0.5,
            ..QLearningConfig::default()
        };
        let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 100 };
        let mut agent = QLearning::new(Discrete::new(2), Discrete::new(2), config, &plan).unwrap();
        let mut experience = Experience {
            observations: vec![1],
            actions: vec![1],
            rewards: vec![3.5],
            next_observations: vec![1],
            outcomes: vec![Outcome::Terminated],
            is_reset: vec![false],
        };
        agent.learn(&experience).unwrap(); // 0.5 + 0.5 (3.5 − 0.5) = 2
        experience.observations = vec![0];
        experience.rewards = vec![1.0];
        experience.outcomes = vec![outcome];
        agent.learn(&experience).unwrap();
        // The reset of an environment teaches nothing.
        experience.is_reset = vec![true];
        agent.learn(&experience).unwrap();
        agent.table().row(0)[1]
    }

    #[test]
    fn the_update_is_the_books() {
        // 0.5 + 0.5 (1 + 0.9 × 2 − 0.5) = 1.65; a cut episode bootstraps, a finished one does not:
        // 0.5 + 0.5 (1 − 0.5) = 0.75.
        assert!((after(Outcome::Continues, 0.9) - 1.65).abs() < 1e-12);
        assert!((after(Outcome::Truncated, 0.9) - 1.65).abs() < 1e-12);
        assert!((after(Outcome::Terminated, 0.9) - 0.75).abs() < 1e-12);
        // The opponent's best is one's own worst: 0.5 + 0.5 (1 − 2 − 0.5) = −0.25.
        assert!((after(Outcome::Continues, -1.0) + 0.25).abs() < 1e-12);
    }
}
