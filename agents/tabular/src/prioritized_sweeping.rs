//! Prioritized sweeping: plans backwards from the states whose values change most.

use std::collections::BTreeSet;

use gymnast_harness::{
    AgentError, Checkpoint, CheckpointError, Plan, Preset, Presets, Schedule, SearchRange,
    StateDict, within,
};

use crate::{
    Common, Memory, QTable, Rates, TabularAgent, TimeStep, UpdateRule,
    learned_model::LearnedModel,
    settings::{count, lake_cliff_and_taxi, search_ranges},
    tabular_settings,
};

/// The prioritized sweeping agent.
///
/// Source: Moore and Atkeson, "Prioritized sweeping" (1993); Peng and Williams (1993); Sutton and
/// Barto (2018), section 8.4:
///
/// ```text
/// loop for each step of an episode:
///     choose A from S with the ε-greedy policy derived from Q
///     take action A, observe R, S'
///     Model(S, A) ← R, S'
///     P ← |E[R + γ max_a Q(S', a)] − Q(S, A)|
///     if P > θ: insert S, A into the queue with priority P
///     loop n times, while the queue is not empty:
///         S, A ← the first of the queue
///         Q(S, A) ← Q(S, A) + α (E[R + γ max_a Q(S', a)] − Q(S, A))
///         loop for all S̄, Ā that are predicted to lead to S:
///             P ← |E[R̄ + γ max_a Q(S̄', a)] − Q(S̄, Ā)|
///             if P > θ: insert S̄, Ā into the queue with priority P
/// ```
///
/// The expectation E is over the outcomes that the model has counted: the book's extension to
/// random outcomes, identical to its pseudocode in deterministic environments. A pair already in
/// the queue keeps the higher priority. A terminal S' has the value 0; S' at a truncation keeps its
/// value.
///
/// Metrics: those of every [`TabularAgent`]. Settings: [`PrioritizedSweepingConfig`].
pub type PrioritizedSweeping<O, A> = TabularAgent<O, A, PrioritizedSweepingRule>;

tabular_settings! {
    /// The settings of [`PrioritizedSweeping`].
    pub struct PrioritizedSweepingConfig {
        /// Maximum number of planning steps n after each env step, from 1 to 1,000,000.
        pub planning_steps: usize = 10,
        /// Threshold θ, ≥ 0: smaller changes of a value are not planned for.
        pub theta: f64 = 1e-4,
        /// The model's memory for each state and action: "counts" of all outcomes, for random
        /// outcomes, or only the "last" one.
        pub memory: Memory = Memory::Counts,
    }
}

impl Presets for PrioritizedSweepingConfig {
    fn presets() -> Vec<Preset<Self>> {
        // The target is an expectation, so that nothing speaks against the whole step.
        let line = Schedule::linear;
        let settings = |theta, epsilon, gamma| Self {
            theta,
            ..Self::from(Common::new(1.0.into(), epsilon, gamma))
        };
        let lake = || settings(1e-5, line(1.0, 0.1, 0.8), 0.999);
        let cliff = settings(1e-4, line(0.5, 0.05, 0.5), 1.0);
        let taxi = settings(1e-4, line(1.0, 0.05, 0.5), 0.99);
        lake_cliff_and_taxi(lake(), cliff, taxi)
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("planning_steps", "log_int(1, 50)")])
    }
}

/// The update rule of [`PrioritizedSweeping`].
pub struct PrioritizedSweepingRule {
    q: QTable,
    model: LearnedModel,
    planning_steps: usize,
    theta: f64,
    queue: Queue,
    /// The pairs that were once seen to lead to each state.
    predecessors: Vec<Vec<usize>>, // [S]
}

impl PrioritizedSweepingRule {
    /// What the model expects of an action: E[R + γ max_a Q(S', a)].
    fn target(&self, state: usize, action: usize, gamma: f64) -> f64 {
        let outcomes = self.model.outcomes(state, action);
        let total: u64 = outcomes.iter().map(|seen| seen.count).sum();
        let sum: f64 = outcomes
            .iter()
            .map(|seen| {
                let future = seen.discount(gamma) * self.q.max(seen.next_state);
                seen.count as f64 * (seen.reward + future)
            })
            .sum();
        sum / total as f64
    }

    /// Inserts a pair into the queue where its value would change. Returns by how much.
    fn consider(&mut self, state: usize, action: usize, gamma: f64) -> f64 {
        let priority = (self.target(state, action, gamma) - self.q.row(state)[action]).abs();
        if priority > self.theta {
            self.queue.insert(state * self.q.actions() + action, priority);
        }
        priority
    }

    fn remember_predecessor(&mut self, state: usize, pair: usize) {
        let known = &mut self.predecessors[state];
        if !known.contains(&pair) {
            known.push(pair);
        }
    }
}

impl UpdateRule for PrioritizedSweepingRule {
    type Config = PrioritizedSweepingConfig;

    fn new(
        config: &PrioritizedSweepingConfig,
        q: QTable,
        _plan: &Plan,
    ) -> Result<Self, AgentError> {
        count("planning_steps", config.planning_steps)?;
        within("theta", config.theta, 0.0..f64::INFINITY, "at least 0")?;
        Ok(Self {
            model: LearnedModel::new(config.memory, &q),
            planning_steps: config.planning_steps,
            theta: config.theta,
            queue: Queue::new(q.states() * q.actions()),
            predecessors: vec![Vec::new(); q.states()],
            q,
        })
    }

