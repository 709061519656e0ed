//! DQN: Q-learning with a network, experience replay and a target network.
//!
//! Source: Mnih et al., "Human-level control through deep reinforcement learning" (2015),
//! algorithm 1:
//!
//! ```text
//! for each env step:
//!     choose a with the ε-greedy policy derived from Q(·; θ)
//!     take action a, observe r, s'; store (s, a, r, s') in the replay memory
//!     draw a minibatch of transitions from the memory
//!     y = r + γ max_a' Q(s', a'; θ⁻), or r where s' is terminal
//!     descend the gradient of Huber(y − Q(s, a; θ)) with respect to θ
//!     every C env steps: θ⁻ ← θ
//! ```
//!
//! Departures: Adam instead of RMSprop; the gradient's global norm is clipped; `double` takes the
//! target of van Hasselt et al. (2016), `dueling` the network of Wang et al. (2016); with `tau`
//! below 1 the target network follows slowly (Lillicrap et al., 2016); with `n_step` above 1 the
//! target sums several rewards before it bootstraps (Hessel et al., 2018); with `average` above 0
//! exploitation uses averaged weights (Polyak and Juditsky, 1992), as values wander between
//! policies that are equally good in what was seen last. Exploration and target
//! updates count env steps, whatever the number of environments. A time limit is not an end: the
//! target bootstraps through it.
//!
//! Metrics: `loss` (Huber), `q` (the mean value of the actions taken, in scaled rewards), `grad_norm` (before
//! clipping), `epsilon`, `learning_rate`.

mod config;

use std::cell::RefCell;

use gymnast_core::{
    loss,
    nn::{Dueling, Mlp, MlpConfig, Network, Scratch},
    optim::{Adam, AdamConfig, Optimizer as _},
    threads,
};
use gymnast_envs::{Experience, FeatureSpace, FiniteSpace, Rng};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Metrics, Mode, Plan, Policy, StateDict,
};
use rand::RngExt as _;
use tch::Tensor;

pub use config::DqnConfig;

use crate::{
    learned::{load_adam, load_network, save_adam, save_network},
    replay::{Batch, Replay},
    targets::{self, argmax},
};

/// Metrics are read back from libtorch once every so many updates.
const METRICS_EVERY: u64 = 50;

/// The DQN agent.
pub struct Dqn<O, A> {
    observation_space: O,
    action_space: A,
    config: DqnConfig,
    plan: Plan,
    online: Box<dyn Network>,
    target: Box<dyn Network>,
    /// The weights' running mean, which exploits in their place.
    averaged: Option<Box<dyn Network>>,
    optimizer: Adam,
    replay: Replay<i64>,
    replay_rng: Rng,
    env_steps: u64,
    updates: u64,
    acting: RefCell<Acting>,
    learning: Learning,
}

/// What acting writes to, kept from call to call.
#[derive(Default)]
struct Acting {
    features: Vec<f32>, // [N, width]
    q: Vec<f32>,        // [N, A]
    scratch: Scratch,
}

/// What an update writes to, kept from update to update.
#[derive(Default)]
struct Learning {
    batch: Batch<i64>,
    next_q: Vec<f32>,        // [B, A], by the target network
    online_next_q: Vec<f32>, // [B, A]
    target: Vec<f32>,        // [B]
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
        config.check()?;
        let size = config.buffer_size;
        let holds = size > plan.num_envs;
        AgentError::require(holds, "buffer_size", &size, "more than `training.num_envs`")?;
        threads::single_threaded();
        let (width, actions) = (observation_space.width(), action_space.size());
        let network = MlpConfig {
            hidden: config.hidden.clone(),
            activation: config.activation,
            ..MlpConfig::default()
        };
        let build = || -> Result<Box<dyn Network>, AgentError> {
            // The same stream each time: the others start as copies.
            let mut rng = plan.seed.child("init", 0).rng();
            Ok(if config.dueling {
                Box::new(Dueling::new(&network, width, actions, &mut rng).map_err(backend)?)
            } else {
                Box::new(Mlp::new(&network, width, actions, &mut rng).map_err(backend)?)
            })
        };
        let (online, target) = (build()?, build()?);
        let averaged = if config.average > 0.0 { Some(build()?) } else { None };
        let optimizer = Adam::new(AdamConfig::default(), online.parameters()).map_err(backend)?;
        Ok(Self {
            replay: Replay::new(config.buffer_size, (width, 1), plan.num_envs, config.n_step)?,
            replay_rng: plan.seed.child("replay", 0).rng(),
            env_steps: 0,
            updates: 0,
            acting: RefCell::default(),
            learning: Learning::default(),
            plan: *plan,
            observation_space,
            action_space,
            config,
            online,
            target,
            averaged,
            optimizer,
        })
    }

    fn epsilon(&self) -> f64 {
        self.config.epsilon.at(self.plan.progress(self.env_steps))
    }

    fn learning_rate(&self) -> f64 {
        self.config.learning_rate.at(self.plan.progress(self.env_steps))
    }

    /// One step down the gradient, on a minibatch. Returns metrics where they are due.
    fn update(&mut self) -> Result<Option<Metrics>, AgentError> {
        let Learning { batch, next_q, online_next_q, target, scratch } = &mut self.learning;
        let size = self.config.batch_size;
        self.replay.sample(size, &mut self.replay_rng, batch);

        let next = &batch.next_observation;
        next_q.resize(size * self.target.outputs(), 0.0);
        self.target.evaluate(next, size, scratch, next_q).map_err(backend)?;
        if self.config.double {
            online_next_q.resize(next_q.len(), 0.0);
            self.online.evaluate(next, size, scratch, online_next_q).map_err(backend)?;
            targets::double_q(&batch.reward, &batch.discount, online_next_q, next_q, target);
        } else {
            targets::q_learning(&batch.reward, &batch.discount, next_q, target);
        }

        let rows = [size as i64, self.online.inputs() as i64];
        let observation = Tensor::from_slice(&batch.observation).view(rows); // [B, width]
        // `take` counts through all rows; its gradient costs less than `gather`'s.
        for (action, row) in batch.action.iter_mut().zip((0..).step_by(self.online.outputs())) {
            *action += row;
        }
        let q = self.online.forward(&observation).take(&Tensor::from_slice(&batch.action)); // [B]
        let loss = loss::huber(&q, &Tensor::from_slice(target), 1.0, None); // []

        let (learning_rate, max_norm) = (self.learning_rate(), self.config.max_grad_norm as f32);
        let parameters = self.online.parameters_mut();
        let grad_norm = self
            .optimizer
            .minimize(&loss, parameters, learning_rate, Some(max_norm))
            .map_err(backend)?;
        self.updates += 1;
        if let Some(averaged) = &mut self.averaged {
            // The mean's memory grows with the training: 1 / rate updates, `average` of them all.
            let rate = 1.0 / (1.0 + self.config.average * self.updates as f64);
            let online = self.online.parameters();
            averaged.parameters_mut().polyak(online, rate as f32).map_err(backend)?;
        }

        if !self.updates.is_multiple_of(METRICS_EVERY) {
            return Ok(None);
        }
        let loss = loss.double_value(&[]);
        if !loss.is_finite() {
            let env_steps = self.env_steps;
            return Err(AgentError::Diverged { what: "the loss", value: loss, env_steps });
        }
        Ok(Some(
            Metrics::new()
                .with("loss", loss)
                .with("q", q.mean(None).double_value(&[]))
                .with("grad_norm", f64::from(grad_norm))
                .with("epsilon", self.epsilon())
                .with("learning_rate", learning_rate),
        ))
    }
}

