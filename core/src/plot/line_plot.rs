//! Line plots, with bands and faint lines.

use gymnast_draw::Colour;

use super::axis::{Axis, AxisScale, Range};
use super::drawing::{Drawing, LABEL_SIZE, Mark, Part, Point, zoom};
use super::frame::{self, Frame, Room};
use super::heading::{self, MARGIN};
use super::legend::{self, Entry, GUIDE_WIDTH};
use super::line_marks;
use super::palette::{self, GUIDE, GUIDE_DASHES};
use super::{Picture, PlotError};

const LINE_WIDTH: f64 = 2.2;
const FAINT_WIDTH: f64 = 1.0;

/// A plot of lines: training losses, ROC curves, returns.
///
/// NaN and infinite values are gaps. The axes span all finite values, or the limits given. Each line
/// has its own colour and its own dashes. Labels stand at the ends of the lines if these are few and
/// end apart, else in a legend above the data.
///
/// ```
/// use gymnast_core::plot::{Axis, Line, LinePlot, Picture as _};
///
/// let loss = LinePlot {
///     title: "Loss".to_owned(),
///     x_axis: Axis::new("updates"),
///     y_axis: Axis::logarithmic("Huber loss"),
///     x_limits: Some((0.0, 1500.0)),
///     lines: vec![Line::new("train", vec![(0.0, 0.9), (1000.0, 0.3), (2000.0, 0.2)])],
///     ..LinePlot::default()
/// };
/// assert!(loss.to_svg()?.starts_with("<svg"));
/// # Ok::<(), gymnast_core::plot::PlotError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LinePlot {
    /// The title above the plot; may be empty.
    pub title: String,
    /// What the lines and bands are, below the title; may be empty.
    pub note: String,
    /// The horizontal axis.
    pub x_axis: Axis,
    /// The vertical axis.
    pub y_axis: Axis,
    /// The ends of the horizontal axis; `None`: as the data. Lines beyond are cut.
    pub x_limits: Option<(f64, f64)>,
    /// The ends of the vertical axis; `None`: as the data within the other limits.
    pub y_limits: Option<(f64, f64)>,
    /// The lines, the last on top.
    pub lines: Vec<Line>,
    /// Horizontal dashed lines, for example a threshold.
    pub guides: Vec<Guide>,
    /// Width in pixels of 1/96 inch, from 200 to 10 000.
    pub width: u32,
    /// Height in pixels, from 150 to 10 000.
    pub height: u32,
    /// The size of the axes' labels in pixels, from 4 to 200; everything else is in proportion. A
    /// paper's 9 points are 12 pixels.
    pub font_size: f64,
}

impl Default for LinePlot {
    /// An empty plot of 800 by 480 pixels, a size that a README shows unscaled.
    fn default() -> Self {
        Self {
            title: String::new(),
            note: String::new(),
            x_axis: Axis::default(),
            y_axis: Axis::default(),
            x_limits: None,
            y_limits: None,
            lines: Vec::new(),
            guides: Vec::new(),
            width: 800,
            height: 480,
            font_size: LABEL_SIZE,
        }
    }
}

/// One line of a [`LinePlot`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Line {
    /// The label in the legend; a line with an empty label is left out of the legend.
    pub label: String,
    /// The points (x, y), in the order they are joined.
    pub points: Vec<(f64, f64)>,
    /// A band behind the line, as points (x, low, high); may be empty.
    pub band: Vec<(f64, f64, f64)>,
    /// Thin lighter lines behind it, for example single seeds; may be empty.
    pub faint: Vec<Vec<(f64, f64)>>,
    /// The colour, of a solid line; `None`: that of its series.
    pub colour: Option<Colour>,
    /// The number of its series, which has a colour and dashes of its own; `None`: its place among
    /// the lines. The same number makes a series look the same in several plots.
    pub series: Option<usize>,
}

impl Line {
    /// Creates a line through `points`, without band, faint lines or colour.
    pub fn new(label: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { label: label.into(), points, ..Self::default() }
    }

    /// Creates a line of unconnected dots.
    pub fn dots(label: impl Into<String>, points: &[(f64, f64)]) -> Self {
        // A point between gaps has no neighbour to be joined to.
        let gap = (f64::NAN, f64::NAN);
        Self::new(label, points.iter().flat_map(|&point| [point, gap]).collect())
    }
}

