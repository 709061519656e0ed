//! Settings: their documentation, and values that are known to work.

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

/// Settings that know the documentation of their fields. Made by
/// [`documented!`](crate::documented).
pub trait Documented {
    /// The name and the documentation of each field, in order.
    const FIELDS: &'static [(&'static str, &'static str)];

    /// The documentation of a field.
    #[must_use]
    fn field(name: &str) -> Option<&'static str> {
        Self::FIELDS.iter().find(|(field, _)| *field == name).map(|(_, doc)| doc.trim())
    }
}

/// Stands around a structure of settings and makes it [`Documented`], so that what is written once
/// above a field is also what `gymnast agents NAME` shows.
///
/// ```
/// use gymnast_harness::{Documented, documented};
///
/// documented! {
///     /// Settings.
///     pub struct Settings {
///         /// The discount γ, in [0, 1].
///         pub gamma: f64,
///     }
/// }
/// assert_eq!(Settings::field("gamma"), Some("The discount γ, in [0, 1]."));
/// ```
#[macro_export]
macro_rules! documented {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident {
            $($(#[$($doc:tt)*])* pub $field:ident: $type:ty),* $(,)?
        }
    ) => {
        $(#[$attribute])*
        pub struct $name {
            $($(#[$($doc)*])* pub $field: $type,)*
        }

        impl $crate::Documented for $name {
            const FIELDS: &'static [(&'static str, &'static str)] =
                &[$((stringify!($field), concat!($($crate::documented!(@ $($doc)*)),*))),*];
        }
    };
    (@ doc = $line:literal) => { $line };
    (@ $($other:tt)*) => { "" };
}
