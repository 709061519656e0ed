//! Several plots in one picture, side by side and below each other.

use gymnast_draw::font;

use super::axis::Axis;
use super::drawing::{Drawing, LABEL_SIZE, LEGEND_SIZE, Part, zoom};
use super::frame::{x_label, y_label};
use super::heading::{self, MARGIN};
use super::interval_plot::IntervalPlot;
use super::legend::{self, Entry};
use super::line_plot::{LinePlot, Place};
use super::{Picture, PlotError};

/// The least width of a panel, in units.
const NARROWEST: f64 = 230.0;
/// The height of a panel of lines, as a share of its width.
const ASPECT: f64 = 0.78;
const MOST_PANELS: usize = 100;

/// Plots as panels of one picture, for example one for each environment, whose returns do not share
/// an axis.
///
/// A note, a legend and labels of axes that all panels share stand once, around them. The same label
/// is the same series in all panels of lines. The panels' own sizes do not count.
///
/// ```
/// use gymnast_core::plot::{Axis, Line, LinePlot, Panel, Panels, Picture as _};
///
/// let panel = |title: &str, best: f64| Panel::Lines(LinePlot {
///     title: title.to_owned(),
///     x_axis: Axis::new("environment steps"),
///     y_axis: Axis::new("return"),
///     lines: vec![Line::new("dqn", vec![(0.0, 0.0), (1e5, best)])],
///     ..LinePlot::default()
/// });
/// let panels = vec![panel("CartPole-v1", 500.0), panel("Acrobot-v1", -80.0)];
/// let svg = Panels { panels, ..Panels::default() }.to_svg()?;
/// assert_eq!(svg.matches(">environment steps<").count(), 1);
/// # Ok::<(), gymnast_core::plot::PlotError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Panels {
    /// The title above all panels; may be empty.
    pub title: String,
    /// What is drawn, below the title; may be empty.
    pub note: String,
    /// The panels, row by row.
    pub panels: Vec<Panel>,
    /// The number of panels in a row; `None`: as many as have room.
    pub columns: Option<usize>,
    /// Width in pixels of 1/96 inch, from 200 to 10 000.
    pub width: u32,
    /// The size of the axes' labels in pixels, from 4 to 200; everything else is in proportion.
    pub font_size: f64,
}

/// One plot of [`Panels`].
#[derive(Clone, Debug, PartialEq)]
pub enum Panel {
    /// Lines.
    Lines(LinePlot),
    /// Estimates with their intervals.
    Intervals(IntervalPlot),
}

impl Default for Panels {
    /// No panels, 800 pixels wide.
    fn default() -> Self {
        Self {
            title: String::new(),
            note: String::new(),
            panels: Vec::new(),
            columns: None,
            width: 800,
            font_size: LABEL_SIZE,
        }
    }
}

impl Picture for Panels {
    fn drawing(&self) -> Result<Drawing, PlotError> {
        let zoom = zoom(self.font_size)?;
        if !(200..=10_000).contains(&self.width) {
            return Err(PlotError::Size { width: self.width, height: 0 });
        }
        let drawing = self.part(f64::from(self.width) / zoom)?.drawing(zoom);
        Ok(Drawing { width: self.width, ..drawing })
    }
}

