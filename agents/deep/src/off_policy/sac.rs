//! SAC: soft actor-critic with a learned temperature.

mod config;

use gymnast_core::nn::Net;
use gymnast_envs::{Rng, Seed};
use gymnast_harness::{AgentError, Metrics, checkpoint};

pub use config::SacConfig;

use crate::{
    mathematics::targets,
    memory::replay::Batch,
    moment::Moment,
    networks::{
        critics::Critics,
        io::{Acting, Io},
        soft_actor::{SoftActor, SoftActorSettings},
    },
    off_policy::{Learner, OffPolicyAgent, check_rates},
};

/// Updates between two reports of metrics.
const METRICS_EVERY: u64 = 50;

/// The SAC agent, for observations that a network can read and actions in a bounded box.
///
/// Source: Haarnoja et al., "Soft actor-critic algorithms and applications" (2018),
/// <https://arxiv.org/abs/1812.05905>, algorithm 1:
///
/// ```text
/// for each env step:
///     a = tanh(u), u drawn from N(μ(s; φ), σ(s; φ)); take a, observe r, s'; store (s, a, r, s')
///     for each gradient step, on a minibatch:
///         y = r + γ (min Q'ᵢ(s', a') − α log π(a' | s')), a' drawn from π; y = r where s' is terminal
///         descend the gradient of (Qᵢ(s, a) − y)² with respect to each critic, i = 1, 2
///         descend the gradient of α log π(a | s) − min Qᵢ(s, a) with respect to φ, a = tanh(μ + σ ε)
///         descend the gradient of −log α (log π(a | s) + H̄) with respect to log α
///         the target critics Q'ᵢ move by τ of the way to Qᵢ
/// ```
///
/// Departures: none in the update but the factor ½ of the critics' loss, which Adam does not see, and
/// the temperature's loss, linear in log α as in the authors' own implementation. Actions are scaled
/// to the bounds of their space. The first env steps are random. A time limit is not an end: the
/// target bootstraps through it.
///
/// Metrics: `critic_loss`, `q` (the mean value of the actions taken, in scaled rewards),
/// `actor_loss`, `entropy` (of the squashed policy), `alpha`, `learning_rate`.
///
/// Settings: [`SacConfig`]. What it shares with other agents: [`OffPolicyAgent`].
pub type Sac<O, A> = OffPolicyAgent<O, A, SacLearner>;

/// How [`Sac`] learns from a minibatch.
pub struct SacLearner {
    config: SacConfig,
    actor: SoftActor,
    critics: Critics,
    noise_rng: Rng,
    next: Next,
}

/// What an update writes to, kept from update to update.
#[derive(Default)]
struct Next {
    action: Vec<f32>,   // [B, A]
    log_prob: Vec<f32>, // [B]
    value: Vec<f32>,    // [B]
    target: Vec<f32>,   // [B]
}

impl SacLearner {
    /// The policy, with its temperature.
    #[must_use]
    pub fn actor(&self) -> &SoftActor {
        &self.actor
    }

    /// Draws an action in `[−1, 1]` for each of `n` observations `[n, width]`.
    pub(crate) fn draw_actions(
        &mut self,
        observations: &[f32],
        n: usize,
        rng: &mut Rng,
        actions: &mut Vec<f32>, // [n, A]
    ) -> Result<(), AgentError> {
        self.actor.draw(observations, n, rng, actions, &mut self.next.log_prob)
    }
}

impl Learner for SacLearner {
    type Config = SacConfig;

    fn new(config: &SacConfig, io: &Io<'_>, seed: Seed) -> Result<Self, AgentError> {
        check_rates(&config.learning_rate, config.tau)?;
        let SacConfig { alpha, automatic, target_entropy, average, .. } = config;
        let actor = SoftActorSettings {
            alpha: *alpha,
            target_entropy: automatic.then_some(*target_entropy),
            average: *average,
        };
        let init = seed.child("init", 0);
        Ok(Self {
            actor: SoftActor::new(&actor, io, init)?,
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
        self.actor.act(observations, n, acting, actions)
    }

    fn update(
        &mut self,
        batch: &Batch<f32>,
        moment: Moment,
    ) -> Result<Option<Metrics>, AgentError> {
        let Batch { observation, action, reward, discount, next_observation, .. } = batch;
        let size = reward.len();
        let alpha = self.actor.alpha();
        let rate = self.config.learning_rate.at(moment.progress);
        let descent = moment.descent(rate);

        let noise_rng = &mut self.noise_rng;
        let Next { action: next_action, log_prob, value, target } = &mut self.next;
        self.actor.draw(next_observation, size, noise_rng, next_action, log_prob)?;
        self.critics.next_value(next_observation, next_action, size, value)?;
        targets::soft_q(reward, discount, value, log_prob, alpha, target)?;
        let (critic_loss, q) = self.critics.update(observation, action, target, descent)?;

        let climb = |action: &[f32], by_action: &mut Vec<f32>| {
            self.critics.climb_least(observation, action, by_action)
        };
        let ascent = self.actor.ascend(observation, size, climb, noise_rng, descent)?;
        self.critics.follow(self.config.tau)?;
        self.actor.follow_mean(moment.update)?;

        if !moment.update.is_multiple_of(METRICS_EVERY) {
            return Ok(None);
        }
        moment.check_loss(critic_loss)?;
        moment.check_loss(ascent.entropy)?;
        Ok(Some(
            Metrics::new()
                .with("critic_loss", critic_loss)
                .with("q", q)
                .with("actor_loss", -f64::from(alpha) * ascent.entropy - ascent.q)
                .with("entropy", ascent.entropy)
                .with("alpha", f64::from(alpha))
                .with("learning_rate", rate),
        ))
    }
}

checkpoint!(SacLearner { part actor, part critics, value noise_rng });

#[cfg(test)]
mod tests;
