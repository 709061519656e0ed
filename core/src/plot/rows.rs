//! Pictures of rows, one below the other, each with a name in front: bars and intervals.

use gymnast_draw::font;

use super::PlotError;
use super::drawing::{Align, HALF_DIGIT, LABEL_SIZE, Mark, Part, TICK_SIZE};
use super::frame::x_label;
use super::heading::{self, MARGIN};

/// Between a name and its row, and between texts and what they label.
pub(super) const GAP: f64 = 8.0;
/// Names longer than this are cut.
const LONGEST_NAME: f64 = 240.0;
const MOST_ROWS: usize = 300;
/// The least width of a picture of rows, in units.
const NARROWEST: f64 = 200.0;

/// What stands around the rows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Texts<'a> {
    pub(super) title: &'a str,
    pub(super) note: &'a str,
    pub(super) x_label: &'a str,
}

/// The rows of a picture and what is around them.
#[derive(Debug)]
pub(super) struct Rows {
    width: f64,
    height: f64,
    /// Where the first row begins and the last ends.
    pub(super) top: f64,
    pub(super) bottom: f64,
    /// From where to where they reach.
    pub(super) left: f64,
    pub(super) right: f64,
    row: f64,
    marks: Vec<Mark>,
}

impl Rows {
    /// Lays out rows of height `row` with these names in a picture of `width`, with room `beside`
    /// them on the right and `below` them, above their label.
    pub(super) fn lay_out(
        texts: Texts<'_>,
        names: &[&str],
        width: f64,
        row: f64,
        beside: f64,
        below: f64,
    ) -> Result<Self, PlotError> {
        let edges = (MARGIN, width - MARGIN);
        let (mut marks, end) = heading::lay_out(texts.title, texts.note, edges, MARGIN);
        let top = if marks.is_empty() { end } else { end + 4.0 };
        let bottom = top + row * names.len() as f64;
        let label_height = if texts.x_label.is_empty() { 0.0 } else { LABEL_SIZE + GAP };
        let height = (bottom + below + label_height + MARGIN).ceil();
        if names.len() > MOST_ROWS || !(NARROWEST..=1e6).contains(&width) {
            return Err(PlotError::Size { width: width as u32, height: height as u32 });
        }
        let room = widest(names.iter().copied(), width);
        let (left, right) = (MARGIN + room + GAP, width - MARGIN - beside);
        for (index, name) in names.iter().enumerate() {
            let name = font::fit_middle(name, TICK_SIZE, false, room);
            let at = (left - GAP, top + row * (index as f64 + 0.5) + HALF_DIGIT * TICK_SIZE);
            marks.push(Mark::text(&name, at, Align::End, TICK_SIZE));
        }
        if !texts.x_label.is_empty() {
            marks.push(x_label(texts.x_label, width, height, (left, right)));
        }
        Ok(Self { width, height, top, bottom, left, right, row, marks })
    }

    /// The middle of a row.
    pub(super) fn middle(&self, index: usize) -> f64 {
        self.top + self.row * (index as f64 + 0.5)
    }

    /// The picture with these marks.
    pub(super) fn with(self, marks: Vec<Mark>) -> Part {
        let marks = self.marks.into_iter().chain(marks).collect();
        Part { width: self.width, height: self.height, marks }
    }
}

/// The width of the widest text, but no more than names have in a picture of `width`.
pub(super) fn widest<'a>(texts: impl Iterator<Item = &'a str>, width: f64) -> f64 {
    let widths = texts.map(|text| font::width(text, TICK_SIZE, false));
    widths.fold(0.0, f64::max).min(LONGEST_NAME.min(width * 0.52))
}
