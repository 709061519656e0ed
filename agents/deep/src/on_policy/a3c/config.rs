//! The settings of A3C, and those that suit the environments it was tuned on.

use gymnast_core::nn::{Activation, LayerConfig};
use gymnast_harness::{AgentError, Preset, Presets, Schedule, SearchRange, Training};
use serde::{Deserialize, Serialize};

use crate::{
    networks::actor_critic::{ActorCriticConfig, LEAST_LOG_STD, search_ranges},
    on_policy::{OnPolicyConfig, check_rms_prop},
};

gymnast_harness::documented! {
    /// The settings of [`A3c`](super::A3c). The number of workers is `training.num_envs`.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct A3cConfig {
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
        /// Rewards are multiplied by this before they are learned from: with it the values can be
        /// brought near 1, where a fresh network's are.
        pub reward_scale: f64,
        /// The steps that a worker plays between its updates.
        pub t_max: usize,
        /// The shared RMSprop's step size, η.
        pub learning_rate: Schedule,
        /// How much of its mean of squares RMSprop keeps each update, in [0, 1).
        pub rms_prop_alpha: f64,
        /// Added under RMSprop's root.
        pub rms_prop_eps: f64,
        /// The discount γ, in [-1, 1]: negative where the next observation is the other player's
        /// (self-play).
        pub gamma: f64,
        /// The weight of the values' loss, c₁.
        pub value_coefficient: f64,
        /// The weight of the policy's entropy, c₂.
        pub entropy_coefficient: f64,
        /// Each worker's gradient's norm is clipped to this.
        pub max_grad_norm: f64,
    }
}

impl Default for A3cConfig {
    /// Those of the paper where it names them; the others are A2C's.
    fn default() -> Self {
        Self {
            hidden: vec![64, 64],
            activation: Activation::Tanh,
            encoder: Vec::new(),
            head: Vec::new(),
            log_std: 0.0,
            min_log_std: LEAST_LOG_STD,
            average: 0.0,
            reward_scale: 1.0,
            t_max: 5,
            learning_rate: Schedule::linear(7e-4, 0.0, 1.0),
            rms_prop_alpha: 0.99,
            rms_prop_eps: 1e-5,
            gamma: 0.99,
            value_coefficient: 0.5,
            entropy_coefficient: 0.01,
            max_grad_norm: 0.5,
        }
    }
}

impl Presets for A3cConfig {
    fn presets() -> Vec<Preset<Self>> {
        // The average keeps what has been reached, and the step size is small after half of the training.
        let cart_pole = Self {
            average: 0.1,
            reward_scale: 0.1,
            learning_rate: Schedule::exponential(3e-3, 1e-4, 0.5),
            ..Self::default()
        };
        let acrobot = Self {
            reward_scale: 0.05,
            learning_rate: Schedule::linear(2e-3, 0.0, 1.0),
            ..Self::default()
        };
        let preset = |env, settings| Preset {
            env,
            settings,
            training: Training { env_steps: 300_000, num_envs: 8, ..Training::default() },
            source: "the paper's, but for scaled rewards, the step size and averaged weights, which were \
                     chosen here",
        };
        vec![preset("CartPole-v1", cart_pole), preset("Acrobot-v1", acrobot)]
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("t_max", "log_int(4, 64)")])
    }
}

impl A3cConfig {
    pub(super) fn networks(&self) -> ActorCriticConfig {
        ActorCriticConfig {
            hidden: self.hidden.clone(),
            activation: self.activation,
            encoder: self.encoder.clone(),
            head: self.head.clone(),
            log_std: self.log_std,
            min_log_std: self.min_log_std,
            average: self.average,
            normalize_observations: false,
        }
    }

    pub(super) fn check(&self) -> Result<(), AgentError> {
        let require = AgentError::require;
        self.learning_rate.check_step_size("learning_rate")?;
        let t_max = self.t_max;
        require((1..=1 << 20).contains(&t_max), "t_max", &t_max, "1 to 1048576 steps")?;
        check_rms_prop(self.rms_prop_alpha, self.rms_prop_eps)?;
        let shared = OnPolicyConfig {
            reward_scale: self.reward_scale,
            gamma: self.gamma,
            value_coefficient: self.value_coefficient,
            entropy_coefficient: self.entropy_coefficient,
            max_grad_norm: self.max_grad_norm,
        };
        shared.check()
    }
}
