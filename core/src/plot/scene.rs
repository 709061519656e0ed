//! A picture as data, in pixels, before it becomes SVG or PNG.
//!
//! Everything is drawn with plotters' elements on plotters' drawing areas. Its coordinates are whole
//! numbers, so a scene is drawn enlarged: by ten for SVG, which is then declared smaller, and by four
//! for PNG, which is then averaged down (see `raster`).

use plotters::coord::Shift;
use plotters::prelude::{
    Color as _, DrawingArea, DrawingAreaErrorKind, DrawingBackend, FontStyle, FontTransform,
    IntoDrawingArea, IntoFont, PathElement, Polygon, RGBColor, SVGBackend, Text, TextStyle,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::PlotError;
use super::font;
use super::palette::{Rgb, TEXT, WHITE};
pub(super) use super::raster::Point;
use super::raster::{PLOTTERS_ASCENT, PLOTTERS_EM, PNG_SCALE, Raster};

/// Pixels to the em of a picture's title.
pub(super) const TITLE_SIZE: f64 = 17.0;

pub(super) enum Mark {
    Line { points: Vec<Point>, colour: Rgb, width: f64 },
    Fill { points: Vec<Point>, colour: Rgb, opacity: f64 },
    Text(Label),
}

#[derive(Clone, Debug)]
pub(super) struct Label {
    pub(super) text: String,
    /// Where the baseline starts, has its middle or ends, as `align` says.
    pub(super) at: Point,
    pub(super) align: Align,
    /// Pixels to the em.
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: Rgb,
    /// Reads upwards instead of to the right.
    pub(super) upwards: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

pub(super) struct Scene {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) marks: Vec<Mark>,
}

const SVG_SCALE: u32 = 10;

impl Scene {
    pub(super) fn svg(&self) -> Result<String, PlotError> {
        let mut text = String::new();
        let (width, height) = (self.width * SVG_SCALE, self.height * SVG_SCALE);
        self.paint(SVGBackend::with_string(&mut text, (width, height)), SVG_SCALE)?;
        let enlarged = format!("<svg width=\"{width}\" height=\"{height}\"");
        let declared = format!(
            "<svg width=\"{}\" height=\"{}\" stroke-linejoin=\"round\"",
            self.width, self.height
        );
        Ok(text.replacen(&enlarged, &declared, 1))
    }

    pub(super) fn png(&self) -> Result<Vec<u8>, PlotError> {
        let mut raster = Raster::new(self.width, self.height);
        self.paint(&mut raster, PNG_SCALE)?;
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width, self.height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&raster.into_pixels())?;
        writer.finish()?;
        Ok(bytes)
    }

    fn paint<B: IntoDrawingArea>(&self, backend: B, scale: u32) -> Result<(), PlotError> {
        let area = backend.into_drawing_area();
        self.paint_on(&area, f64::from(scale))
            .map_err(|error| PlotError::Drawing(error.to_string()))
    }

    fn paint_on<B: DrawingBackend>(
        &self,
        area: &DrawingArea<B, Shift>,
        scale: f64,
    ) -> Result<(), DrawingAreaErrorKind<B::ErrorType>> {
        let round = |(x, y): Point| ((x * scale).round() as i32, (y * scale).round() as i32);
        area.fill(&rgb(WHITE))?;
        for mark in &self.marks {
            match mark {
                Mark::Line { points, colour, width } => {
                    let style = rgb(*colour).stroke_width((width * scale).round() as u32);
                    let points: Vec<_> = points.iter().copied().map(round).collect();
                    area.draw(&PathElement::new(points, style))?;
                }
                Mark::Fill { points, colour, opacity } => {
                    let points: Vec<_> = points.iter().copied().map(round).collect();
                    area.draw(&Polygon::new(points, rgb(*colour).mix(*opacity).filled()))?;
                }
                Mark::Text(label) => {
                    let text = label.text.replace(char::is_control, " ");
                    area.draw(&Text::new(text, round(label.top()), label.style(scale)))?;
                }
            }
        }
        area.present()
    }
}

impl Label {
    /// Plain text that reads to the right, in the colour of all text.
    pub(super) fn new(text: &str, at: Point, align: Align, size: f64) -> Self {
        let text = text.to_owned();
        Self { text, at, align, size, bold: false, colour: TEXT, upwards: false }
    }

    /// A picture's title below `top`, cut where `room` ends.
    pub(super) fn title(title: &str, (left, top): Point, room: f64) -> Self {
        let text = font::fit(title, TITLE_SIZE, true, room);
        let at = (left, top + 0.8 * TITLE_SIZE);
        Self { bold: true, ..Self::new(&text, at, Align::Start, TITLE_SIZE) }
    }

