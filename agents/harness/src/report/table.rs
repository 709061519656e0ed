//! The report for the terminal.

use gymnast_core::text::blocks;

use super::{HEADINGS, Report, cells, notes};

impl Report {
    /// The report as columns of text, as many side by side as fit into 80 characters.
    #[must_use]
    pub fn to_table(&self) -> String {
        let headings = HEADINGS.map(str::to_owned).to_vec();
        let lines: Vec<_> = std::iter::once(headings).chain(cells(&self.rows)).collect();
        blocks(&lines) + &notes(&self.rows)
    }
}
