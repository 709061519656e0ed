//! Line plots, with bands and faint lines.

use super::axes::{Axis, AxisScale, Frame, Range};
use super::legend::Entry;
use super::palette::{GUIDE, OKABE_ITO, Rgb};
use super::scene::{Label, Mark, Point, Scene, TITLE_SIZE};
use super::{Picture, PlotError, axes, legend, line};

const LINE_WIDTH: f64 = 2.2;
const FAINT_WIDTH: f64 = 1.0;
const GUIDE_WIDTH: f64 = 1.4;

/// A plot of lines: training losses, ROC curves, returns.
///
/// NaN and infinite values are gaps. The axes span all finite values.
///
/// ```
/// use gymnast_core::plot::{Axis, Line, LinePlot, Picture as _};
///
/// let loss = LinePlot {
///     title: "Loss".to_owned(),
///     x_axis: Axis::new("updates"),
///     y_axis: Axis::new("Huber loss"),
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
    /// The horizontal axis.
    pub x_axis: Axis,
    /// The vertical axis.
    pub y_axis: Axis,
    /// The lines, the last on top.
    pub lines: Vec<Line>,
    /// Horizontal dashed lines, for example a threshold.
    pub guides: Vec<Guide>,
    /// Width in pixels, from 200 to 10 000.
    pub width: u32,
    /// Height in pixels, from 150 to 10 000.
    pub height: u32,
}

