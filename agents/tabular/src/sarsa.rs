//! SARSA: on-policy control by one-step temporal differences.

use gymnast_envs::{Outcome, Rng};
use gymnast_harness::{
    AgentError, Checkpoint, CheckpointError, Plan, Preset, Presets, SearchRange, StateDict,
};

use crate::{
    QTable, Rates, TabularAgent, TimeStep, UpdateRule,
    agent::per_env,
    settings::{on_policy_presets, search_ranges},
    tabular_settings,
};

/// The SARSA agent.
///
/// Source: Rummery and Niranjan, "On-line Q-learning using connectionist systems" (1994); Sutton
/// and Barto (2018), section 6.4:
///
/// ```text
/// choose A from S with the ε-greedy policy derived from Q
/// loop for each step of an episode:
///     take action A, observe R, S'
///     choose A' from S' with the ε-greedy policy derived from Q
///     Q(S, A) ← Q(S, A) + α [R + γ Q(S', A') − Q(S, A)]
///     S ← S'; A ← A'
/// ```
///
/// A' is chosen before the update and then taken. Here a step waits until the next one shows the
/// action A' taken in S', and is learned from then; waiting steps are part of the checkpoint. A
/// terminal S' has the value 0, and nothing waits. At a truncation no A' is taken: it is chosen
/// only for the update.
///
/// Metrics: those of every [`TabularAgent`]. Settings: [`SarsaConfig`].
pub type Sarsa<O, A> = TabularAgent<O, A, SarsaRule>;

tabular_settings! {
    /// The settings of [`Sarsa`].
    pub struct SarsaConfig {}
}

impl Presets for SarsaConfig {
    fn presets() -> Vec<Preset<Self>> {
        on_policy_presets()
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[])
    }
}

/// The update rule of [`Sarsa`].
pub struct SarsaRule {
    q: QTable,
    /// The steps whose A' is not known yet.
    waiting: Vec<Option<Waiting>>, // [env]
    next_action_rng: Rng,
}

/// A step (state, action, reward) after which the episode goes on.
type Waiting = (usize, usize, f64);

impl UpdateRule for SarsaRule {
    type Config = SarsaConfig;

    fn new(_config: &SarsaConfig, q: QTable, plan: &Plan) -> Result<Self, AgentError> {
        Ok(Self {
            q,
            waiting: vec![None; plan.num_envs],
            next_action_rng: plan.seed.child("next action", 0).rng(),
        })
    }

    fn table(&self) -> &QTable {
        &self.q
    }

    #[inline]
    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64 {
        let Rates { alpha, epsilon, gamma } = *rates;
        let TimeStep { env, state, action, reward, next_state, outcome } = *step;
        let mut td_error = 0.0;
        if let Some((s, a, r)) = self.waiting[env].take() {
            let target = r + gamma * self.q.row(state)[action];
            td_error += self.q.step_towards(target, s, a, alpha).abs();
        }
        let target = match outcome {
            Outcome::Continues => {
                self.waiting[env] = Some((state, action, reward));
                return td_error;
            }
            Outcome::Terminated => reward,
            Outcome::Truncated => {
                let a = self.q.epsilon_greedy(next_state, epsilon, &mut self.next_action_rng);
                reward + gamma * self.q.row(next_state)[a]
            }
        };
        td_error + self.q.step_towards(target, state, action, alpha).abs()
    }

    fn begin_episodes(&mut self) {
        self.waiting.fill(None);
    }
}

impl Checkpoint for SarsaRule {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        self.q.save(state)?;
        state.insert("waiting", &self.waiting)?;
        state.insert("next_action_rng", &self.next_action_rng)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.q.load(state)?;
        let q = &self.q;
        let fits = |waiting: &Option<Waiting>| waiting.is_none_or(|step| q.holds(&step));
        let expected = "a state, an action and a finite reward of the table, or none";
        self.waiting = per_env(state, "waiting", self.waiting.len(), expected, fits)?;
        self.next_action_rng = state.get("next_action_rng")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_near, plan, rates, rule_of, step};

    fn rule(envs: usize) -> SarsaRule {
        let mut rule = rule_of::<SarsaRule>(&SarsaConfig::default(), 3, 2, &plan(envs));
        *rule.q.value_mut(1, 0) = 2.0;
        *rule.q.value_mut(1, 1) = 4.0;
        rule
    }

    #[test]
    fn the_action_taken_next_is_learned_from() {
        let mut rule = rule(1);
        rule.update(&step(0, 1, 1.0, 1, Outcome::Continues), &rates(0.5, 0.9));
        assert_near(rule.q.row(0)[1], 0.0);
        // The worse action was taken: 0.5 (1 + 0.9 × 2).
        let td_error = rule.update(&step(1, 0, 3.0, 2, Outcome::Terminated), &rates(0.5, 0.9));
        assert_near(rule.q.row(0)[1], 1.4);
        // A terminal state is worth nothing: 2 + 0.5 (3 − 2).
        assert_near(rule.q.row(1)[0], 2.5);
        assert_near(td_error, 2.8 + 1.0);
    }

    #[test]
    fn a_cut_episode_bootstraps() {
        let mut rule = rule(1);
        // Without exploration the better action is chosen: 0.5 (1 + 0.9 × 4).
        rule.update(&step(0, 1, 1.0, 1, Outcome::Truncated), &rates(0.5, 0.9));
        assert_near(rule.q.row(0)[1], 2.3);
        // Nothing waits: the next episode's first action is not mistaken for A'.
        rule.update(&step(1, 0, 0.0, 1, Outcome::Continues), &rates(0.5, 0.9));
        assert_near(rule.q.row(0)[1], 2.3);
    }

    #[test]
    fn each_environment_waits_for_its_own_action() {
        let mut rule = rule(2);
        let in_env = |env, step| TimeStep { env, ..step };
        let rates = rates(0.5, 0.9);
        rule.update(&in_env(0, step(0, 0, 0.0, 1, Outcome::Continues)), &rates);
        rule.update(&in_env(1, step(0, 1, 0.0, 1, Outcome::Continues)), &rates);
        rule.update(&in_env(0, step(1, 0, 0.0, 2, Outcome::Continues)), &rates);
        rule.update(&in_env(1, step(1, 1, 0.0, 2, Outcome::Continues)), &rates);
        assert_near(rule.q.row(0)[0], 0.9);
        assert_near(rule.q.row(0)[1], 1.8);
    }
}
