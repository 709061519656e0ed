//! The settings of agents, of which families share some, and checks of their ranges.

use std::{
    fmt::Debug,
    ops::{Bound, RangeBounds},
};

use crate::AgentError;

/// The range of the finite numbers above 0.
pub const POSITIVE: (Bound<f64>, Bound<f64>) =
    (Bound::Excluded(0.0), Bound::Excluded(f64::INFINITY));

/// Checks that the setting `key` lies in a range; `expected` says which. NaN lies in none.
///
/// # Errors
/// [`AgentError::InvalidConfig`].
pub fn within<T: Copy + Debug + PartialOrd>(
    key: &'static str,
    value: T,
    range: impl RangeBounds<T>,
    expected: &'static str,
) -> Result<(), AgentError> {
    AgentError::require(range.contains(&value), key, &value, expected)
}

/// Defines the settings of one agent of a family: its own, each with its default, and those that the
/// family shares, which come `first` or `last`. Shared settings have the defaults of the structure that is
/// named, unless `set` gives another, and that structure implements [`From`] a reference to the settings.
/// A field of it that is left out keeps its default.
///
/// The structure implements serde's traits, so the calling crate needs `serde` with the feature `derive`.
///
/// ```
/// #[derive(Clone, Debug, PartialEq)]
/// pub struct Shared {
///     pub gamma: f64,
/// }
///
/// impl Default for Shared {
///     fn default() -> Self {
///         Self { gamma: 0.99 }
///     }
/// }
///
/// gymnast_harness::settings! {
///     /// The settings of an agent.
///     pub struct Settings {
///         /// The steps between updates.
///         pub n_steps: usize = 5,
///     }
///     last Shared {
///         /// The discount γ, in [0, 1].
///         pub gamma: f64,
///     }
/// }
/// let settings = Settings { gamma: 0.9, ..Settings::default() };
/// assert_eq!((settings.n_steps, Shared::from(&settings).gamma), (5, 0.9));
/// ```
#[macro_export]
macro_rules! settings {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident {
            $($(#[$($own_doc:tt)*])* pub $own:ident: $own_type:ty = $own_default:expr),* $(,)?
        }
        $(first $first:ty {
            $($(#[$($first_doc:tt)*])* pub $first_field:ident: $first_type:ty,)*
        })?
        $(last $last:ty {
            $($(#[$($last_doc:tt)*])* pub $last_field:ident: $last_type:ty,)*
        })?
        $(set $key:ident = $value:expr;)*
    ) => {
        $crate::documented! {
            $(#[$attribute])*
            #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
            #[serde(default, deny_unknown_fields)]
            pub struct $name {
                $($($(#[$($first_doc)*])* pub $first_field: $first_type,)*)?
                $($(#[$($own_doc)*])* pub $own: $own_type,)*
                $($($(#[$($last_doc)*])* pub $last_field: $last_type,)*)?
            }
        }

        impl Default for $name {
            fn default() -> Self {
                #[allow(unused_mut, reason = "not every caller sets another default")]
                let mut settings = Self {
                    $($($first_field: <$first as Default>::default().$first_field,)*)?
                    $($own: $own_default,)*
                    $($($last_field: <$last as Default>::default().$last_field,)*)?
                };
                $(settings.$key = $value;)*
                settings
            }
        }

        $($crate::settings!(@ from $name to $first { $($first_field)* });)?
        $($crate::settings!(@ from $name to $last { $($last_field)* });)?
    };
    (@ from $name:ident to $shared:ty { $($field:ident)* }) => {
        impl From<&$name> for $shared {
            #[allow(clippy::needless_update, reason = "not every caller has all fields")]
            fn from(settings: &$name) -> Self {
                Self { $($field: Clone::clone(&settings.$field),)* ..Self::default() }
            }
        }
    };
}
