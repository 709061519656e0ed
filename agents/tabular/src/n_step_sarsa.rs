//! n-step SARSA: on-policy control that sums n rewards before it bootstraps.

use std::collections::VecDeque;

use gymnast_envs::{Outcome, Rng};
use gymnast_harness::{
    AgentError, Checkpoint, CheckpointError, Plan, Preset, Presets, Schedule, SearchRange,
    StateDict,
};

use crate::{
    Common, QTable, Rates, TabularAgent, TimeStep, UpdateRule,
    agent::per_env,
    settings::{count, lake_cliff_and_taxi, search_ranges},
    tabular_settings,
};

/// The n-step SARSA agent.
///
/// Source: Sutton and Barto (2018), section 7.2:
///
/// ```text
/// loop for each step t of an episode that ends at T:
///     take action A_t, observe R_{t+1}, S_{t+1}; choose A_{t+1}, ε-greedy
///     τ ← t − n + 1
///     if τ ≥ 0:
///         G ← R_{τ+1} + γ R_{τ+2} + … + γⁿ⁻¹ R_{τ+n}              (up to R_T)
///         if τ + n < T: G ← G + γⁿ Q(S_{τ+n}, A_{τ+n})
///         Q(S_τ, A_τ) ← Q(S_τ, A_τ) + α [G − Q(S_τ, A_τ)]
/// until τ = T − 1
/// ```
///
/// As in [`Sarsa`](crate::Sarsa), a step is learned from when the next one shows the action taken.
/// If the episode ends in a terminal state, the last G are sums of rewards; if it is truncated,
/// they bootstrap from its last state with an action chosen only for that.
///
/// Metrics: those of every [`TabularAgent`]. Settings: [`NStepSarsaConfig`].
pub type NStepSarsa<O, A> = TabularAgent<O, A, NStepSarsaRule>;

tabular_settings! {
    /// The settings of [`NStepSarsa`].
    pub struct NStepSarsaConfig {
        /// Number of rewards n summed before bootstrapping, from 1 to 1,000,000; 1 is SARSA.
        pub n: usize = 4,
    }
}

impl Presets for NStepSarsaConfig {
    fn presets() -> Vec<Preset<Self>> {
        let line = Schedule::linear;
        let settings =
            |alpha, epsilon, gamma| Self { n: 2, ..Self::from(Common::new(alpha, epsilon, gamma)) };
        let fading = Schedule::exponential;
        let lake = settings(fading(0.1, 0.001, 1.0), fading(0.1, 0.001, 0.5), 0.999);
        let lake = Self { initial_value: 1.0, ..lake };
        let cliff = settings(0.1.into(), line(0.05, 0.0, 0.1), 1.0);
        let taxi = settings(0.1.into(), line(0.3, 0.0, 0.9), 0.99);
        lake_cliff_and_taxi(lake, cliff, taxi)
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("n", "log_int(1, 32)")])
    }
}

/// The update rule of [`NStepSarsa`].
pub struct NStepSarsaRule {
    q: QTable,
    n: usize,
    /// The last steps (state, action, reward) of each environment that wait to be learned from.
    waiting: Vec<VecDeque<(usize, usize, f64)>>, // [env], at most n each
    next_action_rng: Rng,
}

impl NStepSarsaRule {
    /// Learns from the oldest step that waits, where `q` is the value after the last one.
    fn learn_oldest(&mut self, env: usize, q: f64, rates: &Rates) -> f64 {
        let rewards = self.waiting[env].iter().rev().map(|&(_, _, reward)| reward);
        let g = rewards.fold(q, |g, reward| reward + rates.gamma * g);
        let oldest = self.waiting[env].pop_front();
        let (state, action, _) = oldest.expect("a step waits");
        self.q.step_towards(g, state, action, rates.alpha).abs()
    }
}

impl UpdateRule for NStepSarsaRule {
    type Config = NStepSarsaConfig;

    fn new(config: &NStepSarsaConfig, q: QTable, plan: &Plan) -> Result<Self, AgentError> {
        count("n", config.n)?;
        Ok(Self {
            q,
            n: config.n,
            waiting: vec![VecDeque::new(); plan.num_envs],
            next_action_rng: plan.seed.child("next action", 0).rng(),
        })
    }

