//! The report as JSON, for programs.

use super::Report;

impl Report {
    /// Formats the report as JSON: the fields of [`Report`], with numbers in full.
    #[must_use]
    pub fn to_json(&self) -> String {
        let json = gymnast_json::to_string_pretty(self).expect("a report is plain data");
        json + "\n"
    }
}
