//! The settings of DDPG, and those that suit the environments it was tuned on.

use gymnast_harness::{AgentError, Preset, Presets, Schedule, SearchRange};

use crate::{
    off_policy::{check_rates, pendulum, search_ranges},
    off_policy_settings,
};

off_policy_settings! {
    /// The settings of [`Ddpg`](super::Ddpg). Noise is in shares of half the range of an action.
    ///
    /// The defaults are those of TD3, so that the two compare; the paper's network is 400-300, its τ 0.001.
    pub struct DdpgConfig {
        /// Adam's step size, for actor and critics.
        pub learning_rate: Schedule = 3e-4.into(),
        /// The targets move by this share of the way to the networks with each update.
        pub tau: f64 = 0.005,
        /// The deviation of the noise that explores.
        pub exploration_noise: Schedule = 0.1.into(),
    }
}

impl Presets for DdpgConfig {
    fn presets() -> Vec<Preset<Self>> {
        let settings = Self {
            hidden: vec![64, 64],
            learning_rate: Schedule::linear(1e-3, 0.0, 1.0),
            gamma: 0.98,
            reward_scale: 0.1,
            tau: 0.01,
            buffer_size: 20_000,
            batch_size: 128,
            learning_starts: 500,
            ..Self::default()
        };
        vec![pendulum(10_000, settings)]
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("exploration_noise", "uniform(0.05, 0.5)")])
    }
}

impl DdpgConfig {
    pub(super) fn check(&self) -> Result<(), AgentError> {
        check_rates(&self.learning_rate, self.tau)?;
        self.exploration_noise.check("exploration_noise", 0.0, 10.0, "a deviation in [0, 10]")
    }
}
