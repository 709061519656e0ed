//! First-visit Monte Carlo control: learns from whole returns, without bootstrapping.

use gymnast_envs::Outcome;
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

/// The first-visit Monte Carlo control agent.
///
/// Source: Sutton and Barto (2018), section 5.4, on-policy first-visit control for ε-soft policies:
///
/// ```text
/// loop for each episode S₀, A₀, R₁, …, S_{T−1}, A_{T−1}, R_T played ε-greedily by Q:
///     G ← 0
///     loop for t = T − 1, T − 2, …, 0:
///         G ← γ G + R_{t+1}
///         unless S_t, A_t occurs earlier in the episode:
///             Q(S_t, A_t) ← the mean of all G that ever followed S_t, A_t
/// ```
///
/// Without `sample_average`, Q moves by steps of α instead, which forgets the returns of earlier
/// policies. Departures: for a truncated episode G starts with the policy's expected value of the
/// last state instead of 0. An episode that does not end within `horizon` steps is treated
/// likewise; otherwise a policy that runs in circles would never learn.
///
/// Metrics: those of every [`TabularAgent`]. Settings: [`MonteCarloConfig`].
pub type MonteCarlo<O, A> = TabularAgent<O, A, MonteCarloRule>;

tabular_settings! {
    /// The settings of [`MonteCarlo`].
    pub struct MonteCarloConfig {
        /// Whether a value is the mean of all its returns; otherwise it moves by steps of α.
        pub sample_average: bool = true,
        /// Steps after which an unfinished episode is learned from, from 1 to 1,000,000.
        pub horizon: usize = 10_000,
    }
}

impl Presets for MonteCarloConfig {
    fn presets() -> Vec<Preset<Self>> {
        // On the cliff and in the taxi a first episode would hardly end: what a good one takes is
        // enough to learn from.
        let line = Schedule::linear;
        let settings = |horizon, alpha, epsilon, gamma| Self {
            sample_average: false,
            horizon,
            ..Self::from(Common::new(alpha, epsilon, gamma))
        };
        let fading = Schedule::exponential;
        let lake = settings(10_000, fading(0.05, 0.001, 1.0), fading(1.0, 0.05, 1.0), 0.99);
        let short = || settings(20, 0.05.into(), line(1.0, 0.0, 0.9), 1.0);
        lake_cliff_and_taxi(lake, short(), short())
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[])
    }
}

/// The update rule of [`MonteCarlo`].
pub struct MonteCarloRule {
    q: QTable,
    sample_average: bool,
    horizon: usize,
    /// How many returns each value has been learned from.
    returns: Vec<u64>, // [S × A]
    /// The running episodes' steps (state, action, reward).
    episodes: Vec<Vec<(usize, usize, f64)>>, // [env]
    /// The place in the episode, counted from 1, at which each pair first occurs; 0 between episodes.
    first_visit: Vec<usize>, // [S × A]
}

impl MonteCarloRule {
    /// Learns from an environment's episode, beyond whose end `g` is to be expected.
    fn learn(&mut self, env: usize, mut g: f64, rates: &Rates) -> f64 {
        let actions = self.q.actions();
        let pair = |state: usize, action: usize| state * actions + action;
        let episode = &mut self.episodes[env];
        for (t, &(state, action, _)) in episode.iter().enumerate().rev() {
            self.first_visit[pair(state, action)] = t + 1;
        }
        let mut error = 0.0;
        for (t, &(state, action, reward)) in episode.iter().enumerate().rev() {
            g = rates.gamma * g + reward;
            let pair = pair(state, action);
            if self.first_visit[pair] != t + 1 {
                continue;
            }
            self.first_visit[pair] = 0;
            self.returns[pair] += 1;
            let mean = 1.0 / self.returns[pair] as f64;
            let alpha = if self.sample_average { mean } else { rates.alpha };
            error += self.q.step_towards(g, state, action, alpha).abs();
        }
        episode.clear();
        error
    }
}

impl UpdateRule for MonteCarloRule {
    type Config = MonteCarloConfig;

