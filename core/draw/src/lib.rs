//! What plots and pictures of environments are drawn with: colours, a canvas of pixels and a font.
//!
//! Positions are pixels to the right and downwards from the top left corner.
//!
//! ```
//! use gymnast_draw::{Canvas, Colour};
//!
//! let mut canvas = Canvas::new(60, 40, Colour::WHITE);
//! canvas.circle([30.0, 20.0], 5.0, Colour::ORANGE);
//! let rgb = canvas.into_rgb();
//! assert_eq!(rgb[3 * (20 * 60 + 30)..][..3], Colour::ORANGE.0);
//! ```

mod canvas;
mod colour;
pub mod font;

pub use canvas::{Canvas, Pixel};
pub use colour::{Colour, OKABE_ITO};
