//! The settings that off-policy agents with real-valued actions share.

use gymnast_harness::{AgentError, Plan, Schedule, SearchRange};

use crate::networks::network::NetworkSettings;

/// The hidden layers of actor and critics where none are set: those of the papers' later code.
pub const HIDDEN: [usize; 2] = [256, 256];

/// The settings that all off-policy agents with real-valued actions share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OffPolicyConfig {
    /// The discount γ, in [0, 1].
    pub gamma: f64,
    /// Rewards are multiplied by this before they are learned from.
    pub reward_scale: f64,
    /// The transitions that the memory holds.
    pub buffer_size: usize,
    /// The transitions of an update.
    pub batch_size: usize,
    /// The env steps before the first update, with random actions.
    pub learning_starts: u64,
    /// The rewards that a target sums before it bootstraps.
    pub n_step: usize,
    /// The chance that a random action is the last one again; 0 draws each anew.
    pub repeat_random: f64,
    /// The env steps from one round of updates to the next.
    pub train_every: u64,
    /// Updates in each round, 1 to 10000.
    pub gradient_steps: u64,
}

impl Default for OffPolicyConfig {
    /// Those of the papers of SAC and TD3.
    fn default() -> Self {
        Self {
            gamma: 0.99,
            reward_scale: 1.0,
            buffer_size: 1_000_000,
            batch_size: 256,
            learning_starts: 1_000,
            n_step: 1,
            repeat_random: 0.0,
            train_every: 1,
            gradient_steps: 1,
        }
    }
}

impl OffPolicyConfig {
    pub(super) fn check(&self, plan: &Plan) -> Result<(), AgentError> {
        let require = AgentError::require;
        let Self { gamma, reward_scale, buffer_size, batch_size, n_step, repeat_random, .. } =
            *self;
        require((0.0..=1.0).contains(&gamma), "gamma", &gamma, "a discount in [0, 1]")?;
        let positive = reward_scale > 0.0 && reward_scale.is_finite();
        require(positive, "reward_scale", &reward_scale, "a positive number")?;
        let rows = 1..u32::MAX as usize;
        require(rows.contains(&buffer_size), "buffer_size", &buffer_size, "1 to 4294967294")?;
        let expected = "more than `training.num_envs`";
        require(buffer_size > plan.num_envs, "buffer_size", &buffer_size, expected)?;
        require((1..=1 << 20).contains(&batch_size), "batch_size", &batch_size, "1 to 1048576")?;
        require((1..=1_000).contains(&n_step), "n_step", &n_step, "1 to 1000")?;
        let (is_chance, expected) = ((0.0..1.0).contains(&repeat_random), "a chance in [0, 1)");
        require(is_chance, "repeat_random", &repeat_random, expected)?;
        require(self.train_every > 0, "train_every", &self.train_every, "at least 1")?;
        check_gradient_steps(self.gradient_steps)
    }
}

/// Settings of an off-policy agent: the [`OffPolicyConfig`] ones and its own. Made by
/// [`off_policy_settings!`](crate::off_policy_settings).
pub trait OffPolicySettings {
    /// Those that all off-policy agents share.
    fn off_policy(&self) -> OffPolicyConfig;

    /// What actor and critics look like.
    fn network(&self) -> NetworkSettings;
}

/// The ranges of what most agents that replay share, and those of an agent's own.
pub(crate) fn search_ranges(own: &[SearchRange]) -> Vec<SearchRange> {
    let common = [
        ("learning_rate", "log(1e-5, 1e-2)"),
        ("gamma", "uniform(0.9, 0.999)"),
        ("batch_size", "[32, 64, 128, 256]"),
        ("tau", "log(1e-3, 0.1)"),
    ];
    [&common, own].concat()
}

/// Checks the updates of a round: as long as one takes, nothing is evaluated or saved.
pub(crate) fn check_gradient_steps(gradient_steps: u64) -> Result<(), AgentError> {
    let fits = (1..=10_000).contains(&gradient_steps);
    AgentError::require(fits, "gradient_steps", &gradient_steps, "1 to 10000")
}

