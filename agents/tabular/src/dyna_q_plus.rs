//! Dyna-Q+: Dyna-Q with a bonus for actions not tried for a long time.

use gymnast_envs::Rng;
use gymnast_harness::{
    AgentError, Checkpoint, CheckpointError, Plan, Preset, Presets, Schedule, SearchRange,
    StateDict, within,
};
use rand::RngExt as _;

use crate::{
    Common, Memory, QTable, Rates, TabularAgent, TimeStep, UpdateRule,
    learned_model::LearnedModel,
    settings::{count, lake_alpha, lake_cliff_and_taxi, search_ranges},
    tabular_settings,
};

/// The Dyna-Q+ agent.
///
/// Source: Sutton, "Integrated architectures for learning, planning, and reacting" (1990); Sutton and
/// Barto (2018), section 8.3. Planning adds a bonus to the reward, and considers every action of a
/// state that was observed:
///
/// ```text
/// loop for each step of an episode:
///     choose A from S with the ε-greedy policy derived from Q
///     take action A, observe R, S'
///     Q(S, A) ← Q(S, A) + α [R + γ max_a Q(S', a) − Q(S, A)]
///     Model(S, A) ← R, S'
///     loop n times:
///         S ← a random state observed before; A ← a random action, tried or not
///         R, S' ← Model(S, A), or 0, S where A was never tried in S
///         τ ← the env steps since A was last tried in S, or since the start
///         Q(S, A) ← Q(S, A) + α [R + κ √τ + γ max_a Q(S', a) − Q(S, A)]
/// ```
///
/// The bonus becomes part of the values, so κ must be small compared with relevant differences. The
/// model is that of [`DynaQ`](crate::DynaQ), by default with the last outcome only, because the
/// bonus is meant for environments that change. Several environments share one clock. γ must not be
/// negative: in self-play an untried action cannot be assumed to lead back to S, because the next
/// state belongs to the other player.
///
/// Metrics: those of every [`TabularAgent`]. Settings: [`DynaQPlusConfig`].
pub type DynaQPlus<O, A> = TabularAgent<O, A, DynaQPlusRule>;

tabular_settings! {
    /// The settings of [`DynaQPlus`].
    pub struct DynaQPlusConfig {
        /// Planning steps n after each env step, from 1 to 1,000,000.
        pub planning_steps: usize = 10,
        /// Bonus κ, ≥ 0: κ times the square root of the env steps since an action was last tried is
        /// added to its planned reward. 0: none.
        pub kappa: f64 = 1e-3,
        /// The model's memory for each state and action: "counts" of all outcomes, for random
        /// outcomes, or only the "last" one.
        pub memory: Memory = Memory::Last,
    }
}

impl Presets for DynaQPlusConfig {
    fn presets() -> Vec<Preset<Self>> {
        let line = Schedule::linear;
        let settings = |kappa, alpha, epsilon, gamma| Self {
            kappa,
            memory: Memory::Counts,
            ..Self::from(Common::new(alpha, epsilon, gamma))
        };
        let lake = settings(1e-6, lake_alpha(), 0.5.into(), 0.99);
        let cliff = settings(1e-3, 0.5.into(), 0.1.into(), 1.0);
        let taxi = settings(1e-4, 0.5.into(), line(1.0, 0.05, 0.5), 0.99);
        lake_cliff_and_taxi(lake, cliff, taxi)
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("planning_steps", "log_int(1, 50)")])
    }
}

/// The update rule of [`DynaQPlus`].
pub struct DynaQPlusRule {
    q: QTable,
    model: LearnedModel,
    planning_steps: usize,
    kappa: f64,
    /// The env steps taken.
    now: u64,
    /// When each action was last tried in each state.
    last_tried: Vec<u64>, // [S × A]
    planning_rng: Rng,
}

impl UpdateRule for DynaQPlusRule {
    type Config = DynaQPlusConfig;

