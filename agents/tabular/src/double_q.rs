//! Double Q-learning: two tables, so that maximisation does not overestimate values.

use gymnast_envs::Rng;
use gymnast_harness::{
    AgentError, Checkpoint, CheckpointError, Plan, Preset, Presets, Schedule, SearchRange,
    StateDict,
};
use rand::RngExt as _;

use crate::{
    Common, QTable, Rates, TabularAgent, TimeStep, UpdateRule,
    settings::{lake_cliff_and_taxi, search_ranges},
    tabular_settings,
};

/// The Double Q-learning agent.
///
/// Source: van Hasselt, "Double Q-learning" (2010); Sutton and Barto (2018), section 6.7:
///
/// ```text
/// loop for each step of an episode:
///     choose A from S with the ε-greedy policy derived from Q₁ + Q₂
///     take action A, observe R, S'
///     with probability 0.5:
///         Q₁(S, A) ← Q₁(S, A) + α [R + γ Q₂(S', argmax_a Q₁(S', a)) − Q₁(S, A)]
///     else:
///         Q₂(S, A) ← Q₂(S, A) + α [R + γ Q₁(S', argmax_a Q₂(S', a)) − Q₂(S, A)]
/// ```
///
/// A terminal S' has the value 0; S' at a truncation keeps its value. Ties between actions are
/// broken at random, in both argmaxes too.
///
/// Metrics: those of every [`TabularAgent`]. Settings: [`DoubleQConfig`].
pub type DoubleQ<O, A> = TabularAgent<O, A, DoubleQRule>;

tabular_settings! {
    /// The settings of [`DoubleQ`].
    pub struct DoubleQConfig {}
}

impl Presets for DoubleQConfig {
    fn presets() -> Vec<Preset<Self>> {
        let line = Schedule::linear;
        let settings = |alpha, epsilon, gamma| Self::from(Common::new(alpha, epsilon, gamma));
        // Each table sees half of the steps, and may take larger ones for longer.
        let lake = settings(Schedule::exponential(0.2, 0.002, 0.6), 0.5.into(), 0.99);
        // The cliff is deterministic, so that nothing speaks against the whole step.
        let cliff = settings(1.0.into(), 0.5.into(), 1.0);
        let taxi = settings(0.1.into(), line(0.3, 0.0, 0.9), 0.99);
        lake_cliff_and_taxi(lake, cliff, taxi)
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[])
    }
}

/// The update rule of [`DoubleQ`].
pub struct DoubleQRule {
    q: [QTable; 2],
    /// Q₁ + Q₂, kept up to date with both: what is acted by.
    sum: QTable,
    rng: Rng,
}

impl UpdateRule for DoubleQRule {
    type Config = DoubleQConfig;

    fn new(config: &DoubleQConfig, q: QTable, plan: &Plan) -> Result<Self, AgentError> {
        Ok(Self {
            sum: QTable::new(q.states(), q.actions(), 2.0 * config.initial_value),
            q: [q.clone(), q],
            rng: plan.seed.child("double q", 0).rng(),
        })
    }

    fn table(&self) -> &QTable {
        &self.sum
    }

    fn begin_episodes(&mut self) {} // each step is learned from by itself

    #[inline]
    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64 {
        let TimeStep { state, action, reward, next_state, .. } = *step;
        let [q1, q2] = &mut self.q;
        let (updated, other) = if self.rng.random_bool(0.5) { (q1, q2) } else { (q2, q1) };
        let best = updated.greedy(next_state, &mut self.rng);
        let discount = step.outcome.discount(rates.gamma);
        let target = reward + discount * other.row(next_state)[best];
        let td_error = updated.step_towards(target, state, action, rates.alpha);
        self.sum.set(state, action, updated.row(state)[action] + other.row(state)[action]);
        td_error.abs()
    }
}

impl Checkpoint for DoubleQRule {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("first", &self.q[0])?;
        state.insert_part("second", &self.q[1])?;
        state.insert("rng", &self.rng)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("first", &mut self.q[0])?;
        state.load_part("second", &mut self.q[1])?;
        for i in 0..self.sum.states() * self.sum.actions() {
            let (s, a) = (i / self.sum.actions(), i % self.sum.actions());
            self.sum.set(s, a, self.q[0].row(s)[a] + self.q[1].row(s)[a]);
        }
        self.rng = state.get("rng")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::Outcome;

    use super::*;
    use crate::testing::{assert_near, plan, rates, rule_of, step};

    #[test]
    fn one_table_chooses_and_the_other_evaluates() {
        let mut halves = [0, 0];
        for seed in 0..100 {
            for outcome in [Outcome::Continues, Outcome::Truncated, Outcome::Terminated] {
                let plan = Plan { seed: gymnast_envs::Seed::new(seed), ..plan(1) };
                let mut rule = rule_of::<DoubleQRule>(&DoubleQConfig::default(), 2, 2, &plan);
                *rule.q[0].value_mut(1, 0) = 5.0; // chosen by the first, worth 1 to the second
                *rule.q[1].value_mut(1, 0) = 1.0;
                *rule.q[0].value_mut(1, 1) = 3.0; // chosen by the second, worth 3 to the first
                *rule.q[1].value_mut(1, 1) = 4.0;
                rule.update(&step(0, 1, 1.0, 1, outcome), &rates(0.5, 0.9));
                let [first, second] = [0, 1].map(|i| rule.q[i].row(0)[1]);
                let updated = usize::from(first == 0.0);
                halves[updated] += 1;
                // 0.5 (1 + 0.9 × 1) = 0.95, or 0.5 (1 + 0.9 × 3) = 1.85; terminated 0.5.
                let bootstrapped = [0.95, 1.85][updated];
                let terminated = outcome == Outcome::Terminated;
                assert_near([first, second][updated], if terminated { 0.5 } else { bootstrapped });
                assert_near([first, second][1 - updated], 0.0);
                assert_near(rule.table().row(0)[1], first + second);
            }
        }
        assert!(halves[0] > 100 && halves[1] > 100, "{halves:?}");
    }
}
