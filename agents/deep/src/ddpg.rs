//! DDPG: deep deterministic policy gradient.

mod config;

use std::cell::RefCell;

use gymnast_core::{nn::Scratch, threads};
use gymnast_envs::{BoundedSpace, Experience, FeatureSpace, Rng};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Grace, Metrics, Mode, Plan, Policy, StateDict,
};

pub use config::DdpgConfig;

use crate::{
    critics::Critics,
    deterministic::{DeterministicActor, add_noise},
    off_policy::OffPolicy,
    replay::Batch,
    targets,
};

/// Metrics are returned once every so many updates.
const METRICS_EVERY: u64 = 50;

/// The DDPG agent, for observations that a network can read and actions in a bounded box.
///
/// Source: Lillicrap et al., "Continuous control with deep reinforcement learning" (2016),
/// <https://arxiv.org/abs/1509.02971>, algorithm 1:
///
/// ```text
/// for each env step:
///     a = μ(s; φ) + noise; take a, observe r, s'; store (s, a, r, s')
///     on a minibatch:
///         y = r + γ Q'(s', μ'(s')), or r where s' is terminal
///         descend the gradient of (Q(s, a) − y)² with respect to the critic
///         ascend the gradient of Q(s, μ(s)) with respect to φ
///         the targets μ' and Q' move by τ of the way to μ and Q
/// ```
///
/// [`Td3`](crate::Td3) is this with three amendments. It has a file of its own, not a preset of TD3
/// with those switched off, so that what they amend can be read, and side by side.
///
/// Departures: the noise is normal and independent, in the place of an Ornstein-Uhlenbeck process,
/// which Fujimoto et al. (2018) found to bring nothing; neither batch normalisation nor weight decay;
/// the action enters the critic at its first layer, not its second; all layers start alike. Actions
/// are scaled to the bounds of their space. The first env steps are random. A time limit is not an
/// end: the target bootstraps through it.
///
/// Metrics: `critic_loss`, `q` (the mean value of the actions taken, in scaled rewards), `actor_q`
/// (that of the actor's own actions), `exploration_noise`, `learning_rate`.
///
/// Settings: [`DdpgConfig`].
pub struct Ddpg<O, A> {
    config: DdpgConfig,
    experience: OffPolicy<O, A>,
    actor: DeterministicActor,
    critics: Critics,
    updates: u64,
    acting: RefCell<Acting>,
    batch: Batch<f32>,
    learning: Learning,
}

/// What acting writes to, kept from call to call.
#[derive(Default)]
struct Acting {
    features: Vec<f32>, // [N, width]
    actions: Vec<f32>,  // [N, A]
    scratch: Scratch,
}

/// What an update writes to, kept from update to update.
#[derive(Default)]
struct Learning {
    next_action: Vec<f32>, // [B, A]
    next_value: Vec<f32>,  // [B]
    target: Vec<f32>,      // [B]
}

impl<O: FeatureSpace, A: BoundedSpace> Ddpg<O, A> {
    /// An agent that has learned nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`], also where a bound of the actions is infinite.
    pub fn new(
        observation_space: O,
        action_space: A,
        config: DdpgConfig,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        config.check()?;
        threads::single_threaded();
        let experience =
            OffPolicy::new(observation_space, action_space, config.off_policy(), plan)?;
        let DdpgConfig { hidden, activation, .. } = &config;
        let (widths, seed) = (experience.widths(), plan.seed.child("init", 0));
        Ok(Self {
            actor: DeterministicActor::new(hidden, *activation, widths, seed)?,
            critics: Critics::new(1, hidden, *activation, widths, seed)?,
            updates: 0,
            acting: RefCell::default(),
            batch: Batch::default(),
            learning: Learning::default(),
            experience,
            config,
        })
    }

    /// One step of critic and actor. Returns metrics where they are due.
    fn update(&mut self, batch: &Batch<f32>) -> Result<Option<Metrics>, AgentError> {
        let size = batch.reward.len();
        let (rate, tau) =
            (self.config.learning_rate.at(self.experience.progress()), self.config.tau);

        let Learning { next_action, next_value, target } = &mut self.learning;
        let next_observation = &batch.next_observation;
        self.actor.next_action(next_observation, size, next_action)?;
        self.critics.next_value(next_observation, next_action, size, next_value)?;
        targets::actor_critic(&batch.reward, &batch.discount, next_value, target)?;
        let descent = self.experience.descent(rate);
        let (critic_loss, q) =
            self.critics.update(&batch.observation, &batch.action, target, descent)?;
        let value = |rows: &tch::Tensor| self.critics.first(rows);
        let actor_q = self.actor.ascend(&batch.observation, size, value, descent)?;
        self.actor.follow(tau)?;
        self.critics.follow(tau)?;

        self.updates += 1;
        if !self.updates.is_multiple_of(METRICS_EVERY) {
            return Ok(None);
        }
        if !(critic_loss.is_finite() && actor_q.is_finite()) {
            let env_steps = self.experience.env_steps();
            return Err(AgentError::Diverged { what: "a loss", value: critic_loss, env_steps });
        }
        Ok(Some(
            Metrics::new()
                .with("critic_loss", critic_loss)
                .with("q", q)
                .with("actor_q", actor_q)
                .with("exploration_noise", self.exploration_noise())
                .with("learning_rate", rate),
        ))
    }

    fn exploration_noise(&self) -> f64 {
        self.config.exploration_noise.at(self.experience.progress())
    }
}

impl<O: FeatureSpace, A: BoundedSpace> Policy<O, A> for Ddpg<O, A> {
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) {
        let n = observations.len();
        let Acting { features, actions: rows, scratch } = &mut *self.acting.borrow_mut();
        if !self.experience.write_random_actions(mode, n, rng, rows) {
            self.experience.write_features(observations, features);
            self.actor
                .act(features, n, scratch, rows)
                .expect("the features have the network's width");
            if mode == Mode::Explore {
                add_noise(rows, self.exploration_noise() as f32, f32::INFINITY, rng);
            }
        }
        self.experience.write_actions(mode, rows, actions);
    }
}

impl<O: FeatureSpace, A: BoundedSpace> Agent<O, A> for Ddpg<O, A> {
    fn first_update(&self) -> u64 {
        self.experience.first_update()
    }

    fn has_learned(&self) -> bool {
        self.updates > 0
    }

    fn learn(&mut self, experience: &Experience<O, A>) -> Result<Option<Metrics>, AgentError> {
        let mut metrics = None;
        let mut batch = std::mem::take(&mut self.batch);
        let mut grace = Grace::default();
        for _ in 0..self.experience.take_in(experience)? {
            grace.check()?;
            self.experience.sample(&mut batch)?;
            metrics = self.update(&batch)?.or(metrics);
        }
        self.batch = batch;
        Ok(metrics)
    }

    fn begin_episodes(&mut self) {
        self.experience.begin_episodes();
    }
}

impl<O: FeatureSpace, A: BoundedSpace> Checkpoint for Ddpg<O, A> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("experience", &self.experience)?;
        state.insert_part("actor", &self.actor)?;
        state.insert_part("critics", &self.critics)?;
        state.insert("updates", &self.updates)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("experience", &mut self.experience)?;
        state.load_part("actor", &mut self.actor)?;
        state.load_part("critics", &mut self.critics)?;
        self.updates = state.counter("updates")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