/// Checks how fast networks learn and targets follow them, as in SAC, TD3 and DDPG.
///
/// # Errors
/// [`AgentError::InvalidConfig`] for a step size outside (0, 1], a `tau` outside (0, 1].
pub fn check_rates(learning_rate: &Schedule, tau: f64) -> Result<(), AgentError> {
    learning_rate.check_step_size("learning_rate")?;
    AgentError::require(tau > 0.0 && tau <= 1.0, "tau", &tau, "a share in (0, 1]")
}

/// Stands around the settings that an off-policy agent has beside those that all share, each with its
/// default, and adds the shared ones: its networks' and those of [`OffPolicyConfig`].
///
/// The settings are a structure that `serde` reads and writes, so the crate that makes them needs `serde`
/// with its feature `derive`.
///
/// ```
/// use gymnast_deep::{OffPolicySettings, off_policy_settings};
///
/// off_policy_settings! {
///     /// The settings of an agent of one's own.
///     pub struct MineConfig {
///         /// The quantiles of each critic.
///         pub quantiles: usize = 25,
///     }
/// }
/// let config = MineConfig { batch_size: 64, ..MineConfig::default() };
/// assert_eq!((config.quantiles, config.off_policy().batch_size), (25, 64));
/// ```
#[macro_export]
macro_rules! off_policy_settings {
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
                /// The widths of the hidden layers of actor and critics.
                pub hidden: Vec<usize>,
                /// What follows each hidden layer.
                pub activation: $crate::Activation,
                /// Layers that read an observation's pictures, of shape [H, W, C] or [H, W]; none, and they
                /// are read as rows: [{ conv2d = { channels = 16, kernel = 3 } }, { activation = "relu" }].
                pub encoder: Vec<$crate::LayerConfig>,
                /// Layers in the place of `hidden`, with `hidden = []`, before the output layer:
                /// [{ linear = { outputs = 64 } }, { layer_norm = {} }, { activation = "relu" }].
                pub head: Vec<$crate::LayerConfig>,
                $($(#[$($doc)*])* pub $field: $type,)*
                /// The discount γ, in [0, 1].
                pub gamma: f64,
                /// Rewards are multiplied by this before they are learned from.
                pub reward_scale: f64,
                /// The transitions that the memory holds.
                pub buffer_size: usize,
                /// The transitions of an update.
                pub batch_size: usize,
                /// The env steps before the first update, with random actions.
                pub learning_starts: u64,
                /// The rewards that a target sums before it bootstraps.
                pub n_step: usize,
                /// The chance that a random action is the last one again, for tasks that want a push that
                /// lasts; 0 draws each anew.
                pub repeat_random: f64,
                /// Env steps between two rounds of `gradient_steps` updates.
                pub train_every: u64,
                /// Updates in each round, 1 to 10000.
                pub gradient_steps: u64,
            }
        }

        impl Default for $name {
            fn default() -> Self {
                let $crate::OffPolicyConfig {
                    gamma,
                    reward_scale,
                    buffer_size,
                    batch_size,
                    learning_starts,
                    n_step,
                    repeat_random,
                    train_every,
                    gradient_steps,
                } = $crate::OffPolicyConfig::default();
                Self {
                    hidden: $crate::HIDDEN.to_vec(),
                    activation: $crate::Activation::Relu,
                    encoder: Vec::new(),
                    head: Vec::new(),
                    $($field: $default,)*
                    gamma,
                    reward_scale,
                    buffer_size,
                    batch_size,
                    learning_starts,
                    n_step,
                    repeat_random,
                    train_every,
                    gradient_steps,
                }
            }
        }

        impl $crate::OffPolicySettings for $name {
            fn off_policy(&self) -> $crate::OffPolicyConfig {
                $crate::OffPolicyConfig {
                    gamma: self.gamma,
                    reward_scale: self.reward_scale,
                    buffer_size: self.buffer_size,
                    batch_size: self.batch_size,
                    learning_starts: self.learning_starts,
                    n_step: self.n_step,
                    repeat_random: self.repeat_random,
                    train_every: self.train_every,
                    gradient_steps: self.gradient_steps,
                }
            }

            fn network(&self) -> $crate::NetworkSettings {
                $crate::NetworkSettings {
                    encoder: self.encoder.clone(),
                    head: self.head.clone(),
                    hidden: self.hidden.clone(),
                    activation: self.activation,
                }
            }
        }
    };
}
