//! Interval plots: a dot and its interval for each row.

use super::axes::{self, Axis, AxisScale, HALF_DIGIT, LABEL_SIZE, Range, TICK_SIZE, text};
use super::palette::{AXIS, GRID, GUIDE, Rgb};
use super::scene::{Align, Label, Mark, Point, Scene, TITLE_SIZE};
use super::{Picture, PlotError, font, line};

const MARGIN: f64 = 14.0;
const GAP: f64 = 10.0;
const ROW: f64 = 30.0;
/// Names longer than this are cut.
const LONGEST_NAME: f64 = 240.0;
const MOST_ROWS: usize = 300;

/// Estimates with their intervals, one row for each, the first at the top: aggregates of agents, or
/// probabilities of improvement.
///
/// ```
/// use gymnast_core::plot::{IntervalPlot, IntervalRow, Picture as _};
///
/// let row = |name: &str, estimate, interval| IntervalRow { name: name.to_owned(), estimate, interval };
/// let plot = IntervalPlot {
///     title: "IQM of normalised returns".to_owned(),
///     rows: vec![row("ppo", 0.9, Some((0.85, 0.94))), row("a2c", 0.7, None)],
///     ..IntervalPlot::default()
/// };
/// assert!(plot.to_svg()?.contains("ppo"));
/// # Ok::<(), gymnast_core::plot::PlotError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct IntervalPlot {
    /// The title above the rows; may be empty.
    pub title: String,
    /// The label of the values, below the rows; may be empty.
    pub x_label: String,
    /// The rows, from the top.
    pub rows: Vec<IntervalRow>,
    /// A value marked by a dashed vertical line, for example the one that means no difference.
    pub guide: Option<f64>,
    /// Width in pixels, from 400 to 10 000.
    pub width: u32,
}

impl Default for IntervalPlot {
    /// An empty plot, 640 pixels wide.
    fn default() -> Self {
        let [title, x_label] = [String::new(), String::new()];
        Self { title, x_label, rows: Vec::new(), guide: None, width: 640 }
    }
}

/// One row of an [`IntervalPlot`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct IntervalRow {
    /// The name, in front of the row.
    pub name: String,
    /// The estimate, a dot.
    pub estimate: f64,
    /// The ends of its interval, a bar; `None`: a dot alone.
    pub interval: Option<(f64, f64)>,
}

impl Picture for IntervalPlot {
    fn to_svg(&self) -> Result<String, PlotError> {
        self.scene()?.svg()
    }

    fn to_png(&self) -> Result<Vec<u8>, PlotError> {
        self.scene()?.png()
    }
}