    fn table(&self) -> &QTable {
        &self.q
    }

    fn begin_episodes(&mut self) {} // each step is learned from by itself

    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64 {
        let (gamma, actions) = (rates.gamma, self.q.actions());
        self.model.learn(step);
        if !step.outcome.terminated() {
            self.remember_predecessor(step.next_state, step.state * actions + step.action);
        }
        let td_error = self.consider(step.state, step.action, gamma);
        for _ in 0..self.planning_steps {
            let Some(pair) = self.queue.pop() else { break };
            let (state, action) = (pair / actions, pair % actions);
            let target = self.target(state, action, gamma);
            self.q.step_towards(target, state, action, rates.alpha);
            for i in 0..self.predecessors[state].len() {
                let pair = self.predecessors[state][i];
                let (before, action) = (pair / actions, pair % actions);
                // A model that remembers the last outcome may have forgotten this one.
                let leads_here = |seen: &crate::learned_model::Seen| {
                    seen.next_state == state && !seen.terminated
                };
                if self.model.outcomes(before, action).iter().any(leads_here) {
                    self.consider(before, action, gamma);
                }
            }
        }
        td_error
    }
}

/// Pairs by falling priority; equal ones by falling number, so that the order is that of its content
/// alone.
struct Queue {
    priorities: Vec<f64>, // [S × A], 0 outside the queue
    /// The bits of positive numbers are ordered as the numbers are.
    order: BTreeSet<(u64, usize)>,
}

impl Queue {
    fn new(pairs: usize) -> Self {
        Self { priorities: vec![0.0; pairs], order: BTreeSet::new() }
    }

    fn insert(&mut self, pair: usize, priority: f64) {
        let before = self.priorities[pair];
        if priority > before {
            self.order.remove(&(before.to_bits(), pair));
            self.order.insert((priority.to_bits(), pair));
            self.priorities[pair] = priority;
        }
    }

    fn pop(&mut self) -> Option<usize> {
        let (_, pair) = self.order.pop_last()?;
        self.priorities[pair] = 0.0;
        Some(pair)
    }
}

impl Checkpoint for PrioritizedSweepingRule {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        self.q.save(state)?;
        state.insert_part("model", &self.model)?;
        let priorities = &self.queue.priorities;
        state.insert_array("priorities", &[priorities.len()], priorities);
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.q.load(state)?;
        state.load_part("model", &mut self.model)?;
        let shape = [self.queue.priorities.len()];
        let fits = |p: &f64| p.is_finite() && *p >= 0.0;
        let priorities =
            state.array_checked("priorities", &shape, "finite numbers from 0 on", fits)?;
        self.queue = Queue::new(priorities.len());
        let actions = self.q.actions();
        for (pair, &priority) in priorities.iter().enumerate() {
            if priority > 0.0 && self.model.outcomes(pair / actions, pair % actions).is_empty() {
                let expected = "0 for a state and action that were never tried";
                let got = format!("{priority} at place {pair}");
                return Err(CheckpointError::mismatch("priorities", expected, got));
            }
            self.queue.insert(pair, priority);
        }
        self.predecessors.iter_mut().for_each(Vec::clear);
        for pair in 0..priorities.len() {
            for i in 0..self.model.outcomes(pair / actions, pair % actions).len() {
                let seen = self.model.outcomes(pair / actions, pair % actions)[i];
                if !seen.terminated {
                    self.remember_predecessor(seen.next_state, pair);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::Outcome;

    use super::*;
    use crate::testing::{assert_near, plan, rates, rule_of, step};

    fn rule(planning_steps: usize) -> PrioritizedSweepingRule {
        let config = PrioritizedSweepingConfig { planning_steps, ..Default::default() };
        rule_of::<PrioritizedSweepingRule>(&config, 4, 2, &plan(1))
    }

    #[test]
    fn news_runs_back_along_the_way_at_once() {
        let (mut rule, rates) = (rule(3), rates(1.0, 0.5));
        rule.update(&step(0, 0, 0.0, 1, Outcome::Continues), &rates);
        rule.update(&step(1, 1, 0.0, 2, Outcome::Truncated), &rates);
        assert!(rule.queue.order.is_empty());
        rule.update(&step(2, 0, 8.0, 3, Outcome::Terminated), &rates);
        assert_near(rule.q.row(2)[0], 8.0);
        assert_near(rule.q.row(1)[1], 4.0);
        assert_near(rule.q.row(0)[0], 2.0);
    }

    #[test]
    fn the_target_is_the_expectation() {
        let (mut rule, rates) = (rule(1), rates(1.0, 0.5));
        *rule.q.value_mut(1, 0) = 6.0;
        for outcome in [Outcome::Continues, Outcome::Truncated, Outcome::Terminated] {
            rule.update(&step(0, 0, 1.0, 1, outcome), &rates);
        }
        // Two of three went on: 1 + 2/3 × 0.5 × 6.
        assert_near(rule.q.row(0)[0], 3.0);
    }

    #[test]
    fn the_highest_priority_comes_first_and_stays() {
        let mut queue = Queue::new(4);
        for (pair, priority) in [(0, 1.0), (1, 3.0), (2, 2.0), (1, 0.5), (0, 2.5)] {
            queue.insert(pair, priority);
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(order, [1, 0, 2]);
    }
}
