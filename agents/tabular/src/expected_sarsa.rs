//! Expected SARSA: one-step temporal differences to the expected value of the successor under the
//! policy.

use gymnast_harness::{AgentError, Plan, Preset, Presets, SearchRange, checkpoint};

use crate::{
    QTable, Rates, TabularAgent, TimeStep, UpdateRule,
    settings::{on_policy_presets, search_ranges},
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
        on_policy_presets()
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

    fn new(_config: &ExpectedSarsaConfig, q: QTable, _plan: &Plan) -> Result<Self, AgentError> {
        Ok(Self { q })
    }

    fn table(&self) -> &QTable {
        &self.q
    }

    fn begin_episodes(&mut self) {} // each step is learned from by itself

    #[inline]
    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64 {
        let discount = step.outcome.discount(rates.gamma);
        let target = step.reward + discount * self.q.expected(step.next_state, rates.epsilon);
        self.q.step_towards(target, step.state, step.action, rates.alpha).abs()
    }
}

checkpoint!(ExpectedSarsaRule { inline q });

#[cfg(test)]
mod tests {
    use gymnast_envs::Outcome;

    use super::*;
    use crate::testing::{assert_near, plan, rule_of, step};

    #[test]
    fn the_update_is_the_books() {
        let after = |outcome| {
            let config = ExpectedSarsaConfig::default();
            let mut rule = rule_of::<ExpectedSarsaRule>(&config, 2, 2, &plan(1));
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
