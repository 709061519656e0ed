//! What stands above the data of a picture: its title, and a note that says what is drawn.

use gymnast_draw::font;

use super::drawing::{Align, Label, Mark, TICK_SIZE, TITLE_SIZE};
use super::palette::QUIET;

/// The least distance from the edges of a picture.
pub(super) const MARGIN: f64 = 14.0;
const LINE: f64 = 1.3 * TICK_SIZE;

/// The title, on one line, and the note, on as many as it needs, from `left` to `right`; returns
/// where they end. Either may be empty.
pub(super) fn lay_out(
    title: &str,
    note: &str,
    (left, right): (f64, f64),
    mut top: f64,
) -> (Vec<Mark>, f64) {
    let mut marks = Vec::new();
    if !title.is_empty() {
        let text = font::fit(title, TITLE_SIZE, true, right - left);
        let at = (left, top + 0.8 * TITLE_SIZE);
        let label = Label::new(&text, at, Align::Start, TITLE_SIZE);
        marks.push(Mark::Text(Label { bold: true, ..label }));
        top += TITLE_SIZE + 6.0;
    }
    for line in font::wrap(note, TICK_SIZE, false, right - left) {
        let at = (left, top + 0.8 * TICK_SIZE);
        let label = Label::new(&line, at, Align::Start, TICK_SIZE);
        marks.push(Mark::Text(Label { colour: QUIET, ..label }));
        top += LINE;
    }
    (marks, if note.is_empty() { top } else { top + 3.0 })
}
