//! Settings and options that know their documentation.

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
/// use gymnast_base::{Documented, documented};
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
