//! DQN: Q-learning with a network, experience replay and a target network.

mod acting;
mod checkpoint;
mod config;
mod contrast;
mod presets;
mod values;

use std::cell::RefCell;

use gymnast_core::{
    nn::{Net, Network as _, Recorded, Scratch},
    optim::{Adam, AdamConfig, Optimizer as _},
    threads,
};
use gymnast_envs::{Experience, FeatureSpace, FiniteSpace, Rng};
use gymnast_harness::{Agent, AgentError, Grace, Metrics, Plan, SettingError};

pub use config::DqnConfig;
pub use values::Distribution;

use crate::{
    mathematics::targets::greedy_actions,
    memory::replay::{Batch, Replay},
    networks::{
        learned::{backend, evaluate, follow_mean, refused},
        network::{BuildNetwork, Networks as _, Role, noisy_network},
    },
    off_policy::first_due,
};
use acting::{Acting, allowed};
use contrast::Contrast;
use values::Values;

/// Updates between two reports of metrics.
const METRICS_EVERY: u64 = 50;

/// The DQN agent.
///
/// Source: Mnih et al., "Human-level control through deep reinforcement learning" (2015),
/// algorithm 1:
///
/// ```text
/// for each env step:
///     choose a with the ε-greedy policy derived from Q(·; θ)
///     take action a, observe r, s'; store (s, a, r, s') in the replay memory
///     draw a minibatch of transitions from the memory
///     y = r + γ max_a' Q(s', a'; θ⁻), or r where s' is terminal
///     descend the gradient of Huber(y − Q(s, a; θ)) with respect to θ
///     every C env steps: θ⁻ ← θ
/// ```
///
/// Departures: Adam instead of RMSprop; the gradient's global norm is clipped. Exploration and target
/// updates count env steps, whatever the number of environments. A time limit is not an end: the
/// target bootstraps through it. Where the observation says which actions are allowed, no other is
/// taken, tried or bootstrapped from.
///
/// Switches, all of which can be on together; with `double`, `dueling`, `priority_exponent`,
/// `n_step`, `noise` and `distribution = "categorical"` it is Rainbow (Hessel et al., 2018):
///
/// - `double`: the online network selects the next action, the target network evaluates it (van
///   Hasselt et al., 2016).
/// - `dueling`: a head for the state's value and one for the actions' advantages (Wang et al., 2016).
/// - `priority_exponent`: what surprised is replayed more often (Schaul et al., 2016).
/// - `n_step`: the target sums several rewards before it bootstraps (Hessel et al., 2018).
/// - `noise`: weights drawn anew for each update and each step explore (Fortunato et al., 2018). The
///   environments of one step share them, and exploitation takes their means.
/// - `distribution`: what is learned is not the mean of the return but its distribution, by
///   categories (C51: Bellemare et al., 2017) or by quantiles (QR-DQN: Dabney et al., 2018).
/// - `conv`: convolutions read pictures (Mnih et al., 2015); `encoder` and `head` say more of the layers.
/// - `tau` below 1: the target network follows slowly (Lillicrap et al., 2016).
/// - `average`: exploitation uses averaged weights (Polyak and Juditsky, 1992), as values wander
///   between policies that are equally good in what was seen last.
/// - `contrastive`: the encoder also learns to know a picture again after a random shift: InfoNCE
///   between the online network's features of one view and the target network's of another (CURL:
///   Laskin et al., 2020, <https://arxiv.org/abs/2004.04136>; with cosines over a temperature for its
///   bilinear product, random shifts for its crops, and no projection).
///
/// [`Networks::pretrain`](crate::Networks::pretrain) trains the encoder in a like way before there is any
/// reward.
///
/// Metrics: `loss` (Huber, cross entropy or quantile Huber, and `contrastive` times the contrastive
/// loss), `q` (the mean value of the actions taken, in scaled rewards), `grad_norm` (before clipping),
/// `epsilon`, `learning_rate`; with `contrastive` also `contrastive_loss` (InfoNCE, ln of the batch size
/// where nothing is known).
///
/// Settings: [`DqnConfig`].
pub struct Dqn<O, A> {
    observation_space: O,
    action_space: A,
    config: DqnConfig,
    plan: Plan,
    /// How the networks' outputs are read.
    values: Values,
    online: Net,
    target: Net,
    /// The weights' running mean, which exploits in their place.
    averaged: Option<Net>,
    optimizer: Adam,
    replay: Replay<i64>,
    replay_rng: Rng,
    /// For updates: what acts draws from the stream that it is given.
    noise_rng: Rng,
    contrast: Option<Contrast>,
    env_steps: u64,
    updates: u64,
    acting: RefCell<Acting>,
    learning: Learning,
}

