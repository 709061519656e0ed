//! The settings of DDPG, and those that suit the environments it was tuned on.

use gymnast_core::nn::Activation;
use gymnast_harness::{AgentError, Preset, Presets, Schedule, Training};
use serde::{Deserialize, Serialize};

use crate::off_policy::{OffPolicyConfig, check_networks};

gymnast_harness::documented! {
    /// The settings of [`Ddpg`](super::Ddpg). Noise is in shares of half the range of an action.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct DdpgConfig {
        /// The widths of the hidden layers of actor and critics.
        pub hidden: Vec<usize>,
        /// What follows each hidden layer.
        pub activation: Activation,
        /// Adam's step size, for actor and critics.
        pub learning_rate: Schedule,
        /// The discount γ, in [0, 1].
        pub gamma: f64,
        /// Rewards are multiplied by this before they are learned from.
        pub reward_scale: f64,
        /// The targets move by this share of the way to the networks with each update.
        pub tau: f64,
        /// The deviation of the noise that explores.
        pub exploration_noise: Schedule,
        /// The transitions that the memory holds.
        pub buffer_size: usize,
        /// The transitions of an update.
        pub batch_size: usize,
        /// The env steps before the first update, with random actions.
        pub learning_starts: u64,
        /// The rewards that a target sums before it bootstraps.
        pub n_step: usize,
        /// The chance that a random action is the last one again, for tasks that want a push that
        /// lasts; 0 draws each anew.
        pub repeat_random: f64,
        /// Learn every so many env steps …
        pub train_every: u64,
        /// Updates in each round, 1 to 10000.
        pub gradient_steps: u64,
    }
}

impl Default for DdpgConfig {
    /// Those of TD3, so that the two compare; the paper's network is 400-300, its τ 0.001.
    fn default() -> Self {
        Self {
            hidden: vec![256, 256],
            activation: Activation::Relu,
            learning_rate: 3e-4.into(),
            gamma: 0.99,
            reward_scale: 1.0,
            tau: 0.005,
            exploration_noise: 0.1.into(),
            buffer_size: 1_000_000,
            batch_size: 256,
            learning_starts: 1_000,
            n_step: 1,
            repeat_random: 0.0,
            train_every: 1,
            gradient_steps: 1,
        }
    }
}

impl Presets for DdpgConfig {
    fn presets() -> Vec<Preset<Self>> {
        vec![Preset {
            env: "Pendulum-v1",
            settings: Self {
                hidden: vec![64, 64],
                learning_rate: Schedule::linear(1e-3, 0.0, 1.0),
                gamma: 0.98,
                reward_scale: 0.1,
                tau: 0.01,
                buffer_size: 20_000,
                batch_size: 128,
                learning_starts: 500,
                ..Self::default()
            },
            // One episode's return varies by 85, with where it starts: hence a hundred of them.
            training: Training {
                env_steps: 10_000,
                eval_every: 500,
                eval_episodes: 100,
                ..Training::default()
            },
            source: "tuned here: see docs/results.md",
        }]
    }
}

impl DdpgConfig {
    pub(super) fn check(&self) -> Result<(), AgentError> {
        check_networks(&self.hidden, &self.learning_rate, self.tau)?;
        self.off_policy().check()?;
        self.exploration_noise.check("exploration_noise", 0.0, 10.0, "a deviation in [0, 10]")
    }

    pub(super) fn off_policy(&self) -> OffPolicyConfig {
        OffPolicyConfig {
            gamma: self.gamma,
            reward_scale: self.reward_scale,
            buffer_size: self.buffer_size,
            batch_size: self.batch_size,
            learning_starts: self.learning_starts,
            n_step: self.n_step,
            repeat_random: self.repeat_random,
            train_every: self.train_every,
            gradient_steps: self.gradient_steps,
        }
    }
}
