//! Plots: learning curves, line plots, bar charts, intervals and heat maps, as SVG and PNG.
//!
//! A plot is data first ([`LearningCurves`], [`LinePlot`], [`BarChart`], [`IntervalPlot`],
//! [`HeatMap`]); [`Picture`] draws it. No fonts need to be installed: PNG text uses a built-in font, SVG text the viewer's. The
//! legend stands above the data and never covers them.

mod axes;
mod bar_chart;
mod font;
mod heat_map;
mod interval_plot;
mod learning_curves;
mod legend;
mod line;
mod line_plot;
mod palette;
mod raster;
mod scene;
#[cfg(test)]
mod tests;
mod ticks;

use std::path::{Path, PathBuf};

use crate::atomic_file::{self, WriteError};
use crate::statistics::StatisticsError;
use crate::text::number;

pub use axes::{Axis, AxisScale};
pub use bar_chart::{Bar, BarChart};
pub use heat_map::{Cell, HeatMap};
pub use interval_plot::{IntervalPlot, IntervalRow};
pub use learning_curves::{Band, Center, LearningCurves, Series};
pub use line_plot::{Guide, Line, LinePlot};
pub use palette::{OKABE_ITO, Rgb};
pub use ticks::Unit;

/// Why a plot cannot be drawn or saved.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// No line has a finite point, or a table has no cells.
    #[error("there is nothing to draw: expected at least one finite point, bar or cell")]
    Empty,
    /// The number of cells is not rows times columns.
    #[error("a table of {rows} rows and {columns} columns needs {} cells: got {cells}", rows.saturating_mul(*columns))]
    Cells {
        /// The number of rows.
        rows: usize,
        /// The number of columns.
        columns: usize,
        /// The number of cells.
        cells: usize,
    },
    /// A cell's intensity is NaN or outside [0, 1].
    #[error("a cell's intensity must lie between 0 and 1: got {}", number(*.0))]
    Intensity(f64),
    /// The file name has neither the extension .svg nor .png.
    #[error("cannot tell the picture's format from {}: use the extension .svg or .png", .0.display())]
    Extension(PathBuf),
    /// The picture is too small for its labels, or too large.
    #[error(
        "a picture of {width} x {height} pixels cannot be drawn: give it more room for its labels, at most 10000 a side and 25 million in all"
    )]
    Size {
        /// The width asked for, in pixels.
        width: u32,
        /// The height asked for, in pixels.
        height: u32,
    },
    /// A guide is not finite, or a value lies beyond ±1e300.
    #[error("{} cannot be drawn: values must lie between -1e300 and 1e300", number(*.0))]
    OutOfRange(f64),
    /// A value on a logarithmic axis is not positive.
    #[error("{} has no place on a logarithmic axis: values must be positive", number(*.0))]
    NotPositive(f64),
    /// The band around a line could not be computed.
    #[error(transparent)]
    Statistics(#[from] StatisticsError),
    /// The picture could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The PNG could not be encoded.
    #[error("the PNG could not be encoded: {0}")]
    Encoding(#[from] png::EncodingError),
    /// The drawing library failed.
    #[error("the picture could not be drawn: {0}")]
    Drawing(String),
}

/// A name at the beginning of a title.
pub(crate) fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A plot that can be drawn, as SVG or PNG.
pub trait Picture {
    /// Renders the plot as SVG text. Text uses the viewer's sans-serif font.
    ///
    /// # Errors
    /// [`PlotError`] if the plot is empty, or a value or the size cannot be drawn.
    fn to_svg(&self) -> Result<String, PlotError>;

    /// Renders the plot as the bytes of a PNG file.
    ///
    /// # Errors
    /// As [`to_svg`](Self::to_svg).
    fn to_png(&self) -> Result<Vec<u8>, PlotError>;

    /// Saves the plot to `path` atomically; the extension, `.svg` or `.png`, chooses the format.
    ///
    /// # Errors
    /// As [`to_svg`](Self::to_svg); also for any other extension, and if the file cannot be written.
    fn save(&self, path: &Path) -> Result<(), PlotError> {
        let extension = path.extension().map(|end| end.to_string_lossy().to_lowercase());
        let bytes = match extension.as_deref() {
            Some("svg") => self.to_svg()?.into_bytes(),
            Some("png") => self.to_png()?,
            _ => return Err(PlotError::Extension(path.to_owned())),
        };
        Ok(atomic_file::write_unsynced(path, &bytes)?)
    }
}
