//! What every tabular agent is, apart from its update rule.

use gymnast_envs::{Env, EnvError, Experience, FiniteSpace, Outcome, Rng, Seed};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Metrics, Mode, Plan, Policy, StateDict,
};

use crate::{Common, QTable, TabularSettings};

/// Metrics are returned once every so many env steps.
const METRICS_EVERY: u64 = 1000;

/// What makes one tabular agent differ from another: how its table learns from what happens.
///
/// An agent is a [`TabularAgent`] with a rule. The rule's [`Checkpoint`] holds all that it changes.
pub trait UpdateRule: Checkpoint + Send + Sized {
    /// The agent's settings.
    type Config: TabularSettings;

    /// A rule that has seen nothing. The settings that all agents share are in range.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where one of its own settings is not.
    fn new(
        config: &Self::Config,
        states: usize,
        actions: usize,
        plan: &Plan,
    ) -> Result<Self, AgentError>;

    /// The values that actions are chosen by.
    fn table(&self) -> &QTable;

    /// Learns from one step. Returns the temporal-difference errors of what it updates by
    /// experience, their absolute values summed.
    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64;

    /// Forgets the running episode of an environment: what comes next does not follow from it, as
    /// where a run was resumed whose environments cannot be saved in mid-episode.
    fn abandon(&mut self, _env: usize) {}
}

/// One step in one environment: state, action, reward and successor by their numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeStep {
    /// Which environment it happened in.
    pub env: usize,
    /// The state S.
    pub state: usize,
    /// The action A.
    pub action: usize,
    /// The reward R.
    pub reward: f64,
    /// The successor S', the true one where the episode ends.
    pub next_state: usize,
    /// Whether the episode goes on.
    pub outcome: Outcome,
}

/// The three rates of temporal-difference control, as they are now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// The step size α.
    pub alpha: f64,
    /// The share of random actions ε.
    pub epsilon: f64,
    /// The discount γ.
    pub gamma: f64,
}

/// An agent that learns a table of action values by the rule `R` and acts ε-greedily by it.
///
/// Metrics: `td_error` (the mean absolute temporal-difference error of an env step), `epsilon`,
/// `alpha`.
pub struct TabularAgent<O, A, R> {
    observation_space: O,
    action_space: A,
    common: Common,
    plan: Plan,
    rule: R,
    /// The states in which the running episodes stand.
    standing: Vec<Option<usize>>, // [env]
    env_steps: u64,
    absolute_td_error: f64,
}

impl<O: FiniteSpace, A: FiniteSpace, R: UpdateRule> TabularAgent<O, A, R> {
    /// An agent that has learned nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`].
    #[expect(clippy::needless_pass_by_value, reason = "agents own their settings")]
    pub fn new(
        observation_space: O,
        action_space: A,
        config: R::Config,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        let common = config.common();
        common.check()?;
        Ok(Self {
            rule: R::new(&config, observation_space.size(), action_space.size(), plan)?,
            standing: vec![None; plan.num_envs],
            observation_space,
            action_space,
            common,
            plan: *plan,
            env_steps: 0,
            absolute_td_error: 0.0,
        })
    }

    /// An agent for one environment whose training has no planned end: schedules stay where they
    /// begin.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`].
    pub fn for_env<E>(env: &E, config: R::Config, seed: Seed) -> Result<Self, AgentError>
    where
        E: Env<ObservationSpace = O, ActionSpace = A>,
    {
        let plan = Plan { seed, num_envs: 1, env_steps: u64::MAX };
        Self::new(env.observation_space(), env.action_space(), config, &plan)
    }

    /// What has been learned: the values that actions are chosen by.
    #[must_use]
    pub fn table(&self) -> &QTable {
        self.rule.table()
    }

    fn rates(&self) -> Rates {
        let Common { alpha, epsilon, gamma, .. } = self.common;
        let progress = self.plan.progress(self.env_steps);
        Rates { alpha: alpha.at(progress), epsilon: epsilon.at(progress), gamma }
    }

    fn metrics(&mut self) -> Result<Metrics, AgentError> {
        let td_error = std::mem::take(&mut self.absolute_td_error) / METRICS_EVERY as f64;
        if !td_error.is_finite() {
            let (what, env_steps) = ("the temporal-difference error", self.env_steps);
            return Err(AgentError::Diverged { what, value: td_error, env_steps });
        }
        let Rates { alpha, epsilon, .. } = self.rates();
        Ok(Metrics::new().with("td_error", td_error).with("epsilon", epsilon).with("alpha", alpha))
    }
}

