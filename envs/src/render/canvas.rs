//! A canvas, measured in pixels from the top left.

use tiny_skia::{FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};

use super::Frame;

/// A position on a [`Canvas`]: pixels to the right and downwards.
pub type Pixel = [f64; 2];

/// An opaque colour: red, green and blue.
///
/// The named colours are the palette of Okabe and Ito, "Color universal design" (2008), which
/// people with any kind of colour vision can distinguish, and a few greys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Colour(pub [u8; 3]);

impl Colour {
    /// Okabe and Ito's orange.
    pub const ORANGE: Self = Self([230, 159, 0]);
    /// Okabe and Ito's sky blue.
    pub const SKY_BLUE: Self = Self([86, 180, 233]);
    /// Okabe and Ito's bluish green.
    pub const GREEN: Self = Self([0, 158, 115]);
    /// Okabe and Ito's yellow.
    pub const YELLOW: Self = Self([240, 228, 66]);
    /// Okabe and Ito's blue.
    pub const BLUE: Self = Self([0, 114, 178]);
    /// Okabe and Ito's vermillion.
    pub const VERMILLION: Self = Self([213, 94, 0]);
    /// Okabe and Ito's reddish purple.
    pub const PURPLE: Self = Self([204, 121, 167]);
    /// White.
    pub const WHITE: Self = Self([255; 3]);
    /// The dark grey of outlines and text.
    pub const INK: Self = Self([43, 48, 56]);
    /// The middle grey of less important parts.
    pub const GREY: Self = Self([150, 156, 165]);
    /// The light grey of the background.
    pub const MIST: Self = Self([226, 230, 235]);

    /// Mixes this colour with the fraction `amount`, in 0..=1, of another.
    #[must_use]
    pub fn mix(self, other: Self, amount: f64) -> Self {
        let mixed = |i: usize| {
            let (from, to) = (f64::from(self.0[i]), f64::from(other.0[i]));
            (from + (to - from) * amount.clamp(0.0, 1.0)).round() as u8
        };
        Self([0, 1, 2].map(mixed))
    }

    fn paint(self) -> Paint<'static> {
        let [red, green, blue] = self.0;
        let mut paint = Paint { anti_alias: true, ..Paint::default() };
        paint.set_color_rgba8(red, green, blue, 255);
        paint
    }
}

/// Maps points of a world (x to the right, y upwards) to pixels of a canvas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// The pixel of the world's origin.
    pub origin: Pixel,
    /// Pixels per unit of the world.
    pub scale: f64,
}

impl View {
    /// Returns the pixel of a point of the world.
    #[must_use]
    pub fn pixel(&self, [x, y]: [f64; 2]) -> Pixel {
        [self.origin[0] + self.scale * x, self.origin[1] - self.scale * y]
    }
}

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
        self.fill(polyline(corners, true), colour);
    }

    /// Draws a filled circle.
    pub fn circle(&mut self, [x, y]: Pixel, radius: f64, colour: Colour) {
        self.fill(PathBuilder::from_circle(bounded(x), bounded(y), bounded(radius)), colour);
    }

    /// Draws a line through the points, with round ends.
    pub fn line(&mut self, points: &[Pixel], width: f64, colour: Colour) {
        let Some(path) = polyline(points, false) else { return };
        let stroke = Stroke {
            width: bounded(width),
            line_cap: LineCap::Round,
            line_join: LineJoin::Round,
            ..Stroke::default()
        };
        self.pixmap.stroke_path(&path, &colour.paint(), &stroke, Transform::identity(), None);
    }

    /// Draws a filled rectangle with corners rounded to `radius`, given by its top left corner.
    pub fn rounded_rect(&mut self, [x, y]: Pixel, size: [f64; 2], radius: f64, colour: Colour) {
        let radius = radius.min(size[0] / 2.0).min(size[1] / 2.0);
        self.fill(rounded([x, y], size, radius), colour);
    }

    /// Returns the picture drawn so far.
    #[must_use]
    pub fn into_frame(self) -> Frame {
        // Everything drawn is opaque, so premultiplied colours are plain ones.
        let rgb = self.pixmap.data().chunks_exact(4).flat_map(|rgba| &rgba[..3]).copied().collect();
        let (width, height) = (self.pixmap.width() as usize, self.pixmap.height() as usize);
        Frame { width, height, rgb }
    }

    /// A path of fewer than two distinct points is nothing, and nothing is drawn.
    fn fill(&mut self, path: Option<Path>, colour: Colour) {
        let Some(path) = path else { return };
        let (paint, rule) = (colour.paint(), FillRule::Winding);
        self.pixmap.fill_path(&path, &paint, rule, Transform::identity(), None);
    }
}

/// The number as the rasteriser takes it. So far beyond any canvas nothing can be seen, and larger
/// numbers overflow its fixed-point arithmetic.
fn bounded(x: f64) -> f32 {
    x.clamp(-8_000.0, 8_000.0) as f32
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

    fn at(frame: &Frame, x: usize, y: usize) -> [u8; 3] {
        let start = 3 * (y * frame.width + x);
        [frame.rgb[start], frame.rgb[start + 1], frame.rgb[start + 2]]
    }

    #[test]
    fn shapes_cover_their_insides_only() {
        let mut canvas = Canvas::new(60, 40, Colour::WHITE);
        canvas.polygon(&[[0.0, 0.0], [10.0, 0.0], [10.0, 10.0], [0.0, 10.0]], Colour::BLUE);
        canvas.circle([30.0, 20.0], 5.0, Colour::ORANGE);
        canvas.line(&[[45.0, 0.0], [45.0, 40.0]], 4.0, Colour::INK);
        canvas.rounded_rect([0.0, 30.0], [10.0, 10.0], 4.0, Colour::GREEN);
        let frame = canvas.into_frame();
        assert_eq!((frame.width, frame.height, frame.rgb.len()), (60, 40, 7_200));
        assert_eq!(at(&frame, 5, 5), Colour::BLUE.0);
        assert_eq!(at(&frame, 11, 5), Colour::WHITE.0);
        assert_eq!(at(&frame, 30, 20), Colour::ORANGE.0);
        assert_eq!(at(&frame, 36, 20), Colour::WHITE.0);
        assert_eq!(at(&frame, 44, 20), Colour::INK.0);
        assert_eq!(at(&frame, 5, 35), Colour::GREEN.0);
        assert_eq!(at(&frame, 0, 30), Colour::WHITE.0, "the corner is rounded");
    }

    #[test]
    fn far_and_undefined_places_draw_nothing() {
        let mut canvas = Canvas::new(8, 8, Colour::WHITE);
        canvas.circle([1e300, 0.0], 3.0, Colour::INK);
        canvas.circle([f64::NAN, 4.0], 3.0, Colour::INK);
        canvas.line(&[[1e300, -1e300], [1e300, 1e300]], 2.0, Colour::INK);
        canvas.polygon(&[[f64::NAN; 2], [1.0, 1.0], [4.0, 1.0]], Colour::INK);
        assert!(canvas.into_frame().rgb.iter().all(|&byte| byte == 255));
    }

    #[test]
    fn the_world_points_upwards() {
        let view = View { origin: [100.0, 200.0], scale: 50.0 };
        assert_eq!(view.pixel([1.0, 2.0]), [150.0, 100.0]);
        assert_eq!(Colour::WHITE.mix(Colour([0; 3]), 0.5), Colour([128; 3]));
    }
}
