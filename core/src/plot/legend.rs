//! A legend: in rows above the data, where it covers none of them, or at the ends of the lines.

use gymnast_draw::{Colour, font};

use super::drawing::{Align, HALF_DIGIT, LEGEND_SIZE, Mark, Point};
use super::frame::Frame;
use super::palette::{GUIDE, GUIDE_DASHES};

const ROW: f64 = 21.0;
const SWATCH: f64 = 28.0;
const GAP: f64 = 7.0;
const BETWEEN: f64 = 22.0;
/// The most lines that are labelled at their ends.
const MOST_ENDS: usize = 5;
/// The widest label at the end of a line, as a share of the picture.
const WIDEST_END: f64 = 0.3;

pub(super) const GUIDE_WIDTH: f64 = 1.4;

/// What a series is called and how it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) label: String,
    pub(super) colour: Colour,
    pub(super) width: f64,
    pub(super) dashes: &'static [f64],
    /// The end of its line, if that is one that a label can stand beside.
    pub(super) end: Option<(f64, f64)>,
}

impl Entry {
    /// The entry of a guide across the plot.
    pub(super) fn guide(label: &str, end: Option<(f64, f64)>) -> Self {
        let label = label.to_owned();
        Self { label, colour: GUIDE, width: GUIDE_WIDTH, dashes: GUIDE_DASHES, end }
    }
}

/// Lays `entries` out in rows from `left` to `right`, the first row's upper edge at `top`; returns
/// the lower edge of the last row and the marks. A label longer than a row is cut.
pub(super) fn rows(entries: &[Entry], left: f64, right: f64, top: f64) -> (f64, Vec<Mark>) {
    let mut marks = Vec::new();
    let (mut x, mut y) = (left, top);
    for entry in entries {
        let label = font::fit_middle(&entry.label, LEGEND_SIZE, false, right - left - SWATCH - GAP);
        let width = SWATCH + GAP + font::width(&label, LEGEND_SIZE, false);
        if x > left && x + width > right {
            (x, y) = (left, y + ROW);
        }
        let middle = y + ROW / 2.0;
        marks.push(Mark::Line {
            points: vec![(x, middle), (x + SWATCH, middle)],
            colour: entry.colour,
            width: entry.width,
            dashes: entry.dashes,
        });
        let at = (x + SWATCH + GAP, middle + HALF_DIGIT * LEGEND_SIZE);
        marks.push(Mark::text(&label, at, Align::Start, LEGEND_SIZE));
        x += width + BETWEEN;
    }
    (if entries.is_empty() { top } else { y + ROW }, marks)
}

/// The room that labels at the ends of lines need beside the data of a picture of `width`; `None`
/// if there are too many of them or one is too long.
pub(super) fn room_at_ends(entries: &[Entry], width: f64) -> Option<f64> {
    let widths = entries.iter().map(|entry| font::width(&entry.label, LEGEND_SIZE, false));
    let widest = widths.fold(0.0, f64::max);
    let fits = (1..=MOST_ENDS).contains(&entries.len()) && widest <= WIDEST_END * width;
    fits.then_some(widest + GAP)
}

/// Writes each label beside the end of its line; `None` if a line ends elsewhere than at the right
/// edge, or two so close that their labels would overlap.
pub(super) fn at_ends(entries: &[Entry], frame: &Frame) -> Option<Vec<Mark>> {
    let near = 0.03 * (frame.right - frame.left);
    let place = |entry: &Entry| -> Option<Point> {
        let (x, y) = entry.end.map(|(x, y)| frame.place(x, y))?;
        let is_inside = (frame.top..=frame.bottom).contains(&y);
        (is_inside && (x - frame.right).abs() <= near).then_some((x, y))
    };
    let ends = entries.iter().map(place).collect::<Option<Vec<_>>>()?;
    let mut heights: Vec<f64> = ends.iter().map(|end| end.1).collect();
    heights.sort_unstable_by(f64::total_cmp);
    if heights.windows(2).any(|pair| pair[1] - pair[0] < 1.1 * LEGEND_SIZE) {
        return None;
    }
    let write = |(entry, &(_, y)): (&Entry, &Point)| {
        let at = (frame.right + GAP, y + HALF_DIGIT * LEGEND_SIZE);
        Mark::text(&entry.label, at, Align::Start, LEGEND_SIZE)
    };
    Some(entries.iter().zip(&ends).map(write).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_wrap_and_stay_inside() {
        let entry = |i: usize| Entry::guide(&format!("algorithm number {i}"), None);
        let entries: Vec<_> = (0..9).map(entry).collect();
        let (bottom, marks) = rows(&entries, 50.0, 500.0, 30.0);
        assert_eq!(bottom, 30.0 + 5.0 * ROW);
        for mark in marks {
            let Mark::Text(label) = mark else { continue };
            let (left, _, right, _) = label.bounds();
            assert!(left >= 50.0 && right <= 500.0, "{label:?}");
        }
        assert_eq!(rows(&[], 0.0, 1.0, 30.0).0, 30.0);
    }

    #[test]
    fn many_or_long_labels_do_not_stand_at_the_ends() {
        let entries = |label: &str, count: usize| vec![Entry::guide(label, None); count];
        assert!(room_at_ends(&entries("dqn", 3), 400.0).is_some());
        assert!(room_at_ends(&entries("dqn", 6), 400.0).is_none());
        assert!(room_at_ends(&entries(&"dqn ".repeat(20), 1), 400.0).is_none());
        assert!(room_at_ends(&[], 400.0).is_none());
    }
}
