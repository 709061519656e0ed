//! Capital letters and digits drawn as strokes.

use super::{Canvas, Colour, Pixel};

/// Each glyph's strokes: points as column (0 to 4) and row (0 to 6), strokes apart by a bar.
const GLYPHS: [(char, &str); 39] = [
    ('0', "10 30 41 45 36 16 05 01 10"),
    ('1', "11 20 26|16 36"),
    ('2', "01 10 30 41 42 06 46"),
    ('3', "01 10 30 41 42 33 44 45 36 16 05|13 33"),
    ('4', "30 04 44|30 36"),
    ('5', "40 00 03 33 44 45 36 06"),
    ('6', "40 20 02 05 16 36 45 44 33 03"),
    ('7', "00 40 16"),
    ('8', "13 02 01 10 30 41 42 33 13 04 05 16 36 45 44 33"),
    ('9', "06 26 44 41 30 10 01 02 13 43"),
    ('A', "06 20 46|14 34"),
    ('B', "00 30 41 42 33 03|33 44 45 36 06 00"),
    ('C', "41 30 10 01 05 16 36 45"),
    ('D', "00 20 42 44 26 06 00"),
    ('E', "40 00 06 46|03 33"),
    ('F', "40 00 06|03 33"),
    ('G', "41 30 10 01 05 16 36 45 43 23"),
    ('H', "00 06|40 46|03 43"),
    ('I', "10 30|20 26|16 36"),
    ('J', "40 45 36 16 05"),
    ('K', "00 06|40 03 46"),
    ('L', "00 06 46"),
    ('M', "06 00 23 40 46"),
    ('N', "06 00 46 40"),
    ('O', "10 30 41 45 36 16 05 01 10"),
    ('P', "06 00 30 41 42 33 03"),
    ('Q', "10 30 41 45 36 16 05 01 10|34 46"),
    ('R', "06 00 30 41 42 33 03|23 46"),
    ('S', "41 30 10 01 02 13 33 44 45 36 16 05"),
    ('T', "00 40|20 26"),
    ('U', "00 05 16 36 45 40"),
    ('V', "00 26 40"),
    ('W', "00 16 23 36 40"),
    ('X', "00 46|40 06"),
    ('Y', "00 23 40|23 26"),
    ('Z', "00 40 06 46"),
    ('-', "13 33"),
    ('+', "03 43|21 25"),
    (':', "22 22|24 24"),
];
/// From one character to the next, in columns.
const ADVANCE: f64 = 6.0;

/// Writes a line of text centred on a pixel, its capitals `height` pixels tall. Small letters are
/// written as capitals; characters without a glyph leave a space.
pub(super) fn write_centred(
    canvas: &mut Canvas,
    text: &str,
    [x, y]: Pixel,
    height: f64,
    colour: Colour,
) {
    let unit = height / 6.0;
    let count = text.chars().count() as f64;
    let left = x - unit * (ADVANCE * count - (ADVANCE - 4.0)) / 2.0;
    for (i, character) in text.chars().enumerate() {
        let left = left + unit * ADVANCE * i as f64;
        let capital = character.to_ascii_uppercase();
        let glyph = GLYPHS.iter().find(|glyph| glyph.0 == capital);
        for stroke in glyph.map_or("", |glyph| glyph.1).split('|') {
            let point = |point: &str| {
                let mut digits = point.bytes().map(|digit| f64::from(digit - b'0'));
                let (column, row) = (digits.next()?, digits.next()?);
                Some([left + unit * column, y + unit * (row - 3.0)])
            };
            let points: Vec<Pixel> = stroke.split(' ').filter_map(point).collect();
            canvas.line(&points, 1.15 * unit, colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_glyph_is_drawn_within_its_height() {
        for (character, _) in GLYPHS {
            let mut canvas = Canvas::new(40, 40, Colour::WHITE);
            write_centred(&mut canvas, &character.to_string(), [20.0, 20.0], 20.0, Colour::INK);
            let frame = canvas.into_frame();
            let row_is_blank =
                |y: usize| frame.rgb[120 * y..120 * (y + 1)].iter().all(|&b| b == 255);
            assert!((0..40).any(|y| !row_is_blank(y)), "{character}");
            assert!((0..7).chain(33..40).all(row_is_blank), "{character}");
        }
    }
}