impl Default for LinePlot {
    /// An empty plot of 800 by 480 pixels, a size that a README shows unscaled.
    fn default() -> Self {
        Self {
            title: String::new(),
            x_axis: Axis::default(),
            y_axis: Axis::default(),
            lines: Vec::new(),
            guides: Vec::new(),
            width: 800,
            height: 480,
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
    /// The colour; `None`: the next one of the palette.
    pub colour: Option<Rgb>,
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

impl Picture for LinePlot {
    fn to_svg(&self) -> Result<String, PlotError> {
        self.scene()?.svg()
    }

    fn to_png(&self) -> Result<Vec<u8>, PlotError> {
        self.scene()?.png()
    }
}

impl LinePlot {
    /// The number of lines that colours and dashes can distinguish, if none sets its own colour.
    pub const DISTINCT_LINES: usize = OKABE_ITO.len() * line::PATTERNS.len();

    /// How much of their line's colour the faint lines have; the rest is white.
    pub const FAINT: f64 = 0.45;

    pub(super) fn scene(&self) -> Result<Scene, PlotError> {
        let (width, height) = (self.width, self.height);
        let (area, most) = (width.saturating_mul(height), 25_000_000); // 1.2 GB while it is drawn
        if !(200..=10_000).contains(&width) || !(150..=10_000).contains(&height) || area > most {
            return Err(PlotError::Size { width, height });
        }
        let (x, y) = self.ranges()?;
        let (mut marks, top) = self.heading();
        let size = (f64::from(width), f64::from(height));
        let (frame, behind) = axes::lay_out(size, top, (&self.x_axis, x), (&self.y_axis, y))?;
        marks.extend(behind);
        let coloured = || self.lines.iter().enumerate().map(|(i, line)| (line, self.colour(i)));
        for (line, colour) in coloured() {
            draw_band(&mut marks, &frame, &line.band, colour);
        }
        for (line, colour) in coloured() {
            for faint in &line.faint {
                draw_line(&mut marks, &frame, faint, colour.tint(Self::FAINT), FAINT_WIDTH);
            }
        }
        for (index, (line, colour)) in coloured().enumerate() {
            let start = marks.len();
            draw_line(&mut marks, &frame, &line.points, colour, LINE_WIDTH);
            if let Some(pattern) = self.pattern(index) {
                let solid = marks.split_off(start);
                marks.extend(solid.into_iter().flat_map(|mark| dash(mark, pattern)));
            }
        }
        // On top, or a line that runs along it would hide it.
        for guide in &self.guides {
            let y = frame.height(guide.y);
            let ends = vec![(frame.left, y), (frame.right, y)];
            let line = Mark::Line { points: ends, colour: GUIDE, width: GUIDE_WIDTH };
            marks.extend(dash(line, line::DASHES));
        }
        Ok(Scene { width, height, marks })
    }

    fn colour(&self, index: usize) -> Rgb {
        self.lines[index].colour.unwrap_or_else(|| Rgb::of_series(index))
    }

    /// Where the palette has to repeat a colour, dashes tell the lines apart.
    fn pattern(&self, index: usize) -> Option<&'static [f64]> {
        let round = index / OKABE_ITO.len();
        let pattern = line::PATTERNS[round % line::PATTERNS.len()];
        Some(pattern).filter(|pattern| self.lines[index].colour.is_none() && !pattern.is_empty())
    }

    /// Returns the height of title and legend, in pixels from the upper edge.
    #[must_use]
    pub fn heading_height(&self) -> f64 {
        self.heading().1
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
        let mut x = self.x_axis.range(drawn.iter().map(|point| point.0))?;
        if self.x_axis.scale == AxisScale::Linear {
            x = x.starting_at_zero_if_near();
        }
        let guides = self.guides.iter().map(|guide| guide.y);
        let y = self.y_axis.range(drawn.iter().map(|point| point.1).chain(guides))?;
        Ok((x.widened(0.0, 0.01), y.widened(0.03, 0.04)))
    }

    /// The title and the legend, and where they end.
    fn heading(&self) -> (Vec<Mark>, f64) {
        let (left, right) = (20.0, f64::from(self.width) - 20.0);
        let mut marks = Vec::new();
        let mut top = 14.0;
        if !self.title.is_empty() {
            marks.push(Mark::Text(Label::title(&self.title, (left, top), right - left)));
            top += TITLE_SIZE + 7.0;
        }
        let lines = self.lines.iter().enumerate().map(|(index, line)| Entry {
            label: &line.label,
            colour: self.colour(index),
            width: LINE_WIDTH,
            pattern: self.pattern(index),
        });
        let guides = self.guides.iter().map(|guide| Entry {
            label: &guide.label,
            colour: GUIDE,
            width: GUIDE_WIDTH,
            pattern: Some(line::DASHES),
        });
        let entries: Vec<_> = lines.chain(guides).filter(|entry| !entry.label.is_empty()).collect();
        let (bottom, rows) = legend::lay_out(&entries, left, right, top);
        marks.extend(rows);
        (marks, bottom + 10.0)
    }
}

fn draw_line(marks: &mut Vec<Mark>, frame: &Frame, points: &[Point], colour: Rgb, width: f64) {
    for stretch in line::stretches(points) {
        let placed: Vec<Point> = stretch.iter().map(|&(x, y)| frame.place(x, y)).collect();
        let points = line::thinned(&placed);
        marks.push(match points[..] {
            [point] => Mark::Fill { points: line::dot(point, 1.4 * width), colour, opacity: 1.0 },
            _ => Mark::Line { points, colour, width },
        });
    }
}

fn dash(mark: Mark, pattern: &[f64]) -> Vec<Mark> {
    match mark {
        Mark::Line { points, colour, width } => line::dashed(&points, pattern)
            .into_iter()
            .map(|points| Mark::Line { points, colour, width })
            .collect(),
        other => vec![other],
    }
}

fn draw_band(marks: &mut Vec<Mark>, frame: &Frame, band: &[(f64, f64, f64)], colour: Rgb) {
    let finite =
        |(x, low, high): &(f64, f64, f64)| x.is_finite() && low.is_finite() && high.is_finite();
    for stretch in band.split(|edge| !finite(edge)).filter(|stretch| stretch.len() > 1) {
        let upper: Vec<Point> = stretch.iter().map(|&(x, _, high)| frame.place(x, high)).collect();
        let lower: Vec<Point> = stretch.iter().map(|&(x, low, _)| frame.place(x, low)).collect();
        let mut points = line::thinned(&upper);
        points.extend(line::thinned(&lower).into_iter().rev());
        marks.push(Mark::Fill { points, colour, opacity: 0.2 });
    }
}
