//! The font of pictures: DejaVu Sans, regular and bold, built in, so that nothing has to be
//! installed and a picture's letters are the same everywhere.

use std::sync::LazyLock;

use tiny_skia::{Path, PathBuilder};
use ttf_parser::{Face, GlyphId, OutlineBuilder};

const REGULAR_BYTES: &[u8] = include_bytes!("../assets/DejaVuSans.ttf");
const BOLD_BYTES: &[u8] = include_bytes!("../assets/DejaVuSans-Bold.ttf");
static REGULAR: LazyLock<Face<'static>> = LazyLock::new(|| parse(REGULAR_BYTES));
static BOLD: LazyLock<Face<'static>> = LazyLock::new(|| parse(BOLD_BYTES));

fn parse(bytes: &'static [u8]) -> Face<'static> {
    Face::parse(bytes, 0).expect("the fonts in `assets` are whole")
}

fn face(bold: bool) -> &'static Face<'static> {
    if bold { &BOLD } else { &REGULAR }
}

/// A letter of a line of text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glyph {
    /// Its number in the font.
    pub id: u16,
    /// The letter.
    pub letter: char,
    /// Where it begins, in pixels from the start of the line.
    pub x: f64,
    /// How much room it takes, in pixels, before any kerning.
    pub advance: f64,
}

/// Measures of a face, in fractions of its em.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    /// The height of capital letters above the baseline.
    pub capital: f64,
    /// The height of the highest letters above the baseline.
    pub ascent: f64,
    /// The depth of the lowest letters; negative.
    pub descent: f64,
    /// Left, bottom, right and top of the rectangle around all letters.
    pub bounds: [f64; 4],
}

/// Returns the bytes of a face's TrueType file, to embed it.
#[must_use]
pub fn file(bold: bool) -> &'static [u8] {
    if bold { BOLD_BYTES } else { REGULAR_BYTES }
}

/// Returns the measures of a face.
#[must_use]
pub fn measures(bold: bool) -> Measures {
    let face = face(bold);
    let em = f64::from(face.units_per_em());
    let share = |units: i16| f64::from(units) / em;
    let all = face.global_bounding_box();
    // The file does not say it, but its letters do.
    let capital = face.glyph_index('H').and_then(|id| face.glyph_bounding_box(id));
    Measures {
        capital: share(capital.map_or(face.ascender(), |bounds| bounds.y_max)),
        ascent: share(face.ascender()),
        descent: share(face.descender()),
        bounds: [all.x_min, all.y_min, all.x_max, all.y_max].map(share),
    }
}

/// Returns whether both faces have this letter; others are drawn as a box.
#[must_use]
pub fn has(letter: char) -> bool {
    [false, true].iter().all(|&bold| face(bold).glyph_index(letter).is_some())
}

/// Returns the width of `text` in pixels, `size` pixels to the em.
#[must_use]
pub fn width(text: &str, size: f64, bold: bool) -> f64 {
    layout(text, size, bold).last().map_or(0.0, |last| last.x + last.advance)
}

/// Returns `text`, cut and ended by an ellipsis if it is wider than `room` pixels.
#[must_use]
pub fn fit(text: &str, size: f64, bold: bool, room: f64) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    // Letters that begin beyond the room are cut at once: one by one takes long in a long text.
    let beyond = |glyph: &Glyph| glyph.x > room + size;
    if let Some(first) = layout(text, size, bold).iter().position(beyond) {
        kept.truncate(first);
    }
    loop {
        let shortened = format!("{}…", kept.iter().collect::<String>().trim_end());
        if kept.is_empty() || width(&shortened, size, bold) <= room {
            return shortened;
        }
        kept.pop();
    }
}

/// Returns `text`, its middle replaced by an ellipsis if it is wider than `room` pixels. Two thirds of
/// what stays are its end, in which names of runs differ.
#[must_use]
pub fn fit_middle(text: &str, size: f64, bold: bool, room: f64) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let shortened = |kept: usize| {
        let start = kept / 3;
        let end = &letters[letters.len() - (kept - start)..];
        letters[..start].iter().chain(&['…']).chain(end).collect::<String>()
    };
    // No letter is narrower than a tenth of an em.
    let most = letters.len().saturating_sub(1).min((10.0 * room / size).max(0.0) as usize);
    let fits = |kept: &usize| width(&shortened(*kept), size, bold) <= room;
    shortened((0..=most).rev().find(fits).unwrap_or(0))
}

/// Returns `text` in lines of at most `room` pixels, broken between words; a word that is wider is
/// cut.
#[must_use]
pub fn wrap(text: &str, size: f64, bold: bool, room: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match longer.filter(|line| width(line, size, bold) <= room) {
            Some(line) => *lines.last_mut().expect("it is longer than the last line") = line,
            None => lines.push(fit(word, size, bold, room)),
        }
    }
    lines
}

/// Places the letters of a line of text, kerned.
#[must_use]
pub fn layout(text: &str, size: f64, bold: bool) -> Vec<Glyph> {
    let face = face(bold);
    let scale = size / f64::from(face.units_per_em());
    let mut x = 0.0;
    let mut previous: Option<GlyphId> = None;
    let place = |letter: char| {
        let id = face.glyph_index(letter).unwrap_or_default();
        x += previous.map_or(0.0, |previous| scale * f64::from(kerning(face, previous, id)));
        let advance = scale * f64::from(face.glyph_hor_advance(id).unwrap_or(0));
        let glyph = Glyph { id: id.0, letter, x, advance };
        x += advance;
        previous = Some(id);
        glyph
    };
    text.chars().map(place).collect()
}

