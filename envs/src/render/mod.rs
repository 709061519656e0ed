//! Renders environments, without a window or a display.
//!
//! [`Env::render_rgb`](crate::Env::render_rgb) returns a [`Frame`]; frames become PNG files, an
//! animated GIF (`save_gif`) or coloured text ([`half_blocks`]). Your own environments can draw
//! on a `Canvas`. Without the feature `render` there are only [`Frame`] and [`half_blocks`], and
//! the environments of this crate have no pictures.
//!
//! ```
//! use gymnast_envs::{Env, classic::CartPole, render::half_blocks};
//!
//! # #[cfg(feature = "render")] {
//! let frame = CartPole::default().render_rgb().expect("CartPole can be drawn");
//! assert_eq!((frame.width, frame.height), (600, 400));
//! print!("{}", half_blocks(&frame, 80));
//! # }
//! ```

#[cfg(feature = "render")]
mod canvas;
#[cfg(feature = "render")]
mod error;
#[cfg(feature = "render")]
mod gif;
#[cfg(feature = "render")]
mod lettering;
mod look;
mod terminal;

#[cfg(feature = "render")]
pub mod arms;
#[cfg(feature = "render")]
pub mod board_games;
#[cfg(feature = "render")]
pub mod cards;
#[cfg(feature = "render")]
pub mod cells;
#[cfg(feature = "render")]
pub mod classic;
#[cfg(feature = "render")]
pub mod grid;
#[cfg(feature = "render")]
pub mod lander;

#[cfg(feature = "render")]
use std::path::Path;

#[cfg(feature = "render")]
use gymnast_base::atomic_file;

#[cfg(feature = "render")]
pub use canvas::View;
#[cfg(feature = "render")]
pub use error::RenderError;
#[cfg(feature = "render")]
pub use gif::save_gif;
#[cfg(feature = "render")]
pub use gymnast_draw::{Canvas, Colour, Pixel};
pub use look::Look;
pub use terminal::half_blocks;
pub(crate) use terminal::tiles;

/// A picture: rows of RGB pixels from the top left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The width, in pixels.
    pub width: usize,
    /// The height, in pixels.
    pub height: usize,
    /// `3 * width * height` bytes.
    pub rgb: Vec<u8>,
}

#[cfg(feature = "render")]
impl Frame {
    /// Encodes the picture as the bytes of a PNG file.
    ///
    /// # Errors
    /// [`RenderError::InvalidFrame`] if a side is 0 or the number of bytes does not match the
    /// sides.
    pub fn to_png(&self) -> Result<Vec<u8>, RenderError> {
        let (width, height) = self.sides::<u32>(i32::MAX as u32)?;
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let failed = |error: png::EncodingError| RenderError::Encode(error.to_string());
        let mut writer = encoder.write_header().map_err(failed)?;
        writer.write_image_data(&self.rgb).map_err(failed)?;
        writer.finish().map_err(failed)?;
        Ok(bytes)
    }

    /// Writes the picture to a PNG file atomically.
    ///
    /// # Errors
    /// As [`to_png`](Frame::to_png), and [`RenderError::Write`] if the file cannot be written.
    pub fn save_png(&self, path: impl AsRef<Path>) -> Result<(), RenderError> {
        Ok(atomic_file::write(path.as_ref(), &self.to_png()?)?)
    }

    /// The width and height of a sound frame, for a format whose sides reach `limit`.
    fn sides<T: TryFrom<usize>>(&self, limit: u32) -> Result<(T, T), RenderError> {
        let &Self { width, height, ref rgb } = self;
        let bytes = width.checked_mul(height).and_then(|pixels| pixels.checked_mul(3));
        let fits = |side: usize| (1..=limit as usize).contains(&side);
        match (T::try_from(width), T::try_from(height)) {
            (Ok(w), Ok(h)) if fits(width) && fits(height) && bytes == Some(rgb.len()) => Ok((w, h)),
            _ => Err(RenderError::InvalidFrame { width, height, limit, bytes: rgb.len() }),
        }
    }
}
