//! Text in the middle of something.

use gymnast_draw::font;

use super::{Canvas, Colour, Pixel};

/// Writes a line of text centred on a pixel, its capitals `height` pixels tall.
pub(super) fn write_centred(
    canvas: &mut Canvas,
    text: &str,
    [x, y]: Pixel,
    height: f64,
    colour: Colour,
) {
    let size = height / font::measures(true).capital;
    let start = [x - font::width(text, size, true) / 2.0, y + height / 2.0];
    canvas.text(text, start, size, true, false, colour);
}

#[cfg(test)]
mod tests {
    use super::super::Frame;
    use super::*;

    #[test]
    fn capitals_and_digits_are_as_tall_as_asked_for() {
        for text in ["H", "0", "A", "7"] {
            let mut canvas = Canvas::new(40, 40, Colour::WHITE);
            write_centred(&mut canvas, text, [20.0, 20.0], 20.0, Colour::INK);
            let frame = Frame::from(canvas);
            let is_blank = |y: usize| frame.rgb[120 * y..120 * (y + 1)].iter().all(|&b| b == 255);
            assert!((11..29).all(|y| !is_blank(y)), "{text}");
            assert!((0..9).chain(31..40).all(is_blank), "{text}");
        }
    }
}
