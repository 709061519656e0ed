//! Pictures of runs, for `plot`, `train` and the page of `report`.

mod across;
mod curves;
mod format;

pub(super) use across::{efficiency, improvements, intervals, profiles};
pub(super) use curves::{View, curves, series};
pub(super) use format::{Format, Limits, limits, width};

use gymnast_core::plot::{Drawing, Panel, Panels, Picture as _, PlotError};

use super::CommandError;

/// The height of the data of a single plot, as a share of the picture's width.
const ASPECT: f64 = 0.45;

/// Draws one plot, or several as panels of one picture, in this format. A `title` stands in place of
/// a single plot's own, and above several.
///
/// # Errors
/// If a plot cannot be drawn; the message names it.
pub(super) fn compose(
    mut panels: Vec<Panel>,
    title: Option<&str>,
    format: Format,
) -> Result<Drawing, CommandError> {
    let Format { width, font_size } = format;
    for panel in &mut panels {
        match panel {
            Panel::Lines(plot) => (plot.width, plot.font_size) = (width, font_size),
            Panel::Intervals(plot) => (plot.width, plot.font_size) = (width, font_size),
        }
    }
    if let [panel] = &mut panels[..] {
        let own = name(panel).to_owned();
        let drawing = alone(panel, title);
        return drawing.map_err(|error| CommandError::from(error).about(&own));
    }
    for panel in &mut panels {
        if let Panel::Lines(plot) = panel {
            // Each environment has its own, which the panel's axis shows.
            plot.guides.iter_mut().for_each(|guide| "threshold".clone_into(&mut guide.label));
        }
    }
    let title = title.unwrap_or_default().to_owned();
    let all = Panels { title, panels, width, font_size, ..Panels::default() };
    all.drawing().map_err(|error| {
        // One that cannot be drawn alone either is the reason.
        let mut panels = all.panels;
        let bad =
            panels.iter_mut().find_map(|panel| Some((alone(panel, None).err()?, name(panel))));
        match bad {
            Some((error, name)) => CommandError::from(error).about(name),
            None => error.into(),
        }
    })
}

fn name(panel: &Panel) -> &str {
    match panel {
        Panel::Lines(plot) => &plot.title,
        Panel::Intervals(plot) => &plot.title,
    }
}

fn alone(panel: &mut Panel, title: Option<&str>) -> Result<Drawing, PlotError> {
    match panel {
        Panel::Lines(plot) => {
            if let Some(title) = title {
                title.clone_into(&mut plot.title);
            }
            plot.height = plot.height_for(ASPECT);
            plot.drawing()
        }
        Panel::Intervals(plot) => {
            if let Some(title) = title {
                title.clone_into(&mut plot.title);
            }
            plot.drawing()
        }
    }
}
