//! The tabular agent, generic over its update rule.

use gymnast_envs::{Env, EnvError, Experience, FiniteSpace, Outcome, Rng, Seed};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Metrics, Mode, Plan, Policy, StateDict,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{Common, QTable, TabularSettings};

/// 2 GiB of values.
const MOST_ENTRIES: usize = 1 << 28;

/// Env steps between two returned metrics.
const METRICS_EVERY: u64 = 1000;

/// The update rule of a tabular agent: how its table learns from a step.
///
/// An agent is a [`TabularAgent`] with a rule. The rule's [`Checkpoint`] holds all of its state.
pub trait UpdateRule: Checkpoint + Send + Sized {
    /// The agent's settings.
    type Config: TabularSettings;

    /// Creates an untrained rule with the table `q`, which holds `initial_value` everywhere. The settings
    /// shared by all agents were checked before.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] if one of the rule's own settings is out of range.
    fn new(config: &Self::Config, q: QTable, plan: &Plan) -> Result<Self, AgentError>;

    /// Returns the action values that the agent acts by.
    fn table(&self) -> &QTable;

    /// Learns from one step. Returns the sum of the absolute temporal-difference errors of its
    /// updates from experience (planning excluded).
    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64;

    /// Drops every unfinished episode: the next steps begin new ones, although no step was final.
    /// See [`Agent::begin_episodes`]. Leave it empty if the rule does not join steps.
    fn begin_episodes(&mut self);
}

/// One step in one environment; states and actions are given by their numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeStep {
    /// The number of the environment.
    pub env: usize,
    /// The state S.
    pub state: usize,
    /// The action A.
    pub action: usize,
    /// The reward R.
    pub reward: f64,
    /// The successor S'; the true one at the end of an episode, not that of the next episode.
    pub next_state: usize,
    /// Whether the episode continues, terminated or was truncated.
    pub outcome: Outcome,
}

/// The current step size, exploration rate and discount.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// The step size α.
    pub alpha: f64,
    /// The probability ε of a random action.
    pub epsilon: f64,
    /// The discount γ.
    pub gamma: f64,
}

/// An agent that learns a table of action values by the rule `R` and acts ε-greedily.
///
/// Metrics: `td_error` (the mean absolute temporal-difference error of an env step), `epsilon`,
/// `alpha`.
pub struct TabularAgent<O, A, R> {
    observation_space: O,
    action_space: A,
    common: Common,
    plan: Plan,
    rule: R,
    env_steps: u64,
    /// Those after `env_steps`.
    rates: Rates,
    /// The env steps after which they no longer change.
    settled_at: u64,
    absolute_td_error: f64,
}

