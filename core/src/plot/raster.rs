//! A backend for plotters whose lines are smooth and whose letters are crisp.
//!
//! plotters' own bitmap draws lines without antialiasing and places letters without their side
//! bearings. This one fills shapes at four times the size and averages blocks of four by four
//! pixels, then sets the text at its true size with exact coverage.

use std::convert::Infallible;

use plotters_backend::text_anchor::HPos;
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle, FontTransform, rasterizer,
};

use super::font;

/// A position in pixels: to the right and down from the upper left corner.
pub(super) type Point = (f64, f64);

/// How many times larger shapes are drawn.
pub(super) const PNG_SCALE: u32 = 4;
/// plotters' SVG sets letters smaller than their size says, and 0.76 of an em below their top.
pub(super) const PLOTTERS_EM: f64 = 1.24;
pub(super) const PLOTTERS_ASCENT: f64 = 0.76;

pub(super) struct Raster {
    /// Enlarged size.
    width: usize,
    height: usize,
    /// Enlarged rows of red, green, blue.
    pixels: Vec<u8>,
    texts: Vec<Placed>,
    ink: Ink,
}

/// What the colour used last makes of each value of red, green and blue.
struct Ink {
    colour: BackendColor,
    blended: [[u8; 256]; 3],
}

/// A text and where it goes, in enlarged pixels.
struct Placed {
    text: String,
    baseline: Point,
    size: f64,
    bold: bool,
    upwards: bool,
    colour: BackendColor,
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl Raster {
    /// An empty picture of `width` by `height` pixels.
    pub(super) fn new(width: u32, height: u32) -> Self {
        let (width, height) = ((width * PNG_SCALE) as usize, (height * PNG_SCALE) as usize);
        let ink = Ink::new(BackendColor { alpha: 1.0, rgb: (0, 0, 0) });
        Self { width, height, pixels: vec![255; width * height * 3], texts: Vec::new(), ink }
    }

    /// The finished picture: rows of red, green, blue.
    pub(super) fn into_pixels(self) -> Vec<u8> {
        let scale = PNG_SCALE as usize;
        let (width, height) = (self.width / scale, self.height / scale);
        let area = (scale * scale) as u16;
        let mut small = Vec::with_capacity(width * height * 3);
        let mut sums = vec![0_u16; width * 3];
        for rows in self.pixels.chunks_exact(self.width * 3 * scale) {
            sums.fill(0);
            for row in rows.chunks_exact(self.width * 3) {
                for (sums, block) in sums.chunks_exact_mut(3).zip(row.chunks_exact(3 * scale)) {
                    for pixel in block.chunks_exact(3) {
                        sums.iter_mut()
                            .zip(pixel)
                            .for_each(|(sum, &value)| *sum += u16::from(value));
                    }
                }
            }
            small.extend(sums.iter().map(|sum| ((sum + area / 2) / area) as u8));
        }
        for text in &self.texts {
            text.draw(&mut small, width, height);
        }
        small
    }

    /// Fills a polygon by the even-odd rule: a pixel is in if its centre is.
    fn fill(&mut self, corners: &[Point], colour: BackendColor) {
        let top = corners.iter().map(|corner| corner.1).fold(f64::INFINITY, f64::min);
        let bottom = corners.iter().map(|corner| corner.1).fold(f64::NEG_INFINITY, f64::max);
        // Edges by their upper end, so that a row looks only at those that may cross it.
        let mut edges: Vec<(Point, Point)> = corners
            .iter()
            .zip(corners.iter().cycle().skip(1))
            .map(|(&a, &b)| if a.1 <= b.1 { (a, b) } else { (b, a) })
            .filter(|(upper, lower)| upper.1 < lower.1)
            .collect();
        edges.sort_unstable_by(|a, b| a.0.1.total_cmp(&b.0.1));
        let mut waiting = edges.into_iter().peekable();
        let mut active: Vec<(Point, Point)> = Vec::new();
        let mut crossings: Vec<f64> = Vec::new();
        let first = (top - 0.5).ceil().max(0.0) as usize;
        let end = ((bottom - 0.5).ceil().max(0.0) as usize).min(self.height);
        for row in first..end {
            let centre = row as f64 + 0.5;
            while let Some(edge) = waiting.next_if(|edge| edge.0.1 <= centre) {
                active.push(edge);
            }
            active.retain(|edge| edge.1.1 > centre);
            crossings.clear();
            crossings.extend(
                active
                    .iter()
                    .map(|&((x0, y0), (x1, y1))| x0 + (centre - y0) / (y1 - y0) * (x1 - x0)),
            );
            crossings.sort_unstable_by(f64::total_cmp);
            for span in crossings.chunks_exact(2) {
                self.span(row, span[0], span[1], colour);
            }
        }
    }

    fn span(&mut self, row: usize, from: f64, to: f64, colour: BackendColor) {
        let from = (from - 0.5).ceil().max(0.0) as usize;
        let to = ((to - 0.5).ceil().max(0.0) as usize).min(self.width);
        if from < to {
            if (self.ink.colour.rgb, self.ink.colour.alpha) != (colour.rgb, colour.alpha) {
                self.ink = Ink::new(colour);
            }
            let start = row * self.width;
            for pixel in self.pixels[(start + from) * 3..(start + to) * 3].chunks_exact_mut(3) {
                for (value, blended) in pixel.iter_mut().zip(&self.ink.blended) {
                    *value = blended[usize::from(*value)];
                }
            }
        }
    }

    /// A line of any direction, `radius` to either side, with flat ends.
    fn segment(&mut self, (x0, y0): Point, (x1, y1): Point, radius: f64, colour: BackendColor) {
        let length = (x1 - x0).hypot(y1 - y0);
        if length == 0.0 {
            return;
        }
        let (dx, dy) = ((y1 - y0) / length * radius, (x0 - x1) / length * radius);
        let corners =
            [(x0 + dx, y0 + dy), (x1 + dx, y1 + dy), (x1 - dx, y1 - dy), (x0 - dx, y0 - dy)];
        self.fill(&corners, colour);
    }

    fn disc(&mut self, (x, y): Point, radius: f64, colour: BackendColor) {
        let first = (y - radius - 0.5).ceil().max(0.0) as usize;
        let end = ((y + radius - 0.5).ceil().max(0.0) as usize).min(self.height);
        for row in first..end {
            let half = (radius * radius - (row as f64 + 0.5 - y).powi(2)).max(0.0).sqrt();
            self.span(row, x - half, x + half, colour);
        }
    }
}

impl Placed {
    fn draw(&self, pixels: &mut [u8], width: usize, height: usize) {
        let scale = f64::from(PNG_SCALE);
        let (along, across) =
            if self.upwards { (self.baseline.1, self.baseline.0) } else { self.baseline };
        let (along, across) = (along / scale, (across / scale).round() as i32);
        // Letters may start between pixels along the text; the baseline sits on a pixel's edge.
        let whole = if self.upwards { along.ceil() } else { along.floor() };
        let start = (along - whole).abs();
        font::draw(&self.text, self.size / scale, self.bold, start, |x, y, share| {
            let (x, y) = if self.upwards {
                (across + y, whole as i32 - 1 - x)
            } else {
                (whole as i32 + x, across + y)
            };
            if (0..width as i32).contains(&x) && (0..height as i32).contains(&y) {
                let pixel = &mut pixels[(y as usize * width + x as usize) * 3..][..3];
                blend(pixel, self.colour, self.colour.alpha * f64::from(share.min(1.0)));
            }
        });
    }
}

impl DrawingBackend for &mut Raster {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        (self.width as u32, self.height as u32)
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, colour: BackendColor) -> Drawn {
        if y >= 0 && (y as usize) < self.height {
            self.span(y as usize, f64::from(x), f64::from(x) + 1.0, colour);
        }
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        (x0, y0): BackendCoord,
        (x1, y1): BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        if !fill {
            return rasterizer::draw_rect(self, (x0, y0), (x1, y1), style, fill);
        }
        let (left, end) = (f64::from(x0.min(x1)), f64::from(x0.max(x1)) + 1.0);
        let (top, bottom) = (y0.min(y1).max(0) as usize, y0.max(y1).min(self.height as i32 - 1));
        for row in top..(bottom + 1).max(0) as usize {
            self.span(row, left, end, style.color());
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let points: Vec<Point> =
            path.into_iter().map(|(x, y)| (f64::from(x), f64::from(y))).collect();
        let radius = f64::from(style.stroke_width()) / 2.0;
        for pair in points.windows(2) {
            self.segment(pair[0], pair[1], radius, style.color());
        }
        // Round joints, as the SVG has; the ends stay flat.
        for &joint in points.iter().skip(1).take(points.len().saturating_sub(2)) {
            self.disc(joint, radius, style.color());
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let corners: Vec<Point> =
            path.into_iter().map(|(x, y)| (f64::from(x), f64::from(y))).collect();
        self.fill(&corners, style.color());
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(
        &mut self,
        text: &str,
        style: &S,
        (x, y): BackendCoord,
    ) -> Drawn {
        let size = style.size() / PLOTTERS_EM;
        let bold = matches!(style.style(), FontStyle::Bold);
        let upwards = matches!(style.transform(), FontTransform::Rotate270);
        let before = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => font::width(text, size, bold) / 2.0,
            HPos::Right => font::width(text, size, bold),
        };
        let (x, y) = (f64::from(x), f64::from(y));
        let ascent = PLOTTERS_ASCENT * size;
        let baseline = if upwards { (x + ascent, y + before) } else { (x - before, y + ascent) };
        let colour = style.color();
        self.texts.push(Placed { text: text.to_owned(), baseline, size, bold, upwards, colour });
        Ok(())
    }
}

impl Ink {
    fn new(colour: BackendColor) -> Self {
        let mut blended = [[0; 256]; 3];
        for value in 0..=255_u8 {
            let mut pixel = [value; 3];
            blend(&mut pixel, colour, colour.alpha);
            blended
                .iter_mut()
                .zip(pixel)
                .for_each(|(blended, new)| blended[usize::from(value)] = new);
        }
        Self { colour, blended }
    }
}

fn blend(pixel: &mut [u8], colour: BackendColor, share: f64) {
    let (red, green, blue) = colour.rgb;
    for (value, new) in pixel.iter_mut().zip([red, green, blue]) {
        let old = f64::from(*value);
        *value = (old + (f64::from(new) - old) * share.clamp(0.0, 1.0)).round() as u8;
    }
}
