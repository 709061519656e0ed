//! Presets, tuned settings, and the ranges to search for better ones.

use crate::Training;

/// Settings of an agent that work well in one environment, with the length of the training.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset<C> {
    /// The environment's id.
    pub env: &'static str,
    /// The agent's settings.
    pub settings: C,
    /// The settings of the training.
    pub training: Training,
    /// The source of the settings.
    pub source: &'static str,
}

/// A setting and the range that `gymnast tune` searches, as it is written there: `uniform(LOW, HIGH)`,
/// `log(LOW, HIGH)`, `int(LOW, HIGH)`, `log_int(LOW, HIGH)` or a list of choices, `[64, 128]` say.
pub type SearchRange = (&'static str, &'static str);

/// The presets of an agent's settings.
pub trait Presets: Sized {
    /// Returns the presets, one for each environment.
    fn presets() -> Vec<Preset<Self>>;

    /// Returns the ranges that a search uses when it is given none. With none here (the default), it asks for some.
    #[must_use]
    fn search_ranges() -> Vec<SearchRange> {
        Vec::new()
    }

    /// Returns the preset for an environment, if there is one.
    #[must_use]
    fn preset(env: &str) -> Option<Preset<Self>> {
        Self::presets().into_iter().find(|preset| preset.env == env)
    }
}
