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

use std::cell::RefCell;

use gymnast_core::{
    loss,
    nn::{Activation, Dueling, Mlp, MlpConfig, Network, Scratch},
    optim::{Adam, AdamConfig, AdamState, Optimizer as _},
    threads,
};
use gymnast_envs::{Experience, FeatureSpace, FiniteSpace, Rng};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Metrics, Mode, Plan, Policy, Preset, Presets,
    Schedule, StateDict, Training,
};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use tch::no_grad;

use crate::{
    replay::{Batch, Replay},
    targets::{self, pick},
};

/// Metrics are read back from libtorch once every so many updates.
const METRICS_EVERY: u64 = 50;

gymnast_harness::documented! {
    /// The settings of [`Dqn`].
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct DqnConfig {
        /// The widths of the network's hidden layers.
        pub hidden: Vec<usize>,
        /// What follows each hidden layer.
        pub activation: Activation,
        /// Adam's step size.
        pub learning_rate: Schedule,
        /// The discount γ, in [0, 1].
        pub gamma: f64,
        /// Rewards are multiplied by this before they are learned from: with it the values can be
        /// brought near 1, where a fresh network's are.
        pub reward_scale: f64,
        /// The steps whose rewards a target sums before it bootstraps: 1 is the paper's.
        pub n_step: usize,
        /// The share of random actions ε, in [0, 1].
        pub epsilon: Schedule,
        /// The transitions that the memory holds.
        pub buffer_size: usize,
        /// The transitions of an update.
        pub batch_size: usize,
        /// The env steps before the first update.
        pub learning_starts: u64,
        /// Learn every so many env steps …
        pub train_every: u64,
        /// … with so many updates.
        pub gradient_steps: u64,
        /// Move the target network every so many env steps …
        pub target_every: u64,
        /// … by this share of the way: 1 is the paper's copy.
        pub tau: f64,
        /// The gradient's norm is clipped to this.
        pub max_grad_norm: f64,
        /// Exploit with the weights' running mean over about this share of all updates so far; 0
        /// exploits with the weights as they are.
        pub average: f64,
        /// Select the successor's action with the online network (double DQN).
        pub double: bool,
        /// Split the network into the state's value and the actions' advantages (dueling DQN).
        pub dueling: bool,
    }
}

impl Default for DqnConfig {
    fn default() -> Self {
        Self {
            hidden: vec![128, 128],
            activation: Activation::Relu,
            learning_rate: Schedule::linear(1e-3, 0.0, 1.0),
            gamma: 0.99,
            reward_scale: 1.0,
            n_step: 1,
            epsilon: Schedule::linear(1.0, 0.05, 0.1),
            buffer_size: 100_000,
            batch_size: 64,
            learning_starts: 1_000,
            train_every: 1,
            gradient_steps: 1,
            target_every: 1,
            tau: 0.005,
            max_grad_norm: 10.0,
            average: 0.0,
            double: true,
            dueling: false,
        }
    }
}

impl Presets for DqnConfig {
    fn presets() -> Vec<Preset<Self>> {
        // tanh keeps values bounded where nothing was seen: with ReLU they diverge, since a time
        // limit is bootstrapped through. Several steps and a longer horizon carry the news of a
        // fall, and of a slow drift off the track, to where it can still be prevented.
        let cart_pole = Self {
            activation: Activation::Tanh,
            gamma: 0.995,
            reward_scale: 0.1,
            n_step: 3,
            epsilon: Schedule::linear(1.0, 0.04, 0.02),
            batch_size: 128,
            learning_starts: 250,
            tau: 0.05,
            average: 0.1,
            ..Self::default()
        };
        let training = Training::default();
        let source = "tuned here over 10 seeds: see docs/results.md";
        let preset =
            |env| Preset { env, settings: cart_pole.clone(), training: training.clone(), source };
        vec![preset("CartPole-v1"), preset("CartPole-v0")]
    }
}

impl DqnConfig {
    fn check(&self) -> Result<(), AgentError> {
        let require = AgentError::require;
        self.learning_rate.check("learning_rate", 0.0, 1.0, "a step size in [0, 1]")?;
        self.epsilon.check("epsilon", 0.0, 1.0, "a share in [0, 1]")?;
        let unit = 0.0..=1.0;
        require(unit.contains(&self.gamma), "gamma", &self.gamma, "a discount in [0, 1]")?;
        let tau = self.tau;
        require(tau > 0.0 && tau <= 1.0, "tau", &tau, "a share in (0, 1]")?;
        let fits = u32::try_from(self.buffer_size).is_ok_and(|n| n < u32::MAX);
        require(fits, "buffer_size", &self.buffer_size, "a 32-bit number")?;
        let average = self.average;
        require(unit.contains(&average), "average", &average, "a share in [0, 1]")?;
        let scale = self.reward_scale;
        require(scale > 0.0 && scale.is_finite(), "reward_scale", &scale, "a positive number")?;
        let norm = self.max_grad_norm;
        require(norm > 0.0, "max_grad_norm", &norm, "a positive number")?;
        let hidden = &self.hidden;
        require(hidden.iter().all(|&n| n > 0), "hidden", hidden, "positive widths")?;
        for (key, value) in [
            ("buffer_size", self.buffer_size as u64),
            ("batch_size", self.batch_size as u64),
            ("n_step", self.n_step as u64),
            ("train_every", self.train_every),
            ("gradient_steps", self.gradient_steps),
            ("target_every", self.target_every),
        ] {
            require(value > 0, key, &value, "at least 1")?;
        }
        Ok(())
    }
}

