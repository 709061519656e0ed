//! Drawings as PDF of one page, whose text can be selected and searched.
//!
//! Both faces of the built-in font are embedded with the letters that the drawing has. There is no
//! date in the file: the same drawing gives the same bytes.

use std::collections::BTreeMap;

use gymnast_draw::{Colour, font};
use miniz_oxide::deflate::{CompressionLevel, compress_to_vec_zlib};
use pdf_writer::types::{CidFontType, FontFlags, LineJoinStyle, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str};
use subsetter::GlyphRemapper;

use super::PlotError;
use super::drawing::{Drawing, Label, Mark, Point};

/// Points of a PDF, 72 to the inch, in a pixel, of which there are 96.
const POINTS: f64 = 0.75;
const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
/// The regular face, then the bold one: five objects each.
const FONTS: [i32; 2] = [10, 20];
const FONT_NAMES: [Name<'static>; 2] = [Name(b"Regular"), Name(b"Bold")];
const BASE_NAMES: [Name<'static>; 2] =
    [Name(b"GYMNST+DejaVuSans"), Name(b"GYMNST+DejaVuSans-Bold")];
const FIRST_STATE: i32 = 30;
const IDENTITY: SystemInfo<'static> =
    SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };

/// The letters of a face that a drawing has.
#[derive(Default)]
struct Letters {
    glyphs: GlyphRemapper,
    /// By their new number: the letter and its width in thousandths of an em.
    used: BTreeMap<u16, (char, f32)>,
}

pub(super) fn pdf(drawing: &Drawing) -> Result<Vec<u8>, PlotError> {
    let unit = drawing.zoom * POINTS;
    let (width, height) = (f64::from(drawing.width) * POINTS, f64::from(drawing.height) * POINTS);
    let mut letters = [Letters::default(), Letters::default()];
    let mut opacities: Vec<f64> = Vec::new();
    let mut content = Content::new();
    // From here on as in the drawing: units to the right and down from the upper left corner.
    content.transform([unit as f32, 0.0, 0.0, -unit as f32, 0.0, height as f32]);
    content.set_line_join(LineJoinStyle::RoundJoin);
    for mark in &drawing.marks {
        match mark {
            Mark::Line { points, colour, width, dashes } => {
                let [red, green, blue] = shares(*colour);
                content.set_stroke_rgb(red, green, blue).set_line_width(*width as f32);
                content.set_dash_pattern(dashes.iter().map(|&length| length as f32), 0.0);
                trace(&mut content, points);
                content.stroke();
            }
            Mark::Fill { points, colour, opacity } => {
                let [red, green, blue] = shares(*colour);
                content.save_state();
                if *opacity < 1.0 {
                    let known = opacities.iter().position(|known| known == opacity);
                    let index = known.unwrap_or(opacities.len());
                    if known.is_none() {
                        opacities.push(*opacity);
                    }
                    content.set_parameters(Name(state(index).as_bytes()));
                }
                content.set_fill_rgb(red, green, blue);
                trace(&mut content, points);
                content.close_path().fill_nonzero().restore_state();
            }
            Mark::Text(label) => write(&mut content, label, &mut letters[usize::from(label.bold)]),
        }
    }

    let mut pdf = Pdf::new();
    pdf.catalog(CATALOG).pages(PAGES);
    pdf.pages(PAGES).kids([PAGE]).count(1);
    let mut page = pdf.page(PAGE);
    page.media_box(Rect::new(0.0, 0.0, width as f32, height as f32)).parent(PAGES);
    page.contents(CONTENT);
    let mut resources = page.resources();
    let mut fonts = resources.fonts();
    for (name, first) in FONT_NAMES.into_iter().zip(FONTS) {
        fonts.pair(name, Ref::new(first));
    }
    fonts.finish();
    let mut states = resources.ext_g_states();
    for index in 0..opacities.len() {
        states.pair(Name(state(index).as_bytes()), Ref::new(FIRST_STATE + index as i32));
    }
    states.finish();
    resources.finish();
    page.finish();
    for (index, opacity) in opacities.iter().enumerate() {
        pdf.ext_graphics(Ref::new(FIRST_STATE + index as i32)).non_stroking_alpha(*opacity as f32);
    }
    for (bold, letters) in [false, true].into_iter().zip(&letters) {
        embed(&mut pdf, bold, letters)?;
    }
    let packed = packed(content.finish().as_slice());
    pdf.stream(CONTENT, &packed).filter(Filter::FlateDecode);
    Ok(pdf.finish())
}

fn state(index: usize) -> String {
    format!("Opacity{index}")
}

fn shares(Colour(rgb): Colour) -> [f32; 3] {
    rgb.map(|part| f32::from(part) / 255.0)
}

fn trace(content: &mut Content, points: &[Point]) {
    for (index, &(x, y)) in points.iter().enumerate() {
        let (x, y) = (hundredths(x), hundredths(y));
        if index == 0 {
            content.move_to(x, y)
        } else {
            content.line_to(x, y)
        };
    }
}

/// As close as anybody can see: more digits would only make the file larger.
fn hundredths(x: f64) -> f32 {
    ((x * 100.0).round() / 100.0) as f32
}

fn write(content: &mut Content, label: &Label, letters: &mut Letters) {
    let line = font::layout(&label.printed(), label.size, label.bold);
    let [red, green, blue] = shares(label.colour);
    let (x, y) = label.start();
    let (x, y) = (x as f32, y as f32);
    // The page's y points down, and letters up.
    let matrix =
        if label.upwards { [0.0, -1.0, -1.0, 0.0, x, y] } else { [1.0, 0.0, 0.0, -1.0, x, y] };
    content.begin_text().set_fill_rgb(red, green, blue).set_text_matrix(matrix);
    content.set_font(FONT_NAMES[usize::from(label.bold)], label.size as f32);
    let mut shown = content.show_positioned();
    let mut items = shown.items();
    let mut end = 0.0;
    for glyph in &line {
        let id = letters.glyphs.remap(glyph.id);
        let thousandths = |length: f64| (1000.0 * length / label.size) as f32;
        letters.used.entry(id).or_insert((glyph.letter, thousandths(glyph.advance)));
        let kerning = thousandths(end - glyph.x);
        if kerning.abs() > 0.5 {
            items.adjust(kerning);
        }
        items.show(Str(&id.to_be_bytes()));
        end = glyph.x + glyph.advance;
    }
    items.finish();
    shown.finish();
    content.end_text();
}

/// Writes a face with its letters.
fn embed(pdf: &mut Pdf, bold: bool, letters: &Letters) -> Result<(), PlotError> {
    let (first, base) = (FONTS[usize::from(bold)], BASE_NAMES[usize::from(bold)]);
    let [font, cid, descriptor, unicode, file] = [0, 1, 2, 3, 4].map(|i| Ref::new(first + i));
    let mut type0 = pdf.type0_font(font);
    type0.base_font(base).encoding_predefined(Name(b"Identity-H"));
    type0.descendant_font(cid).to_unicode(unicode);
    type0.finish();
    let mut cid_font = pdf.cid_font(cid);
    cid_font.subtype(CidFontType::Type2).base_font(base).system_info(IDENTITY);
    cid_font.font_descriptor(descriptor).cid_to_gid_map_predefined(Name(b"Identity"));
    let mut widths = cid_font.widths();
    for (&id, &(_, width)) in &letters.used {
        widths.consecutive(id, [width]);
    }
    widths.finish();
    cid_font.finish();

    let measures = font::measures(bold);
    let thousandths = |share: f64| (1000.0 * share) as f32;
    let [left, bottom, right, top] = measures.bounds.map(thousandths);
    pdf.font_descriptor(descriptor)
        .name(base)
        .flags(FontFlags::SYMBOLIC)
        .bbox(Rect::new(left, bottom, right, top))
        .italic_angle(0.0)
        .ascent(thousandths(measures.ascent))
        .descent(thousandths(measures.descent))
        .cap_height(thousandths(measures.capital))
        .stem_v(if bold { 140.0 } else { 80.0 })
        .font_file2(file);
    let mut map = UnicodeCmap::new(Name(b"Letters"), IDENTITY);
    for (&id, &(letter, _)) in &letters.used {
        map.pair(id, letter);
    }
    pdf.cmap(unicode, map.finish().as_slice());
    let subset = subsetter::subset(font::file(bold), 0, &letters.glyphs)
        .map_err(|error| PlotError::Drawing(format!("the font could not be embedded: {error}")))?;
    let packed = packed(&subset);
    let mut stream = pdf.stream(file, &packed);
    stream.filter(Filter::FlateDecode).pair(Name(b"Length1"), subset.len() as i32);
    Ok(())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec_zlib(bytes, CompressionLevel::DefaultLevel as u8)
}

#[cfg(test)]
mod tests {
    use super::super::drawing::Align;
    use super::*;

    fn drawing(text: &str) -> Drawing {
        let label = Label::new(text, (5.0, 10.0), Align::Start, 12.0);
        let bold = Label { bold: true, upwards: true, ..label.clone() };
        let points = vec![(0.0, 0.0), (30.0, 0.0), (30.0, 10.0)];
        let fill = Mark::Fill { points: points.clone(), colour: Colour::BLUE, opacity: 0.2 };
        let line = Mark::Line { points, colour: Colour::BLUE, width: 2.0, dashes: &[4.0, 2.0] };
        let marks = vec![fill, line, Mark::Text(label), Mark::Text(bold)];
        Drawing { width: 312, height: 96, zoom: 0.8, marks }
    }

    fn contains(bytes: &[u8], part: &str) -> bool {
        bytes.windows(part.len()).any(|window| window == part.as_bytes())
    }

    #[test]
    fn the_page_is_as_large_as_the_drawing() {
        let bytes = pdf(&drawing("return −1")).unwrap();
        assert!(bytes.starts_with(b"%PDF-1.") && bytes.trim_ascii_end().ends_with(b"%%EOF"));
        // 3.25 by 1 inches.
        assert!(contains(&bytes, "/MediaBox [0 0 234 72]"));
        assert_eq!(bytes, pdf(&drawing("return −1")).unwrap(), "the same bytes each time");
    }

    #[test]
    fn letters_are_embedded_with_what_they_mean() {
        let bytes = pdf(&drawing("α-ab")).unwrap();
        // Their codes in the map from glyphs to text: α, a and b.
        for code in ["<03B1>", "<0061>", "<0062>"] {
            assert!(contains(&bytes, code), "{code}");
        }
        assert!(!contains(&bytes, "<0063>"), "no other letter");
        assert!(contains(&bytes, "/FontFile2") && contains(&bytes, "/ca 0.2"));
        assert!(bytes.len() < 20_000, "{} bytes", bytes.len());
    }

    #[test]
    fn a_letter_that_the_font_lacks_is_drawn_too() {
        assert!(pdf(&drawing("\u{4e00}\u{7}")).is_ok());
        assert!(pdf(&drawing("")).is_ok());
    }
}