impl<O: FiniteSpace, A: FiniteSpace, R: UpdateRule> TabularAgent<O, A, R> {
    /// Creates an untrained agent.
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
        let (states, actions) = (observation_space.size(), action_space.size());
        let entries = states.checked_mul(actions).filter(|&entries| entries <= MOST_ENTRIES);
        let shown = format!("{states} states and {actions} actions");
        let expected =
            "at most 2²⁸ pairs of a state and an action, as a table has an entry for each";
        AgentError::require(entries.is_some(), "the spaces", &shown, expected)?;
        Ok(Self {
            rule: R::new(&config, QTable::new(states, actions, common.initial_value), plan)?,
            observation_space,
            action_space,
            rates: common.rates(plan, 0),
            settled_at: common.settled_at(plan),
            common,
            plan: *plan,
            env_steps: 0,
            absolute_td_error: 0.0,
        })
    }

    /// Creates an untrained agent for one environment and a training of unknown length: schedules
    /// keep their initial values.
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

    /// Returns the learned action values.
    #[must_use]
    pub fn table(&self) -> &QTable {
        self.rule.table()
    }

    #[inline]
    fn count(&mut self, env_steps: u64) {
        if env_steps <= self.settled_at || self.env_steps <= self.settled_at {
            self.rates = self.common.rates(&self.plan, env_steps);
        }
        self.env_steps = env_steps;
    }

    /// Chooses the action of one environment, or returns an error for an observation outside its space.
    #[inline(always)]
    fn choose(
        &self,
        observation: &O::Element,
        epsilon: f64,
        rng: &mut Rng,
    ) -> Result<A::Element, AgentError> {
        if !self.observation_space.contains(observation) {
            return Err(outside(&self.observation_space, observation));
        }
        let state = self.observation_space.index_of(observation);
        Ok(self.action_space.element(self.table().epsilon_greedy(state, epsilon, rng)))
    }

    /// Chooses the actions of several environments. By itself, so that the choice of one is compiled into
    /// its caller.
    #[inline(never)]
    fn act_in_all(
        &self,
        observations: &[O::Element],
        epsilon: f64,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) -> Result<(), AgentError> {
        for observation in observations {
            actions.push(self.choose(observation, epsilon, rng)?);
        }
        Ok(())
    }

    fn metrics(&mut self) -> Metrics {
        let td_error = std::mem::take(&mut self.absolute_td_error) / METRICS_EVERY as f64;
        let Rates { alpha, epsilon, .. } = self.rates;
        Metrics::new().with("td_error", td_error).with("epsilon", epsilon).with("alpha", alpha)
    }

    /// The step of one environment in numbers; the spaces must hold its action and observations.
    #[inline]
    fn time_step(&self, experience: &Experience<O, A>, env: usize) -> TimeStep {
        TimeStep {
            env,
            state: self.observation_space.index_of(&experience.observations[env]),
            action: self.action_space.index_of(&experience.actions[env]),
            reward: experience.rewards[env],
            next_state: self.observation_space.index_of(&experience.next_observations[env]),
            outcome: experience.outcomes[env],
        }
    }

    /// The error for an action or an observation of one environment outside its space.
    #[cold]
    fn refusal(&self, experience: &Experience<O, A>, env: usize) -> AgentError {
        let action = &experience.actions[env];
        if !self.action_space.contains(action) {
            return EnvError::invalid_action(&self.action_space, action).into();
        }
        let seen = [&experience.observations[env], &experience.next_observations[env]];
        let is_first_within = self.observation_space.contains(seen[0]);
        outside(&self.observation_space, seen[usize::from(is_first_within)])
    }

    /// Learns from the step of one environment, and checks that the learned values are finite before they
    /// are used.
    #[inline(always)]
    fn learn_from(&mut self, experience: &Experience<O, A>, env: usize) -> Result<(), AgentError> {
        let (seen, next) = (&experience.observations[env], &experience.next_observations[env]);
        let is_within = self.action_space.contains(&experience.actions[env])
            & self.observation_space.contains(seen)
            & self.observation_space.contains(next);
        if !is_within {
            return Err(self.refusal(experience, env));
        }
        let step = self.time_step(experience, env);
        let error = self.rule.update(&step, &self.rates);
        let sum = self.absolute_td_error + error;
        if !sum.is_finite() || self.rule.table().diverged().is_some() {
            return Err(self.diverged(error));
        }
        self.absolute_td_error = sum;
        Ok(())
    }

    /// Learns from the steps of several environments. By itself, so that the step of one is compiled
    /// into its caller.
    #[inline(never)]
    fn learn_from_all(&mut self, experience: &Experience<O, A>) -> Result<(), AgentError> {
        (0..experience.len())
            .filter(|&env| !experience.is_reset[env])
            .try_for_each(|env| self.learn_from(experience, env))
    }

    /// The error after an update with this temporal-difference error.
    #[cold]
    fn diverged(&self, error: f64) -> AgentError {
        let (what, value) = match self.rule.table().diverged() {
            _ if !error.is_finite() => ("the temporal-difference error", error),
            Some(value) => ("a value of the table", value),
            // Each finite, their sum may not be, and a checkpoint would hold it.
            None => ("the sum of temporal-difference errors", self.absolute_td_error + error),
        };
        AgentError::Diverged { what, value, env_steps: self.env_steps }
    }
}

/// The error for an observation outside its space.
#[cold]
fn outside<O: FiniteSpace>(space: &O, observation: &O::Element) -> AgentError {
    let (expected, got) =
        (format!("an element of {}", space.describe()), format!("{observation:?}"));
    AgentError::Mismatch { what: "an observation", expected, got }
}

impl<O: FiniteSpace, A: FiniteSpace, R: UpdateRule> Policy<O, A> for TabularAgent<O, A, R> {
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) -> Result<(), AgentError> {
        let epsilon = match mode {
            Mode::Explore => self.rates.epsilon,
            Mode::Exploit => 0.0,
        };
        actions.clear();
        // A loop of one round would begin by reading everything that many share.
        let [observation] = observations else {
            return self.act_in_all(observations, epsilon, rng, actions);
        };
        actions.push(self.choose(observation, epsilon, rng)?);
        Ok(())
    }
}

impl<O: FiniteSpace, A: FiniteSpace, R: UpdateRule> Agent<O, A> for TabularAgent<O, A, R> {
    fn first_update(&self) -> u64 {
        self.plan.num_envs as u64
    }

    fn has_learned(&self) -> bool {
        self.env_steps > 0
    }

    fn learn(&mut self, experience: &Experience<O, A>) -> Result<Option<Metrics>, AgentError> {
        let num_envs = self.plan.num_envs;
        AgentError::check_rows(experience, num_envs)?;
        match experience.is_reset[..] {
            [false] => self.learn_from(experience, 0)?,
            _ => self.learn_from_all(experience)?,
        }
        let before = self.env_steps;
        self.count(before + num_envs as u64);
        if before / METRICS_EVERY == self.env_steps / METRICS_EVERY {
            return Ok(None);
        }
        Ok(Some(self.metrics()))
    }

    fn begin_episodes(&mut self) {
        self.rule.begin_episodes();
    }
}

impl<O: FiniteSpace, A: FiniteSpace, R: UpdateRule> Checkpoint for TabularAgent<O, A, R> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        self.rule.save(state)?;
        state.insert("env_steps", &self.env_steps)?;
        state.insert("absolute_td_error", &self.absolute_td_error)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.rule.load(state)?;
        self.count(state.counter("env_steps")?);
        let fits = |error: &f64| error.is_finite() && *error >= 0.0;
        self.absolute_td_error =
            state.get_checked("absolute_td_error", "a finite number from 0 on", fits)?;
        Ok(())
    }
}