/// What an update writes to, kept from update to update.
#[derive(Default)]
struct Learning {
    batch: Batch<i64>,
    next_outputs: Vec<f32>,        // [B, A · atoms], by the target network
    online_next_outputs: Vec<f32>, // [B, A · atoms]
    next_q: Vec<f32>,              // [B, A], by the network that selects
    next_action: Vec<usize>,       // [B]
    target: Vec<f32>,              // [B, atoms]
    prediction: Vec<f32>,          // [B, atoms], of the actions taken
    by_prediction: Vec<f32>,       // [B, atoms]
    by_output: Vec<f32>,           // [B, A · atoms]
    errors: Vec<f32>,              // [B]
    recorded: Recorded,
    scratch: Scratch,
}

impl<O: FeatureSpace, A: FiniteSpace> Dqn<O, A> {
    /// An agent that has learned nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`].
    pub fn new(
        observation_space: O,
        action_space: A,
        config: DqnConfig,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        let (build, conv) = (config.builder()?, !config.conv.is_empty());
        let made = Self::with_network(observation_space, action_space, config, plan, &build);
        made.map_err(|error| match error {
            AgentError::InvalidConfig(error) if conv && error.key == "encoder" => {
                SettingError { key: "conv", ..error }.into()
            }
            other => other,
        })
    }

    /// The same with networks that `build` builds, whatever the settings say of their layers, `dueling`
    /// included: one number for each action, or as many as a distribution has `atoms`, those of an action
    /// side by side. Noise acts on the [fully connected layers](gymnast_core::nn::Module::linear) that the
    /// network names.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`AgentError::Mismatch`] where another network was built.
    pub fn with_network(
        observation_space: O,
        action_space: A,
        config: DqnConfig,
        plan: &Plan,
        build: &BuildNetwork<'_>,
    ) -> Result<Self, AgentError> {
        config.check()?;
        let (size, num_envs) = (config.buffer_size, plan.num_envs);
        let holds = size > num_envs;
        AgentError::require(holds, "buffer_size", &size, "more than `training.num_envs`")?;
        threads::single_threaded_at_first_use();
        let values = Values::new(&config);
        let (parts, outputs) = (observation_space.parts(), action_space.size() * values.atoms());
        let sigma = (config.noise > 0.0).then_some(config.noise as f32);
        let build = || {
            // The same stream each time: the others start as copies.
            let mut rng = plan.seed.child("init", 0).rng();
            noisy_network(build, Role::Q, &parts, outputs, sigma, &mut rng)
        };
        let (mut online, target) = (build()?, build()?);
        config.check_network(&online)?;
        online.set_training(true);
        let view_rng = plan.seed.child("views", 0).rng();
        let contrast = Contrast::new(&config, &observation_space.shape(), view_rng)?;
        let averaged = if config.average > 0.0 { Some(build()?) } else { None };
        let (storage, widths) = (observation_space.storage(), (observation_space.width(), 1));
        let mut replay = Replay::with_storage(storage, size, widths, num_envs, config.n_step)?;
        if config.is_prioritized() {
            replay = replay.prioritized(config.priority_exponent, config.priority_offset)?;
        }
        let noise = online.parameters().noise().cloned();
        let engine = config.engine;
        let mut agent = Self {
            replay,
            replay_rng: plan.seed.child("replay", 0).rng(),
            noise_rng: plan.seed.child("noise", 0).rng(),
            contrast,
            env_steps: 0,
            updates: 0,
            acting: RefCell::new(Acting::new(noise)),
            learning: Learning::default(),
            plan: *plan,
            observation_space,
            action_space,
            config,
            values,
            optimizer: Adam::new(AdamConfig::default(), online.parameters()).map_err(backend)?,
            online,
            target,
            averaged,
        };
        agent.set_engine(engine)?;
        Ok(agent)
    }

    /// The network whose weights exploit.
    pub fn network(&self) -> &Net {
        self.averaged.as_ref().unwrap_or(&self.online)
    }

    fn progress(&self) -> f64 {
        self.plan.progress(self.env_steps)
    }

    fn epsilon(&self) -> f64 {
        self.config.epsilon.at(self.progress())
    }