impl IntervalPlot {
    pub(super) fn scene(&self) -> Result<Scene, PlotError> {
        let ends = self.rows.iter().filter_map(|row| row.interval);
        let values = ends.flat_map(|(low, high)| [low, high]);
        let values = values.chain(self.rows.iter().map(|row| row.estimate)).chain(self.guide);
        let values: Vec<f64> = values.collect();
        if let Some(bad) = values.iter().find(|value| !value.is_finite()) {
            return Err(PlotError::OutOfRange(*bad));
        }
        if self.rows.is_empty() {
            return Err(PlotError::Empty);
        }
        let x = Range::of(values.into_iter())?.widened(0.04, 0.04);
        let label_height = if self.x_label.is_empty() { 0.0 } else { LABEL_SIZE + GAP };
        let title_height = if self.title.is_empty() { 0.0 } else { TITLE_SIZE + GAP };
        let (top, width) = (MARGIN + title_height, f64::from(self.width));
        let bottom = top + ROW * self.rows.len() as f64;
        let height = (bottom + GAP + TICK_SIZE + label_height + MARGIN).ceil();
        if self.rows.len() > MOST_ROWS || !(400..=10_000).contains(&self.width) {
            return Err(PlotError::Size { width: self.width, height: height as u32 });
        }
        let names = self.rows.iter().map(|row| font::width(&row.name, TICK_SIZE, false));
        let names = names.fold(0.0, f64::max).min(LONGEST_NAME.min(width / 3.0));
        let (left, right) = (MARGIN + names + GAP, width - 2.0 * MARGIN);
        let across = |value: f64| left + (value - x.low) / (x.high - x.low) * (right - left);

        let mut marks = Vec::new();
        if !self.title.is_empty() {
            let title = Label::title(&self.title, (MARGIN, MARGIN), width - 2.0 * MARGIN);
            marks.push(Mark::Text(title));
        }
        let axis = Axis { scale: AxisScale::Linear, ..Axis::default() };
        for tick in axes::x_ticks(&axis, x, right - left) {
            let x = across(tick.at);
            marks.push(line_of(vec![(x, top), (x, bottom)], GRID, 1.0));
            let at = (x, bottom + GAP + 0.8 * TICK_SIZE);
            marks.push(text(&tick.label, at, Align::Middle, TICK_SIZE));
        }
        marks.push(line_of(vec![(left, bottom), (right, bottom)], AXIS, 1.0));
        if let Some(guide) = self.guide.map(across) {
            let ends = [(guide, top), (guide, bottom)];
            let dashes = line::dashed(&ends, line::DASHES).into_iter();
            marks.extend(dashes.map(|points| line_of(points, GUIDE, 1.4)));
        }
        for (index, row) in self.rows.iter().enumerate() {
            let middle = top + ROW * (index as f64 + 0.5);
            let name = font::fit(&row.name, TICK_SIZE, false, names);
            let at = (left - GAP, middle + HALF_DIGIT * TICK_SIZE);
            marks.push(text(&name, at, Align::End, TICK_SIZE));
            let colour = Rgb::of_series(index);
            if let Some((low, high)) = row.interval {
                let (low, high) = (across(low), across(high));
                let (above, below) = (middle - 7.0, middle + 7.0);
                let points = vec![(low, above), (high, above), (high, below), (low, below)];
                marks.push(Mark::Fill { points, colour, opacity: 0.35 });
            }
            let points = line::dot((across(row.estimate), middle), 5.0);
            marks.push(Mark::Fill { points, colour, opacity: 1.0 });
        }
        if !self.x_label.is_empty() {
            let label = font::fit(&self.x_label, LABEL_SIZE, false, width - 2.0 * MARGIN);
            let half = font::width(&label, LABEL_SIZE, false) / 2.0;
            let middle = f64::midpoint(left, right).clamp(MARGIN + half, width - MARGIN - half);
            marks.push(text(&label, (middle, height - MARGIN), Align::Middle, LABEL_SIZE));
        }
        Ok(Scene { width: self.width, height: height as u32, marks })
    }
}

fn line_of(points: Vec<Point>, colour: Rgb, width: f64) -> Mark {
    Mark::Line { points, colour, width }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(rows: &[(f64, Option<(f64, f64)>)]) -> IntervalPlot {
        let row =
            |&(estimate, interval): &_| IntervalRow { name: "x".to_owned(), estimate, interval };
        IntervalPlot { rows: rows.iter().map(row).collect(), ..IntervalPlot::default() }
    }

    #[test]
    fn intervals_are_as_wide_as_they_say() {
        let scene = plot(&[(0.5, Some((0.0, 1.0))), (0.5, Some((0.25, 0.75)))]).scene().unwrap();
        let width = |mark: &Mark| match mark {
            Mark::Fill { points, opacity, .. } if *opacity < 1.0 => Some(points[1].0 - points[0].0),
            _ => None,
        };
        let widths: Vec<f64> = scene.marks.iter().filter_map(width).collect();
        assert!((widths[0] - 2.0 * widths[1]).abs() < 1e-9 && widths[0] > 400.0, "{widths:?}");
        assert!(plot(&[(3.0, None)]).to_png().is_ok());
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        assert!(matches!(plot(&[]).to_svg(), Err(PlotError::Empty)));
        for bad in [f64::NAN, f64::INFINITY] {
            assert!(matches!(plot(&[(bad, None)]).to_svg(), Err(PlotError::OutOfRange(_))));
            let wide = plot(&[(0.0, Some((0.0, bad)))]);
            assert!(matches!(wide.to_svg(), Err(PlotError::OutOfRange(_))));
        }
        assert!(matches!(plot(&vec![(1.0, None); 301]).to_svg(), Err(PlotError::Size { .. })));
    }
}