/// A horizontal dashed line across a [`LinePlot`].
#[derive(Clone, Debug, PartialEq)]
pub struct Guide {
    /// The label in the legend; a guide with an empty label is left out of the legend.
    pub label: String,
    /// The y value; must be finite.
    pub y: f64,
}

/// What a plot is drawn into, in units.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The least distance of the data from the left edge.
    pub(super) left: f64,
    /// Whether its lines are labelled; else they are elsewhere.
    pub(super) is_labelled: bool,
}

impl Picture for LinePlot {
    fn drawing(&self) -> Result<Drawing, PlotError> {
        let (width, height) = (self.width, self.height);
        if !(200..=10_000).contains(&width) || !(150..=10_000).contains(&height) {
            return Err(PlotError::Size { width, height });
        }
        let zoom = zoom(self.font_size)?;
        let [w, h] = [width, height].map(|pixels| f64::from(pixels) / zoom);
        let place = Place { width: w, height: h, left: 0.0, is_labelled: true };
        let drawing = self.part(place)?.drawing(zoom);
        Ok(Drawing { width, height, ..drawing })
    }
}

impl LinePlot {
    /// The number of lines that colours and dashes can distinguish, if none sets its own colour.
    pub const DISTINCT_LINES: usize = palette::DISTINCT;

    /// How much of their line's colour the faint lines have; the rest is white.
    pub const FAINT: f64 = 0.45;

    /// Returns the height at which the data have `aspect` times the width of the plot for
    /// themselves, beside title, note, legend and labels, in pixels.
    #[must_use]
    pub fn height_for(&self, aspect: f64) -> u32 {
        let zoom = zoom(self.font_size).unwrap_or(1.0);
        let width = f64::from(self.width) / zoom;
        let (_, top) = self.heading(width, &self.entries());
        ((top + aspect * width + frame::below(&self.x_axis)) * zoom).ceil().min(1e5) as u32
    }

    pub(super) fn part(&self, place: Place) -> Result<Part, PlotError> {
        let (x, y) = self.ranges()?;
        let entries = if place.is_labelled { self.entries() } else { Vec::new() };
        let lay_out = |top, right| {
            let Place { width, height, left, .. } = place;
            let room = Room { width, height, top, right, left };
            frame::lay_out(room, (&self.x_axis, x), (&self.y_axis, y))
        };
        let at_ends = || {
            let right = legend::room_at_ends(&entries, place.width)?;
            let (mut marks, top) = self.heading(place.width, &[]);
            let (frame, behind) = lay_out(top, right).ok()?;
            marks.extend(legend::at_ends(&entries, &frame)?);
            marks.extend(behind);
            Some((frame, marks))
        };
        let (frame, mut marks) = match at_ends() {
            Some(laid_out) => laid_out,
            None => {
                let (mut marks, top) = self.heading(place.width, &entries);
                let (frame, behind) = lay_out(top, 0.0)?;
                marks.extend(behind);
                (frame, marks)
            }
        };
        self.draw(&frame, &mut marks)?;
        Ok(Part { width: place.width, height: place.height, marks })
    }

    fn draw(&self, frame: &Frame, marks: &mut Vec<Mark>) -> Result<(), PlotError> {
        let before = marks.len();
        let coloured = || self.lines.iter().enumerate().map(|(i, line)| (line, self.colour(i)));
        for (line, colour) in coloured() {
            line_marks::band(marks, frame, &line.band, colour);
        }
        for (line, colour) in coloured() {
            for faint in &line.faint {
                line_marks::line(marks, frame, faint, (colour.tint(Self::FAINT), FAINT_WIDTH, &[]));
            }
        }
        for (index, (line, colour)) in coloured().enumerate() {
            let style = (colour, LINE_WIDTH, self.dashes(index));
            line_marks::line(marks, frame, &line.points, style);
        }
        if marks.len() == before {
            return Err(PlotError::Outside);
        }
        // On top, or a line that runs along it would hide it.
        for guide in &self.guides {
            let y = frame.height(guide.y);
            if (frame.top..=frame.bottom).contains(&y) {
                let points = vec![(frame.left, y), (frame.right, y)];
                let (colour, width, dashes) = (GUIDE, GUIDE_WIDTH, GUIDE_DASHES);
                marks.push(Mark::Line { points, colour, width, dashes });
            }
        }
        Ok(())
    }

    fn series(&self, index: usize) -> usize {
        self.lines[index].series.unwrap_or(index)
    }

