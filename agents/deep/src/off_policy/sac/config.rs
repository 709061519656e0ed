//! The settings of SAC, and those that suit the environments it was tuned on.

use gymnast_harness::{Preset, Presets, Schedule, SearchRange, Training};

use crate::{
    off_policy::{pendulum, search_ranges},
    off_policy_settings,
};

off_policy_settings! {
    /// The settings of [`Sac`](super::Sac).
    ///
    /// The defaults are the paper's.
    pub struct SacConfig {
        /// Adam's step size, for actor, critics and temperature.
        pub learning_rate: Schedule = 3e-4.into(),
        /// The target critics move by this share of the way to the critics with each update.
        pub tau: f64 = 0.005,
        /// Temperature α, the weight of the entropy. With `automatic`, its initial value.
        pub alpha: f64 = 1.0,
        /// Learn the temperature, so that the policy keeps the entropy that is aimed at.
        pub automatic: bool = true,
        /// The entropy aimed at, for each number of an action: −1 is the paper's −dim(A).
        pub target_entropy: f64 = -1.0,
        /// Evaluate with an average of the actor's weights over roughly this fraction of past updates (0:
        /// off).
        pub average: f64 = 0.0,
    }
}

impl Presets for SacConfig {
    fn presets() -> Vec<Preset<Self>> {
        // Small networks, large steps and targets that follow fast: the values of so smooth a task
        // are learned in a few episodes. Scaled rewards bring them near a fresh network's.
        let swing_up = Self {
            hidden: vec![64, 64],
            learning_rate: Schedule::linear(2e-3, 0.0, 1.0),
            gamma: 0.98,
            reward_scale: 0.1,
            tau: 0.02,
            alpha: 0.1,
            buffer_size: 20_000,
            batch_size: 128,
            learning_starts: 250,
            ..Self::default()
        };
        // A push that lasts swings the car up to its goal by chance, which independent actions never
        // do; from then on the memory knows what is worth the effort. The updates in runs of 32 are those
        // of rl-baselines3-zoo; with its discount of 0.9999, under which being late costs nothing, the
        // values of one seed in twenty rise above the greatest return there is, and the policy is lost.
        let mountain_car = Preset {
            env: "MountainCarContinuous-v0",
            settings: Self {
                hidden: vec![64, 64],
                learning_rate: Schedule::linear(1e-3, 0.0, 1.0),
                gamma: 0.999,
                tau: 0.01,
                alpha: 0.1,
                buffer_size: 50_000,
                batch_size: 128,
                learning_starts: 5_000,
                repeat_random: 0.97,
                train_every: 32,
                gradient_steps: 32,
                ..Self::default()
            },
            training: Training { env_steps: 30_000, ..Training::default() },
            source: "tuned here: see docs/results.md",
        };
        // As DQN's preset: rewards near 0.01 to 1, targets three steps ahead and an update every second
        // step. With fewer steps ahead or more updates, every third seed learns to hover for good.
        let lunar_lander = Preset {
            env: "LunarLanderContinuous-v0",
            settings: Self {
                hidden: vec![128, 128],
                learning_rate: 1e-3.into(),
                reward_scale: 0.02,
                tau: 0.01,
                alpha: 0.02,
                buffer_size: 100_000,
                batch_size: 128,
                learning_starts: 10_000,
                n_step: 3,
                train_every: 4,
                gradient_steps: 2,
                average: 0.02,
                ..Self::default()
            },
            training: Training { env_steps: 100_000, eval_every: 10_000, ..Training::default() },
            source: "the pace of the targets and the random start from rl-baselines3-zoo, the rest tried \
                     here: see docs/scores.md",
        };
        vec![pendulum(10_000, swing_up), mountain_car, lunar_lander]
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[])
    }
}