    /// One step down the gradient, on a minibatch. Returns metrics where they are due.
    fn update(&mut self) -> Result<Option<Metrics>, AgentError> {
        let progress = self.progress();
        let Learning {
            batch,
            next_outputs,
            online_next_outputs,
            next_q,
            next_action,
            target,
            prediction,
            by_prediction,
            by_output,
            errors,
            recorded,
            scratch,
        } = &mut self.learning;
        let (config, values, size) = (&self.config, &self.values, self.config.batch_size);
        if config.is_prioritized() {
            let beta = config.importance_exponent.at(progress);
            self.replay.sample_by_priority(size, beta, &mut self.replay_rng, batch)?;
        } else {
            self.replay.sample(size, &mut self.replay_rng, batch)?;
        }
        for network in [&mut self.online, &mut self.target] {
            network.parameters_mut().draw_noise(&mut self.noise_rng);
        }

        // a* = argmax Q(s', a), then y by what the target network says of (s', a*)
        let next = &batch.next_observation;
        evaluate(&self.target, next, size, scratch, next_outputs)?;
        if config.double {
            evaluate(&self.online, next, size, scratch, online_next_outputs)?;
            values.write_q(online_next_outputs, next_q);
        } else {
            values.write_q(next_outputs, next_q);
        }
        let mask = self.observation_space.action_mask();
        let width = self.online.inputs();
        let allowed = |row: usize| allowed(&next[row * width..(row + 1) * width], mask.as_ref());
        // Only a NaN among the values leaves no action.
        greedy_actions(next_q, self.action_space.size(), allowed, next_action)
            .map_err(|_| diverged("the value of an action", f64::NAN, self.env_steps))?;
        values.write_target(batch, next_outputs, next_action, target)?;

        self.online.record(&batch.observation, size, recorded).map_err(backend)?; // [B, A · atoms]
        values.predict(recorded.outputs(), &batch.action, prediction);
        let by = (by_prediction, &mut *by_output);
        let loss = values.loss(prediction, target, batch, recorded.outputs().len(), by)?;
        let online = &mut self.online;
        let contrast = self.contrast.as_mut();
        let contrastive = contrast.map(|c| c.loss(online, &self.target, &batch.observation));
        let contrastive = contrastive.transpose()?; // []
        let weighted = contrastive.as_ref().map(|info_nce| info_nce * config.contrastive);
        online.backward(by_output, recorded, weighted.as_ref()).map_err(backend)?;

        let learning_rate = config.learning_rate.at(progress);
        let max_norm = Some(config.max_grad_norm as f32);
        let grad_norm = self.optimizer.descend(online.parameters_mut(), learning_rate, max_norm);
        let grad_norm = grad_norm.map_err(|error| refused(error, self.env_steps))?;
        self.updates += 1;
        if config.is_prioritized() {
            values.write_errors(prediction, target, errors);
            if let Some(error) = errors.iter().find(|error| !error.is_finite()) {
                return Err(diverged("an error", f64::from(*error), self.env_steps));
            }
            self.replay.reprioritize(&batch.row, errors)?;
        }
        if let Some(averaged) = &mut self.averaged {
            let (mean, online) = (averaged.parameters_mut(), self.online.parameters());
            follow_mean(mean, online, config.average, self.updates)?;
        }

        if !self.updates.is_multiple_of(METRICS_EVERY) {
            return Ok(None);
        }
        let info_nce = contrastive.map(|info_nce| info_nce.double_value(&[]));
        let loss = loss + info_nce.map_or(0.0, |info_nce| config.contrastive * info_nce);
        if !loss.is_finite() {
            return Err(diverged("the loss", loss, self.env_steps));
        }
        let metrics = Metrics::new()
            .with("loss", loss)
            .with("q", values.mean(prediction))
            .with("grad_norm", f64::from(grad_norm))
            .with("epsilon", self.epsilon())
            .with("learning_rate", learning_rate);
        Ok(Some(match info_nce {
            Some(info_nce) => metrics.with("contrastive_loss", info_nce),
            None => metrics,
        }))
    }
}

fn diverged(what: &'static str, value: f64, env_steps: u64) -> AgentError {
    AgentError::Diverged { what, value, env_steps }
}

impl<O: FeatureSpace, A: FiniteSpace> Agent<O, A> for Dqn<O, A> {
    fn first_update(&self) -> u64 {
        let DqnConfig { learning_starts, train_every, .. } = self.config;
        first_due(learning_starts, train_every, self.plan.num_envs)
    }

    fn has_learned(&self) -> bool {
        self.updates > 0
    }

    fn learn(&mut self, experience: &Experience<O, A>) -> Result<Option<Metrics>, AgentError> {
        let DqnConfig { gamma, reward_scale, .. } = self.config;
        let action_space = &self.action_space;
        let index = |action: &A::Element, row: &mut [i64]| {
            row[0] = action_space.index_of(action) as i64;
        };
        self.replay.push(&self.observation_space, experience, gamma, reward_scale, index)?;
        let before = self.env_steps;
        self.env_steps += experience.len() as u64;
        if self.env_steps < self.config.learning_starts {
            return Ok(None);
        }
        let times = |every: u64| self.env_steps / every - before / every;
        let (updates, moves) = (
            times(self.config.train_every) * self.config.gradient_steps,
            times(self.config.target_every),
        );
        let mut metrics = None;
        let mut grace = Grace::default();
        for _ in 0..updates {
            grace.check()?;
            metrics = self.update()?.or(metrics);
        }
        for _ in 0..moves {
            self.target
                .parameters_mut()
                .polyak(self.online.parameters(), self.config.tau as f32)
                .map_err(backend)?;
        }
        Ok(metrics)
    }

    fn begin_episodes(&mut self) {
        self.replay.begin_episodes();
    }
}

#[cfg(test)]
mod tests;
