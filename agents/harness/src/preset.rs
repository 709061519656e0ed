//! Settings that are known to work.

use crate::Training;

/// Settings of an agent that are known to work in one environment, and how long to train.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset<C> {
    /// The environment's id.
    pub env: &'static str,
    /// The agent's settings.
    pub settings: C,
    /// The training.
    pub training: Training,
    /// Where the settings come from.
    pub source: &'static str,
}

/// An agent's settings with its presets.
pub trait Presets: Sized {
    /// The presets, one an environment.
    fn presets() -> Vec<Preset<Self>>;

    /// The preset for an environment, where there is one.
    #[must_use]
    fn preset(env: &str) -> Option<Preset<Self>> {
        Self::presets().into_iter().find(|preset| preset.env == env)
    }
}
