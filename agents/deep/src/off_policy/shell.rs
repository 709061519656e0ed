//! What every off-policy agent with real-valued actions is, apart from what it learns of a minibatch.

mod learner;
mod settings;

use std::cell::RefCell;

use gymnast_core::{
    nn::{Network as _, Parameters, Scratch},
    threads,
};
use gymnast_envs::{BoundedSpace, Experience, FeatureSpace, Rng};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Grace, Metrics, Mode, Plan, Policy, StateDict,
};
use rand::{RngExt as _, distr::StandardUniform};

pub use learner::Learner;
pub use settings::{HIDDEN, OffPolicyConfig, OffPolicySettings, check_rates};
pub(crate) use settings::{check_gradient_steps, pendulum, search_ranges};

use crate::{
    distributions::action_range::ActionRange,
    memory::replay::{Batch, Replay},
    moment::Moment,
    networks::{
        io::{Acting, Io},
        learned::features,
        network::{BuildNetwork, Networks, Widths, all_plain, copy_networks, torch_default},
        pretraining::EncoderNetwork,
    },
};

/// An agent that remembers transitions and learns from minibatches of them by the learner `L`:
///
/// ```text
/// for each env step:
///     a = the learner's action (random before `learning_starts`); take a, observe r, s'
///     remember (s, a, r, s'), r times `reward_scale`
///     every `train_every` env steps, `gradient_steps` times:
///         the learner learns from `batch_size` transitions over `n_step` steps
/// ```
///
/// Source: Lin, "Self-improving reactive agents based on reinforcement learning, planning and teaching"
/// (1992); the loop is that of Lillicrap et al., "Continuous control with deep reinforcement learning"
/// (2016), algorithm 1.
///
/// Actions are scaled to the bounds of their space. A time limit is not an end: targets bootstrap through
/// it. An algorithm of one's own is a [`Learner`], its settings are made by
/// [`off_policy_settings!`](crate::off_policy_settings).
pub struct OffPolicyAgent<O, A, L> {
    observation_space: O,
    action_space: A,
    range: ActionRange,
    config: OffPolicyConfig,
    plan: Plan,
    replay: Replay<f32>,
    replay_rng: Rng,
    /// What was done last, in `[−1, 1]`.
    last_actions: Vec<f32>, // [num_envs, A]
    env_steps: u64,
    updates: u64,
    pub(crate) learner: L,
    pub(crate) batch: Batch<f32>,
    acting: RefCell<Buffers>,
}

/// What acting writes to, kept from call to call.
#[derive(Default)]
struct Buffers {
    written: Vec<f32>, // [N, width], of observations that do not lie as features
    head: Vec<f32>,
    actions: Vec<f32>, // [N, A]
    scratch: Scratch,
}

impl<O: FeatureSpace, A: BoundedSpace, L: Learner> OffPolicyAgent<O, A, L> {
    /// An agent that has learned nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`], also where a bound of the actions is infinite.
    pub fn new(
        observation_space: O,
        action_space: A,
        config: L::Config,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        let build = config.network().builder(&HIDDEN, torch_default)?;
        Self::with_network(observation_space, action_space, config, plan, &build)
    }

    /// The same with actor and critics that `build` builds, whatever the settings say of their layers.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`AgentError::Mismatch`] where another network was built.
    #[expect(clippy::needless_pass_by_value, reason = "agents own their settings")]
    pub fn with_network(
        observation_space: O,
        action_space: A,
        config: L::Config,
        plan: &Plan,
        build: &BuildNetwork<'_>,
    ) -> Result<Self, AgentError> {
        let shared = config.off_policy();
        shared.check(plan)?;
        threads::single_threaded_at_first_use();
        let range = ActionRange::new(&action_space)?;
        let io = Io::new(observation_space.parts(), range.width(), build);
        let widths = io.widths();
        let num_envs = plan.num_envs;
        let mut agent = Self {
            learner: L::new(&config, &io, plan.seed)?,
            replay: Replay::with_storage(
                observation_space.storage(),
                shared.buffer_size,
                (widths.observation, widths.action),
                num_envs,
                shared.n_step,
            )?,
            replay_rng: plan.seed.child("replay", 0).rng(),
            last_actions: vec![0.0; num_envs * widths.action],
            env_steps: 0,
            updates: 0,
            batch: Batch::default(),
            acting: RefCell::default(),
            config: shared,
            observation_space,
            action_space,
            range,
            plan: *plan,
        };
        agent.set_engine(config.network().engine)?;
        Ok(agent)
    }

    /// What learns, with its networks.
    #[must_use]
    pub fn learner(&self) -> &L {
        &self.learner
    }

    /// What happened, as far as it is remembered.
    #[must_use]
    pub fn replay(&self) -> &Replay<f32> {
        &self.replay
    }

    /// The env steps so far.
    #[must_use]
    pub fn env_steps(&self) -> u64 {
        self.env_steps
    }

