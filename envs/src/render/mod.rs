//! Pictures of environments, drawn without a window or a display.

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
