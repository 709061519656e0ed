//! Frames from a canvas, and a world's points on it.

use gymnast_draw::{Canvas, Pixel};

use super::Frame;

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

impl From<Canvas> for Frame {
    /// Takes the picture drawn so far.
    fn from(canvas: Canvas) -> Self {
        let (width, height) = (canvas.width() as usize, canvas.height() as usize);
        Self { width, height, rgb: canvas.into_rgb() }
    }
}

#[cfg(test)]
mod tests {
    use gymnast_draw::Colour;

    use super::*;

    #[test]
    fn a_frame_has_the_size_of_its_canvas() {
        let frame = Frame::from(Canvas::new(60, 40, Colour::BLUE));
        assert_eq!((frame.width, frame.height, frame.rgb.len()), (60, 40, 7_200));
        assert_eq!(frame.rgb[..3], Colour::BLUE.0);
    }

    #[test]
    fn the_world_points_upwards() {
        let view = View { origin: [100.0, 200.0], scale: 50.0 };
        assert_eq!(view.pixel([1.0, 2.0]), [150.0, 100.0]);
    }
}
