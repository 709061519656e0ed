//! The settings of a policy and a value function.

use gymnast_core::{
    init::Init,
    nn::{Activation, Engine, LayerConfig, MlpConfig},
};
use gymnast_harness::{AgentError, SearchRange, within};

use crate::networks::network::{BuildNetwork, NetworkSettings, Role};

/// The hidden layers where none are set.
const HIDDEN: [usize; 2] = [64, 64];

/// The least that `log_std` may be: with less, actions no longer vary.
pub const LEAST_LOG_STD: f64 = -20.0;

/// What the two networks look like.
#[derive(Clone, Debug)]
pub struct ActorCriticConfig {
    /// The widths of the hidden layers of each.
    pub hidden: Vec<usize>,
    /// What follows each hidden layer.
    pub activation: Activation,
    /// Layers that read pictures; see [`NetworkSettings`].
    pub encoder: Vec<LayerConfig>,
    /// Layers in the place of `hidden`; see [`NetworkSettings`].
    pub head: Vec<LayerConfig>,
    /// What computes the gradients.
    pub engine: Engine,
    /// The shared parameters of the policy's head before learning: the logarithm of the standard
    /// deviation.
    pub log_std: f64,
    /// The least that a shared parameter of the policy's head may become by learning.
    pub min_log_std: f64,
    /// Evaluate with an average of the weights over roughly this fraction of past updates (0: off).
    pub average: f64,
    /// Whether observations are normalised by the mean and deviation of those learned from so far.
    pub normalize_observations: bool,
}

impl Default for ActorCriticConfig {
    fn default() -> Self {
        Self {
            hidden: HIDDEN.to_vec(),
            activation: Activation::Tanh,
            encoder: Vec::new(),
            head: Vec::new(),
            engine: Engine::Auto,
            log_std: 0.0,
            min_log_std: LEAST_LOG_STD,
            average: 0.0,
            normalize_observations: false,
        }
    }
}

impl ActorCriticConfig {
    /// What builds the two networks.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where the layers' settings are out of range.
    pub(crate) fn builder(&self) -> Result<Box<BuildNetwork<'static>>, AgentError> {
        let settings = NetworkSettings {
            encoder: self.encoder.clone(),
            head: self.head.clone(),
            hidden: self.hidden.clone(),
            activation: self.activation,
            engine: self.engine,
        };
        settings.builder(&HIDDEN, |role| MlpConfig {
            weight: Init::Orthogonal { gain: std::f32::consts::SQRT_2 },
            output_weight: Init::Orthogonal { gain: if role == Role::Policy { 0.01 } else { 1.0 } },
            bias: Init::Zeros,
            ..MlpConfig::default()
        })
    }

    /// Checks the settings that are not the layers'.
    pub(super) fn check(&self) -> Result<(), AgentError> {
        within("log_std", self.log_std, LEAST_LOG_STD..=2.0, "a logarithm in [-20, 2]")?;
        let expected = "a logarithm in [-20, 2], at most `log_std`";
        within("min_log_std", self.min_log_std, LEAST_LOG_STD..=self.log_std, expected)?;
        within("average", self.average, 0.0..=1.0, "a share in [0, 1]")
    }
}

/// The ranges of what all actor-critic agents share, and those of an agent's own.
pub(crate) fn search_ranges(own: &[SearchRange]) -> Vec<SearchRange> {
    let common = [
        ("learning_rate", "log(1e-5, 1e-2)"),
        ("gamma", "uniform(0.9, 0.999)"),
        ("entropy_coefficient", "log(1e-5, 0.1)"),
        ("value_coefficient", "uniform(0.1, 1)"),
    ];
    [&common, own].concat()
}
