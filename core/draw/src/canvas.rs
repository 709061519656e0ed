//! A canvas of pixels.

use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, StrokeDash, Transform,
};

use crate::{Colour, font};

/// A position on a [`Canvas`]: pixels to the right and downwards.
pub type Pixel = [f64; 2];

/// A canvas that draws with smooth edges. Parts beyond its edge are clipped.
pub struct Canvas {
    pixmap: Pixmap,
}

impl Canvas {
    /// Creates a canvas of one colour.
    ///
    /// # Panics
    /// If a side is 0 or so long that the pixels do not fit in memory.
    #[must_use]
    pub fn new(width: u32, height: u32, background: Colour) -> Self {
        let pixmap = Pixmap::new(width, height).expect("a canvas has sides that fit in memory");
        let mut canvas = Self { pixmap };
        canvas.clear(background);
        canvas
    }

    /// Returns the width, in pixels.
    #[must_use]
    pub fn width(&self) -> f64 {
        f64::from(self.pixmap.width())
    }

    /// Returns the height, in pixels.
    #[must_use]
    pub fn height(&self) -> f64 {
        f64::from(self.pixmap.height())
    }

    /// Fills the canvas with one colour.
    pub fn clear(&mut self, colour: Colour) {
        let [red, green, blue] = colour.0;
        self.pixmap.fill(tiny_skia::Color::from_rgba8(red, green, blue, 255));
    }

    /// Draws a filled polygon.
    pub fn polygon(&mut self, corners: &[Pixel], colour: Colour) {
        self.translucent_polygon(corners, colour, 1.0);
    }

    /// Draws a filled polygon through which the ground is seen, from opacity 0 to 1 (not at all).
    pub fn translucent_polygon(&mut self, corners: &[Pixel], colour: Colour, opacity: f64) {
        self.fill(polyline(corners, true), &paint(colour, opacity));
    }

    /// Draws a filled circle.
    pub fn circle(&mut self, [x, y]: Pixel, radius: f64, colour: Colour) {
        let path = PathBuilder::from_circle(bounded(x), bounded(y), bounded(radius));
        self.fill(path, &paint(colour, 1.0));
    }

    /// Draws a line through the points, with round ends.
    pub fn line(&mut self, points: &[Pixel], width: f64, colour: Colour) {
        self.stroke(points, width, LineCap::Round, None, colour);
    }

    /// Draws a line through the points, with flat ends: solid, or in dashes whose lengths and those
    /// of the gaps between them are `dashes`, in pixels, again and again.
    pub fn dashed_line(&mut self, points: &[Pixel], width: f64, dashes: &[f64], colour: Colour) {
        let dashes = dashes.iter().map(|&length| length as f32).collect();
        self.stroke(points, width, LineCap::Butt, StrokeDash::new(dashes, 0.0), colour);
    }

    /// Draws a filled rectangle with corners rounded to `radius`, given by its top left corner.
    pub fn rounded_rect(&mut self, [x, y]: Pixel, size: [f64; 2], radius: f64, colour: Colour) {
        let radius = radius.min(size[0] / 2.0).min(size[1] / 2.0);
        self.fill(rounded([x, y], size, radius), &paint(colour, 1.0));
    }

    /// Writes a line of text whose baseline starts at `start`, `size` pixels to the em; `upwards`
    /// it reads from the bottom to the top.
    pub fn text(
        &mut self,
        text: &str,
        start: Pixel,
        size: f64,
        bold: bool,
        upwards: bool,
        colour: Colour,
    ) {
        let start = start.map(|x| f64::from(bounded(x)));
        self.fill(font::outline(text, start, size, bold, upwards), &paint(colour, 1.0));
    }

    /// Returns the picture drawn so far: rows of red, green and blue from the top left.
    #[must_use]
    pub fn into_rgb(self) -> Vec<u8> {
        // The ground is opaque, so premultiplied colours are plain ones.
        self.pixmap.data().chunks_exact(4).flat_map(|rgba| &rgba[..3]).copied().collect()
    }

    fn stroke(
        &mut self,
        points: &[Pixel],
        width: f64,
        line_cap: LineCap,
        dash: Option<StrokeDash>,
        colour: Colour,
    ) {
        let Some(path) = polyline(points, false) else { return };
        let (width, line_join) = (bounded(width), LineJoin::Round);
        let stroke = Stroke { width, line_cap, line_join, dash, ..Stroke::default() };
        let identity = Transform::identity();
        self.pixmap.stroke_path(&path, &paint(colour, 1.0), &stroke, identity, None);
    }

    /// A path of fewer than two distinct points is nothing, and nothing is drawn.
    fn fill(&mut self, path: Option<Path>, paint: &Paint<'_>) {
        let Some(path) = path else { return };
        self.pixmap.fill_path(&path, paint, FillRule::Winding, Transform::identity(), None);
    }
}

fn paint(colour: Colour, opacity: f64) -> Paint<'static> {
    let [red, green, blue] = colour.0;
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, (255.0 * opacity).round() as u8);
    paint
}

