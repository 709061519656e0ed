//! The off-policy side of an agent with real-valued actions: random actions at first, transitions
//! remembered, updates when they are due. What is learned from them is each algorithm's own.

use gymnast_envs::{BoundedSpace, Experience, FeatureSpace, Rng};
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, Mode, Plan, Schedule, StateDict};
use rand::{RngExt as _, distr::StandardUniform};

use crate::{
    action_range::ActionRange,
    divergence::Divergence,
    learned::{Descent, check_widths, write_features},
    replay::{Batch, Replay},
};

/// The settings that off-policy agents with real-valued actions have in common; each documents
/// them in its own configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OffPolicyConfig {
    pub(crate) gamma: f64,
    pub(crate) reward_scale: f64,
    pub(crate) buffer_size: usize,
    pub(crate) batch_size: usize,
    pub(crate) learning_starts: u64,
    pub(crate) n_step: usize,
    pub(crate) repeat_random: f64,
    pub(crate) train_every: u64,
    pub(crate) gradient_steps: u64,
}

impl OffPolicyConfig {
    pub(crate) fn check(&self) -> Result<(), AgentError> {
        let require = AgentError::require;
        let Self { gamma, reward_scale, buffer_size, batch_size, n_step, repeat_random, .. } =
            *self;
        require((0.0..=1.0).contains(&gamma), "gamma", &gamma, "a discount in [0, 1]")?;
        let positive = reward_scale > 0.0 && reward_scale.is_finite();
        require(positive, "reward_scale", &reward_scale, "a positive number")?;
        let rows = 1..u32::MAX as usize;
        require(rows.contains(&buffer_size), "buffer_size", &buffer_size, "1 to 4294967294")?;
        require((1..=1 << 20).contains(&batch_size), "batch_size", &batch_size, "1 to 1048576")?;
        require((1..=1_000).contains(&n_step), "n_step", &n_step, "1 to 1000")?;
        let (is_chance, expected) = ((0.0..1.0).contains(&repeat_random), "a chance in [0, 1)");
        require(is_chance, "repeat_random", &repeat_random, expected)?;
        require(self.train_every > 0, "train_every", &self.train_every, "at least 1")?;
        check_gradient_steps(self.gradient_steps)
    }
}

/// Checks the updates of a round: as long as one takes, nothing is evaluated or saved.
pub(crate) fn check_gradient_steps(gradient_steps: u64) -> Result<(), AgentError> {
    let fits = (1..=10_000).contains(&gradient_steps);
    AgentError::require(fits, "gradient_steps", &gradient_steps, "1 to 10000")
}

/// Checks the settings of networks that learn and of targets that follow them.
pub(crate) fn check_networks(
    hidden: &[usize],
    learning_rate: &Schedule,
    tau: f64,
) -> Result<(), AgentError> {
    let require = AgentError::require;
    check_widths("hidden", hidden)?;
    learning_rate.check_step_size("learning_rate")?;
    require(tau > 0.0 && tau <= 1.0, "tau", &tau, "a share in (0, 1]")
}

/// The spaces, the memory, and how far the training has come.
pub(crate) struct OffPolicy<O, A> {
    observation_space: O,
    action_space: A,
    range: ActionRange,
    config: OffPolicyConfig,
    plan: Plan,
    replay: Replay<f32>,
    replay_rng: Rng,
    /// What was done last, in `[−1, 1]`.
    last_actions: Vec<f32>, // [num_envs, A]
    divergence: Divergence,
    env_steps: u64,
}

impl<O: FeatureSpace, A: BoundedSpace> OffPolicy<O, A> {
    pub(crate) fn new(
        observation_space: O,
        action_space: A,
        config: OffPolicyConfig,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        let (size, num_envs) = (config.buffer_size, plan.num_envs);
        let expected = "more than `training.num_envs`";
        AgentError::require(size > num_envs, "buffer_size", &size, expected)?;
        let range = ActionRange::new(&action_space)?;
        let widths = (observation_space.width(), range.width());
        Ok(Self {
            replay: Replay::new(size, widths, num_envs, config.n_step)?,
            replay_rng: plan.seed.child("replay", 0).rng(),
            last_actions: vec![0.0; num_envs * range.width()],
            divergence: Divergence::default(),
            env_steps: 0,
            observation_space,
            action_space,
            range,
            config,
            plan: *plan,
        })
    }

    /// The widths of observations and actions as rows.
    pub(crate) fn widths(&self) -> (usize, usize) {
        (self.observation_space.width(), self.range.width())
    }

    pub(crate) fn env_steps(&self) -> u64 {
        self.env_steps
    }

    /// What really happened, for those who learn more than values from it.
    pub(crate) fn replay(&self) -> &Replay<f32> {
        &self.replay
    }

    /// How much of the training has passed, from 0 to 1.
    pub(crate) fn progress(&self) -> f64 {
        self.plan.progress(self.env_steps)
    }

    /// The observations as rows for a network.
    pub(crate) fn write_features(&self, observations: &[O::Element], rows: &mut Vec<f32>) {
        write_features(&self.observation_space, observations, rows);
    }