/// Reads one value an environment, each of which must satisfy `fits`; `expected` says what that is.
pub(crate) fn per_env<T: DeserializeOwned + Serialize>(
    state: &StateDict,
    name: &str,
    envs: usize,
    expected: &str,
    fits: impl Fn(&T) -> bool,
) -> Result<Vec<T>, CheckpointError> {
    let expected = format!("for each of {envs} environments {expected}");
    state.get_checked(name, &expected, |values: &Vec<T>| {
        values.len() == envs && values.iter().all(&fits)
    })
}

#[cfg(test)]
mod tests {
    use gymnast_envs::Discrete;

    use super::*;
    use crate::{QLearning, QLearningConfig, Sarsa, SarsaConfig, testing::plan};

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
    fn an_episode_goes_on_until_it_is_said_that_another_begins() {
        // The next one may begin in the state where the old one stood.
        for begins in [false, true] {
            let (states, actions) = (Discrete::new(3), Discrete::new(2));
            let mut agent = Sarsa::new(states, actions, SarsaConfig::default(), &plan(1)).unwrap();
            agent.learn(&experience(0, 1)).unwrap();
            if begins {
                agent.begin_episodes();
            }
            agent.learn(&experience(1, 0)).unwrap();
            assert_eq!(agent.table().row(0)[0] > 0.0, !begins);
        }
    }

    #[test]
    fn a_table_that_no_memory_holds_is_refused() {
        for states in [1 << 40, 1 << 61] {
            let (states, actions) = (Discrete::new(states), Discrete::new(4));
            let refused = Sarsa::new(states, actions, SarsaConfig::default(), &plan(1));
            let error = refused.err().expect("it is too large").to_string();
            assert!(error.contains("4 actions") && error.contains("at most"), "{error}");
        }
    }

    #[test]
    fn the_rates_are_those_of_the_schedules_after_every_step() {
        let config = QLearningConfig {
            alpha: gymnast_harness::Schedule::exponential(0.5, 0.1, 0.3),
            epsilon: gymnast_harness::Schedule::linear(1.0, 0.1, 0.7),
            ..QLearningConfig::default()
        };
        for env_steps in [1, 7, 10, 1000, u64::MAX] {
            let plan = Plan { env_steps, ..plan(1) };
            let (states, actions) = (Discrete::new(3), Discrete::new(2));
            let mut agent = QLearning::new(states, actions, config.clone(), &plan).unwrap();
            for step in 1..=env_steps.min(1000) + 2 {
                agent.learn(&experience(0, 1)).unwrap();
                assert_eq!(agent.rates, config.common().rates(&plan, step), "{step}");
            }
            agent.count(1);
            assert_eq!(agent.rates, config.common().rates(&plan, 1));
        }
    }

    #[test]
    fn an_observation_outside_its_space_is_an_error() {
        let (states, actions) = (Discrete::new(3), Discrete::new(2));
        let mut agent = Sarsa::new(states, actions, SarsaConfig::default(), &plan(1)).unwrap();
        for outside in [-1, 3, i64::MAX] {
            for experience in [experience(outside, 1), experience(0, outside)] {
                let error = agent.learn(&experience).unwrap_err().to_string();
                assert!(error.contains(&outside.to_string()), "{error}");
            }
            let mut chosen = Vec::new();
            let rng = &mut Seed::new(0).rng();
            let error = agent.act(&[outside], Mode::Exploit, rng, &mut chosen).unwrap_err();
            assert!(error.to_string().contains(&outside.to_string()), "{error}");
        }
        let mut experience = experience(0, 1);
        experience.actions = vec![2];
        assert!(matches!(agent.learn(&experience), Err(AgentError::Env(_))));
    }

    #[test]
    fn what_is_not_finite_is_never_acted_by() {
        for reward in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let (states, actions) = (Discrete::new(3), Discrete::new(2));
            let config = crate::QLearningConfig::default();
            let mut agent = crate::QLearning::new(states, actions, config, &plan(1)).unwrap();
            let experience = Experience { rewards: vec![reward], ..experience(0, 1) };
            let result = agent.learn(&experience);
            assert!(matches!(result, Err(AgentError::Diverged { env_steps: 0, .. })), "{result:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_found_at_once() {
        for reward in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let (states, actions) = (Discrete::new(3), Discrete::new(2));
            let config = QLearningConfig::default();
            let mut agent = QLearning::new(states, actions, config, &plan(1)).unwrap();
            let step = Experience { rewards: vec![reward], ..experience(0, 1) };
            assert!(matches!(agent.learn(&step), Err(AgentError::Diverged { .. })), "{reward}");
        }
    }

    #[test]
    fn a_batch_of_another_size_is_refused() {
        let (states, actions) = (Discrete::new(3), Discrete::new(2));
        let mut agent = Sarsa::new(states, actions, SarsaConfig::default(), &plan(2)).unwrap();
        assert!(agent.learn(&experience(0, 1)).is_err());
    }
}
