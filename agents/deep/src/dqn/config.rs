//! The settings of DQN, and those that suit the environments it was tuned on.

use gymnast_core::nn::Activation;
use gymnast_harness::{AgentError, Preset, Presets, Schedule, Training};
use serde::{Deserialize, Serialize};

use crate::off_policy::check_networks;

gymnast_harness::documented! {
    /// The settings of [`Dqn`](super::Dqn).
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
        // Fewer updates and a slower target than on CartPole: with more of either, values run ahead
        // of the few episodes that have reached the top.
        let mountain_car = Self {
            activation: Activation::Tanh,
            reward_scale: 0.1,
            n_step: 3,
            epsilon: Schedule::linear(1.0, 0.02, 0.15),
            batch_size: 128,
            train_every: 4,
            tau: 0.02,
            average: 0.1,
            ..Self::default()
        };
        let acrobot = Self {
            activation: Activation::Relu,
            epsilon: Schedule::linear(1.0, 0.05, 0.1),
            tau: 0.05,
            ..mountain_car.clone()
        };
        // rl-baselines3-zoo's learning rate, updates and width, with rewards scaled to values near 1.
        let lunar_lander = Self {
            hidden: vec![256, 256],
            activation: Activation::Relu,
            learning_rate: Schedule::linear(6.3e-4, 0.0, 1.0),
            reward_scale: 0.02,
            n_step: 3,
            epsilon: Schedule::linear(1.0, 0.05, 0.12),
            batch_size: 128,
            train_every: 4,
            gradient_steps: 2,
            tau: 0.01,
            average: 0.1,
            ..Self::default()
        };
        let preset = |env, settings: &Self, env_steps| Preset {
            env,
            settings: settings.clone(),
            training: Training { env_steps, ..Training::default() },
            source: "tuned here over 10 seeds: see docs/results.md",
        };
        vec![
            preset("CartPole-v1", &cart_pole, 50_000),
            preset("CartPole-v0", &cart_pole, 50_000),
            preset("MountainCar-v0", &mountain_car, 120_000),
            preset("Acrobot-v1", &acrobot, 100_000),
            Preset {
                source: "from rl-baselines3-zoo, not tuned here: fewer updates, several steps and \
                         scaled rewards as on the other environments",
                ..preset("LunarLander-v0", &lunar_lander, 200_000)
            },
        ]
    }
}

impl DqnConfig {
    pub(super) fn check(&self) -> Result<(), AgentError> {
        let require = AgentError::require;
        check_networks(&self.hidden, &self.learning_rate, self.tau)?;
        self.epsilon.check("epsilon", 0.0, 1.0, "a share in [0, 1]")?;
        let unit = 0.0..=1.0;
        require(unit.contains(&self.gamma), "gamma", &self.gamma, "a discount in [0, 1]")?;
        let average = self.average;
        require(unit.contains(&average), "average", &average, "a share in [0, 1]")?;
        let scale = self.reward_scale;
        require(scale > 0.0 && scale.is_finite(), "reward_scale", &scale, "a positive number")?;
        let norm = self.max_grad_norm;
        require(norm > 0.0, "max_grad_norm", &norm, "a positive number")?;
        let size = self.buffer_size;
        let rows = 1..u32::MAX as usize;
        require(rows.contains(&size), "buffer_size", &size, "1 to 4294967294")?;
        for (key, value) in [("batch_size", self.batch_size), ("n_step", self.n_step)] {
            require((1..=1 << 20).contains(&value), key, &value, "1 to 1048576")?;
        }
        for (key, value) in [
            ("train_every", self.train_every),
            ("gradient_steps", self.gradient_steps),
            ("target_every", self.target_every),
        ] {
            require(value > 0, key, &value, "at least 1")?;
        }
        Ok(())
    }
}
