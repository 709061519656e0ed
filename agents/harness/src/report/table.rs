//! The report for the terminal.

use super::{HEADINGS, Report, cells};

impl Report {
    /// The report as columns of text.
    #[must_use]
    pub fn to_table(&self) -> String {
        let headings = HEADINGS.map(str::to_owned).to_vec();
        let lines: Vec<_> = std::iter::once(headings).chain(cells(&self.rows)).collect();
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
        let widths: Vec<_> = (0..HEADINGS.len()).map(|column| width(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for line in &lines {
            let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            let line = cells.collect::<Vec<_>>().join("  ");
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}