    fn colour(&self, index: usize) -> Colour {
        self.lines[index].colour.unwrap_or_else(|| Colour::of_series(self.series(index)))
    }

    fn dashes(&self, index: usize) -> &'static [f64] {
        match self.lines[index].colour {
            Some(_) => &[],
            None => palette::dashes(self.series(index)),
        }
    }

    /// The labelled lines and guides.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let lines = self.lines.iter().enumerate().map(|(index, line)| Entry {
            label: line.label.clone(),
            colour: self.colour(index),
            width: LINE_WIDTH,
            dashes: self.dashes(index),
            end: self.end(&line.points),
        });
        // A guide ends where the axis does.
        let edge = self.ranges().ok().map(|(x, _)| match self.x_axis.scale {
            AxisScale::Linear => x.high,
            AxisScale::Logarithmic => 10_f64.powf(x.high),
        });
        let guides =
            self.guides.iter().map(|guide| Entry::guide(&guide.label, edge.map(|x| (x, guide.y))));
        lines.chain(guides).filter(|entry| !entry.label.is_empty()).collect()
    }

    /// The last point within the limits, if the line is joined to it.
    fn end(&self, points: &[Point]) -> Option<Point> {
        let beyond = |(x, _): &&Point| self.x_limits.is_none_or(|(_, high)| *x <= high);
        let mut last = points.iter().rev().filter(beyond);
        let is_finite = |(x, y): &&Point| x.is_finite() && y.is_finite();
        let end = last.next().filter(is_finite)?;
        last.next().filter(is_finite).map(|_| *end)
    }

    /// The title, the note and a legend of these entries, and where they end.
    fn heading(&self, width: f64, entries: &[Entry]) -> (Vec<Mark>, f64) {
        let (left, right) = (MARGIN, width - MARGIN);
        let (mut marks, top) = heading::lay_out(&self.title, &self.note, (left, right), MARGIN);
        let (bottom, rows) = legend::rows(entries, left, right, top);
        marks.extend(rows);
        (marks, bottom + 10.0)
    }

    /// The least distance of the data from the left edge of a plot of this size without a legend.
    pub(super) fn left(&self, width: f64, height: f64) -> Result<f64, PlotError> {
        let (_, top) = self.heading(width, &[]);
        let y = self.ranges()?.1;
        Ok(frame::left(&self.y_axis, y, height - frame::below(&self.x_axis) - top))
    }

    fn ranges(&self) -> Result<(Range, Range), PlotError> {
        if let Some(guide) = self.guides.iter().find(|guide| !guide.y.is_finite()) {
            return Err(PlotError::OutOfRange(guide.y));
        }
        // A point counts only if both its coordinates can be drawn.
        let lines = self
            .lines
            .iter()
            .flat_map(|line| std::iter::once(&line.points).chain(&line.faint))
            .flatten();
        let bands = self.lines.iter().flat_map(|line| &line.band);
        let edges = bands.flat_map(|&(x, low, high)| [(x, low), (x, high)]);
        let drawn: Vec<Point> =
            lines.copied().chain(edges).filter(|(x, y)| x.is_finite() && y.is_finite()).collect();
        if drawn.is_empty() {
            return Err(PlotError::Empty);
        }
        let guides = self.guides.iter().map(|guide| guide.y);
        self.x_axis.check(drawn.iter().map(|point| point.0))?;
        self.y_axis.check(drawn.iter().map(|point| point.1).chain(guides.clone()))?;
        let x = match self.x_limits {
            Some(limits) => self.x_axis.between(limits)?,
            None => {
                let x = self.x_axis.range(drawn.iter().map(|point| point.0))?;
                let is_linear = self.x_axis.scale == AxisScale::Linear;
                let x = if is_linear { x.starting_at_zero_if_near() } else { x };
                x.widened(0.0, 0.01)
            }
        };
        let is_within = |x: f64| self.x_limits.is_none_or(|(low, high)| (low..=high).contains(&x));
        let mut within = drawn.iter().filter(|point| is_within(point.0)).map(|point| point.1);
        let y = match self.y_limits {
            Some(limits) => self.y_axis.between(limits)?,
            None => {
                let first = within.next().ok_or(PlotError::Outside)?;
                let all = std::iter::once(first).chain(within).chain(guides);
                self.y_axis.range(all)?.widened(0.03, 0.04)
            }
        };
        Ok((x, y))
    }
}
