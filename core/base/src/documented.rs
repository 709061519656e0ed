//! Settings and options with documentation at run time.

/// Settings whose fields have documentation at run time. Implemented by
/// [`documented!`](crate::documented).
pub trait Documented {
    /// The name and the documentation of each field, in order.
    const FIELDS: &'static [(&'static str, &'static str)];

    /// Returns the documentation of a field.
    #[must_use]
    fn field(name: &str) -> Option<&'static str> {
        Self::FIELDS.iter().find(|(field, _)| *field == name).map(|(_, doc)| doc.trim())
    }
}

/// Wraps the definition of a settings structure and implements [`Documented`] for it, so that the
/// doc comment of a field is also its help text in `gymnast agents NAME`.
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
