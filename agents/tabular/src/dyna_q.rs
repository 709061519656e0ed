//! Dyna-Q: Q-learning from experience and from a learned model.

use gymnast_envs::Rng;
use gymnast_harness::{AgentError, Plan, Preset, Presets, Schedule, SearchRange, checkpoint};

use crate::{
    Common, Memory, QTable, Rates, TabularAgent, TimeStep, UpdateRule,
    learned_model::LearnedModel,
    settings::{count, lake_alpha, lake_cliff_and_taxi, search_ranges},
    tabular_settings,
};

/// The Dyna-Q agent.
///
/// Source: Sutton, "Integrated architectures for learning, planning, and reacting" (1990); Sutton and
/// Barto (2018), section 8.2:
///
/// ```text
/// loop for each step of an episode:
///     choose A from S with the ε-greedy policy derived from Q
///     take action A, observe R, S'
///     Q(S, A) ← Q(S, A) + α [R + γ max_a Q(S', a) − Q(S, A)]
///     Model(S, A) ← R, S'
///     loop n times:
///         S ← a random state observed before; A ← a random action tried in S before
///         R, S' ← Model(S, A)
///         Q(S, A) ← Q(S, A) + α [R + γ max_a Q(S', a) − Q(S, A)]
/// ```
///
/// A terminal S' has the value 0, also in the model; S' at a truncation keeps its value. The book's
/// model stores the last outcome of each S, A, which misleads if outcomes are random. This model
/// counts the outcomes and draws them in proportion; for deterministic environments both are the
/// same. `memory = "last"` selects the book's model.
///
/// Metrics: those of every [`TabularAgent`]. Settings: [`DynaQConfig`].
pub type DynaQ<O, A> = TabularAgent<O, A, DynaQRule>;

tabular_settings! {
    /// The settings of [`DynaQ`].
    pub struct DynaQConfig {
        /// Planning steps n after each env step, from 1 to 1,000,000.
        pub planning_steps: usize = 10,
        /// The model's memory for each state and action: "counts" of all outcomes, for random
        /// outcomes, or only the "last" one.
        pub memory: Memory = Memory::Counts,
    }
}

impl Presets for DynaQConfig {
    fn presets() -> Vec<Preset<Self>> {
        let line = Schedule::linear;
        let settings = |alpha, epsilon, gamma| Self::from(Common::new(alpha, epsilon, gamma));
        let lake = settings(lake_alpha(), 0.5.into(), 0.99);
        let cliff = settings(0.5.into(), line(0.5, 0.05, 0.5), 1.0);
        let taxi = settings(0.5.into(), line(1.0, 0.05, 0.5), 0.99);
        lake_cliff_and_taxi(lake, cliff, taxi)
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("planning_steps", "log_int(1, 50)")])
    }
}

/// The update rule of [`DynaQ`].
pub struct DynaQRule {
    q: QTable,
    model: LearnedModel,
    planning_steps: usize,
    planning_rng: Rng,
}

impl UpdateRule for DynaQRule {
    type Config = DynaQConfig;

    fn new(config: &DynaQConfig, q: QTable, plan: &Plan) -> Result<Self, AgentError> {
        count("planning_steps", config.planning_steps)?;
        Ok(Self {
            model: LearnedModel::new(config.memory, &q),
            planning_steps: config.planning_steps,
            planning_rng: plan.seed.child("planning", 0).rng(),
            q,
        })
    }

    fn table(&self) -> &QTable {
        &self.q
    }

    fn begin_episodes(&mut self) {} // each step is learned from by itself

    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64 {
        let Rates { alpha, gamma, .. } = *rates;
        let target = step.reward + step.outcome.discount(gamma) * self.q.max(step.next_state);
        let td_error = self.q.step_towards(target, step.state, step.action, alpha);
        self.model.learn(step);
        let rng = &mut self.planning_rng;
        for _ in 0..self.planning_steps {
            let state = self.model.observed_state(rng);
            let action = self.model.tried_action(state, rng);
            let seen = self.model.sample(state, action, rng);
            let target = seen.reward + seen.discount(gamma) * self.q.max(seen.next_state);
            self.q.step_towards(target, state, action, alpha);
        }
        td_error.abs()
    }
}

checkpoint!(DynaQRule { inline q, part model, value planning_rng });

#[cfg(test)]
mod tests {
    use gymnast_envs::Outcome;

    use super::*;
    use crate::testing::{assert_near, plan, rates, rule_of, step};

    #[test]
    fn planning_repeats_what_was_seen() {
        for (outcome, bootstrap) in
            [(Outcome::Continues, 1.8), (Outcome::Truncated, 1.8), (Outcome::Terminated, 0.0)]
        {
            let config = DynaQConfig { planning_steps: 2, ..DynaQConfig::default() };
            let mut rule = rule_of::<DynaQRule>(&config, 2, 2, &plan(1));
            *rule.q.value_mut(1, 0) = 2.0;
            rule.update(&step(0, 1, 1.0, 1, outcome), &rates(0.5, 0.9));
            // One pair is known: three steps of 0.5 towards the target leave an eighth of the way.
            assert_near(rule.q.row(0)[1], 0.875 * (1.0 + bootstrap));
            assert_near(rule.q.row(0)[0], 0.0);
        }
    }
}
