//! The report as text, for the terminal.

use gymnast_core::text::blocks;

use super::{HEADINGS, Report, cells, notes};

impl Report {
    /// Formats the report as columns of text, side by side within 80 characters.
    #[must_use]
    pub fn to_table(&self) -> String {
        let headings = HEADINGS.map(str::to_owned).to_vec();
        let lines: Vec<_> = std::iter::once(headings).chain(cells(&self.rows)).collect();
        blocks(&lines) + &notes(&self.rows)
    }
}
