//! Pictures of runs, for `plot`, `train` and the page of `report`.

mod across;
mod curves;
mod format;

pub(super) use across::{efficiency, improvements, intervals, profiles};
pub(super) use curves::{View, curves, series};
pub(super) use format::{Format, Limits, limits, width};

use gymnast_core::plot::{Drawing, Panel, Panels, Picture as _, PlotError};

/// The height of the data of a single plot, as a share of the picture's width.
const ASPECT: f64 = 0.45;

/// Draws one plot, or several as panels of one picture, in this format. A `title` stands in place of
/// a single plot's own, and above several.
pub(super) fn compose(
    mut panels: Vec<Panel>,
    title: Option<&str>,
    format: Format,
) -> Result<Drawing, PlotError> {
    let Format { width, font_size } = format;
    if panels.len() != 1 {
        let title = title.unwrap_or_default().to_owned();
        return Panels { title, panels, width, font_size, ..Panels::default() }.drawing();
    }
    match panels.remove(0) {
        Panel::Lines(mut plot) => {
            (plot.width, plot.font_size) = (width, font_size);
            if let Some(title) = title {
                title.clone_into(&mut plot.title);
            }
            plot.height = plot.height_for(ASPECT);
            plot.drawing()
        }
        Panel::Intervals(mut plot) => {
            (plot.width, plot.font_size) = (width, font_size);
            if let Some(title) = title {
                title.clone_into(&mut plot.title);
            }
            plot.drawing()
        }
    }
}