/// The DQN agent.
pub struct Dqn<O, A> {
    observation_space: O,
    action_space: A,
    config: DqnConfig,
    plan: Plan,
    online: Box<dyn Network>,
    target: Box<dyn Network>,
    /// The weights' running mean, which exploits.
    averaged: Box<dyn Network>,
    optimizer: Adam,
    replay: Replay,
    replay_rng: Rng,
    env_steps: u64,
    updates: u64,
    acting: RefCell<Acting>,
}

/// What acting writes to, kept from call to call.
#[derive(Default)]
struct Acting {
    features: Vec<f32>, // [N, width]
    q: Vec<f32>,        // [N, A]
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
        let (online, target, averaged) = (build()?, build()?, build()?);
        let optimizer = Adam::new(AdamConfig::default(), online.parameters()).map_err(backend)?;
        Ok(Self {
            replay: Replay::new(config.buffer_size, width, plan.num_envs, config.n_step),
            replay_rng: plan.seed.child("replay", 0).rng(),
            env_steps: 0,
            updates: 0,
            acting: RefCell::default(),
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

    /// One step down the gradient. Returns metrics where they are due.
    fn update(&mut self, batch: &Batch) -> Result<Option<Metrics>, AgentError> {
        let target = no_grad(|| {
            let next_q = self.target.forward(&batch.next_observation); // [B, A]
            if self.config.double {
                let selector = self.online.forward(&batch.next_observation); // [B, A]
                targets::double_q(&batch.reward, &batch.discount, &selector, &next_q) // [B]
            } else {
                targets::q_learning(&batch.reward, &batch.discount, &next_q) // [B]
            }
        });
        let q = pick(&self.online.forward(&batch.observation), &batch.action); // [B]
        let loss = loss::huber(&q, &target, 1.0, None); // []

        let (learning_rate, max_norm) = (self.learning_rate(), self.config.max_grad_norm as f32);
        let parameters = self.online.parameters_mut();
        let grad_norm = self
            .optimizer
            .minimize(&loss, parameters, learning_rate, Some(max_norm))
            .map_err(backend)?;
        self.updates += 1;
        // The mean's memory grows with the training: 1 / rate updates, `average` of them all.
        let rate = 1.0 / (1.0 + self.config.average * self.updates as f64);
        self.averaged
            .parameters_mut()
            .polyak(self.online.parameters(), rate as f32)
            .map_err(backend)?;

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
        let network = if mode == Mode::Explore { &self.online } else { &self.averaged };
        network
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
        let (observation_space, action_space) = (&self.observation_space, &self.action_space);
        let DqnConfig { gamma, reward_scale, .. } = self.config;
        self.replay.push(observation_space, action_space, experience, gamma, reward_scale);
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
            let batch = self.replay.sample(self.config.batch_size, &mut self.replay_rng);
            metrics = self.update(&batch)?.or(metrics);
        }
        for _ in 0..moves {
            self.target
                .parameters_mut()
                .polyak(self.online.parameters(), self.config.tau as f32)
                .map_err(backend)?;
        }
        Ok(metrics)
    }
}

impl<O: FeatureSpace, A: FiniteSpace> Checkpoint for Dqn<O, A> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        let len = [self.online.parameters().len()];
        state.insert_array("online", &len, self.online.parameters().values());
        state.insert_array("target", &len, self.target.parameters().values());
        state.insert_array("averaged", &len, self.averaged.parameters().values());
        let AdamState { m, v, step } = self.optimizer.state();
        state.insert_array("adam/m", &len, m);
        state.insert_array("adam/v", &len, v);
        state.insert("adam/step", &step)?;
        state.insert_part("replay", &self.replay)?;
        state.insert("replay_rng", &self.replay_rng)?;
        state.insert("env_steps", &self.env_steps)?;
        state.insert("updates", &self.updates)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let len = [self.online.parameters().len()];
        let misfit = |name: &str, error: &dyn ToString| CheckpointError::Mismatch {
            name: name.to_owned(),
            expected: format!("{} parameters", len[0]),
            got: error.to_string(),
        };
        for (name, network) in [
            ("online", &mut self.online),
            ("target", &mut self.target),
            ("averaged", &mut self.averaged),
        ] {
            let values: Vec<f32> = state.array(name, &len)?;
            network.parameters_mut().load(&values).map_err(|e| misfit(name, &e))?;
        }
        let m: Vec<f32> = state.array("adam/m", &len)?;
        let v: Vec<f32> = state.array("adam/v", &len)?;
        let adam = AdamState { m: &m, v: &v, step: state.get("adam/step")? };
        self.optimizer.load_state(adam).map_err(|e| misfit("adam", &e))?;
        state.load_part("replay", &mut self.replay)?;
        self.replay_rng = state.get("replay_rng")?;
        self.env_steps = state.get("env_steps")?;
        self.updates = state.get("updates")?;
        Ok(())
    }
}

/// The first of the greatest values. Two actions of a network are never equal but by accident.
fn argmax(values: &[f32]) -> usize {
    let better = |best: usize, i: usize| if values[i] > values[best] { i } else { best };
    (0..values.len()).reduce(better).expect("an action space is not empty")
}

fn backend<E: std::error::Error>(error: E) -> AgentError {
    let error: &dyn std::error::Error = &error;
    AgentError::Backend(error.to_string())
}
