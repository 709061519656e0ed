//! The settings of REINFORCE, and those that suit the environments it was tuned on.

use gymnast_core::nn::{Activation, LayerConfig};
use gymnast_harness::{AgentError, Preset, Presets, Schedule, SearchRange, Training};
use serde::{Deserialize, Serialize};

use crate::actor_critic::{ActorCriticConfig, LEAST_LOG_STD, search_ranges};

gymnast_harness::documented! {
    /// The settings of [`Reinforce`](super::Reinforce).
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct ReinforceConfig {
        /// The widths of the hidden layers, of the policy and of the value function alike.
        pub hidden: Vec<usize>,
        /// What follows each hidden layer.
        pub activation: Activation,
        /// Layers that read an observation's pictures, of shape [H, W, C] or [H, W]; none, and they are
        /// read as rows: [{ conv2d = { channels = 16, kernel = 3 } }, { activation = "relu" }].
        pub encoder: Vec<LayerConfig>,
        /// Layers in the place of `hidden`, with `hidden = []`, before the output layer:
        /// [{ linear = { outputs = 64 } }, { layer_norm = {} }, { activation = "tanh" }].
        pub head: Vec<LayerConfig>,
        /// The logarithm of the actions' standard deviation before learning, where they are
        /// real-valued.
        pub log_std: f64,
        /// The least that the logarithm of the deviation may become by learning.
        pub min_log_std: f64,
        /// Evaluate with an average of the weights over roughly this fraction of past updates (0: off).
        pub average: f64,
        /// Normalise observations by the mean and deviation of those learned from so far.
        pub normalize_observations: bool,
        /// Rewards are multiplied by this before they are learned from: with it the values can be
        /// brought near 1, where a fresh network's are.
        pub reward_scale: f64,
        /// The whole episodes of an update.
        pub episodes_per_update: usize,
        /// Learn values as a baseline, and subtract them from the returns.
        pub baseline: bool,
        /// Take away the mean of what the policy follows, and divide by its deviation, over each
        /// update's steps.
        pub normalize: bool,
        /// Adam's step size.
        pub learning_rate: Schedule,
        /// The discount γ, in [-1, 1]: negative where the next observation is the other player's
        /// (self-play).
        pub gamma: f64,
        /// The weight of the baseline's loss.
        pub value_coefficient: f64,
        /// The weight of the policy's entropy.
        pub entropy_coefficient: f64,
        /// The gradient's norm is clipped to this.
        pub max_grad_norm: f64,
    }
}

impl Default for ReinforceConfig {
    fn default() -> Self {
        Self {
            hidden: vec![64, 64],
            activation: Activation::Tanh,
            encoder: Vec::new(),
            head: Vec::new(),
            log_std: 0.0,
            min_log_std: LEAST_LOG_STD,
            average: 0.0,
            normalize_observations: false,
            reward_scale: 1.0,
            episodes_per_update: 8,
            baseline: true,
            normalize: true,
            learning_rate: Schedule::linear(3e-3, 0.0, 1.0),
            gamma: 0.99,
            value_coefficient: 0.5,
            entropy_coefficient: 0.0,
            max_grad_norm: 0.5,
        }
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
    pub(super) fn networks(&self) -> ActorCriticConfig {
        ActorCriticConfig {
            hidden: self.hidden.clone(),
            activation: self.activation,
            encoder: self.encoder.clone(),
            head: self.head.clone(),
            log_std: self.log_std,
            min_log_std: self.min_log_std,
            average: self.average,
            normalize_observations: self.normalize_observations,
        }
    }

    pub(super) fn check(&self) -> Result<(), AgentError> {
        let require = AgentError::require;
        self.learning_rate.check_step_size("learning_rate")?;
        let gamma = self.gamma;
        require((-1.0..=1.0).contains(&gamma), "gamma", &gamma, "a discount in [-1, 1]")?;
        let episodes = self.episodes_per_update;
        let fits = (1..=1 << 16).contains(&episodes);
        require(fits, "episodes_per_update", &episodes, "1 to 65536")?;
        let scale = self.reward_scale;
        require(scale > 0.0 && scale.is_finite(), "reward_scale", &scale, "a positive number")?;
        let norm = self.max_grad_norm;
        require(norm > 0.0, "max_grad_norm", &norm, "a positive number")?;
        for (key, value) in [
            ("value_coefficient", self.value_coefficient),
            ("entropy_coefficient", self.entropy_coefficient),
        ] {
            require(value >= 0.0 && value.is_finite(), key, &value, "a number from 0 on")?;
        }
        Ok(())
    }
}
