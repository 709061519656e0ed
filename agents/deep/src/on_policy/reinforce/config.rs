//! The settings of REINFORCE, and those that suit the environments it was tuned on.

use gymnast_harness::{AgentError, Preset, Presets, Schedule, SearchRange, Training, within};

use crate::{networks::actor_critic::search_ranges, on_policy_settings};

on_policy_settings! {
    /// The settings of [`Reinforce`](super::Reinforce).
    pub struct ReinforceConfig {
        /// The whole episodes of an update.
        pub episodes_per_update: usize = 8,
        /// Learn values as a baseline, and subtract them from the returns.
        pub baseline: bool = true,
        /// Take away the mean of what the policy follows, and divide by its deviation, over each
        /// update's steps.
        pub normalize: bool = true,
        /// Adam's step size.
        pub learning_rate: Schedule = Schedule::linear(3e-3, 0.0, 1.0),
    }
}

impl Presets for ReinforceConfig {
    fn presets() -> Vec<Preset<Self>> {
        // Small updates after two episodes lose no seed, as larger ones do. The average keeps what has
        // been reached, and the step size is small after half of the training.
        let cart_pole = Self {
            average: 0.03,
            reward_scale: 0.1,
            gamma: 0.995,
            episodes_per_update: 2,
            learning_rate: Schedule::exponential(5e-3, 1e-4, 0.5),
            ..Self::default()
        };
        let training = Training { env_steps: 200_000, ..Training::default() };
        let source = "tuned here over 40 seeds";
        vec![Preset { env: "CartPole-v1", settings: cart_pole, training, source }]
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("episodes_per_update", "log_int(1, 16)")])
    }
}

impl ReinforceConfig {
    pub(super) fn check(&self) -> Result<(), AgentError> {
        self.learning_rate.check_step_size("learning_rate")?;
        within("episodes_per_update", self.episodes_per_update, 1..=1 << 16, "1 to 65536")
    }
}