    pub(crate) fn widths(&self) -> Widths {
        Widths { observation: self.observation_space.width(), action: self.range.width() }
    }

    /// How much of the training has passed, from 0 to 1.
    pub(crate) fn progress(&self) -> f64 {
        self.plan.progress(self.env_steps)
    }

    /// Remembers an experience. Returns the number of updates that are due.
    ///
    /// # Errors
    /// [`AgentError::Env`] unless it has one row an environment.
    pub(crate) fn take_in(&mut self, experience: &Experience<O, A>) -> Result<u64, AgentError> {
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

    /// Lets the learner learn from a minibatch, wherever its transitions come from.
    pub(crate) fn update(&mut self, batch: &Batch<f32>) -> Result<Option<Metrics>, AgentError> {
        self.updates += 1;
        let (update, env_steps) = (self.updates, self.env_steps);
        self.learner.update(batch, Moment { update, env_steps, progress: self.progress() })
    }

    /// Random actions in `[−1, 1]`, one for each of `n` environments.
    fn write_random_actions(&self, n: usize, rng: &mut Rng, rows: &mut Vec<f32>) {
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
    }
}

impl<O: FeatureSpace, A: BoundedSpace, L: Learner> Policy<O, A> for OffPolicyAgent<O, A, L> {
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) -> Result<(), AgentError> {
        let n = observations.len();
        let Buffers { written, head, actions: rows, scratch } = &mut *self.acting.borrow_mut();
        if mode == Mode::Explore && self.env_steps < self.config.learning_starts {
            self.write_random_actions(n, rng, rows);
        } else {
            let features = features(&self.observation_space, observations, written);
            let acting = Acting { mode, progress: self.progress(), rng, head, scratch };
            self.learner.act(features, n, acting, rows)?;
            AgentError::check_outputs(&*rows)?;
        }
        actions.truncate(n);
        for (i, row) in rows.chunks_exact_mut(self.range.width()).enumerate() {
            self.range.to_bounds(row);
            match actions.get_mut(i) {
                Some(action) => self.action_space.clip_into(row, action),
                None => actions.push(self.action_space.clip(row)),
            }
        }
        Ok(())
    }
}

impl<O: FeatureSpace, A: BoundedSpace, L: Learner> Agent<O, A> for OffPolicyAgent<O, A, L> {
    fn first_update(&self) -> u64 {
        let OffPolicyConfig { learning_starts, train_every, .. } = self.config;
        first_due(learning_starts, train_every, self.plan.num_envs)
    }

    fn has_learned(&self) -> bool {
        self.updates > 0
    }

    fn learn(&mut self, experience: &Experience<O, A>) -> Result<Option<Metrics>, AgentError> {
        let mut metrics = None;
        let mut batch = std::mem::take(&mut self.batch);
        let mut grace = Grace::default();
        for _ in 0..self.take_in(experience)? {
            grace.check()?;
            self.replay.sample(self.config.batch_size, &mut self.replay_rng, &mut batch)?;
            metrics = self.update(&batch)?.or(metrics);
        }
        self.batch = batch;
        Ok(metrics)
    }

    fn begin_episodes(&mut self) {
        self.replay.begin_episodes();
    }
}

impl<O, A, L: Learner> Networks for OffPolicyAgent<O, A, L> {
    fn evaluated_by(&self) -> &'static str {
        all_plain(self.learner.networks().into_iter().map(|(_, network)| network))
    }

    fn encoders_mut(&mut self) -> Vec<&mut dyn EncoderNetwork> {
        let networks = self.learner.networks_mut().into_iter();
        networks.map(|network| network as &mut dyn EncoderNetwork).collect()
    }

    fn named_parameters(&self) -> Vec<(String, &Parameters)> {
        let networks = self.learner.networks().into_iter();
        networks.map(|(name, network)| (name, network.parameters())).collect()
    }

    fn begin_from(&mut self, other: &Self) -> Result<(), AgentError> {
        let there = other.learner.networks();
        copy_networks(self.learner.networks_mut(), there.into_iter().map(|(_, network)| network))
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

impl<O: FeatureSpace, A: BoundedSpace, L: Learner> Checkpoint for OffPolicyAgent<O, A, L> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("learner", &self.learner)?;
        state.insert_part("replay", &self.replay)?;
        state.insert("replay_rng", &self.replay_rng)?;
        state.insert_array("last_actions", &[self.last_actions.len()], &self.last_actions);
        state.insert("env_steps", &self.env_steps)?;
        state.insert("updates", &self.updates)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("learner", &mut self.learner)?;
        state.load_part("replay", &mut self.replay)?;
        self.replay.check_actions("finite numbers", |x| x.is_finite())?;
        self.replay_rng = state.get("replay_rng")?;
        self.last_actions = state.finite_array("last_actions", &[self.last_actions.len()])?;
        self.env_steps = state.counter("env_steps")?;
        self.updates = state.counter("updates")?;
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