impl<O: FeatureSpace, A: FiniteSpace> Policy<O, A> for Dqn<O, A> {
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) {
        let epsilon = if mode == Mode::Explore { self.epsilon() } else { 0.0 };
        let (width, n_actions) = (self.observation_space.width(), self.action_space.size());
        let Acting { features, q, scratch } = &mut *self.acting.borrow_mut();
        features.resize(observations.len() * width, 0.0);
        q.resize(observations.len() * n_actions, 0.0);
        for (observation, row) in observations.iter().zip(features.chunks_exact_mut(width)) {
            self.observation_space.flatten(observation, row);
        }
        let exploits = self.averaged.as_ref().filter(|_| mode == Mode::Exploit);
        exploits
            .unwrap_or(&self.online)
            .evaluate(features, observations.len(), scratch, q)
            .expect("the features have the network's width");
        actions.clear();
        actions.extend(q.chunks_exact(n_actions).map(|q| {
            let explores = epsilon > 0.0 && rng.random::<f64>() < epsilon;
            let action = if explores { rng.random_range(0..n_actions) } else { argmax(q) };
            self.action_space.element(action)
        }));
    }
}

impl<O: FeatureSpace, A: FiniteSpace> Agent<O, A> for Dqn<O, A> {
    fn learn(&mut self, experience: &Experience<O, A>) -> Result<Option<Metrics>, AgentError> {
        let DqnConfig { gamma, reward_scale, .. } = self.config;
        let action_space = &self.action_space;
        let index = |action: &A::Element, row: &mut [i64]| {
            row[0] = action_space.index_of(action) as i64;
        };
        self.replay.push(&self.observation_space, experience, gamma, reward_scale, index);
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
        for _ in 0..updates {
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

impl<O: FeatureSpace, A: FiniteSpace> Checkpoint for Dqn<O, A> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        save_network(state, "online", &*self.online);
        save_network(state, "target", &*self.target);
        if let Some(averaged) = &self.averaged {
            save_network(state, "averaged", &**averaged);
        }
        save_adam(state, &self.optimizer)?;
        state.insert_part("replay", &self.replay)?;
        state.insert("replay_rng", &self.replay_rng)?;
        state.insert("env_steps", &self.env_steps)?;
        state.insert("updates", &self.updates)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        load_network(state, "online", &mut *self.online)?;
        load_network(state, "target", &mut *self.target)?;
        if let Some(averaged) = &mut self.averaged {
            load_network(state, "averaged", &mut **averaged)?;
        }
        load_adam(state, &mut self.optimizer)?;
        state.load_part("replay", &mut self.replay)?;
        self.replay_rng = state.get("replay_rng")?;
        self.env_steps = state.get("env_steps")?;
        self.updates = state.get("updates")?;
        Ok(())
    }
}

pub(crate) fn backend<E: std::error::Error>(error: E) -> AgentError {
    // libtorch adds a trace of its own calls below the first line.
    AgentError::Backend(error.to_string().lines().next().unwrap_or_default().to_owned())
}
