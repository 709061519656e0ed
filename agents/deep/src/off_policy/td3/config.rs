//! The settings of TD3, and those that suit the environments it was tuned on.

use gymnast_harness::{AgentError, Preset, Presets, Schedule, SearchRange, within};

use crate::{
    off_policy::{check_rates, pendulum, search_ranges},
    off_policy_settings,
};

off_policy_settings! {
    /// The settings of [`Td3`](super::Td3). Noise is in shares of half the range of an action.
    ///
    /// The defaults are the paper's; the step size, networks and batch are those of the authors' later code.
    pub struct Td3Config {
        /// Adam's step size, for actor and critics.
        pub learning_rate: Schedule = 3e-4.into(),
        /// The targets move by this share of the way to the networks, whenever the actor learns.
        pub tau: f64 = 0.005,
        /// The deviation of the noise that explores.
        pub exploration_noise: Schedule = 0.1.into(),
        /// The deviation of the noise on the target's action.
        pub target_noise: f64 = 0.2,
        /// The noise on the target's action is clipped to plus or minus this.
        pub target_noise_clip: f64 = 0.5,
        /// Updates of the critics for each update of the actor and the targets.
        pub policy_delay: u64 = 2,
    }
}

impl Presets for Td3Config {
    fn presets() -> Vec<Preset<Self>> {
        let settings = Self {
            hidden: vec![64, 64],
            learning_rate: Schedule::linear(1e-3, 0.0, 1.0),
            gamma: 0.98,
            reward_scale: 0.1,
            tau: 0.01,
            exploration_noise: 0.2.into(),
            buffer_size: 20_000,
            batch_size: 128,
            learning_starts: 500,
            ..Self::default()
        };
        vec![pendulum(20_000, settings)]
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("exploration_noise", "uniform(0.05, 0.5)")])
    }
}

impl Td3Config {
    pub(super) fn check(&self) -> Result<(), AgentError> {
        check_rates(&self.learning_rate, self.tau)?;
        self.exploration_noise.check("exploration_noise", 0.0, 10.0, "a deviation in [0, 10]")?;
        within("target_noise", self.target_noise, 0.0..=10.0, "a deviation in [0, 10]")?;
        let expected = "a number from 0 on";
        within("target_noise_clip", self.target_noise_clip, 0.0..f64::INFINITY, expected)?;
        within("policy_delay", self.policy_delay, 1.., "at least 1")
    }
}