    fn new(config: &MonteCarloConfig, q: QTable, plan: &Plan) -> Result<Self, AgentError> {
        count("horizon", config.horizon)?;
        Ok(Self {
            sample_average: config.sample_average,
            horizon: config.horizon,
            returns: vec![0; q.states() * q.actions()],
            episodes: vec![Vec::new(); plan.num_envs],
            first_visit: vec![0; q.states() * q.actions()],
            q,
        })
    }

    fn table(&self) -> &QTable {
        &self.q
    }

    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64 {
        let TimeStep { env, state, action, reward, next_state, outcome } = *step;
        self.episodes[env].push((state, action, reward));
        let is_cut = outcome == Outcome::Truncated || self.episodes[env].len() == self.horizon;
        match outcome {
            Outcome::Terminated => self.learn(env, 0.0, rates),
            _ if is_cut => self.learn(env, self.q.expected(next_state, rates.epsilon), rates),
            _ => 0.0,
        }
    }

    fn begin_episodes(&mut self) {
        self.episodes.iter_mut().for_each(Vec::clear);
    }
}

impl Checkpoint for MonteCarloRule {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        self.q.save(state)?;
        state.insert_array("returns", &[self.returns.len()], &self.returns);
        state.insert("episodes", &self.episodes)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.q.load(state)?;
        let (expected, shape) = ("counts of at most 2^53", [self.returns.len()]);
        self.returns = state.array_checked("returns", &shape, expected, |&n: &u64| n <= 1 << 53)?;
        let (q, horizon) = (&self.q, self.horizon);
        let fits = |episode: &Vec<_>| episode.len() < horizon && episode.iter().all(|s| q.holds(s));
        let expected =
            format!("fewer than {horizon} states, actions and finite rewards of the table");
        self.episodes = per_env(state, "episodes", self.episodes.len(), &expected, fits)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_near, plan, rates, rule_of, step};

    fn rule(sample_average: bool, horizon: usize) -> MonteCarloRule {
        let config = MonteCarloConfig { sample_average, horizon, ..Default::default() };
        let mut rule = rule_of::<MonteCarloRule>(&config, 3, 2, &plan(1));
        *rule.q.value_mut(2, 1) = 8.0;
        rule
    }

    #[test]
    fn the_first_visit_is_learned_from_and_the_mean_taken() {
        let (mut rule, rates) = (rule(true, 100), rates(0.1, 0.5));
        // (0, 0) occurs twice: its return is the first visit's, 1 + 0.5 × 2 + 0.25 × 4 = 3.
        rule.update(&step(0, 0, 1.0, 1, Outcome::Continues), &rates);
        rule.update(&step(1, 1, 2.0, 0, Outcome::Continues), &rates);
        assert_near(rule.q.row(0)[0], 0.0);
        rule.update(&step(0, 0, 4.0, 2, Outcome::Terminated), &rates);
        assert_near(rule.q.row(0)[0], 3.0);
        assert_near(rule.q.row(1)[1], 4.0);
        // A second episode: the mean of 3 and 9.
        rule.update(&step(0, 0, 9.0, 2, Outcome::Terminated), &rates);
        assert_near(rule.q.row(0)[0], 6.0);
    }

    #[test]
    fn in_self_play_the_winners_moves_are_worth_one_and_the_losers_minus_one() {
        let (mut rule, rates) = (rule(true, 100), rates(0.1, -1.0));
        for (state, reward, outcome) in [
            (0, 0.0, Outcome::Continues),
            (1, 0.0, Outcome::Continues),
            (2, 1.0, Outcome::Terminated),
        ] {
            rule.update(&step(state, 0, reward, (state + 1) % 3, outcome), &rates);
        }
        assert_eq!([0, 1, 2].map(|state| rule.q.row(state)[0]), [1.0, -1.0, 1.0]);
    }

    #[test]
    fn an_episode_that_is_cut_has_a_future() {
        // 1 + 0.5 × 8, in steps of α = 0.1; by a time limit or by the horizon.
        for (horizon, outcome) in [(100, Outcome::Truncated), (1, Outcome::Continues)] {
            let mut rule = rule(false, horizon);
            rule.update(&step(0, 0, 1.0, 2, outcome), &rates(0.1, 0.5));
            assert_near(rule.q.row(0)[0], 0.5);
        }
    }
}
