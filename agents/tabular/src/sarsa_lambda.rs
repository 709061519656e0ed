//! SARSA(λ): SARSA with eligibility traces.

use std::collections::BTreeSet;

use gymnast_envs::{Outcome, Rng};
use gymnast_harness::{
    AgentError, Checkpoint, CheckpointError, Plan, Preset, Presets, Schedule, SearchRange,
    StateDict, within,
};
use serde::{Deserialize, Serialize};

use crate::{
    Common, QTable, Rates, TabularAgent, TimeStep, UpdateRule,
    agent::per_env,
    settings::{lake_alpha, lake_cliff_and_taxi, search_ranges},
    tabular_settings,
};

/// Traces closer to 0 are dropped.
const LEAST_TRACE: f64 = 1e-8;

/// The SARSA(λ) agent.
///
/// Source: Rummery and Niranjan (1994); Sutton and Barto, "Reinforcement Learning: An Introduction",
/// 1st edition (1998), section 7.5 (the 2nd edition's section 12.7 with a table for features);
/// replacing traces: Singh and Sutton, "Reinforcement learning with replacing eligibility traces"
/// (1996):
///
/// ```text
/// e(s, a) ← 0 for all s, a, at each episode's start
/// loop for each step of an episode:
///     take action A, observe R, S'; choose A' from S' with the ε-greedy policy derived from Q
///     δ ← R + γ Q(S', A') − Q(S, A)
///     e(S, A) ← e(S, A) + 1     (accumulating)     or  1     (replacing)
///     for all s, a:
///         Q(s, a) ← Q(s, a) + α δ e(s, a)
///         e(s, a) ← γ λ e(s, a)
///     S ← S'; A ← A'
/// ```
///
/// As in [`Sarsa`](crate::Sarsa), a step is learned from when the next one shows the action A'
/// taken. Traces end with the episode; at a truncation δ bootstraps. With a negative γ (self-play)
/// traces alternate in sign, because one player's error is the opposite of the other's. Departure:
/// traces within 10⁻⁸ of 0 are dropped, so that the cost of a step depends only on the remaining
/// ones.
///
/// Metrics: those of every [`TabularAgent`]. Settings: [`SarsaLambdaConfig`].
pub type SarsaLambda<O, A> = TabularAgent<O, A, SarsaLambdaRule>;

tabular_settings! {
    /// The settings of [`SarsaLambda`].
    pub struct SarsaLambdaConfig {
        /// Trace decay λ, in [0, 1]: 0 is SARSA; 1 keeps traces for the whole episode.
        pub lambda: f64 = 0.8,
        /// Effect of a visit on a trace: "replacing" sets it to 1, "accumulating" adds 1.
        pub traces: Traces = Traces::Replacing,
    }
}

/// The effect of a visit on the trace of a state and action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Traces {
    /// Sets the trace to 1.
    Replacing,
    /// Adds 1 to the trace.
    Accumulating,
}

impl Presets for SarsaLambdaConfig {
    fn presets() -> Vec<Preset<Self>> {
        let line = Schedule::linear;
        let settings = |alpha, epsilon, gamma| Self {
            lambda: 0.3,
            ..Self::from(Common::new(alpha, epsilon, gamma))
        };
        let lake = settings(lake_alpha(), line(0.1, 0.0, 0.5), 0.99);
        let lake = Self { initial_value: 1.0, ..lake };
        // A step off the cliff would be remembered of all that led to it: optimism alone explores.
        let cliff = settings(0.05.into(), 0.0.into(), 1.0);
        let taxi = settings(0.1.into(), line(0.3, 0.0, 0.9), 0.99);
        lake_cliff_and_taxi(lake, cliff, taxi)
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("lambda", "uniform(0, 1)")])
    }
}

/// The update rule of [`SarsaLambda`].
pub struct SarsaLambdaRule {
    q: QTable,
    lambda: f64,
    kind: Traces,
    running: Vec<Running>, // [env]
    next_action_rng: Rng,
}

/// A running episode.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Running {
    /// The step (state, action, reward) whose A' is not known yet.
    waiting: Option<(usize, usize, f64)>,
    /// The traces (state, action, e) that are not 0, each pair once.
    traces: Vec<(usize, usize, f64)>,
}

impl SarsaLambdaRule {
    /// Learns from a step to whose successor `next_q` is ascribed, with the discount in it.
    fn learn(
        &mut self,
        env: usize,
        (state, action, reward): (usize, usize, f64),
        next_q: f64,
        rates: &Rates,
    ) -> f64 {
        let traces = &mut self.running[env].traces;
        let delta = reward + next_q - self.q.row(state)[action];
        match traces.iter_mut().find(|(s, a, _)| (*s, *a) == (state, action)) {
            Some((_, _, e)) => *e = if self.kind == Traces::Replacing { 1.0 } else { *e + 1.0 },
            None => traces.push((state, action, 1.0)),
        }
        let fading = rates.gamma * self.lambda;
        for (s, a, e) in &mut *traces {
            self.q.set(*s, *a, self.q.row(*s)[*a] + rates.alpha * delta * *e);
            *e *= fading;
        }
        traces.retain(|&(_, _, e)| e.abs() >= LEAST_TRACE);
        delta.abs()
    }
}

impl UpdateRule for SarsaLambdaRule {
    type Config = SarsaLambdaConfig;

