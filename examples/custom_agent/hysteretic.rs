//! Hysteretic Q-learning.

use gymnast::{
    AgentError, Outcome, Plan, Presets,
    harness::{Preset, SearchRange, checkpoint},
    tabular::{QTable, Rates, TimeStep, UpdateRule, tabular_settings},
};

tabular_settings! {
    /// The settings of hysteretic Q-learning.
    pub struct HystereticConfig {
        /// The step size for negative errors, in [0, 1]. `alpha` is the step size for positive
        /// errors.
        pub beta: f64 = 0.01,
    }
}

/// Hysteretic Q-learning: negative errors count less than positive ones, as another agent may have
/// caused them.
///
/// Source: Matignon, Laurent and Le Fort-Piat, "Hysteretic Q-learning: an algorithm for decentralized
/// reinforcement learning in cooperative multi-agent teams" (2007), equation 4.
pub(crate) struct HystereticRule {
    q: QTable,
    beta: f64,
}

impl UpdateRule for HystereticRule {
    type Config = HystereticConfig;

    fn new(config: &HystereticConfig, q: QTable, _plan: &Plan) -> Result<Self, AgentError> {
        let beta = config.beta;
        AgentError::require((0.0..=1.0).contains(&beta), "beta", &beta, "a step size in [0, 1]")?;
        Ok(Self { q, beta })
    }

    fn table(&self) -> &QTable {
        &self.q
    }

    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64 {
        let TimeStep { state, action, reward, next_state, outcome, .. } = *step;
        let future = if outcome == Outcome::Terminated { 0.0 } else { self.q.max(next_state) };
        let target = reward + rates.gamma * future;
        let is_good = target > self.q.row(state)[action];
        let step_size = if is_good { rates.alpha } else { self.beta };
        self.q.step_towards(target, state, action, step_size).abs()
    }

    fn begin_episodes(&mut self) {} // each step is learned from by itself
}

checkpoint!(HystereticRule { inline q });

impl Presets for HystereticConfig {
    fn presets() -> Vec<Preset<Self>> {
        Vec::new()
    }

    fn search_ranges() -> Vec<SearchRange> {
        vec![("alpha", "log(0.01, 1)"), ("beta", "log(0.001, 0.1)")]
    }
}
