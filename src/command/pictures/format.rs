//! The format of a picture, as arguments say it: its width, and the limits of its axes.

use crate::command::numbers::finite;

/// The width of a picture and the size of its text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Format {
    /// In pixels of 1/96 inch.
    pub(crate) width: u32,
    /// The size of the axes' labels, in pixels.
    pub(crate) font_size: f64,
}

/// The ends of an axis.
pub(crate) type Limits = (f64, f64);

const PIXELS_PER_INCH: f64 = 96.0;
/// 9 points, as a paper's captions have; ticks then have 8.
const PAPER_FONT: f64 = 12.0;
const SCREEN_FONT: f64 = 14.0;

impl Default for Format {
    /// 800 pixels, which a README shows unscaled.
    fn default() -> Self {
        Self { width: 800, font_size: SCREEN_FONT }
    }
}

/// Reads a width: `one-column`, `two-column`, inches (`5in`) or pixels (`800`). In columns and inches
/// the text has the size of a paper's.
pub(crate) fn width(text: &str) -> Result<Format, String> {
    const EXPECTED: &str = "expected one-column, two-column, inches (5in) or pixels (800)";
    let inches = match text {
        "one-column" => Some("3.25"),
        "two-column" => Some("6.75"),
        text => text.strip_suffix("in"),
    };
    let number = |text: &str| finite(text).map_err(|_| EXPECTED.to_owned());
    let (pixels, font_size) = match inches {
        Some(inches) => (number(inches)? * PIXELS_PER_INCH, PAPER_FONT),
        None => (number(text.strip_suffix("px").unwrap_or(text))?, SCREEN_FONT),
    };
    if !(200.0..=10_000.0).contains(&pixels) {
        return Err("expected 200 to 10000 pixels, which are 2.1 to 104 inches".to_owned());
    }
    Ok(Format { width: pixels.round() as u32, font_size })
}

/// Reads the ends of an axis: `0,500`.
pub(crate) fn limits(text: &str) -> Result<Limits, String> {
    let ends = text.split_once(',').and_then(|(low, high)| {
        let end = |text: &str| finite(text.trim()).ok();
        end(low).zip(end(high)).filter(|(low, high)| low < high)
    });
    ends.ok_or_else(|| "expected two finite numbers, the lower first: 0,500".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_is_a_column_or_a_number() {
        let paper = |width| Ok(Format { width, font_size: PAPER_FONT });
        assert_eq!((width("one-column"), width("two-column")), (paper(312), paper(648)));
        assert_eq!((width("3.25in"), width("5in")), (paper(312), paper(480)));
        let screen = Ok(Format { width: 640, font_size: SCREEN_FONT });
        assert_eq!((width("640"), width("640px")), (screen.clone(), screen));
        for text in ["", "wide", "in", "nan", "3.25cm", "inf"] {
            assert!(width(text).unwrap_err().contains("one-column"), "{text}");
        }
        for text in ["0", "199", "1in", "1e9", "-800"] {
            assert!(width(text).unwrap_err().contains("200 to 10000"), "{text}");
        }
    }

    #[test]
    fn limits_are_two_numbers_in_order() {
        assert_eq!((limits("0,500"), limits("-1e3, 2.5")), (Ok((0.0, 500.0)), Ok((-1000.0, 2.5))));
        for text in ["", "1", "1,", "1,1", "2,1", "nan,1", "0,inf", "1,2,3"] {
            assert!(limits(text).is_err(), "{text}");
        }
    }
}