    /// The anchor that plotters wants: the top of the letters.
    fn top(&self) -> Point {
        let (x, y) = self.at;
        let ascent = PLOTTERS_ASCENT * self.size;
        if self.upwards { (x - ascent, y) } else { (x, y - ascent) }
    }

    fn style(&self, scale: f64) -> TextStyle<'static> {
        let h_pos = match self.align {
            Align::Start => HPos::Left,
            Align::Middle => HPos::Center,
            Align::End => HPos::Right,
        };
        let weight = if self.bold { FontStyle::Bold } else { FontStyle::Normal };
        let mut font = ("sans-serif", self.size * scale * PLOTTERS_EM, weight).into_font();
        if self.upwards {
            font = font.transform(FontTransform::Rotate270);
        }
        let color = rgb(self.colour).to_backend_color();
        TextStyle { font, color, pos: Pos::new(h_pos, VPos::Top) }
    }

    /// The rectangle that the letters may cover: left, top, right, bottom.
    #[cfg(test)]
    pub(super) fn bounds(&self) -> (f64, f64, f64, f64) {
        let width = font::width(&self.text, self.size, self.bold);
        let start = match self.align {
            Align::Start => 0.0,
            Align::Middle => -width / 2.0,
            Align::End => -width,
        };
        let (x, y) = self.at;
        let (above, below) = (PLOTTERS_ASCENT * self.size, 0.24 * self.size);
        if self.upwards {
            (x - above, y - start - width, x + below, y - start)
        } else {
            (x + start, y - above, x + start + width, y + below)
        }
    }
}

fn rgb(colour: Rgb) -> RGBColor {
    RGBColor(colour.0, colour.1, colour.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(marks: Vec<Mark>) -> Scene {
        Scene { width: 40, height: 20, marks }
    }

    fn pixels(scene: &Scene) -> Vec<u8> {
        let bytes = scene.png().unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (40, 20));
        pixels
    }

    fn at(pixels: &[u8], x: usize, y: usize) -> [u8; 3] {
        pixels[(y * 40 + x) * 3..][..3].try_into().unwrap()
    }

    #[test]
    fn a_fill_covers_its_pixels_by_their_share() {
        let points = vec![(10.0, 5.0), (20.5, 5.0), (20.5, 15.0), (10.0, 15.0)];
        let fill = Mark::Fill { points, colour: Rgb(0, 100, 200), opacity: 1.0 };
        let pixels = pixels(&scene(vec![fill]));
        assert_eq!(at(&pixels, 15, 10), [0, 100, 200]);
        assert_eq!(at(&pixels, 9, 10), [255; 3]);
        assert_eq!(at(&pixels, 20, 10), [128, 178, 228]);
    }

    #[test]
    fn a_translucent_fill_lets_the_ground_through() {
        let points = vec![(0.0, 0.0), (40.0, 0.0), (40.0, 20.0), (0.0, 20.0)];
        let fill = Mark::Fill { points, colour: Rgb(0, 0, 0), opacity: 0.2 };
        assert_eq!(at(&pixels(&scene(vec![fill])), 30, 10), [204; 3]);
    }

    #[test]
    fn a_line_has_its_width_and_a_joint_no_hole() {
        let points = vec![(2.0, 10.0), (20.0, 10.0), (20.0, 18.0)];
        let line = Mark::Line { points, colour: Rgb(0, 0, 0), width: 2.0 };
        let pixels = pixels(&scene(vec![line]));
        let column: Vec<u8> = (0..20).map(|y| at(&pixels, 10, y)[0]).collect();
        assert_eq!(column[8..12], [255, 0, 0, 255]);
        assert!(at(&pixels, 20, 9)[0] < 100);
        assert_eq!(at(&pixels, 19, 10), [0; 3]);
    }

    #[test]
    fn svg_has_the_declared_size_and_escaped_text() {
        let label = Label {
            text: "a < b & \u{7}c".to_owned(),
            at: (5.0, 10.0),
            align: Align::Start,
            size: 12.0,
            bold: false,
            colour: Rgb(0, 0, 0),
            upwards: false,
        };
        let svg = scene(vec![Mark::Text(label)]).svg().unwrap();
        assert!(svg.starts_with("<svg width=\"40\" height=\"20\" "), "{svg}");
        assert!(svg.contains("viewBox=\"0 0 400 200\""), "{svg}");
        assert!(svg.contains("a &lt; b &amp;  c"), "{svg}");
        assert!(
            svg.contains("font-family=\"sans-serif\"") && svg.contains("font-size=\"120.0"),
            "{svg}"
        );
    }
}
