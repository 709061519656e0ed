//! The settings of A2C, and those that suit the environments it was tuned on.

use gymnast_harness::{AgentError, Preset, Presets, Schedule, SearchRange, Training, within};

use crate::{networks::actor_critic::search_ranges, on_policy::check_rms_prop, on_policy_settings};

on_policy_settings! {
    /// The settings of [`A2c`](super::A2c).
    ///
    /// The defaults are those of Stable-Baselines3.
    pub struct A2cConfig {
        /// The steps of each environment between updates, T.
        pub n_steps: usize = 5,
        /// RMSprop's step size.
        pub learning_rate: Schedule = Schedule::Constant(7e-4),
        /// How much of its mean of squares RMSprop keeps each step, in [0, 1).
        pub rms_prop_alpha: f64 = 0.99,
        /// Added under RMSprop's root.
        pub rms_prop_eps: f64 = 1e-5,
        /// The λ of generalised advantage estimation, in [0, 1]; 1 sums all of the rollout's rewards, as the
        /// paper does.
        pub gae_lambda: f64 = 1.0,
        /// Take away the advantages' mean, and divide by their deviation, over each update's steps.
        pub normalize_advantage: bool = false,
    }
}

impl Presets for A2cConfig {
    fn presets() -> Vec<Preset<Self>> {
        // The average keeps what has been reached.
        let cart_pole = Self {
            average: 0.05,
            reward_scale: 0.1,
            n_steps: 8,
            learning_rate: Schedule::linear(5e-3, 0.0, 1.0),
            ..Self::default()
        };
        let acrobot = Self {
            normalize_observations: true,
            reward_scale: 0.05,
            learning_rate: Schedule::linear(1e-3, 0.0, 1.0),
            ..Self::default()
        };
        let mountain_car = Self {
            normalize_observations: true,
            reward_scale: 0.1,
            learning_rate: Schedule::from(2e-3),
            ..Self::default()
        };
        let source = "rl-baselines3-zoo, but for scaled rewards, a step size that decays, fewer \
                      environments and, on CartPole, longer rollouts and averaged weights: tuned \
                      here over 40 seeds";
        let preset = |env, settings, env_steps, num_envs| Preset {
            env,
            settings,
            training: Training { env_steps, num_envs, ..Training::default() },
            source,
        };
        vec![
            preset("CartPole-v1", cart_pole, 100_000, 4),
            preset("Acrobot-v1", acrobot, 300_000, 4),
            preset("MountainCar-v0", mountain_car, 150_000, 16),
        ]
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("n_steps", "log_int(4, 64)")])
    }
}

impl A2cConfig {
    pub(super) fn check(&self) -> Result<(), AgentError> {
        self.learning_rate.check_step_size("learning_rate")?;
        within("gae_lambda", self.gae_lambda, 0.0..=1.0, "a share in [0, 1]")?;
        check_rms_prop(self.rms_prop_alpha, self.rms_prop_eps)
    }
}
