//! The error of every setting that is out of its range.

use std::borrow::Cow;

use crate::text::number;

/// A setting is out of its range. Other errors hold it as a variant.
///
/// ```
/// use gymnast_base::require;
///
/// let error = require(false, "gamma", 1.5, "in [0, 1]").unwrap_err();
/// assert_eq!(error.to_string(), "gamma must be in [0, 1], got 1.5");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key} must be {allowed}, got {value}")]
pub struct SettingError {
    /// The setting's name.
    pub key: &'static str,
    /// The value given, as text.
    pub value: String,
    /// The allowed values.
    pub allowed: Cow<'static, str>,
}

impl SettingError {
    /// Creates the error for a number.
    #[must_use]
    pub fn new(key: &'static str, value: f64, allowed: &'static str) -> Self {
        Self { key, value: number(value), allowed: allowed.into() }
    }
}

/// Checks one numeric setting.
///
/// # Errors
/// [`SettingError`] unless `holds`.
#[inline]
pub fn require(
    holds: bool,
    key: &'static str,
    value: f64,
    allowed: &'static str,
) -> Result<(), SettingError> {
    if holds { Ok(()) } else { Err(SettingError::new(key, value, allowed)) }
}