/// The number as the rasteriser takes it. So far beyond any canvas nothing can be seen, and larger
/// numbers overflow its fixed-point arithmetic.
fn bounded(x: f64) -> f32 {
    x.clamp(-8_000.0, 30_000.0) as f32
}

fn polyline(points: &[Pixel], is_closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (i, &[x, y]) in points.iter().enumerate() {
        if i == 0 {
            builder.move_to(bounded(x), bounded(y));
        } else {
            builder.line_to(bounded(x), bounded(y));
        }
    }
    if is_closed {
        builder.close();
    }
    builder.finish()
}

fn rounded([left, top]: Pixel, [width, height]: [f64; 2], radius: f64) -> Option<Path> {
    /// How far a cubic curve's handles reach, for a quarter of a circle.
    const HANDLE: f64 = 0.552_284_75;
    let (right, bottom, reach) = (left + width, top + height, radius * (1.0 - HANDLE));
    // Each corner with the directions in which the outline enters and leaves it.
    let corners = [
        ([right, top], [1.0, 0.0], [0.0, 1.0]),
        ([right, bottom], [0.0, 1.0], [-1.0, 0.0]),
        ([left, bottom], [-1.0, 0.0], [0.0, -1.0]),
        ([left, top], [0.0, -1.0], [1.0, 0.0]),
    ];
    let mut builder = PathBuilder::new();
    builder.move_to(bounded(left + radius), bounded(top));
    for ([x, y], enter, leave) in corners {
        let before = |d: f64| [bounded(x - d * enter[0]), bounded(y - d * enter[1])];
        let after = |d: f64| [bounded(x + d * leave[0]), bounded(y + d * leave[1])];
        let (start, end) = (before(radius), after(radius));
        let (first, second) = (before(reach), after(reach));
        builder.line_to(start[0], start[1]);
        builder.cubic_to(first[0], first[1], second[0], second[1], end[0], end[1]);
    }
    builder.close();
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rgb: &[u8], width: usize, x: usize, y: usize) -> [u8; 3] {
        rgb[3 * (y * width + x)..][..3].try_into().unwrap()
    }

    #[test]
    fn shapes_cover_their_insides_only() {
        let mut canvas = Canvas::new(60, 40, Colour::WHITE);
        canvas.polygon(&[[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]], Colour::BLUE);
        canvas.circle([30.0, 20.0], 5.0, Colour::ORANGE);
        canvas.line(&[[45.0, 0.0], [45.0, 40.0]], 4.0, Colour::INK);
        canvas.rounded_rect([0.0, 30.0], [10.0, 10.0], 4.0, Colour::GREEN);
        let rgb = canvas.into_rgb();
        assert_eq!(rgb.len(), 7_200);
        assert_eq!(at(&rgb, 60, 5, 5), Colour::BLUE.0);
        assert_eq!(at(&rgb, 60, 11, 5), Colour::WHITE.0);
        assert_eq!(at(&rgb, 60, 30, 20), Colour::ORANGE.0);
        assert_eq!(at(&rgb, 60, 36, 20), Colour::WHITE.0);
        assert_eq!(at(&rgb, 60, 44, 20), Colour::INK.0);
        assert_eq!(at(&rgb, 60, 5, 35), Colour::GREEN.0);
        assert_eq!(at(&rgb, 60, 0, 30), Colour::WHITE.0, "the corner is rounded");
    }

    #[test]
    fn far_and_undefined_places_draw_nothing() {
        let mut canvas = Canvas::new(8, 8, Colour::WHITE);
        canvas.circle([1e300, 0.0], 3.0, Colour::INK);
        canvas.circle([f64::NAN, 4.0], 3.0, Colour::INK);
        canvas.line(&[[1e300, -1e300], [1e300, 1e300]], 2.0, Colour::INK);
        canvas.polygon(&[[f64::NAN; 2], [1.0, 1.0], [4.0, 1.0]], Colour::INK);
        canvas.text("E", [f64::NAN; 2], 8.0, false, false, Colour::INK);
        assert!(canvas.into_rgb().iter().all(|&byte| byte == 255));
    }

    #[test]
    fn dashes_and_gaps_take_turns() {
        let mut canvas = Canvas::new(40, 8, Colour::WHITE);
        canvas.dashed_line(&[[0.0, 4.0], [40.0, 4.0]], 2.0, &[6.0, 4.0], Colour::INK);
        let rgb = canvas.into_rgb();
        let row: Vec<bool> = (0..40).map(|x| at(&rgb, 40, x, 4) == Colour::INK.0).collect();
        assert!((0..40).all(|x| row[x] == (x % 10 < 6)), "{row:?}");
        assert_eq!(at(&rgb, 40, 2, 2), Colour::WHITE.0);
    }

    #[test]
    fn the_ground_is_seen_through_a_translucent_polygon() {
        let mut canvas = Canvas::new(4, 4, Colour::WHITE);
        let all = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]];
        canvas.translucent_polygon(&all, Colour::BLACK, 0.2);
        assert_eq!(at(&canvas.into_rgb(), 4, 2, 2), [204; 3]);
    }
}