impl<O: FiniteSpace, A: FiniteSpace, R: UpdateRule> Policy<O, A> for TabularAgent<O, A, R> {
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) {
        let epsilon = match mode {
            Mode::Explore => self.rates().epsilon,
            Mode::Exploit => 0.0,
        };
        actions.clear();
        actions.extend(observations.iter().map(|observation| {
            let state = self.observation_space.index_of(observation);
            self.action_space.element(self.table().epsilon_greedy(state, epsilon, rng))
        }));
    }
}

impl<O: FiniteSpace, A: FiniteSpace, R: UpdateRule> Agent<O, A> for TabularAgent<O, A, R> {
    fn first_update(&self) -> u64 {
        self.standing.len() as u64
    }

    fn has_learned(&self) -> bool {
        self.env_steps > 0
    }

    fn learn(&mut self, experience: &Experience<O, A>) -> Result<Option<Metrics>, AgentError> {
        let (expected, got) = (self.standing.len(), experience.len());
        if got != expected {
            return Err(EnvError::WrongBatch { expected, got }.into());
        }
        let rates = self.rates();
        for env in (0..got).filter(|&env| !experience.is_reset[env]) {
            let step = TimeStep {
                env,
                state: self.observation_space.index_of(&experience.observations[env]),
                action: self.action_space.index_of(&experience.actions[env]),
                reward: experience.rewards[env],
                next_state: self.observation_space.index_of(&experience.next_observations[env]),
                outcome: experience.outcomes[env],
            };
            if self.standing[env].is_some_and(|state| state != step.state) {
                self.rule.abandon(env);
            }
            self.standing[env] = (!step.outcome.is_final()).then_some(step.next_state);
            self.absolute_td_error += self.rule.update(&step, &rates);
        }
        let before = self.env_steps;
        self.env_steps += got as u64;
        let is_due = before / METRICS_EVERY < self.env_steps / METRICS_EVERY;
        if is_due { self.metrics().map(Some) } else { Ok(None) }
    }
}

impl<O: FiniteSpace, A: FiniteSpace, R: UpdateRule> Checkpoint for TabularAgent<O, A, R> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        self.rule.save(state)?;
        state.insert("standing", &self.standing)?;
        state.insert("env_steps", &self.env_steps)?;
        state.insert("absolute_td_error", &self.absolute_td_error)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.rule.load(state)?;
        self.standing = per_env(state, "standing", self.standing.len())?;
        self.env_steps = state.get("env_steps")?;
        self.absolute_td_error = state.get("absolute_td_error")?;
        Ok(())
    }
}

/// Reads one value an environment.
pub(crate) fn per_env<T: serde::de::DeserializeOwned>(
    state: &StateDict,
    name: &str,
    envs: usize,
) -> Result<Vec<T>, CheckpointError> {
    let values: Vec<T> = state.get(name)?;
    if values.len() != envs {
        return Err(CheckpointError::Mismatch {
            name: name.to_owned(),
            expected: format!("{envs} values, one an environment"),
            got: values.len().to_string(),
        });
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use gymnast_envs::Discrete;

    use super::*;
    use crate::{Sarsa, SarsaConfig, testing::plan};

    fn experience(state: i64, next_state: i64) -> Experience<Discrete, Discrete> {
        Experience {
            observations: vec![state],
            actions: vec![0],
            rewards: vec![1.0],
            next_observations: vec![next_state],
            outcomes: vec![Outcome::Continues],
            is_reset: vec![false],
        }
    }

    #[test]
    fn an_episode_that_does_not_go_on_is_abandoned() {
        for (state, learned) in [(1, true), (2, false)] {
            let (states, actions) = (Discrete::new(3), Discrete::new(2));
            let mut agent = Sarsa::new(states, actions, SarsaConfig::default(), &plan(1)).unwrap();
            agent.learn(&experience(0, 1)).unwrap();
            agent.learn(&experience(state, 0)).unwrap();
            assert_eq!(agent.table().row(0)[0] > 0.0, learned);
        }
    }

    #[test]
    fn a_batch_of_another_size_is_refused() {
        let (states, actions) = (Discrete::new(3), Discrete::new(2));
        let mut agent = Sarsa::new(states, actions, SarsaConfig::default(), &plan(2)).unwrap();
        assert!(agent.learn(&experience(0, 1)).is_err());
    }
}
