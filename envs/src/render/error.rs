//! The errors of drawing and writing pictures.

use gymnast_base::atomic_file::WriteError;

/// Why a picture could not be drawn or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// An animation has no frames.
    #[error("an animation needs at least one frame, got none")]
    NoFrames,
    /// The frames of an animation differ in size.
    #[error(
        "every frame must be as large as the first, {} x {} pixels; frame {index} has {} x {}",
        expected.0, expected.1, got.0, got.1
    )]
    SizeMismatch {
        /// The frame that differs, counted from 0.
        index: usize,
        /// The first frame's width and height.
        expected: (usize, usize),
        /// This frame's width and height.
        got: (usize, usize),
    },
    /// A frame's sides do not fit the format, or its bytes do not fit its sides.
    #[error(
        "a frame of {width} x {height} pixels must have sides in 1..={limit} and {} bytes, got {bytes}",
        3_u128 * (*width as u128) * (*height as u128)
    )]
    InvalidFrame {
        /// The frame's width.
        width: usize,
        /// The frame's height.
        height: usize,
        /// The longest side allowed by the format.
        limit: u32,
        /// The number of bytes that the frame has.
        bytes: usize,
    },
    /// The frame rate is outside the range of a GIF.
    #[error("frames per second must lie in 0.01..=50, got {0}")]
    InvalidSpeed(f64),
    /// The picture could not be encoded.
    #[error("cannot encode the picture: {0}")]
    Encode(String),
}