    fn new(config: &SarsaLambdaConfig, q: QTable, plan: &Plan) -> Result<Self, AgentError> {
        within("lambda", config.lambda, 0.0..=1.0, "a share in [0, 1]")?;
        Ok(Self {
            q,
            lambda: config.lambda,
            kind: config.traces,
            running: vec![Running::default(); plan.num_envs],
            next_action_rng: plan.seed.child("next action", 0).rng(),
        })
    }

    fn table(&self) -> &QTable {
        &self.q
    }

    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64 {
        let TimeStep { env, state, action, reward, next_state, outcome } = *step;
        let mut td_error = 0.0;
        if let Some(waiting) = self.running[env].waiting.take() {
            let next_q = rates.gamma * self.q.row(state)[action];
            td_error += self.learn(env, waiting, next_q, rates);
        }
        let next_q = match outcome {
            Outcome::Continues => {
                self.running[env].waiting = Some((state, action, reward));
                return td_error;
            }
            Outcome::Terminated => 0.0,
            Outcome::Truncated => {
                let rng = &mut self.next_action_rng;
                let next_action = self.q.epsilon_greedy(next_state, rates.epsilon, rng);
                rates.gamma * self.q.row(next_state)[next_action]
            }
        };
        td_error += self.learn(env, (state, action, reward), next_q, rates);
        self.running[env].traces.clear();
        td_error
    }

    fn begin_episodes(&mut self) {
        self.running.fill(Running::default());
    }
}

impl Checkpoint for SarsaLambdaRule {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        self.q.save(state)?;
        state.insert("running", &self.running)?;
        state.insert("next_action_rng", &self.next_action_rng)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.q.load(state)?;
        let q = &self.q;
        let fits = |Running { waiting, traces }: &Running| {
            let pairs: BTreeSet<_> = traces.iter().map(|&(s, a, _)| (s, a)).collect();
            waiting.iter().chain(traces).all(|step| q.holds(step)) && pairs.len() == traces.len()
        };
        let expected = "states and actions of the table with finite numbers, each pair once";
        self.running = per_env(state, "running", self.running.len(), expected, fits)?;
        self.next_action_rng = state.get("next_action_rng")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_is_sarsa, assert_near, plan, rates, rule_of, step};

    fn rule(traces: Traces) -> SarsaLambdaRule {
        let config = SarsaLambdaConfig { lambda: 0.5, traces, ..Default::default() };
        let mut rule = rule_of::<SarsaLambdaRule>(&config, 3, 2, &plan(1));
        *rule.q.value_mut(2, 1) = 8.0;
        rule
    }

    #[test]
    fn without_traces_it_is_sarsa() {
        for traces in [Traces::Replacing, Traces::Accumulating] {
            let config = SarsaLambdaConfig { lambda: 0.0, traces, ..Default::default() };
            assert_is_sarsa(rule_of::<SarsaLambdaRule>(&config, 3, 2, &plan(1)));
        }
    }

    #[test]
    fn an_error_reaches_back_along_the_traces_and_no_further_than_the_episode() {
        for (outcome, last) in [(Outcome::Terminated, 0.0), (Outcome::Truncated, 8.0)] {
            let (mut rule, rates) = (rule(Traces::Replacing), rates(0.5, 0.5));
            rule.update(&step(0, 0, 1.0, 1, Outcome::Continues), &rates);
            rule.update(&step(1, 0, 2.0, 2, outcome), &rates);
            // δ₀ = 1 + 0.5 × 0 = 1 moves Q(0, 0) by 0.5; δ₁ = 2 + 0.5 last moves Q(1, 0) by half of
            // itself and Q(0, 0) by γλ = 0.25 of that.
            let delta = 2.0 + 0.5 * last;
            assert_near(rule.q.row(1)[0], 0.5 * delta);
            assert_near(rule.q.row(0)[0], 0.5 + 0.25 * 0.5 * delta);
            // The next episode does not reach into this one.
            let before = rule.q.row(0)[0];
            rule.update(&step(1, 1, 100.0, 2, Outcome::Terminated), &rates);
            assert_near(rule.q.row(0)[0], before);
        }
    }

    #[test]
    fn in_self_play_traces_alternate_in_sign() {
        let (mut rule, rates) = (rule(Traces::Replacing), rates(0.5, -1.0));
        rule.update(&step(0, 0, 0.0, 1, Outcome::Continues), &rates);
        rule.update(&step(1, 0, 0.0, 2, Outcome::Continues), &rates);
        rule.update(&step(2, 0, 1.0, 0, Outcome::Terminated), &rates);
        // Nothing is learned until the third move wins: δ = 1. γλ = −½: what it says of the second
        // move, the opponent's, is −½ of that, and of the first ¼.
        assert_near(rule.q.row(2)[0], 0.5);
        assert_near(rule.q.row(1)[0], -0.25);
        assert_near(rule.q.row(0)[0], 0.125);
    }

    #[test]
    fn a_second_visit_replaces_or_accumulates() {
        // The second visit of (0, 0) finds e = 0.25: it becomes 1, or 1.25.
        for (kind, e) in [(Traces::Replacing, 1.0), (Traces::Accumulating, 1.25)] {
            let (mut rule, rates) = (rule(kind), rates(0.5, 0.5));
            rule.update(&step(0, 0, 0.0, 0, Outcome::Continues), &rates);
            rule.update(&step(0, 0, 4.0, 1, Outcome::Terminated), &rates);
            assert_near(rule.q.row(0)[0], 0.5 * 4.0 * e);
        }
    }
}
