//! A picture as data: lines, fills and texts, before it becomes SVG, PNG or PDF.

use gymnast_draw::{Colour, font};

use super::palette::TEXT;
use super::{Picture, PlotError, pdf, png, svg};

/// A position in pixels: to the right and down from the upper left corner.
pub(super) type Point = (f64, f64);

/// Pixels to the em of a picture's title.
pub(super) const TITLE_SIZE: f64 = 15.0;
/// Pixels to the em of the axes' labels; all other sizes follow from it.
pub(super) const LABEL_SIZE: f64 = 14.0;
/// Pixels to the em of a legend.
pub(super) const LEGEND_SIZE: f64 = 13.0;
/// Pixels to the em of ticks, names and notes.
pub(super) const TICK_SIZE: f64 = 12.5;
/// Half the height of digits: how far a baseline lies below the middle of what it labels.
pub(super) const HALF_DIGIT: f64 = 0.36;
/// How far the letters of a line of text reach above its baseline, as a share of their size.
#[cfg(test)]
pub(super) const ASCENT: f64 = 0.76;

/// A picture that is laid out: every [`Picture`] becomes one, which becomes SVG, PNG or PDF.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawing {
    /// In pixels of 1/96 inch.
    pub(super) width: u32,
    pub(super) height: u32,
    /// Pixels to a unit of the marks.
    pub(super) zoom: f64,
    pub(super) marks: Vec<Mark>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    Line { points: Vec<Point>, colour: Colour, width: f64, dashes: &'static [f64] },
    Fill { points: Vec<Point>, colour: Colour, opacity: f64 },
    Text(Label),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    pub(super) text: String,
    /// Where the baseline starts, has its middle or ends, as `align` says.
    pub(super) at: Point,
    pub(super) align: Align,
    /// Units to the em.
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) colour: Colour,
    /// Reads upwards instead of to the right.
    pub(super) upwards: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

/// A picture, or a part of one, in units of which [`LABEL_SIZE`] make an em of the labels.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) marks: Vec<Mark>,
}

impl Picture for Drawing {
    fn drawing(&self) -> Result<Drawing, PlotError> {
        Ok(self.clone())
    }

    fn to_svg(&self) -> Result<String, PlotError> {
        Ok(svg::svg(self))
    }

    fn to_png_at(&self, scale: f64) -> Result<Vec<u8>, PlotError> {
        png::png(self, scale)
    }

    fn to_pdf(&self) -> Result<Vec<u8>, PlotError> {
        pdf::pdf(self)
    }
}

impl Drawing {
    /// Returns the width, in pixels of 1/96 inch.
    #[must_use]
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the height, in pixels of 1/96 inch.
    #[must_use]
    pub fn height(&self) -> u32 {
        self.height
    }
}

impl Part {
    /// The picture in which an em of the labels has `zoom` times [`LABEL_SIZE`] pixels.
    pub(super) fn drawing(self, zoom: f64) -> Drawing {
        let pixels = |length: f64| (length * zoom - 1e-6).ceil() as u32;
        let (width, height) = (pixels(self.width), pixels(self.height));
        Drawing { width, height, zoom, marks: self.marks }
    }

    /// The marks, moved to the right and down.
    pub(super) fn marks_at(self, (dx, dy): Point) -> impl Iterator<Item = Mark> {
        let moved = move |points: Vec<Point>| -> Vec<Point> {
            points.into_iter().map(|(x, y)| (x + dx, y + dy)).collect()
        };
        self.marks.into_iter().map(move |mark| match mark {
            Mark::Line { points, colour, width, dashes } => {
                Mark::Line { points: moved(points), colour, width, dashes }
            }
            Mark::Fill { points, colour, opacity } => {
                Mark::Fill { points: moved(points), colour, opacity }
            }
            Mark::Text(label) => {
                Mark::Text(Label { at: (label.at.0 + dx, label.at.1 + dy), ..label })
            }
        })
    }
}

/// The zoom at which an em of the labels has `font_size` pixels.
pub(super) fn zoom(font_size: f64) -> Result<f64, PlotError> {
    let is_legible = (4.0..=200.0).contains(&font_size);
    is_legible.then(|| font_size / LABEL_SIZE).ok_or(PlotError::FontSize(font_size))
}

impl Mark {
    /// A solid line.
    pub(super) fn line(points: Vec<Point>, colour: Colour, width: f64) -> Self {
        Self::Line { points, colour, width, dashes: &[] }
    }

    /// Plain text that reads to the right, in the colour of all text.
    pub(super) fn text(text: &str, at: Point, align: Align, size: f64) -> Self {
        Self::Text(Label::new(text, at, align, size))
    }
}

impl Label {
    /// Plain text that reads to the right, in the colour of all text.
    pub(super) fn new(text: &str, at: Point, align: Align, size: f64) -> Self {
        let text = text.to_owned();
        Self { text, at, align, size, bold: false, colour: TEXT, upwards: false }
    }

    /// The text as it is drawn: control characters are spaces.
    pub(super) fn printed(&self) -> String {
        self.text.replace(char::is_control, " ")
    }

    /// The share of the text that lies before its position.
    pub(super) fn before(&self) -> f64 {
        match self.align {
            Align::Start => 0.0,
            Align::Middle => 0.5,
            Align::End => 1.0,
        }
    }

    /// Where the baseline starts.
    pub(super) fn start(&self) -> Point {
        let before = self.before() * font::width(&self.printed(), self.size, self.bold);
        let (x, y) = self.at;
        if self.upwards { (x, y + before) } else { (x - before, y) }
    }

    /// The rectangle that the letters may cover: left, top, right, bottom.
    #[cfg(test)]
    pub(super) fn bounds(&self) -> (f64, f64, f64, f64) {
        let width = font::width(&self.text, self.size, self.bold);
        let (x, y) = self.start();
        let (above, below) = (ASCENT * self.size, 0.24 * self.size);
        if self.upwards {
            (x - above, y - width, x + below, y)
        } else {
            (x, y - above, x + width, y + below)
        }
    }
}
