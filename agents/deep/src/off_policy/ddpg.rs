//! DDPG: deep deterministic policy gradient.

mod config;

use gymnast_core::nn::Net;
use gymnast_envs::Seed;
use gymnast_harness::{AgentError, Metrics, checkpoint};

pub use config::DdpgConfig;

use crate::{
    mathematics::targets,
    memory::replay::Batch,
    moment::Moment,
    networks::{
        critics::Critics,
        deterministic::DeterministicActor,
        io::{Acting, Io},
    },
    off_policy::{Learner, OffPolicyAgent},
};

/// Updates between two reports of metrics.
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
/// Settings: [`DdpgConfig`]. What it shares with other agents: [`OffPolicyAgent`].
pub type Ddpg<O, A> = OffPolicyAgent<O, A, DdpgLearner>;

/// How [`Ddpg`] learns from a minibatch.
pub struct DdpgLearner {
    config: DdpgConfig,
    actor: DeterministicActor,
    critics: Critics,
    next: Next,
}

/// What an update writes to, kept from update to update.
#[derive(Default)]
struct Next {
    action: Vec<f32>, // [B, A]
    value: Vec<f32>,  // [B]
    target: Vec<f32>, // [B]
}

impl DdpgLearner {
    /// The policy.
    #[must_use]
    pub fn actor(&self) -> &DeterministicActor {
        &self.actor
    }
}

impl Learner for DdpgLearner {
    type Config = DdpgConfig;

    fn new(config: &DdpgConfig, io: &Io<'_>, seed: Seed) -> Result<Self, AgentError> {
        config.check()?;
        let init = seed.child("init", 0);
        Ok(Self {
            actor: DeterministicActor::new(io, init)?,
            critics: Critics::new(1, io, init)?,
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
        let tau = self.config.tau;
        let rate = self.config.learning_rate.at(moment.progress);
        let descent = moment.descent(rate);

        let Next { action: next_action, value, target } = &mut self.next;
        self.actor.next_action(next_observation, size, next_action)?;
        self.critics.next_value(next_observation, next_action, size, value)?;
        targets::actor_critic(reward, discount, value, target)?;
        let (critic_loss, q) = self.critics.update(observation, action, target, descent)?;
        let climb = |action: &[f32], by_action: &mut Vec<f32>| {
            self.critics.climb_first(observation, action, by_action)
        };
        let actor_q = self.actor.ascend(observation, size, climb, descent)?;
        self.actor.follow(tau)?;
        self.critics.follow(tau)?;

        if !moment.update.is_multiple_of(METRICS_EVERY) {
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

checkpoint!(DdpgLearner { part actor, part critics });

#[cfg(test)]
mod tests;
