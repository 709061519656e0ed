//! The settings that off-policy agents with real-valued actions share.

use gymnast_harness::{
    AgentError, POSITIVE, Plan, Preset, Schedule, SearchRange, Training, within,
};

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
        within("gamma", self.gamma, 0.0..=1.0, "a discount in [0, 1]")?;
        within("reward_scale", self.reward_scale, POSITIVE, "a positive number")?;
        within("buffer_size", self.buffer_size, 1..u32::MAX as usize, "1 to 4294967294")?;
        let (size, expected) = (self.buffer_size, "more than `training.num_envs`");
        AgentError::require(size > plan.num_envs, "buffer_size", &size, expected)?;
        within("batch_size", self.batch_size, 1..=1 << 20, "1 to 1048576")?;
        within("n_step", self.n_step, 1..=1_000, "1 to 1000")?;
        within("repeat_random", self.repeat_random, 0.0..1.0, "a chance in [0, 1)")?;
        within("train_every", self.train_every, 1.., "at least 1")?;
        check_gradient_steps(self.gradient_steps)
    }
}

/// Settings of an off-policy agent: the [`OffPolicyConfig`] ones and its own. Made by
/// [`off_policy_settings!`](crate::off_policy_settings).
pub trait OffPolicySettings {
    /// Returns the settings that all off-policy agents share.
    fn off_policy(&self) -> OffPolicyConfig;

    /// Returns the settings of the networks of actor and critics.
    fn network(&self) -> NetworkSettings;
}

/// The preset of Pendulum-v1. One episode's return varies by 85, with where it starts: hence evaluations of
/// a hundred of them.
pub(crate) fn pendulum<C>(env_steps: u64, settings: C) -> Preset<C> {
    let (eval_every, eval_episodes) = (500, 100);
    let training = Training { env_steps, eval_every, eval_episodes, ..Training::default() };
    Preset { env: "Pendulum-v1", settings, training, source: "tuned here: see docs/results.md" }
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
    within("gradient_steps", gradient_steps, 1..=10_000, "1 to 10000")
}

/// Checks how fast networks learn and targets follow them, as in SAC, TD3 and DDPG.
///
/// # Errors
/// [`AgentError::InvalidConfig`] for a step size outside (0, 1], a `tau` outside (0, 1].
pub fn check_rates(learning_rate: &Schedule, tau: f64) -> Result<(), AgentError> {
    learning_rate.check_step_size("learning_rate")?;
    AgentError::require(tau > 0.0 && tau <= 1.0, "tau", &tau, "a share in (0, 1]")
}

/// Defines the settings of an off-policy agent: its own, each with its default, and those that all share,
/// of the networks ([`NetworkSettings`]) and of [`OffPolicyConfig`].
///
/// The structure implements serde's traits, so the calling crate needs `serde` with the feature `derive`.
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
    ($(#[$attribute:meta])* pub struct $name:ident { $($own:tt)* }) => {
        $crate::settings! {
            $(#[$attribute])*
            pub struct $name { $($own)* }
            first $crate::NetworkSettings {
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
                /// What computes the gradients: "auto" (plain Rust where all layers have it, else libtorch), "plan"
                /// (plain Rust), "plan_bf16" (the same, with factors of products rounded to bf16, also to act: up to
                /// twice as fast where layers and minibatches are large and the processor knows bf16), "libtorch".
                pub engine: $crate::Engine,
            }
            last $crate::OffPolicyConfig {
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
            set hidden = $crate::HIDDEN.to_vec();
            set activation = $crate::Activation::Relu;
        }

        impl $crate::OffPolicySettings for $name {
            fn off_policy(&self) -> $crate::OffPolicyConfig {
                self.into()
            }

            fn network(&self) -> $crate::NetworkSettings {
                self.into()
            }
        }
    };
}
