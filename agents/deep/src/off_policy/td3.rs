//! TD3: twin delayed deep deterministic policy gradient.

mod config;

use gymnast_core::nn::Net;
use gymnast_envs::{Rng, Seed};
use gymnast_harness::{AgentError, Metrics, checkpoint};

pub use config::Td3Config;

use crate::{
    mathematics::targets,
    memory::replay::Batch,
    moment::Moment,
    networks::{
        critics::Critics,
        deterministic::{DeterministicActor, add_noise},
        io::{Acting, Io},
    },
    off_policy::{Learner, OffPolicyAgent},
};

/// Updates of the actor between two reports of metrics.
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
/// Settings: [`Td3Config`]. What it shares with other agents: [`OffPolicyAgent`].
pub type Td3<O, A> = OffPolicyAgent<O, A, Td3Learner>;

/// How [`Td3`] learns from a minibatch.
pub struct Td3Learner {
    config: Td3Config,
    actor: DeterministicActor,
    critics: Critics,
    noise_rng: Rng,
    next: Next,
}

/// What an update writes to, kept from update to update.
#[derive(Default)]
struct Next {
    action: Vec<f32>, // [B, A]
    value: Vec<f32>,  // [B]
    target: Vec<f32>, // [B]
}

impl Td3Learner {
    /// The policy.
    #[must_use]
    pub fn actor(&self) -> &DeterministicActor {
        &self.actor
    }
}

impl Learner for Td3Learner {
    type Config = Td3Config;

    fn new(config: &Td3Config, io: &Io<'_>, seed: Seed) -> Result<Self, AgentError> {
        config.check()?;
        let init = seed.child("init", 0);
        Ok(Self {
            actor: DeterministicActor::new(io, init)?,
            critics: Critics::new(2, io, init)?,
            noise_rng: seed.child("noise", 0).rng(),
            next: Next::default(),
            config: config.clone(),
        })
    }

    fn networks(&self) -> Vec<(String, &Net)> {
        self.actor.networks().chain(self.critics.networks()).collect()
    }

    fn networks_mut(&mut self) -> Vec<&mut Net> {
        self.actor.networks_mut().chain(self.critics.networks_mut()).collect()
    }

    fn act(
        &self,
        observations: &[f32],
        n: usize,
        acting: Acting<'_>,
        actions: &mut Vec<f32>,
    ) -> Result<(), AgentError> {
        let noise = self.config.exploration_noise.at(acting.progress);
        self.actor.act(observations, n, noise, acting, actions)
    }

    fn update(
        &mut self,
        batch: &Batch<f32>,
        moment: Moment,
    ) -> Result<Option<Metrics>, AgentError> {
        let Batch { observation, action, reward, discount, next_observation, .. } = batch;
        let size = reward.len();
        let Td3Config { target_noise, target_noise_clip, policy_delay, tau, .. } = self.config;
        let rate = self.config.learning_rate.at(moment.progress);
        let descent = moment.descent(rate);

        let Next { action: next_action, value, target } = &mut self.next;
        self.actor.next_action(next_observation, size, next_action)?;
        let (noise, clip) = (target_noise as f32, target_noise_clip as f32);
        add_noise(next_action, noise, clip, &mut self.noise_rng);
        self.critics.next_value(next_observation, next_action, size, value)?;
        targets::actor_critic(reward, discount, value, target)?;
        let (critic_loss, q) = self.critics.update(observation, action, target, descent)?;

        if !moment.update.is_multiple_of(policy_delay) {
            return Ok(None);
        }
        let climb = |action: &[f32], by_action: &mut Vec<f32>| {
            self.critics.climb_first(observation, action, by_action)
        };
        let actor_q = self.actor.ascend(observation, size, climb, descent)?;
        self.actor.follow(tau)?;
        self.critics.follow(tau)?;

        if !(moment.update / policy_delay).is_multiple_of(METRICS_EVERY) {
            return Ok(None);
        }
        moment.check_loss(critic_loss)?;
        moment.check_loss(actor_q)?;
        Ok(Some(
            Metrics::new()
                .with("critic_loss", critic_loss)
                .with("q", q)
                .with("actor_q", actor_q)
                .with("exploration_noise", self.config.exploration_noise.at(moment.progress))
                .with("learning_rate", rate),
        ))
    }
}

checkpoint!(Td3Learner { part actor, part critics, value noise_rng });

#[cfg(test)]
mod tests;
