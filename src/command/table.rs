//! Cells of tables.

/// Formats a value, or a dash for `None`.
pub(crate) fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}
