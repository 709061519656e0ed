//! The settings that on-policy agents share.

use gymnast_harness::{AgentError, POSITIVE, within};

use crate::networks::actor_critic::ActorCriticConfig;

/// The settings that all on-policy agents share, beside those of their networks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OnPolicyConfig {
    /// Rewards are multiplied by this before they are learned from.
    pub reward_scale: f64,
    /// The discount γ, in [-1, 1].
    pub gamma: f64,
    /// The weight of the values' loss.
    pub value_coefficient: f64,
    /// The weight of the policy's entropy.
    pub entropy_coefficient: f64,
    /// The gradient's norm is clipped to this.
    pub max_grad_norm: f64,
}

impl Default for OnPolicyConfig {
    /// Those of Stable-Baselines3.
    fn default() -> Self {
        Self {
            reward_scale: 1.0,
            gamma: 0.99,
            value_coefficient: 0.5,
            entropy_coefficient: 0.0,
            max_grad_norm: 0.5,
        }
    }
}

impl OnPolicyConfig {
    pub(crate) fn check(&self) -> Result<(), AgentError> {
        let (norm, expected) = (self.max_grad_norm, "a number from 0 on");
        within("reward_scale", self.reward_scale, POSITIVE, "a positive number")?;
        within("gamma", self.gamma, -1.0..=1.0, "a discount in [-1, 1]")?;
        AgentError::require(norm > 0.0, "max_grad_norm", &norm, "a positive number")?;
        within("value_coefficient", self.value_coefficient, 0.0..f64::INFINITY, expected)?;
        within("entropy_coefficient", self.entropy_coefficient, 0.0..f64::INFINITY, expected)
    }
}

/// Settings of an on-policy agent: the [`OnPolicyConfig`] ones, its networks' and its own. Made by
/// [`on_policy_settings!`](crate::on_policy_settings).
pub trait OnPolicySettings {
    /// Returns the settings that all on-policy agents share.
    fn on_policy(&self) -> OnPolicyConfig;

    /// Returns the settings of the policy's network and the value function's.
    fn networks(&self) -> ActorCriticConfig;
}

/// Defines the settings of an on-policy agent: its own, each with its default, and those that all share,
/// of the networks ([`ActorCriticConfig`]) and of [`OnPolicyConfig`].
///
/// The structure implements serde's traits, so the calling crate needs `serde` with the feature `derive`.
///
/// ```
/// use gymnast_deep::{OnPolicySettings, on_policy_settings};
///
/// on_policy_settings! {
///     /// The settings of an agent of your own.
///     pub struct MineConfig {
///         /// The steps of each environment between updates.
///         pub n_steps: usize = 128,
///     }
/// }
/// let config = MineConfig { gamma: 0.9, ..MineConfig::default() };
/// assert_eq!((config.n_steps, config.on_policy().gamma), (128, 0.9));
/// ```
#[macro_export]
macro_rules! on_policy_settings {
    ($(#[$attribute:meta])* pub struct $name:ident { $($own:tt)* }) => {
        $crate::on_policy_settings! {
            $(#[$attribute])*
            pub struct $name { $($own)* }
            networks {
                /// Normalise observations by the mean and deviation of those learned from so far.
                pub normalize_observations: bool,
            }
        }
    };
    (
        $(#[$attribute:meta])*
        pub struct $name:ident { $($own:tt)* }
        networks { $($networks:tt)* }
        $($set:tt)*
    ) => {
        $crate::settings! {
            $(#[$attribute])*
            pub struct $name { $($own)* }
            first $crate::actor_critic::ActorCriticConfig {
                /// The widths of the hidden layers, of the policy and of the value function alike.
                pub hidden: Vec<usize>,
                /// What follows each hidden layer.
                pub activation: $crate::Activation,
                /// Layers that read an observation's pictures, of shape [H, W, C] or [H, W]; none, and they
                /// are read as rows: [{ conv2d = { channels = 16, kernel = 3 } }, { activation = "relu" }].
                pub encoder: Vec<$crate::LayerConfig>,
                /// Layers in the place of `hidden`, with `hidden = []`, before the output layer:
                /// [{ linear = { outputs = 64 } }, { layer_norm = {} }, { activation = "tanh" }].
                pub head: Vec<$crate::LayerConfig>,
                /// What computes the gradients: "auto" (plain Rust where all layers have it, else libtorch), "plan"
                /// (plain Rust), "plan_bf16" (the same, with factors of products rounded to bf16, also to act: up to
                /// twice as fast where layers and minibatches are large and the processor knows bf16), "libtorch".
                pub engine: $crate::Engine,
                /// The logarithm of the actions' standard deviation before learning, where they are
                /// real-valued.
                pub log_std: f64,
                /// The least that the logarithm of the deviation may become by learning.
                pub min_log_std: f64,
                /// Evaluate with an average of the weights over roughly this fraction of past updates
                /// (0: off).
                pub average: f64,
                $($networks)*
            }
            last $crate::OnPolicyConfig {
                /// Rewards are multiplied by this before they are learned from: with it the values can be
                /// brought near 1, where a fresh network's are.
                pub reward_scale: f64,
                /// The discount γ, in [-1, 1]: negative where the next observation is the other player's
                /// (self-play).
                pub gamma: f64,
                /// The weight of the values' loss.
                pub value_coefficient: f64,
                /// The weight of the policy's entropy.
                pub entropy_coefficient: f64,
                /// The gradient's norm is clipped to this.
                pub max_grad_norm: f64,
            }
            $($set)*
        }

        impl $crate::OnPolicySettings for $name {
            fn on_policy(&self) -> $crate::OnPolicyConfig {
                self.into()
            }

            fn networks(&self) -> $crate::actor_critic::ActorCriticConfig {
                self.into()
            }
        }
    };
}
