//! TD3: twin delayed deep deterministic policy gradient.

mod config;

use std::cell::RefCell;

use gymnast_core::{nn::Scratch, threads};
use gymnast_envs::{BoundedSpace, Experience, FeatureSpace, Rng};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Grace, Metrics, Mode, Plan, Policy, StateDict,
};

pub use config::Td3Config;

use crate::{
    critics::Critics,
    deterministic::{DeterministicActor, add_noise},
    off_policy::OffPolicy,
    replay::Batch,
    targets,
};

/// Metrics are returned once every so many updates of the actor.
const METRICS_EVERY: u64 = 50;

/// The TD3 agent, for observations that a network can read and actions in a bounded box.
///
/// Source: Fujimoto, van Hoof and Meger, "Addressing function approximation error in actor-critic
/// methods" (2018), <https://arxiv.org/abs/1802.09477>, algorithm 1:
///
/// ```text
/// for each env step:
///     a = μ(s; φ) + noise; take a, observe r, s'; store (s, a, r, s')
///     on a minibatch:
///         ã = μ'(s') + clip(noise, −c, c)
///         y = r + γ min Q'ᵢ(s', ã), or r where s' is terminal
///         descend the gradient of (Qᵢ(s, a) − y)² with respect to each critic, i = 1, 2
///         every d updates:
///             ascend the gradient of Q₁(s, μ(s)) with respect to φ
///             the targets μ' and Q'ᵢ move by τ of the way to μ and Qᵢ
/// ```
///
/// Departures: none in the update. Actions are scaled to the bounds of their space, and cut to them
/// wherever noise is added. The first env steps are random. A time limit is not an end: the target
/// bootstraps through it.
///
/// Metrics: `critic_loss`, `q` (the mean value of the actions taken, in scaled rewards), `actor_q`
/// (that of the actor's own actions, by the first critic), `exploration_noise`, `learning_rate`.
///
/// Settings: [`Td3Config`].
pub struct Td3<O, A> {
    config: Td3Config,
    experience: OffPolicy<O, A>,
    actor: DeterministicActor,
    critics: Critics,
    noise_rng: Rng,
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

impl<O: FeatureSpace, A: BoundedSpace> Td3<O, A> {
    /// An agent that has learned nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`], also where a bound of the actions is infinite.
    pub fn new(
        observation_space: O,
        action_space: A,
        config: Td3Config,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        config.check()?;
        threads::single_threaded();
        let experience =
            OffPolicy::new(observation_space, action_space, config.off_policy(), plan)?;
        let Td3Config { hidden, activation, .. } = &config;
        let (widths, seed) = (experience.widths(), plan.seed.child("init", 0));
        Ok(Self {
            actor: DeterministicActor::new(hidden, *activation, widths, seed)?,
            critics: Critics::new(2, hidden, *activation, widths, seed)?,
            noise_rng: plan.seed.child("noise", 0).rng(),
            updates: 0,
            acting: RefCell::default(),
            batch: Batch::default(),
            learning: Learning::default(),
            experience,
            config,
        })
    }

    /// One step of the critics, and of the actor where it is due. Returns metrics where they are
    /// due.
    fn update(&mut self, batch: &Batch<f32>) -> Result<Option<Metrics>, AgentError> {
        let size = batch.reward.len();
        let Td3Config { target_noise, target_noise_clip, policy_delay, tau, .. } = self.config;
        let rate = self.config.learning_rate.at(self.experience.progress());

        let Learning { next_action, next_value, target } = &mut self.learning;
        let next_observation = &batch.next_observation;
        self.actor.next_action(next_observation, size, next_action)?;
        let (noise, clip) = (target_noise as f32, target_noise_clip as f32);
        add_noise(next_action, noise, clip, &mut self.noise_rng);
        self.critics.next_value(next_observation, next_action, size, next_value)?;
        targets::actor_critic(&batch.reward, &batch.discount, next_value, target)?;
        let descent = self.experience.descent(rate);
        let (critic_loss, q) =
            self.critics.update(&batch.observation, &batch.action, target, descent)?;

        self.updates += 1;
        if !self.updates.is_multiple_of(policy_delay) {
            return Ok(None);
        }
        let first = |rows: &tch::Tensor| self.critics.first(rows);
        let actor_q = self.actor.ascend(&batch.observation, size, first, descent)?;
        self.actor.follow(tau)?;
        self.critics.follow(tau)?;

        if !(self.updates / policy_delay).is_multiple_of(METRICS_EVERY) {
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

impl<O: FeatureSpace, A: BoundedSpace> Policy<O, A> for Td3<O, A> {
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

impl<O: FeatureSpace, A: BoundedSpace> Agent<O, A> for Td3<O, A> {
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

impl<O: FeatureSpace, A: BoundedSpace> Checkpoint for Td3<O, A> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("experience", &self.experience)?;
        state.insert_part("actor", &self.actor)?;
        state.insert_part("critics", &self.critics)?;
        state.insert("noise_rng", &self.noise_rng)?;
        state.insert("updates", &self.updates)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("experience", &mut self.experience)?;
        state.load_part("actor", &mut self.actor)?;
        state.load_part("critics", &mut self.critics)?;
        self.noise_rng = state.get("noise_rng")?;
        self.updates = state.counter("updates")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
