//! SAC: soft actor-critic with a learned temperature.

mod config;
mod temperature;

use std::cell::RefCell;

use gymnast_core::{
    nn::{Activation, Mlp, Network as _, Scratch},
    threads,
};
use gymnast_envs::{BoundedSpace, Experience, FeatureSpace, Rng};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Grace, Metrics, Mode, Plan, Policy, StateDict,
};
use rand::RngExt as _;
use rand_distr::StandardNormal;
use tch::{Kind, Tensor};

pub use config::SacConfig;
use temperature::Temperature;

use crate::{
    critics::{Critics, action_gradient},
    learned::{Learned, evaluate, follow_mean},
    off_policy::OffPolicy,
    replay::Batch,
    tanh_normal::{self, LOG_STD_BOUNDS},
    targets,
};

/// Metrics are read back from libtorch once every so many updates.
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
/// Settings: [`SacConfig`].
pub struct Sac<O, A> {
    config: SacConfig,
    pub(crate) experience: OffPolicy<O, A>,
    /// Reads observations; its rows are the means, then log σ.
    actor: Learned,
    averaged: Option<Mlp>,
    critics: Critics,
    temperature: Temperature,
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
    head: Vec<f32>,     // [N, 2 A]
    actions: Vec<f32>,  // [N, A]
    scratch: Scratch,
}

/// What an update writes to, kept from update to update.
#[derive(Default)]
struct Learning {
    next_head: Vec<f32>,     // [B, 2 A]
    next_action: Vec<f32>,   // [B, A]
    next_log_prob: Vec<f32>, // [B]
    next_value: Vec<f32>,    // [B]
    target: Vec<f32>,        // [B]
    noise: Vec<f32>,         // [B, A]
    scratch: Scratch,
}

impl<O: FeatureSpace, A: BoundedSpace> Sac<O, A> {
    /// An agent that has learned nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`], also where a bound of the actions is infinite.
    pub fn new(
        observation_space: O,
        action_space: A,
        config: SacConfig,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        config.check()?;
        threads::single_threaded();
        let experience =
            OffPolicy::new(observation_space, action_space, config.off_policy(), plan)?;
        let (width, actions) = experience.widths();
        let SacConfig { hidden, activation, alpha, .. } = &config;
        let seed = plan.seed.child("init", 0);
        let mut rng = seed.child("actor", 0).rng();
        // Both begin with the same weights.
        let twin = &mut rng.clone();
        let actor = |rng| Learned::new(hidden, *activation, width, 2 * actions, rng);
        Ok(Self {
            averaged: if config.average > 0.0 { Some(actor(twin)?.network) } else { None },
            actor: actor(&mut rng)?,
            critics: Critics::new(2, hidden, *activation, (width, actions), seed)?,
            temperature: Temperature::new(*alpha, &mut rng)?,
            noise_rng: plan.seed.child("noise", 0).rng(),
            updates: 0,
            acting: RefCell::default(),
            batch: Batch::default(),
            learning: Learning::default(),
            experience,
            config,
        })
    }

    /// Draws an action in `[−1, 1]` for each of `n` rows of observations.
    pub(crate) fn draw_actions(
        &mut self,
        observations: &[f32], // [N, width]
        n: usize,
        rng: &mut Rng,
        actions: &mut Vec<f32>, // [N, A]
    ) -> Result<(), AgentError> {
        let Learning { next_head, next_log_prob, scratch, .. } = &mut self.learning;
        let width = self.experience.widths().1;
        self.actor.evaluate(observations, n, scratch, next_head)?;
        fill_normal(actions, n * width, rng);
        tanh_normal::sample(next_head, actions, width, next_log_prob)?;
        Ok(())
    }

