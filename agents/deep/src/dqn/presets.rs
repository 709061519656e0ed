//! The settings that suit the environments that DQN and Rainbow were tuned on.

use gymnast_core::nn::{Activation, ConvConfig};
use gymnast_harness::{Preset, Presets, Schedule, Training};

use super::{Distribution, DqnConfig};

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
        ]
    }
}

impl DqnConfig {
    /// Rainbow's settings: every switch is on.
    ///
    /// Source: Hessel et al., "Rainbow: Combining improvements in deep reinforcement learning"
    /// (2018), section 5: α = 0.5, β from 0.4 to 1, three steps, σ₀ = 0.5, 51 atoms from −10 to 10.
    #[must_use]
    pub fn rainbow() -> Self {
        Self {
            double: true,
            dueling: true,
            n_step: 3,
            priority_exponent: 0.5,
            noise: 0.5,
            epsilon: 0.0.into(),
            distribution: Distribution::Categorical,
            ..Self::default()
        }
    }

    /// Rainbow's presets.
    #[must_use]
    pub fn rainbow_presets() -> Vec<Preset<Self>> {
        vec![]
    }
}
