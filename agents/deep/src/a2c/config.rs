//! The settings of A2C, and those that suit the environments it was tuned on.

use gymnast_core::nn::{Activation, LayerConfig};
use gymnast_harness::{AgentError, Preset, Presets, Schedule, SearchRange, Training};
use serde::{Deserialize, Serialize};

use crate::actor_critic::{ActorCriticConfig, LEAST_LOG_STD, search_ranges};

gymnast_harness::documented! {
    /// The settings of [`A2c`](super::A2c).
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct A2cConfig {
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
        /// The steps of each environment between updates, T.
        pub n_steps: usize,
        /// RMSprop's step size.
        pub learning_rate: Schedule,
        /// How much of its mean of squares RMSprop keeps each step, in [0, 1).
        pub rms_prop_alpha: f64,
        /// Added under RMSprop's root.
        pub rms_prop_eps: f64,
        /// The discount γ, in [-1, 1]: negative where the next observation is the other player's
        /// (self-play).
        pub gamma: f64,
        /// The λ of generalised advantage estimation, in [0, 1]; 1 sums all of the rollout's rewards, as the
        /// paper does.
        pub gae_lambda: f64,
        /// Take away the advantages' mean, and divide by their deviation, over each update's steps.
        pub normalize_advantage: bool,
        /// The weight of the values' loss, c₁.
        pub value_coefficient: f64,
        /// The weight of the policy's entropy, c₂.
        pub entropy_coefficient: f64,
        /// The gradient's norm is clipped to this.
        pub max_grad_norm: f64,
    }
}

impl Default for A2cConfig {
    /// Those of Stable-Baselines3.
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
            n_steps: 5,
            learning_rate: Schedule::Constant(7e-4),
            rms_prop_alpha: 0.99,
            rms_prop_eps: 1e-5,
            gamma: 0.99,
            gae_lambda: 1.0,
            normalize_advantage: false,
            value_coefficient: 0.5,
            entropy_coefficient: 0.0,
            max_grad_norm: 0.5,
        }
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
        ]
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("n_steps", "log_int(4, 64)")])
    }
}

impl A2cConfig {
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
        let lambda = self.gae_lambda;
        require((0.0..=1.0).contains(&lambda), "gae_lambda", &lambda, "a share in [0, 1]")?;
        let (alpha, eps) = (self.rms_prop_alpha, self.rms_prop_eps);
        require((0.0..1.0).contains(&alpha), "rms_prop_alpha", &alpha, "a share in [0, 1)")?;
        let positive = eps > 0.0 && eps.is_finite();
        require(positive, "rms_prop_eps", &eps, "a positive number")?;
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
