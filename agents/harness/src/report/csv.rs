//! The report as CSV, for spreadsheets.

use super::{Report, Row};

const HEADER: [&str; 18] = [
    "run",
    "agent",
    "env",
    "seeds",
    "env_steps",
    "env_steps_min",
    "env_steps_max",
    "mean",
    "median",
    "iqm",
    "iqm_low",
    "iqm_high",
    "threshold",
    "median_steps_to_threshold",
    "reached",
    "held_to_end",
    "area_under_curve",
    "env_steps_per_s",
];

impl Report {
    /// Formats the report as CSV, with numbers in full; a cell without a number is empty.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = HEADER.join(",") + "\n";
        for row in &self.rows {
            text.push_str(&record(row).join(","));
            text.push('\n');
        }
        text
    }
}

fn record(row: &Row) -> [String; 18] {
    let optional = |x: Option<f64>| x.map(|x| x.to_string()).unwrap_or_default();
    let threshold = row.threshold;
    let count = |x: Option<usize>| x.map(|x| x.to_string()).unwrap_or_default();
    [
        quoted(&row.run),
        quoted(&row.agent),
        quoted(&row.env),
        row.seeds.to_string(),
        row.env_steps.map(|steps| steps.to_string()).unwrap_or_default(),
        row.env_steps_min.to_string(),
        row.env_steps_max.to_string(),
        row.mean.to_string(),
        row.median.to_string(),
        row.iqm.estimate.to_string(),
        optional(row.iqm.low),
        optional(row.iqm.high),
        optional(threshold.map(|t| t.threshold)),
        optional(threshold.and_then(|t| t.median_steps)),
        count(threshold.map(|t| t.reached)),
        count(threshold.map(|t| t.held_to_end)),
        optional(row.area_under_curve),
        optional(row.env_steps_per_s),
    ]
}

/// A cell in quotes where it holds a comma, a quote or the end of a line.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