    /// Random actions in `[−1, 1]`, one for each of `n` environments, while it is too early to know
    /// better; `false` leaves `rows` as they are.
    pub(crate) fn write_random_actions(
        &self,
        mode: Mode,
        n: usize,
        rng: &mut Rng,
        rows: &mut Vec<f32>,
    ) -> bool {
        if mode == Mode::Exploit || self.env_steps >= self.config.learning_starts {
            return false;
        }
        let width = self.range.width();
        rows.clear();
        for i in 0..n {
            let repeat = self.config.repeat_random;
            // The very first action has nothing to repeat.
            if repeat > 0.0 && self.env_steps > 0 && rng.random::<f64>() < repeat {
                rows.extend_from_slice(&self.last_actions[i * width..(i + 1) * width]);
            } else {
                let uniform = rng.sample_iter::<f32, _>(StandardUniform);
                rows.extend(uniform.take(width).map(|x| 2.0 * x - 1.0));
            }
        }
        true
    }

    /// Rows in `[−1, 1]` as actions between the bounds; none where [`Divergence`] lets there be none.
    pub(crate) fn write_actions(
        &self,
        mode: Mode,
        rows: &mut [f32],
        actions: &mut Vec<A::Element>,
    ) {
        actions.clear();
        if !self.divergence.lets_act(mode, &*rows) {
            return;
        }
        actions.extend(rows.chunks_exact_mut(self.range.width()).map(|row| {
            self.range.to_bounds(row);
            self.action_space.clip(row)
        }));
    }

    /// The running episodes go no further; see [`Agent::begin_episodes`](gymnast_harness::Agent).
    pub(crate) fn begin_episodes(&mut self) {
        self.replay.begin_episodes();
    }

    /// Remembers an experience. Returns the number of updates that are due.
    ///
    /// # Errors
    /// [`AgentError::Env`] unless it has one row an environment; [`AgentError::Diverged`] where the actions
    /// were not numbers.
    pub(crate) fn take_in(&mut self, experience: &Experience<O, A>) -> Result<u64, AgentError> {
        self.divergence.check(self.env_steps)?;
        let Self { action_space, range, .. } = self;
        let write = |action: &A::Element, row: &mut [f32]| {
            action_space.flatten(action, row);
            range.to_unit(row);
        };
        let OffPolicyConfig { gamma, reward_scale, learning_starts, train_every, .. } = self.config;
        self.replay.push(&self.observation_space, experience, gamma, reward_scale, write)?;
        let rows = self.last_actions.chunks_exact_mut(range.width());
        experience.actions.iter().zip(rows).for_each(|(action, row)| write(action, row));
        let before = self.env_steps;
        self.env_steps += experience.len() as u64;
        if self.env_steps < learning_starts {
            return Ok(0);
        }
        Ok((self.env_steps / train_every - before / train_every) * self.config.gradient_steps)
    }

    /// The env steps after which the first update comes.
    pub(crate) fn first_update(&self) -> u64 {
        let OffPolicyConfig { learning_starts, train_every, .. } = self.config;
        first_due(learning_starts, train_every, self.plan.num_envs)
    }

    /// Draws the transitions of an update.
    pub(crate) fn sample(&mut self, batch: &mut Batch<f32>) -> Result<(), AgentError> {
        self.replay.sample(self.config.batch_size, &mut self.replay_rng, batch)
    }

    /// A step at this rate, now.
    pub(crate) fn descent(&self, rate: f64) -> Descent {
        Descent { rate, env_steps: self.env_steps }
    }
}

/// The env steps of the first vector step that reaches a multiple of `every`, from `learning_starts` on.
pub(crate) fn first_due(learning_starts: u64, every: u64, num_envs: usize) -> u64 {
    let n = num_envs as u64;
    // Before the vector step that reaches `learning_starts`, or the first one.
    let before = (learning_starts.div_ceil(n).max(1) - 1) * n;
    let multiple = (before / every).saturating_add(1).saturating_mul(every);
    multiple.div_ceil(n).saturating_mul(n)
}

impl<O: FeatureSpace, A: BoundedSpace> Checkpoint for OffPolicy<O, A> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("replay", &self.replay)?;
        state.insert("replay_rng", &self.replay_rng)?;
        state.insert_array("last_actions", &[self.last_actions.len()], &self.last_actions);
        state.insert("env_steps", &self.env_steps)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("replay", &mut self.replay)?;
        self.replay.check_actions("finite numbers", |x| x.is_finite())?;
        self.replay_rng = state.get("replay_rng")?;
        self.last_actions = state.finite_array("last_actions", &[self.last_actions.len()])?;
        self.env_steps = state.counter("env_steps")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_update_is_the_first_that_is_due() {
        // learning_starts, train_every, num_envs: the vector step at which `take_in` returns the first.
        for (starts, every, n, first) in [
            (1000, 1, 1, 1000),
            (0, 4, 1, 4),
            (10, 4, 1, 12),
            (12, 4, 1, 12),
            (10, 4, 8, 16),
            (1, 64, 8, 64),
            (9, 3, 4, 12),
        ] {
            assert_eq!(first_due(starts, every, n), first, "{starts} {every} {n}");
            let n = n as u64;
            let due = |t: u64| t >= starts && t / every > (t - n) / every;
            assert_eq!((1..).map(|i| i * n).find(|&t| due(t)), Some(first), "{starts} {every} {n}");
        }
        assert_eq!(first_due(u64::MAX, 1, 1), u64::MAX);
    }
}