    fn table(&self) -> &QTable {
        &self.q
    }

    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64 {
        let TimeStep { env, state, action, reward, next_state, outcome } = *step;
        let mut td_error = 0.0;
        if self.waiting[env].len() == self.n {
            td_error += self.learn_oldest(env, self.q.row(state)[action], rates);
        }
        self.waiting[env].push_back((state, action, reward));
        if !outcome.is_final() {
            return td_error;
        }
        // The action is chosen once, but its value may change as the last steps are learned from.
        let cut = outcome == Outcome::Truncated;
        let last = cut
            .then(|| self.q.epsilon_greedy(next_state, rates.epsilon, &mut self.next_action_rng));
        while !self.waiting[env].is_empty() {
            let q = last.map_or(0.0, |action| self.q.row(next_state)[action]);
            td_error += self.learn_oldest(env, q, rates);
        }
        td_error
    }

    fn begin_episodes(&mut self) {
        self.waiting.iter_mut().for_each(VecDeque::clear);
    }
}

impl Checkpoint for NStepSarsaRule {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        self.q.save(state)?;
        state.insert("waiting", &self.waiting)?;
        state.insert("next_action_rng", &self.next_action_rng)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.q.load(state)?;
        let (q, n) = (&self.q, self.n);
        let fits = |waiting: &VecDeque<_>| waiting.len() <= n && waiting.iter().all(|s| q.holds(s));
        let expected = format!("at most {n} states, actions and finite rewards of the table");
        self.waiting = per_env(state, "waiting", self.waiting.len(), &expected, fits)?;
        self.next_action_rng = state.get("next_action_rng")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_is_sarsa, assert_near, plan, rates, rule_of, step};

    fn rule(n: usize) -> NStepSarsaRule {
        let config = NStepSarsaConfig { n, ..NStepSarsaConfig::default() };
        let mut rule = rule_of::<NStepSarsaRule>(&config, 4, 2, &plan(1));
        *rule.q.value_mut(2, 0) = 3.0;
        *rule.q.value_mut(3, 1) = 8.0;
        rule
    }

    #[test]
    fn with_one_step_it_is_sarsa() {
        let config = NStepSarsaConfig { n: 1, ..NStepSarsaConfig::default() };
        assert_is_sarsa(rule_of::<NStepSarsaRule>(&config, 3, 2, &plan(1)));
    }

    #[test]
    fn two_rewards_are_summed_before_the_action_taken_is_bootstrapped_from() {
        let (mut rule, rates) = (rule(2), rates(0.5, 0.5));
        rule.update(&step(0, 1, 1.0, 1, Outcome::Continues), &rates);
        rule.update(&step(1, 0, 2.0, 2, Outcome::Continues), &rates);
        assert_near(rule.q.row(0)[1], 0.0);
        // 0.5 (1 + 0.5 × 2 + 0.25 × 3) = 1.375, once A_2 = 0 is taken in S_2.
        rule.update(&step(2, 0, 4.0, 3, Outcome::Continues), &rates);
        assert_near(rule.q.row(0)[1], 1.375);
        assert_near(rule.q.row(1)[0], 0.0);
    }

    #[test]
    fn in_self_play_rewards_alternate_in_sign() {
        let (mut rule, rates) = (rule(2), rates(0.5, -1.0));
        rule.update(&step(0, 1, 1.0, 1, Outcome::Continues), &rates);
        rule.update(&step(1, 0, 2.0, 2, Outcome::Continues), &rates);
        rule.update(&step(2, 0, 4.0, 3, Outcome::Terminated), &rates);
        // What the opponent gets is lost, and what comes after is one's own again.
        assert_near(rule.q.row(0)[1], 0.5 * (1.0 - 2.0 + 3.0));
        assert_near(rule.q.row(1)[0], 0.5 * (2.0 - 4.0));
    }

    #[test]
    fn the_last_steps_are_learned_from_when_the_episode_ends() {
        for (outcome, last) in [(Outcome::Terminated, 0.0), (Outcome::Truncated, 8.0)] {
            let (mut rule, rates) = (rule(3), rates(0.5, 0.5));
            rule.update(&step(0, 1, 1.0, 1, Outcome::Continues), &rates);
            rule.update(&step(1, 0, 2.0, 3, outcome), &rates);
            // Fewer than n steps are left: γ is cut to their number.
            assert_near(rule.q.row(0)[1], 0.5 * (1.0 + 0.5 * 2.0 + 0.25 * last));
            assert_near(rule.q.row(1)[0], 0.5 * (2.0 + 0.5 * last));
            assert!(rule.waiting[0].is_empty());
        }
    }
}
