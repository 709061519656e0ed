//! The settings that suit the environments that DQN and Rainbow were tuned on.

use gymnast_core::nn::{Activation, ConvConfig};
use gymnast_harness::{Preset, Presets, Schedule, SearchRange, Training};

use super::{Distribution, DqnConfig};
use crate::off_policy::search_ranges;

impl Presets for DqnConfig {
    fn presets() -> Vec<Preset<Self>> {
        let mountain_car = mountain_car();
        // Many steps go into the average: single policies differ by a few steps to the top.
        let acrobot = Self {
            activation: Activation::Relu,
            epsilon: Schedule::linear(1.0, 0.05, 0.1),
            train_every: 2,
            tau: 0.05,
            average: 0.02,
            ..mountain_car.clone()
        };
        vec![
            preset("CartPole-v1", &cart_pole(), 50_000, TUNED),
            preset("CartPole-v0", &cart_pole(), 50_000, TUNED),
            preset("MountainCar-v0", &mountain_car, 120_000, TUNED),
            preset("Acrobot-v1", &acrobot, 100_000, TUNED),
            preset("LunarLander-v0", &lunar_lander(), 200_000, ZOO),
            preset("Catch-v0", &catch(), 15_000, PIXELS),
            breakout(&min_atar_breakout()),
        ]
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("hidden", "[[64, 64], [128, 128], [256, 256]]")])
    }
}

impl DqnConfig {
    /// Rainbow's settings: every switch is on.
    ///
    /// Source: Hessel et al., "Rainbow: Combining improvements in deep reinforcement learning"
    /// (2018), table 1: α = 0.5, β from 0.4 to 1, three steps, σ₀ = 0.5, 51 atoms from −10 to 10.
    #[must_use]
    pub fn rainbow() -> Self {
        Self::default().with_everything()
    }

    /// The same with every switch on.
    fn with_everything(self) -> Self {
        Self {
            double: true,
            dueling: true,
            n_step: 3,
            priority_exponent: 0.5,
            noise: 0.5,
            epsilon: 0.0.into(),
            distribution: Distribution::Categorical,
            ..self
        }
    }

    /// What a search for settings of Rainbow tunes where it is given no ranges.
    #[must_use]
    pub fn rainbow_search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("n_step", "int(1, 5)"), ("noise", "uniform(0.1, 1)")])
    }

    /// The settings of Rainbow that are known to work, one an environment.
    #[must_use]
    pub fn rainbow_presets() -> Vec<Preset<Self>> {
        // A step pays 0.1, the longest balance 20 of them.
        let cart_pole =
            Self { batch_size: 64, v_min: 0.0, v_max: 20.0, ..cart_pole().with_everything() };
        // A step costs 0.1, so that none is worse than −10.
        let acrobot = Self {
            activation: Activation::Relu,
            tau: 0.05,
            v_max: 0.0,
            ..mountain_car().with_everything()
        };
        let catch = Self { v_min: -1.0, v_max: 1.0, ..catch().with_everything() };
        let min_atar_breakout =
            Self { v_min: 0.0, v_max: 15.0, ..min_atar_breakout().with_everything() };
        vec![
            preset("CartPole-v1", &cart_pole, 50_000, FEW),
            preset("Acrobot-v1", &acrobot, 100_000, FEW),
            preset("Catch-v0", &catch, 15_000, PIXELS),
            breakout(&min_atar_breakout),
        ]
    }
}

const TUNED: &str = "tuned here over 10 seeds: see docs/results.md";
const FEW: &str = "DQN's settings with every switch on: see docs/scores.md";
const ZOO: &str = "learning rate, batch and width from rl-baselines3-zoo, the rest tried here";
const PIXELS: &str =
    "the network of Young and Tian (2019), the rest tried here: see docs/scores.md";

fn preset(
    env: &'static str,
    settings: &DqnConfig,
    env_steps: u64,
    source: &'static str,
) -> Preset<DqnConfig> {
    let training = Training { env_steps, ..Training::default() };
    Preset { env, settings: settings.clone(), training, source }
}

fn breakout(settings: &DqnConfig) -> Preset<DqnConfig> {
    let preset = preset("MinAtarBreakout-v1", settings, 300_000, PIXELS);
    // A memory of pictures is large, and takes long to write.
    let (eval_every, checkpoint_every) = (10_000, 100_000);
    let training = Training { eval_every, log_every: 5_000, checkpoint_every, ..preset.training };
    Preset { training, ..preset }
}

/// tanh keeps values bounded where nothing was seen: with ReLU they diverge, since a time limit is
/// bootstrapped through. Several steps and a longer horizon carry the news of a fall, and of a slow
/// drift off the track, to where it can still be prevented.
fn cart_pole() -> DqnConfig {
    DqnConfig {
        activation: Activation::Tanh,
        gamma: 0.995,
        reward_scale: 0.1,
        n_step: 3,
        epsilon: Schedule::linear(1.0, 0.04, 0.02),
        batch_size: 128,
        learning_starts: 250,
        tau: 0.05,
        average: 0.1,
        ..DqnConfig::default()
    }
}

/// Fewer updates and a slower target than on CartPole: with more of either, values run ahead of the
/// few episodes that have reached the top.
fn mountain_car() -> DqnConfig {
    DqnConfig {
        activation: Activation::Tanh,
        reward_scale: 0.1,
        n_step: 3,
        epsilon: Schedule::linear(1.0, 0.02, 0.15),
        batch_size: 128,
        train_every: 4,
        tau: 0.02,
        average: 0.1,
        ..DqnConfig::default()
    }
}

/// Rewards are scaled to values near 1.
fn lunar_lander() -> DqnConfig {
    DqnConfig {
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
        ..DqnConfig::default()
    }
}

/// Pixels, of which one picture says all.
fn catch() -> DqnConfig {
    DqnConfig {
        conv: ConvConfig::min_atar(),
        hidden: vec![64],
        batch_size: 32,
        buffer_size: 20_000,
        ..DqnConfig::default()
    }
}

/// The network of MinAtar's DQN; it learns every fourth step, three steps ahead.
fn min_atar_breakout() -> DqnConfig {
    DqnConfig {
        conv: ConvConfig::min_atar(),
        hidden: vec![128],
        n_step: 3,
        batch_size: 32,
        learning_starts: 2_000,
        train_every: 4,
        target_every: 4,
        tau: 0.01,
        ..DqnConfig::default()
    }
}
