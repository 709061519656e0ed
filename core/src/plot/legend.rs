//! A legend in rows above the data, where it can cover none of them.

use super::axes::{HALF_DIGIT, text};
use super::font;
use super::line::dashed;
use super::palette::Rgb;
use super::scene::{Align, Mark};

const SIZE: f64 = 13.0;
const ROW: f64 = 21.0;
const SWATCH: f64 = 24.0;
const GAP: f64 = 7.0;
const BETWEEN: f64 = 22.0;

pub(super) struct Entry<'a> {
    pub(super) label: &'a str,
    pub(super) colour: Rgb,
    pub(super) width: f64,
    /// The lengths of its dashes and gaps, where it is no solid line.
    pub(super) pattern: Option<&'static [f64]>,
}

/// Lays `entries` out in rows from `left` to `right`, the first row's upper edge at `top`; returns
/// the lower edge of the last row and the marks. A label longer than a row is cut.
pub(super) fn lay_out(entries: &[Entry<'_>], left: f64, right: f64, top: f64) -> (f64, Vec<Mark>) {
    let mut marks = Vec::new();
    let (mut x, mut y) = (left, top);
    for entry in entries {
        let label = font::fit(entry.label, SIZE, false, right - left - SWATCH - GAP);
        let width = SWATCH + GAP + font::width(&label, SIZE, false);
        if x > left && x + width > right {
            (x, y) = (left, y + ROW);
        }
        let middle = y + ROW / 2.0;
        let swatch = vec![(x, middle), (x + SWATCH, middle)];
        let pieces = match entry.pattern {
            Some(pattern) => dashed(&swatch, pattern),
            None => vec![swatch],
        };
        marks.extend(pieces.into_iter().map(|points| Mark::Line {
            points,
            colour: entry.colour,
            width: entry.width,
        }));
        marks.push(text(
            &label,
            (x + SWATCH + GAP, middle + HALF_DIGIT * SIZE),
            Align::Start,
            SIZE,
        ));
        x += width + BETWEEN;
    }
    (if entries.is_empty() { top } else { y + ROW }, marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_wrap_and_stay_inside() {
        let labels: Vec<String> = (0..9).map(|i| format!("algorithm number {i}")).collect();
        let entries: Vec<_> = labels
            .iter()
            .map(|label| Entry { label, colour: Rgb(0, 0, 0), width: 2.0, pattern: None })
            .collect();
        let (bottom, marks) = lay_out(&entries, 50.0, 500.0, 30.0);
        assert_eq!(bottom, 30.0 + 5.0 * ROW);
        for mark in marks {
            let Mark::Text(label) = mark else { continue };
            let (left, _, right, _) = label.bounds();
            assert!(left >= 50.0 && right <= 500.0, "{label:?}");
        }
        assert_eq!(lay_out(&[], 0.0, 1.0, 30.0).0, 30.0);
    }
}