    fn new(config: &DynaQPlusConfig, q: QTable, plan: &Plan) -> Result<Self, AgentError> {
        count("planning_steps", config.planning_steps)?;
        within("kappa", config.kappa, 0.0..f64::INFINITY, "at least 0")?;
        within("gamma", config.gamma, 0.0..=1.0, "a discount in [0, 1] for this agent")?;
        Ok(Self {
            model: LearnedModel::new(config.memory, &q),
            planning_steps: config.planning_steps,
            kappa: config.kappa,
            now: 0,
            last_tried: vec![0; q.states() * q.actions()],
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
        let actions = self.q.actions();
        self.now += 1;
        self.last_tried[step.state * actions + step.action] = self.now;
        let rng = &mut self.planning_rng;
        for _ in 0..self.planning_steps {
            let state = self.model.observed_state(rng);
            let action = rng.random_range(0..actions);
            let (reward, future) = if self.model.outcomes(state, action).is_empty() {
                (0.0, gamma * self.q.max(state))
            } else {
                let seen = self.model.sample(state, action, rng);
                (seen.reward, seen.discount(gamma) * self.q.max(seen.next_state))
            };
            let tau = self.now - self.last_tried[state * actions + action];
            let bonus = self.kappa * (tau as f64).sqrt();
            self.q.step_towards(reward + bonus + future, state, action, alpha);
        }
        td_error.abs()
    }
}

impl Checkpoint for DynaQPlusRule {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        self.q.save(state)?;
        state.insert_part("model", &self.model)?;
        state.insert("now", &self.now)?;
        state.insert_array("last_tried", &[self.last_tried.len()], &self.last_tried);
        state.insert("planning_rng", &self.planning_rng)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.q.load(state)?;
        state.load_part("model", &mut self.model)?;
        self.now = state.counter("now")?;
        let (now, shape) = (self.now, [self.last_tried.len()]);
        let expected = format!("env steps up to {now}, those taken");
        self.last_tried =
            state.array_checked("last_tried", &shape, &expected, |&step: &u64| step <= now)?;
        self.planning_rng = state.get("planning_rng")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::Outcome;

    use super::*;
    use crate::testing::{assert_near, plan, rates, rule_of, step};

    fn rule(planning_steps: usize) -> DynaQPlusRule {
        let config = DynaQPlusConfig { planning_steps, kappa: 0.5, ..Default::default() };
        rule_of::<DynaQPlusRule>(&config, 2, 2, &plan(1))
    }

    #[test]
    fn actions_never_tried_are_planned_with_a_bonus() {
        let mut rule = rule(100);
        for _ in 0..4 {
            rule.update(&step(0, 1, -1.0, 1, Outcome::Terminated), &rates(1.0, 0.0));
        }
        // Tried now: τ = 0, and the real reward. Never tried: back to the same state, for 0 and
        // κ √4; γ = 0 hides the bootstrap.
        assert_near(rule.q.row(0)[1], -1.0);
        assert_near(rule.q.row(0)[0], 0.5 * 2.0);
    }

    #[test]
    fn the_bonus_grows_with_the_time_since_an_action_was_tried() {
        let mut rule = rule(100);
        rule.update(&step(0, 1, -1.0, 1, Outcome::Terminated), &rates(1.0, 0.0));
        for _ in 0..9 {
            rule.update(&step(0, 0, 2.0, 1, Outcome::Terminated), &rates(1.0, 0.0));
        }
        assert_near(rule.q.row(0)[1], -1.0 + 0.5 * 3.0);
        assert_near(rule.q.row(0)[0], 2.0);
    }

    #[test]
    fn an_untried_action_leads_back_to_its_own_state() {
        let mut rule = rule(100);
        rule.kappa = 0.0;
        rule.update(&step(0, 1, 3.0, 1, Outcome::Terminated), &rates(1.0, 0.5));
        assert_near(rule.q.row(0)[0], 0.5 * 3.0);
    }
}
