//! Cells of tables.

/// A number where there is one, else a dash.
pub(crate) fn optional(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| value.to_string())
}