impl Panels {
    fn part(&self, width: f64) -> Result<Part, PlotError> {
        let count = self.panels.len();
        if count == 0 {
            return Err(PlotError::Empty);
        }
        let columns = self.columns.unwrap_or_else(|| columns(count, width)).clamp(1, count);
        let (panels, shared) = self.shared();
        let note = [&self.note, &shared.note].map(String::as_str);
        let note = note.iter().filter(|note| !note.is_empty()).copied().collect::<Vec<_>>();
        let edges = (MARGIN, width - MARGIN);
        let (mut marks, top) = heading::lay_out(&self.title, &note.join("; "), edges, MARGIN);
        let (legend_end, legend) = legend::rows(&shared.entries, edges.0, edges.1, top);
        marks.extend(legend);
        let room = |label: &str| if label.is_empty() { 0.0 } else { LABEL_SIZE + 8.0 };
        let (left, below) = (room(&shared.y_label), room(&shared.x_label));
        let wide = (width - left) / columns as f64;

        let parts = lay_out(&panels, columns, wide)?;
        let mut top = if marks.is_empty() { 0.0 } else { legend_end };
        let first = top;
        for row in parts.chunks(columns) {
            let high = row.iter().map(|part| part.height).fold(0.0, f64::max);
            for (column, part) in row.iter().enumerate() {
                marks.extend(part.clone().marks_at((left + wide * column as f64, top)));
            }
            top += high;
        }
        let height = top + below;
        if count > MOST_PANELS || height > 1e5 {
            return Err(PlotError::Size { width: width as u32, height: height as u32 });
        }
        if !shared.x_label.is_empty() {
            marks.push(x_label(&shared.x_label, width, height, (left, width)));
        }
        if !shared.y_label.is_empty() {
            marks.push(y_label(&shared.y_label, (first, top), f64::midpoint(first, top)));
        }
        Ok(Part { width, height, marks })
    }

    /// The panels without what all of them share.
    fn shared(&self) -> (Vec<Panel>, Shared) {
        let mut panels = self.panels.clone();
        let mut shared = Shared::default();
        let mut labels: Vec<String> = Vec::new();
        for panel in &mut panels {
            let Panel::Lines(plot) = panel else { continue };
            for line in plot.lines.iter_mut().filter(|line| line.series.is_none()) {
                let known = labels.iter().position(|label| *label == line.label);
                line.series = Some(known.unwrap_or(labels.len()));
                if known.is_none() {
                    labels.push(line.label.clone());
                }
            }
            for entry in plot.entries() {
                let is_new = shared.entries.iter().all(|known| known.label != entry.label);
                if is_new {
                    shared.entries.push(entry);
                }
            }
        }
        shared.note = take_shared(&mut panels, |panel| match panel {
            Panel::Lines(plot) => Some(&mut plot.note),
            Panel::Intervals(plot) => Some(&mut plot.note),
        });
        shared.x_label = take_shared(&mut panels, |panel| match panel {
            Panel::Lines(LinePlot { x_axis: Axis { label, .. }, .. }) => Some(label),
            Panel::Intervals(plot) => Some(&mut plot.x_label),
        });
        shared.y_label = take_shared(&mut panels, |panel| match panel {
            Panel::Lines(LinePlot { y_axis: Axis { label, .. }, .. }) => Some(label),
            Panel::Intervals(_) => None,
        });
        (panels, shared)
    }
}

/// What all panels have in common.
#[derive(Debug, Default)]
struct Shared {
    note: String,
    entries: Vec<Entry>,
    x_label: String,
    y_label: String,
}

/// Takes a text out of all panels if they have the same.
fn take_shared(panels: &mut [Panel], text: fn(&mut Panel) -> Option<&mut String>) -> String {
    let texts: Option<Vec<&mut String>> = panels.iter_mut().map(text).collect();
    let Some(mut texts) = texts else { return String::new() };
    if texts.windows(2).any(|pair| pair[0] != pair[1]) {
        return String::new();
    }
    let shared = texts.first().map_or_else(String::new, |text| (*text).clone());
    texts.iter_mut().for_each(|text| text.clear());
    shared
}

/// As many panels in a row as have room, but no more than make the rows even.
fn columns(count: usize, width: f64) -> usize {
    let most = ((width / NARROWEST) as usize).max(1);
    count.div_ceil(count.div_ceil(most))
}

