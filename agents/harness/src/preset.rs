//! Settings that are known to work, and ranges to search for better ones.

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

/// A setting and the range that `gymnast tune` searches, as it is written there: `uniform(LOW, HIGH)`,
/// `log(LOW, HIGH)`, `int(LOW, HIGH)`, `log_int(LOW, HIGH)` or a list of choices, `[64, 128]` say.
pub type SearchRange = (&'static str, &'static str);

/// An agent's settings with its presets.
pub trait Presets: Sized {
    /// The presets, one an environment.
    fn presets() -> Vec<Preset<Self>>;

    /// What a search tunes where it is given no ranges. Without any (the default) it asks for some.
    #[must_use]
    fn search_ranges() -> Vec<SearchRange> {
        Vec::new()
    }

    /// The preset for an environment, where there is one.
    #[must_use]
    fn preset(env: &str) -> Option<Preset<Self>> {
        Self::presets().into_iter().find(|preset| preset.env == env)
    }
}
