//! The report as Markdown.

use super::{HEADINGS, Report, cells, notes};

impl Report {
    /// Formats the report as a Markdown table.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| {
            let cells: Vec<_> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let rule = HEADINGS.map(|_| "---".to_owned());
        let head = [HEADINGS.map(str::to_owned).to_vec(), rule.to_vec()];
        head.into_iter().chain(cells(&self.rows)).map(line).collect::<String>() + &notes(&self.rows)
    }
}
