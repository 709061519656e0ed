//! The fonts of pictures: DejaVu Sans, regular and bold, built in, so that nothing has to be
//! installed and a picture's letters are the same everywhere.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};

static REGULAR: LazyLock<FontRef<'static>> =
    LazyLock::new(|| parse(include_bytes!("../../assets/DejaVuSans.ttf")));
static BOLD: LazyLock<FontRef<'static>> =
    LazyLock::new(|| parse(include_bytes!("../../assets/DejaVuSans-Bold.ttf")));

fn parse(bytes: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(bytes).expect("the fonts in `assets` are whole")
}

fn face(bold: bool) -> &'static FontRef<'static> {
    if bold { &BOLD } else { &REGULAR }
}

/// The width of `text` in pixels, `size` pixels to the em.
pub(super) fn width(text: &str, size: f64, bold: bool) -> f64 {
    layout(text, size, bold).1
}

/// Whether both faces have this letter.
#[cfg(test)]
pub(super) fn has(letter: char) -> bool {
    [false, true].iter().all(|&bold| face(bold).glyph_id(letter).0 != 0)
}

/// `text`, cut and ended by an ellipsis if it is wider than `room` pixels.
pub(super) fn fit(text: &str, size: f64, bold: bool, room: f64) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    // Letters that begin beyond the room are cut at once: one by one takes long in a long text.
    let beyond = |glyph: &Glyph| f64::from(glyph.position.x) > room + size;
    if let Some(first) = layout(text, size, bold).0.iter().position(beyond) {
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

/// Calls `cover(x, y, share)` for each pixel that `text` covers, its baseline starting at (0, 0).
/// `start` shifts it to the right by less than a pixel.
pub(super) fn draw(
    text: &str,
    size: f64,
    bold: bool,
    start: f64,
    mut cover: impl FnMut(i32, i32, f32),
) {
    for mut glyph in layout(text, size, bold).0 {
        glyph.position.x += start as f32;
        let Some(outline) = face(bold).outline_glyph(glyph) else { continue };
        let corner = outline.px_bounds().min;
        outline.draw(|x, y, share| {
            cover(corner.x as i32 + x as i32, corner.y as i32 + y as i32, share);
        });
    }
}

fn layout(text: &str, size: f64, bold: bool) -> (Vec<Glyph>, f64) {
    let font = face(bold);
    let em = font.units_per_em().expect("the fonts in `assets` say their em");
    let scale = PxScale::from(size as f32 * font.height_unscaled() / em);
    let scaled = font.as_scaled(scale);
    let mut x = 0.0;
    let mut previous = None;
    let mut glyphs = Vec::new();
    for letter in text.chars() {
        let id = font.glyph_id(letter);
        x += previous.map_or(0.0, |previous| scaled.kern(previous, id));
        glyphs.push(id.with_scale_and_position(scale, point(x, 0.0)));
        x += scaled.h_advance(id);
        previous = Some(id);
    }
    (glyphs, f64::from(x))
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
    }

    #[test]
    fn a_long_text_is_cut_to_fit() {
        assert_eq!(fit("short", 10.0, false, 100.0), "short");
        let cut = fit(&"long ".repeat(20), 10.0, false, 100.0);
        assert!(cut.ends_with('…') && width(&cut, 10.0, false) <= 100.0 && cut.len() > 10);
        assert_eq!(fit("long", 10.0, false, 0.0), "…");
    }

    #[test]
    fn letters_stand_on_the_baseline() {
        let (mut top, mut bottom) = (0, 0);
        draw("E", 100.0, false, 0.0, |_, y, share| {
            if share > 0.5 {
                top = top.min(y);
                bottom = bottom.max(y);
            }
        });
        // Capitals are 1493 of 2048 units high; the rows are those above the baseline.
        assert!((-74..=-72).contains(&top), "{top}");
        assert!((-1..=0).contains(&bottom), "{bottom}");
    }
}
