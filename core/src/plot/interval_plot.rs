//! Interval plots: a dot and its interval for each row.

use gymnast_draw::Colour;

use super::axis::{Axis, Range};
use super::drawing::{Align, Drawing, LABEL_SIZE, Mark, Part, TICK_SIZE, zoom};
use super::frame::x_ticks;
use super::palette::{AXIS, GRID, GUIDE, GUIDE_DASHES};
use super::rows::{GAP, Rows, Texts};
use super::{Picture, PlotError, line};

const ROW: f64 = 30.0;
/// Half the height of an interval's bar.
const HALF_BAR: f64 = 7.0;

/// Estimates with their intervals, one row for each, the first at the top: aggregates of agents, or
/// probabilities of improvement.
///
/// ```
/// use gymnast_core::plot::{IntervalPlot, IntervalRow, Picture as _};
///
/// let row = |name: &str, estimate, interval| {
///     IntervalRow { name: name.to_owned(), estimate, interval, ..IntervalRow::default() }
/// };
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
    /// What the dots and bars are, below the title; may be empty.
    pub note: String,
    /// The label of the values, below the rows; may be empty.
    pub x_label: String,
    /// The rows, from the top.
    pub rows: Vec<IntervalRow>,
    /// A value marked by a dashed vertical line, for example the one that means no difference.
    pub guide: Option<f64>,
    /// The ends of the axis; `None`: as the intervals. Bars beyond are cut.
    pub x_limits: Option<(f64, f64)>,
    /// Width in pixels of 1/96 inch, from 200 to 10 000.
    pub width: u32,
    /// The size of the axis's label in pixels, from 4 to 200; everything else is in proportion.
    pub font_size: f64,
}

impl Default for IntervalPlot {
    /// An empty plot, 640 pixels wide.
    fn default() -> Self {
        let [title, note, x_label] = [const { String::new() }; 3];
        let (rows, guide, x_limits, font_size) = (Vec::new(), None, None, LABEL_SIZE);
        Self { title, note, x_label, rows, guide, x_limits, width: 640, font_size }
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
    /// The number of its series, which has a colour of its own; `None`: its place among the rows.
    pub series: Option<usize>,
}

impl Picture for IntervalPlot {
    fn drawing(&self) -> Result<Drawing, PlotError> {
        let zoom = zoom(self.font_size)?;
        Ok(self.part(f64::from(self.width) / zoom)?.drawing(zoom))
    }
}

impl IntervalPlot {
    pub(super) fn part(&self, width: f64) -> Result<Part, PlotError> {
        let x = self.range()?;
        let texts = Texts { title: &self.title, note: &self.note, x_label: &self.x_label };
        let names: Vec<&str> = self.rows.iter().map(|row| row.name.as_str()).collect();
        let rows = Rows::lay_out(texts, &names, width, ROW, GAP, GAP + TICK_SIZE)?;
        let (left, right, top, bottom) = (rows.left, rows.right, rows.top, rows.bottom);
        let across = |value: f64| left + x.share(value).clamp(0.0, 1.0) * (right - left);

        let mut marks = Vec::new();
        for tick in x_ticks(&Axis::default(), x, right - left) {
            let x = across(tick.at);
            marks.push(Mark::line(vec![(x, top), (x, bottom)], GRID, 1.0));
            let at = (x, bottom + GAP + 0.8 * TICK_SIZE);
            marks.push(Mark::text(&tick.label, at, Align::Middle, TICK_SIZE));
        }
        marks.push(Mark::line(vec![(left, bottom), (right, bottom)], AXIS, 1.0));
        if let Some(guide) = self.guide.filter(|&guide| x.holds(guide)).map(across) {
            let points = vec![(guide, top), (guide, bottom)];
            let (colour, width, dashes) = (GUIDE, 1.4, GUIDE_DASHES);
            marks.push(Mark::Line { points, colour, width, dashes });
        }
        for (index, row) in self.rows.iter().enumerate() {
            let middle = rows.middle(index);
            let colour = Colour::of_series(row.series.unwrap_or(index));
            if let Some((low, high)) = row.interval {
                let (low, high) = (across(low), across(high));
                let (above, below) = (middle - HALF_BAR, middle + HALF_BAR);
                let points = vec![(low, above), (high, above), (high, below), (low, below)];
                marks.push(Mark::Fill { points, colour, opacity: 0.35 });
            }
            if x.holds(row.estimate) {
                let points = line::dot((across(row.estimate), middle), 5.0);
                marks.push(Mark::Fill { points, colour, opacity: 1.0 });
            }
        }
        Ok(rows.with(marks))
    }

    fn range(&self) -> Result<Range, PlotError> {
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
        match self.x_limits {
            Some(limits) => Axis::default().between(limits),
            None => Ok(Range::of(values.into_iter())?.widened(0.04, 0.04)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(rows: &[(f64, Option<(f64, f64)>)]) -> IntervalPlot {
        let row = |&(estimate, interval): &_| IntervalRow {
            name: "x".to_owned(),
            estimate,
            interval,
            series: None,
        };
        IntervalPlot { rows: rows.iter().map(row).collect(), ..IntervalPlot::default() }
    }

    #[test]
    fn intervals_are_as_wide_as_they_say() {
        let drawing =
            plot(&[(0.5, Some((0.0, 1.0))), (0.5, Some((0.25, 0.75)))]).drawing().unwrap();
        let width = |mark: &Mark| match mark {
            Mark::Fill { points, opacity, .. } if *opacity < 1.0 => Some(points[1].0 - points[0].0),
            _ => None,
        };
        let widths: Vec<f64> = drawing.marks.iter().filter_map(width).collect();
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
