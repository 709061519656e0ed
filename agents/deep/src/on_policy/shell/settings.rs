//! The settings that on-policy agents share.

use gymnast_harness::AgentError;

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
        let require = AgentError::require;
        let (scale, gamma, norm) = (self.reward_scale, self.gamma, self.max_grad_norm);
        require(scale > 0.0 && scale.is_finite(), "reward_scale", &scale, "a positive number")?;
        require((-1.0..=1.0).contains(&gamma), "gamma", &gamma, "a discount in [-1, 1]")?;
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

/// Settings of an on-policy agent: the [`OnPolicyConfig`] ones, its networks' and its own. Made by
/// [`on_policy_settings!`](crate::on_policy_settings).
pub trait OnPolicySettings {
    /// Those that all on-policy agents share.
    fn on_policy(&self) -> OnPolicyConfig;

    /// What policy and value function look like.
    fn networks(&self) -> ActorCriticConfig;
}

/// Stands around the settings that an on-policy agent has beside those that all share, each with its
/// default, and adds the shared ones: its networks' ([`ActorCriticConfig`]) and those of
/// [`OnPolicyConfig`].
///
/// The settings are a structure that `serde` reads and writes, so the crate that makes them needs `serde`
/// with its feature `derive`.
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
    (
        $(#[$attribute:meta])*
        pub struct $name:ident {
            $($(#[$($doc:tt)*])* pub $field:ident: $type:ty = $default:expr),* $(,)?
        }
    ) => {
        $crate::documented! {
            $(#[$attribute])*
            #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $name {
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
                /// The logarithm of the actions' standard deviation before learning, where they are
                /// real-valued.
                pub log_std: f64,
                /// The least that the logarithm of the deviation may become by learning.
                pub min_log_std: f64,
                /// Evaluate with an average of the weights over roughly this fraction of past updates
                /// (0: off).
                pub average: f64,
                /// Normalise observations by the mean and deviation of those learned from so far.
                pub normalize_observations: bool,
                /// Rewards are multiplied by this before they are learned from: with it the values can be
                /// brought near 1, where a fresh network's are.
                pub reward_scale: f64,
                $($(#[$($doc)*])* pub $field: $type,)*
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
        }

        impl Default for $name {
            fn default() -> Self {
                let networks = $crate::actor_critic::ActorCriticConfig::default();
                let $crate::OnPolicyConfig {
                    reward_scale,
                    gamma,
                    value_coefficient,
                    entropy_coefficient,
                    max_grad_norm,
                } = $crate::OnPolicyConfig::default();
                Self {
                    hidden: networks.hidden,
                    activation: networks.activation,
                    encoder: networks.encoder,
                    head: networks.head,
                    log_std: networks.log_std,
                    min_log_std: networks.min_log_std,
                    average: networks.average,
                    normalize_observations: networks.normalize_observations,
                    $($field: $default,)*
                    reward_scale,
                    gamma,
                    value_coefficient,
                    entropy_coefficient,
                    max_grad_norm,
                }
            }
        }

        impl $crate::OnPolicySettings for $name {
            fn on_policy(&self) -> $crate::OnPolicyConfig {
                $crate::OnPolicyConfig {
                    reward_scale: self.reward_scale,
                    gamma: self.gamma,
                    value_coefficient: self.value_coefficient,
                    entropy_coefficient: self.entropy_coefficient,
                    max_grad_norm: self.max_grad_norm,
                }
            }

            fn networks(&self) -> $crate::actor_critic::ActorCriticConfig {
                $crate::actor_critic::ActorCriticConfig {
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
        }
    };
}