    /// One step down the gradients of critics, actor and temperature. Returns metrics where they
    /// are due.
    pub(crate) fn update(&mut self, batch: &Batch<f32>) -> Result<Option<Metrics>, AgentError> {
        let size = batch.reward.len();
        let (width, actions) = self.experience.widths();
        let rate = self.config.learning_rate.at(self.experience.progress());
        let alpha = self.temperature.alpha();

        let Learning { next_head, next_action, next_log_prob, next_value, target, noise, scratch } =
            &mut self.learning;
        let next_observation = &batch.next_observation;
        self.actor.evaluate(next_observation, size, scratch, next_head)?;
        fill_normal(next_action, size * actions, &mut self.noise_rng);
        tanh_normal::sample(next_head, next_action, actions, next_log_prob)?;
        self.critics.next_value(next_observation, next_action, size, next_value)?;
        let descent = self.experience.descent(rate);
        let (reward, discount) = (&batch.reward, &batch.discount);
        targets::soft_q(reward, discount, next_value, next_log_prob, alpha, target)?;
        let (critic_loss, q) =
            self.critics.update(&batch.observation, &batch.action, target, descent)?;

        fill_normal(noise, size * actions, &mut self.noise_rng);
        let rows = |numbers: &[f32], width: usize| {
            Tensor::from_slice(numbers).view([size as i64, width as i64])
        };
        let observation = rows(&batch.observation, width); // [B, width]
        let head = self.actor.network.forward(&observation); // [B, 2 A]
        let (action, log_prob) = tanh_normal::rsample(&head, &rows(noise, actions)); // [B, A], [B]
        let (value, ascent) =
            action_gradient(|rows| self.critics.least(rows), &observation, &action)?; // [B], [B, A]
        let loss = actor_loss(&action, &log_prob, &ascent, f64::from(alpha)); // []
        self.actor.minimize(&loss, descent)?;

        let entropy = -log_prob.mean(Kind::Float).double_value(&[]);
        if self.config.automatic {
            let aim = self.config.target_entropy * actions as f64;
            self.temperature.update(entropy, aim, descent)?;
        }
        self.critics.follow(self.config.tau)?;

        self.updates += 1;
        if let Some(averaged) = &mut self.averaged {
            let (mean, newest) = (averaged.parameters_mut(), self.actor.network.parameters());
            follow_mean(mean, newest, self.config.average, self.updates)?;
        }
        if !self.updates.is_multiple_of(METRICS_EVERY) {
            return Ok(None);
        }
        if !(critic_loss.is_finite() && entropy.is_finite()) {
            let env_steps = self.experience.env_steps();
            return Err(AgentError::Diverged { what: "a loss", value: critic_loss, env_steps });
        }
        let actor_loss = -f64::from(alpha) * entropy - value.mean(Kind::Float).double_value(&[]);
        Ok(Some(
            Metrics::new()
                .with("critic_loss", critic_loss)
                .with("q", q)
                .with("actor_loss", actor_loss)
                .with("entropy", entropy)
                .with("alpha", f64::from(alpha))
                .with("learning_rate", rate),
        ))
    }
}

/// What the actor descends: its gradient is that of mean (α log π(a | s) − min Q(s, a)), with the
/// critics' share ∇ₐ min Q given as `ascent`; its value is not.
///
/// `action` and `ascent` are `[B, A]`, `log_prob` is `[B]`.
///
/// Source: Haarnoja et al. (2018), equations 9 and 10.
fn actor_loss(action: &Tensor, log_prob: &Tensor, ascent: &Tensor, alpha: f64) -> Tensor {
    let q = (action * ascent).sum_dim_intlist([-1_i64].as_slice(), false, Kind::Float); // [B]
    (log_prob * alpha - q).mean(Kind::Float)
}

/// `count` numbers from the standard normal distribution.
fn fill_normal(numbers: &mut Vec<f32>, count: usize, rng: &mut Rng) {
    numbers.clear();
    numbers.extend((0..count).map(|_| rng.sample::<f32, _>(StandardNormal)));
}

impl<O: FeatureSpace, A: BoundedSpace> Policy<O, A> for Sac<O, A> {
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) {
        let n = observations.len();
        let width = self.experience.widths().1;
        let Acting { features, head, actions: rows, scratch } = &mut *self.acting.borrow_mut();
        if !self.experience.write_random_actions(mode, n, rng, rows) {
            self.experience.write_features(observations, features);
            let network = match &self.averaged {
                Some(averaged) if mode == Mode::Exploit => averaged,
                _ => &self.actor.network,
            };
            evaluate(network, features, n, scratch, head)
                .expect("the features have the network's width");
            rows.clear();
            for head in head.chunks_exact(2 * width) {
                let (mean, log_std) = head.split_at(width);
                rows.extend(mean.iter().zip(log_std).map(|(mean, log_std)| match mode {
                    Mode::Explore => {
                        let log_std = log_std.clamp(LOG_STD_BOUNDS.0, LOG_STD_BOUNDS.1);
                        mean + log_std.exp() * rng.sample::<f32, _>(StandardNormal)
                    }
                    Mode::Exploit => *mean,
                }));
            }
            Activation::Tanh.apply(rows);
        }
        self.experience.write_actions(mode, rows, actions);
    }
}

impl<O: FeatureSpace, A: BoundedSpace> Agent<O, A> for Sac<O, A> {
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

impl<O: FeatureSpace, A: BoundedSpace> Checkpoint for Sac<O, A> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("experience", &self.experience)?;
        state.insert_part("actor", &self.actor)?;
        if let Some(averaged) = &self.averaged {
            state.insert_part("averaged", averaged)?;
        }
        state.insert_part("critics", &self.critics)?;
        state.insert_part("temperature", &self.temperature)?;
        state.insert("noise_rng", &self.noise_rng)?;
        state.insert("updates", &self.updates)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("experience", &mut self.experience)?;
        state.load_part("actor", &mut self.actor)?;
        if let Some(averaged) = &mut self.averaged {
            state.load_part("averaged", averaged)?;
        }
        state.load_part("critics", &mut self.critics)?;
        state.load_part("temperature", &mut self.temperature)?;
        self.noise_rng = state.get("noise_rng")?;
        self.updates = state.counter("updates")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
