//! Plots: learning curves, line plots, bar charts, intervals, heat maps, and panels of them, as SVG,
//! PNG and PDF.
//!
//! A plot is data first ([`LearningCurves`], [`LinePlot`], [`BarChart`], [`IntervalPlot`],
//! [`HeatMap`], [`Panels`]); [`Picture`] draws it. No fonts need to be installed: PNG and PDF have the
//! built-in font, SVG text the viewer's. A legend stands above the data and never covers them.
//!
//! Sizes are in pixels of 1/96 inch: a column of a paper, 3.25 inches, has 312, and its text of 9
//! points a `font_size` of 12.

mod axis;
mod bar_chart;
mod clip;
mod drawing;
mod frame;
mod heading;
mod heat_map;
mod interval_plot;
mod learning_curves;
mod legend;
mod line;
mod line_marks;
mod line_plot;
mod palette;
mod panels;
mod pdf;
mod png;
mod rows;
mod svg;
#[cfg(test)]
mod tests;
mod ticks;

use std::path::{Path, PathBuf};

use crate::atomic_file::{self, WriteError};
use crate::statistics::StatisticsError;
use crate::text::number;

pub use axis::{Axis, AxisScale};
pub use bar_chart::{Bar, BarChart};
pub use drawing::Drawing;
pub use gymnast_draw::{Colour, OKABE_ITO};
pub use heat_map::{Cell, HeatMap};
pub use interval_plot::{IntervalPlot, IntervalRow};
pub use learning_curves::{Band, Center, LearningCurves, Series};
pub use line_plot::{Guide, Line, LinePlot};
pub use panels::{Panel, Panels};
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
    /// The file name has none of the extensions .svg, .png and .pdf.
    #[error("cannot tell the picture's format from {}: use the extension .svg, .png or .pdf", .0.display())]
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
    #[error("{} has no place on a logarithmic axis: values must be positive, or the axis linear", number(*.0))]
    NotPositive(f64),
    /// The limits of an axis are not two finite numbers, the lower first.
    #[error(
        "an axis cannot span {} to {}: expected two finite numbers that differ, the lower first",
        number(*low),
        number(*high)
    )]
    Limits {
        /// The lower end asked for.
        low: f64,
        /// The upper end asked for.
        high: f64,
    },
    /// Nothing lies within the limits of the axes.
    #[error("nothing lies within the limits of the axes: widen them")]
    Outside,
    /// The font is too small to read, or too large.
    #[error("a font of {} pixels cannot be read: expected 4 to 200", number(*.0))]
    FontSize(f64),
    /// The scale of a PNG is not positive.
    #[error("a picture cannot have {} times its size: expected a scale above 0", number(*.0))]
    Scale(f64),
    /// The band around a line could not be computed.
    #[error(transparent)]
    Statistics(#[from] StatisticsError),
    /// The picture could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The PNG could not be encoded.
    #[error("the PNG could not be encoded: {0}")]
    Encoding(#[from] ::png::EncodingError),
    /// The drawing library failed.
    #[error("the picture could not be drawn: {0}")]
    Drawing(String),
}

/// A name at the beginning of a title.
pub(crate) fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A plot that can be drawn, as SVG, PNG or PDF.
pub trait Picture {
    /// Lays the plot out.
    ///
    /// # Errors
    /// [`PlotError`] if the plot is empty, or a value or the size cannot be drawn.
    fn drawing(&self) -> Result<Drawing, PlotError>;

    /// Renders the plot as SVG text. Text uses the viewer's sans-serif font.
    ///
    /// # Errors
    /// As [`drawing`](Self::drawing).
    fn to_svg(&self) -> Result<String, PlotError> {
        self.drawing()?.to_svg()
    }

    /// Renders the plot as the bytes of a PNG file.
    ///
    /// # Errors
    /// As [`drawing`](Self::drawing).
    fn to_png(&self) -> Result<Vec<u8>, PlotError> {
        self.to_png_at(1.0)
    }

    /// Renders the plot as the bytes of a PNG file with `scale` times as many pixels across and
    /// down: sharper, with everything as large beside the rest.
    ///
    /// # Errors
    /// As [`drawing`](Self::drawing); [`PlotError::Scale`] and [`PlotError::Size`] if there would
    /// be no pixels, or too many.
    fn to_png_at(&self, scale: f64) -> Result<Vec<u8>, PlotError> {
        self.drawing()?.to_png_at(scale)
    }

    /// Renders the plot as the bytes of a PDF file of one page, with the font embedded and text that
    /// can be selected.
    ///
    /// # Errors
    /// As [`drawing`](Self::drawing).
    fn to_pdf(&self) -> Result<Vec<u8>, PlotError> {
        self.drawing()?.to_pdf()
    }

    /// Saves the plot to `path` atomically; the extension, `.svg`, `.png` or `.pdf`, chooses the
    /// format.
    ///
    /// # Errors
    /// As [`drawing`](Self::drawing); also for any other extension, and if the file cannot be
    /// written.
    fn save(&self, path: &Path) -> Result<(), PlotError> {
        self.save_at(path, 1.0)
    }

    /// Saves the plot as [`save`](Self::save) does, a PNG with `scale` times as many pixels across
    /// and down.
    ///
    /// # Errors
    /// As [`save`](Self::save) and [`to_png_at`](Self::to_png_at).
    fn save_at(&self, path: &Path, scale: f64) -> Result<(), PlotError> {
        let extension = path.extension().map(|end| end.to_string_lossy().to_lowercase());
        let bytes = match extension.as_deref() {
            Some("svg") => self.to_svg()?.into_bytes(),
            Some("png") => self.to_png_at(scale)?,
            Some("pdf") => self.to_pdf()?,
            _ => return Err(PlotError::Extension(path.to_owned())),
        };
        Ok(atomic_file::write_unsynced(path, &bytes)?)
    }
}