fn kerning(face: &Face<'_>, left: GlyphId, right: GlyphId) -> i16 {
    let subtables = face.tables().kern.into_iter().flat_map(|kern| kern.subtables);
    let mut horizontal = subtables.filter(|table| table.horizontal && !table.variable);
    horizontal.find_map(|table| table.glyphs_kerning(left, right)).unwrap_or(0)
}

/// Returns the outline of a line of text whose baseline starts at `(x, y)`; `None` if nothing of it
/// is seen.
pub(crate) fn outline(
    text: &str,
    [x, y]: [f64; 2],
    size: f64,
    bold: bool,
    upwards: bool,
) -> Option<Path> {
    let face = face(bold);
    let scale = size / f64::from(face.units_per_em());
    let mut pen = Pen { path: PathBuilder::new(), start: [x, y], along: 0.0, scale, upwards };
    for glyph in layout(text, size, bold) {
        pen.along = glyph.x;
        // A letter without an outline is a space.
        let _ = face.outline_glyph(GlyphId(glyph.id), &mut pen);
    }
    pen.path.finish()
}

/// Draws outlines of letters, which point upwards in units of the font, into a path of pixels.
struct Pen {
    path: PathBuilder,
    start: [f64; 2],
    along: f64,
    scale: f64,
    upwards: bool,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let (along, up) = (self.along + self.scale * f64::from(x), self.scale * f64::from(y));
        let [x, y] = self.start;
        let (x, y) = if self.upwards { (x - up, y - along) } else { (x + along, y - up) };
        (x as f32, y as f32)
    }
}

impl OutlineBuilder for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // DejaVu Sans: every digit is 1303 of 2048 units wide.
        assert!((width("0", 2048.0, false) - 1303.0).abs() < 0.01);
        assert!((width("00", 1024.0, false) - 1303.0).abs() < 0.01);
        assert!(width("0", 10.0, true) > width("0", 10.0, false));
        assert_eq!(width("", 10.0, false), 0.0);
        // Kerned: these two lean on each other.
        let apart = width("A", 100.0, false) + width("V", 100.0, false);
        assert!(width("AV", 100.0, false) < apart - 2.0);
    }

    #[test]
    fn capitals_are_as_high_as_they_are_drawn() {
        for bold in [false, true] {
            assert!((measures(bold).capital - 1493.0 / 2048.0).abs() < 1e-9, "{bold}");
            assert!(measures(bold).descent < 0.0 && measures(bold).ascent > 0.9);
        }
    }

    #[test]
    fn a_long_text_is_cut_to_fit() {
        assert_eq!(fit("short", 10.0, false, 100.0), "short");
        let cut = fit(&"long ".repeat(20), 10.0, false, 100.0);
        assert!(cut.ends_with('…') && width(&cut, 10.0, false) <= 100.0 && cut.len() > 10);
        assert_eq!(fit("long", 10.0, false, 0.0), "…");
    }

    #[test]
    fn a_long_name_keeps_its_end() {
        assert_eq!(fit_middle("short", 10.0, false, 100.0), "short");
        let name = |i| format!("a-long-name-of-a-run-that-ends-in-{i}");
        let (one, two) =
            (fit_middle(&name(1), 10.0, false, 100.0), fit_middle(&name(2), 10.0, false, 100.0));
        assert!(width(&one, 10.0, false) <= 100.0 && one.starts_with("a-l"), "{one}");
        assert!(one.contains('…') && one.ends_with("in-1") && one != two, "{one}");
        assert_eq!(fit_middle("long", 10.0, false, 0.0), "…");
        assert_eq!(fit_middle("", 10.0, false, -1.0), "…");
    }

    #[test]
    fn a_text_is_broken_between_words() {
        let lines = wrap("the mean and the interval of ten seeds", 10.0, false, 80.0);
        assert!(lines.len() > 2 && lines.iter().all(|line| width(line, 10.0, false) <= 80.0));
        assert_eq!(lines.join(" "), "the mean and the interval of ten seeds");
        assert!(wrap(&"x".repeat(99), 10.0, false, 80.0)[0].ends_with('…'));
        assert!(wrap("  ", 10.0, false, 80.0).is_empty());
    }

    #[test]
    fn letters_stand_on_the_baseline() {
        // Capitals are 1493 of 2048 units high.
        let bounds = outline("E", [10.0, 200.0], 100.0, false, false).unwrap().bounds();
        assert!((bounds.bottom() - 200.0).abs() < 0.01, "{bounds:?}");
        assert!((bounds.height() - 72.9).abs() < 0.1, "{bounds:?}");
        let bounds = outline("E", [10.0, 200.0], 100.0, false, true).unwrap().bounds();
        assert!((bounds.right() - 10.0).abs() < 0.01 && bounds.bottom() < 200.0, "{bounds:?}");
        assert!(outline(" ", [0.0; 2], 10.0, false, false).is_none());
    }
}
