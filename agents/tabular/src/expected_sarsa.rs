//! Expected SARSA: one-step temporal differences to the expected value of the successor under the
//! policy.

use gymnast_harness::{
    AgentError, Checkpoint, CheckpointError, Plan, Preset, Presets, Schedule, SearchRange,
    StateDict,
};

use crate::{
    Common, QTable, Rates, TabularAgent, TimeStep, UpdateRule,
    settings::{lake_alpha, preset, search_ranges},
    tabular_settings,
};

/// The Expected SARSA agent.
///
/// Source: van Seijen et al., "A theoretical and empirical analysis of Expected Sarsa" (2009);
/// Sutton and Barto (2018), section 6.6:
///
/// ```text
/// loop for each step of an episode:
///     choose A from S with the ε-greedy policy π derived from Q
///     take action A, observe R, S'
///     Q(S, A) ← Q(S, A) + α [R + γ Σ_a π(a | S') Q(S', a) − Q(S, A)]
/// ```
///
/// A terminal S' has the value 0; S' at a truncation keeps its value. Tied greedy actions share
/// their probability, which does not change the expectation.
///
/// Metrics: those of every [`TabularAgent`]. Settings: [`ExpectedSarsaConfig`].
pub type ExpectedSarsa<O, A> = TabularAgent<O, A, ExpectedSarsaRule>;

tabular_settings! {
    /// The settings of [`ExpectedSarsa`].
    pub struct ExpectedSarsaConfig {}
}

impl Presets for ExpectedSarsaConfig {
    fn presets() -> Vec<Preset<Self>> {
        // Exploration ends, so that what is learned is the best policy and not the best that explores.
        // On the lake and the cliff little of it is by chance: high first values explore, without the
        // falls that would teach to keep away from the best way.
        let line = Schedule::linear;
        let settings = |alpha, epsilon, gamma| Self::from(Common::new(alpha, epsilon, gamma));
        let lake = settings(lake_alpha(), line(0.1, 0.0, 0.5), 0.99);
        let lake = Self { initial_value: 1.0, ..lake };
        let cliff = settings(0.1.into(), line(0.05, 0.0, 0.1), 1.0);
        let taxi = settings(0.1.into(), line(0.3, 0.0, 0.9), 0.99);
        vec![
            preset("FrozenLake-v1", 300_000, lake),
            preset("CliffWalking-v1", 50_000, cliff),
            preset("Taxi-v4", 300_000, taxi),
        ]
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[])
    }
}

/// The update rule of [`ExpectedSarsa`].
pub struct ExpectedSarsaRule {
    q: QTable,
}

impl UpdateRule for ExpectedSarsaRule {
    type Config = ExpectedSarsaConfig;

    fn new(
        config: &ExpectedSarsaConfig,
        states: usize,
        actions: usize,
        _plan: &Plan,
    ) -> Result<Self, AgentError> {
        Ok(Self { q: QTable::new(states, actions, config.initial_value) })
    }

    fn table(&self) -> &QTable {
        &self.q
    }

    fn begin_episodes(&mut self) {} // each step is learned from by itself

    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64 {
        let discount = step.outcome.discount(rates.gamma);
        let target = step.reward + discount * self.q.expected(step.next_state, rates.epsilon);
        self.q.step_towards(target, step.state, step.action, rates.alpha).abs()
    }
}

impl Checkpoint for ExpectedSarsaRule {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        self.q.save(state)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.q.load(state)
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::Outcome;

    use super::*;
    use crate::testing::{assert_near, plan, step};

    #[test]
    fn the_update_is_the_books() {
        let after = |outcome| {
            let config = ExpectedSarsaConfig::default();
            let mut rule = ExpectedSarsaRule::new(&config, 2, 2, &plan(1)).unwrap();
            *rule.q.value_mut(1, 0) = 2.0;
            *rule.q.value_mut(1, 1) = 4.0;
            let rates = Rates { alpha: 0.5, epsilon: 0.2, gamma: 0.9 };
            rule.update(&step(0, 1, 1.0, 1, outcome), &rates);
            rule.q.row(0)[1]
        };
        // π gives the better action 0.9: 0.5 (1 + 0.9 (0.1 × 2 + 0.9 × 4)) = 2.21.
        assert_near(after(Outcome::Continues), 2.21);
        assert_near(after(Outcome::Truncated), 2.21);
        assert_near(after(Outcome::Terminated), 0.5);
    }
}