/// Lays out each panel; in a column all data begin at the same place.
fn lay_out(panels: &[Panel], columns: usize, width: f64) -> Result<Vec<Part>, PlotError> {
    let height_of = |plot: &LinePlot| {
        let lines = font::wrap(&plot.note, LEGEND_SIZE, false, width - 2.0 * MARGIN).len();
        ASPECT * width + 16.0 * lines as f64
    };
    let row_height = |row: &[Panel]| {
        let heights = row.iter().filter_map(|panel| match panel {
            Panel::Lines(plot) => Some(height_of(plot)),
            Panel::Intervals(_) => None,
        });
        heights.fold(150.0, f64::max)
    };
    let rows: Vec<f64> = panels.chunks(columns).map(row_height).collect();
    let mut lefts = vec![0.0_f64; columns];
    for (index, panel) in panels.iter().enumerate() {
        if let Panel::Lines(plot) = panel {
            let left = plot.left(width, rows[index / columns])?;
            lefts[index % columns] = lefts[index % columns].max(left);
        }
    }
    let part = |(index, panel): (usize, &Panel)| match panel {
        Panel::Lines(plot) => {
            let (height, left) = (rows[index / columns], lefts[index % columns]);
            plot.part(Place { width, height, left, is_labelled: false })
        }
        Panel::Intervals(plot) => plot.part(width),
    };
    panels.iter().enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::super::drawing::Mark;
    use super::super::line_plot::{Guide, Line};
    use super::*;

    fn texts(drawing: &Drawing) -> Vec<String> {
        let text = |mark: &Mark| match mark {
            Mark::Text(label) => Some(label.text.clone()),
            _ => None,
        };
        drawing.marks.iter().filter_map(text).collect()
    }

    fn plot(title: &str, labels: &[&str]) -> LinePlot {
        let line = |label: &&str| Line::new(*label, vec![(0.0, 0.0), (10.0, 1.0)]);
        LinePlot {
            title: title.to_owned(),
            note: "mean of 3 seeds".to_owned(),
            x_axis: Axis::new("steps"),
            y_axis: Axis::new("return"),
            lines: labels.iter().map(line).collect(),
            guides: vec![Guide { label: "threshold".to_owned(), y: 1.0 }],
            ..LinePlot::default()
        }
    }

    #[test]
    fn what_all_panels_share_stands_once() {
        let panels = ["A", "B", "C"].map(|title| Panel::Lines(plot(title, &["dqn", "ppo"])));
        let texts =
            texts(&Panels { panels: panels.into(), ..Panels::default() }.drawing().unwrap());
        let count = |wanted: &str| texts.iter().filter(|text| *text == wanted).count();
        for shared in ["mean of 3 seeds", "steps", "return", "dqn", "ppo", "threshold"] {
            assert_eq!(count(shared), 1, "{shared}: {texts:?}");
        }
        assert_eq!(count("A") + count("B") + count("C"), 3);
    }

    #[test]
    fn the_same_label_is_the_same_series_in_every_panel() {
        let panels =
            vec![Panel::Lines(plot("A", &["dqn", "ppo"])), Panel::Lines(plot("B", &["ppo"]))];
        let (panels, shared) = Panels { panels, ..Panels::default() }.shared();
        let Panel::Lines(second) = &panels[1] else { panic!("it is a panel of lines") };
        assert_eq!(second.lines[0].series, Some(1));
        assert_eq!(shared.entries.len(), 3);
    }

    #[test]
    fn rows_are_even_and_no_panel_is_too_narrow() {
        let of = |count| columns(count, 756.0);
        assert_eq!([of(1), of(2), of(3), of(4), of(5), of(7), of(12)], [1, 2, 3, 2, 3, 3, 3]);
        assert_eq!(columns(4, 364.0), 1);
    }

    #[test]
    fn panels_of_unlike_kinds_stand_beside_each_other() {
        let row = super::super::IntervalRow { name: "dqn".to_owned(), ..Default::default() };
        let intervals = IntervalPlot { rows: vec![row], ..IntervalPlot::default() };
        let panels = vec![Panel::Lines(plot("A", &["dqn"])), Panel::Intervals(intervals)];
        assert!(Panels { panels, ..Panels::default() }.to_png().is_ok());
        assert!(matches!(Panels::default().to_svg(), Err(PlotError::Empty)));
    }
}
