//! The frame of a plot: where the data go, the grid, the ticks and the axis labels.

use super::palette::{AXIS, GRID};
use super::scene::{Align, Label, Mark, Point};
use super::ticks::{Tick, Unit, log_ticks, ticks};
use super::{PlotError, font};

pub(super) const TICK_SIZE: f64 = 12.5;
pub(super) const LABEL_SIZE: f64 = 14.0;
/// Half the height of digits: how far a baseline lies below the middle of what it labels.
pub(super) const HALF_DIGIT: f64 = 0.36;
const TICK_GAP: f64 = 7.0;

/// An axis: its label, unit and scale.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Axis {
    /// The label beside the axis; may be empty.
    pub label: String,
    /// How tick labels are formatted.
    pub unit: Unit,
    /// The spacing of values.
    pub scale: AxisScale,
}

/// The spacing of values on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AxisScale {
    /// Equal differences have equal distances.
    #[default]
    Linear,
    /// Equal ratios have equal distances: 1, 10 and 100 are equally spaced. Ticks show the values,
    /// which must be positive.
    Logarithmic,
}

impl AxisScale {
    /// Where a value stands: itself, or its logarithm to base 10.
    fn position(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.log10(),
        }
    }
}

impl Axis {
    /// Creates an axis of plain numbers.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// Creates an axis of positive numbers with a logarithmic scale.
    pub fn logarithmic(label: impl Into<String>) -> Self {
        Self { scale: AxisScale::Logarithmic, ..Self::new(label) }
    }

    /// Creates an axis of seconds.
    pub fn seconds(label: impl Into<String>) -> Self {
        Self { unit: Unit::Seconds, ..Self::new(label) }
    }

    /// The positions that the finite ones of `values` span on this axis.
    pub(super) fn range(&self, values: impl Iterator<Item = f64>) -> Result<Range, PlotError> {
        let mut positions = Vec::new();
        for value in values.filter(|value| value.is_finite()) {
            if self.scale == AxisScale::Logarithmic && value <= 0.0 {
                return Err(PlotError::NotPositive(value));
            }
            positions.push(self.scale.position(value));
        }
        Range::of(positions.into_iter())
    }

    fn ticks(&self, range: Range, most: usize) -> Vec<Tick> {
        match self.scale {
            AxisScale::Linear => ticks(range.low, range.high, most, self.unit),
            AxisScale::Logarithmic => log_ticks(range.low, range.high, most, self.unit),
        }
    }
}

/// The positions that an axis spans (values, or their logarithms), `low < high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Range {
    /// The span of the finite ones of `values`, widened where they are all (nearly) the same.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Result<Self, PlotError> {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if low > high {
            return Err(PlotError::Empty);
        }
        let largest = low.abs().max(high.abs());
        // Beyond this, differences and margins would leave what a number can hold.
        if largest > 1e300 {
            return Err(PlotError::OutOfRange(if high == largest { high } else { low }));
        }
        if largest < 1e-300 {
            return Ok(Self { low: -1.0, high: 1.0 });
        }
        if high - low < largest * 1e-10 {
            return Ok(Self { low: low - largest * 0.05, high: high + largest * 0.05 });
        }
        Ok(Self { low, high })
    }

    /// Begins at zero where the data begin a little above it.
    pub(super) fn starting_at_zero_if_near(self) -> Self {
        let near = self.low > 0.0 && self.low <= 0.25 * self.high;
        Self { low: if near { 0.0 } else { self.low }, ..self }
    }

    pub(super) fn widened(self, below: f64, above: f64) -> Self {
        let span = self.high - self.low;
        Self { low: self.low - span * below, high: self.high + span * above }
    }
}

/// The rectangle that data are drawn in, and how values map to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    x: (AxisScale, Range),
    y: (AxisScale, Range),
}

impl Frame {
    /// Where the point (x, y) is drawn.
    pub(super) fn place(&self, x: f64, y: f64) -> Point {
        (self.across(self.x.0.position(x)), self.height(y))
    }

    /// How far down the value `y` is drawn.
    pub(super) fn height(&self, y: f64) -> f64 {
        self.down(self.y.0.position(y))
    }

    fn across(&self, position: f64) -> f64 {
        let Range { low, high } = self.x.1;
        self.left + (position - low) / (high - low) * (self.right - self.left)
    }

    fn down(&self, position: f64) -> f64 {
        let Range { low, high } = self.y.1;
        self.bottom - (position - low) / (high - low) * (self.bottom - self.top)
    }
}

/// Lays the axes out below `top` in a picture of `width` by `height`; returns the frame and the
/// marks to draw behind the data.
pub(super) fn lay_out(
    (width, height): (f64, f64),
    top: f64,
    (x_axis, x): (&Axis, Range),
    (y_axis, y): (&Axis, Range),
) -> Result<(Frame, Vec<Mark>), PlotError> {
    let label_height = |axis: &Axis| if axis.label.is_empty() { 0.0 } else { LABEL_SIZE + 8.0 };
    let bottom = height - 12.0 - label_height(x_axis) - TICK_SIZE - TICK_GAP;
    let most = (((bottom - top) / 55.0) as usize).clamp(2, 8);
    let y_ticks = y_axis.ticks(y, most);
    let left = 14.0 + label_height(y_axis) + widest(&y_ticks) + TICK_GAP;
    let right = width - 14.0 - widest(&x_axis.ticks(x, 6)) / 2.0;
    if right - left < 80.0 || bottom - top < 60.0 {
        return Err(PlotError::Size { width: width as u32, height: height as u32 });
    }
    let (x_span, y_span) = ((x_axis.scale, x), (y_axis.scale, y));
    let frame = Frame { left, top, right, bottom, x: x_span, y: y_span };
    let x_ticks = x_ticks(x_axis, x, right - left);
    let mut marks = Vec::new();
    for tick in &y_ticks {
        let y = frame.down(tick.at);
        marks.push(Mark::Line { points: vec![(left, y), (right, y)], colour: GRID, width: 1.0 });
        let at = (left - TICK_GAP, y + HALF_DIGIT * TICK_SIZE);
        marks.push(text(&tick.label, at, Align::End, TICK_SIZE));
    }
    for tick in &x_ticks {
        let x = frame.across(tick.at);
        marks.push(Mark::Line {
            points: vec![(x, bottom), (x, bottom + 4.0)],
            colour: AXIS,
            width: 1.0,
        });
        let at = (x, bottom + TICK_GAP + 0.8 * TICK_SIZE);
        marks.push(text(&tick.label, at, Align::Middle, TICK_SIZE));
    }
    marks.push(Mark::Line {
        points: vec![(left, bottom), (right, bottom)],
        colour: AXIS,
        width: 1.0,
    });
    if !x_axis.label.is_empty() {
        let label = font::fit(&x_axis.label, LABEL_SIZE, false, width - 20.0);
        let room = font::width(&label, LABEL_SIZE, false) / 2.0 + 10.0;
        let centre = f64::midpoint(left, right).min(width - room).max(room);
        marks.push(text(&label, (centre, height - 14.0), Align::Middle, LABEL_SIZE));
    }
    if !y_axis.label.is_empty() {
        // Neither up into the title and the legend nor down to the other label.
        let (highest, lowest) = (top - 8.0, bottom + TICK_GAP + TICK_SIZE);
        let label = font::fit(&y_axis.label, LABEL_SIZE, false, lowest - highest);
        let half = font::width(&label, LABEL_SIZE, false) / 2.0;
        let centre = f64::midpoint(top, bottom).min(lowest - half).max(highest + half);
        let Mark::Text(mut label) =
            text(&label, (8.0 + LABEL_SIZE, centre), Align::Middle, LABEL_SIZE)
        else {
            unreachable!("`text` makes a text");
        };
        label.upwards = true;
        marks.push(Mark::Text(label));
    }
    Ok((frame, marks))
}

pub(super) fn text(text: &str, at: Point, align: Align, size: f64) -> Mark {
    Mark::Text(Label::new(text, at, align, size))
}

/// As many ticks as leave a gap between their labels.
pub(super) fn x_ticks(axis: &Axis, range: Range, room: f64) -> Vec<Tick> {
    let fits = |ticks: &Vec<Tick>| {
        let apart =
            ticks.windows(2).map(|pair| pair[1].at - pair[0].at).fold(f64::INFINITY, f64::min);
        widest(ticks) + 14.0 <= apart / (range.high - range.low) * room
    };
    (2..=8)
        .rev()
        .map(|most| axis.ticks(range, most))
        .find(fits)
        .unwrap_or_else(|| axis.ticks(range, 2).into_iter().take(1).collect())
}

fn widest(ticks: &[Tick]) -> f64 {
    ticks.iter().map(|tick| font::width(&tick.label, TICK_SIZE, false)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(values: &[f64]) -> Result<Range, PlotError> {
        Range::of(values.iter().copied())
    }

    #[test]
    fn a_range_spans_what_is_finite() {
        assert_eq!(
            range(&[3.0, f64::NAN, -1.0, f64::INFINITY]).unwrap(),
            Range { low: -1.0, high: 3.0 }
        );
        assert!(matches!(range(&[f64::NAN]), Err(PlotError::Empty)));
        assert!(matches!(range(&[]), Err(PlotError::Empty)));
        assert!(matches!(range(&[0.0, -1e301]), Err(PlotError::OutOfRange(_))));
    }

    #[test]
    fn a_constant_gets_room_around_it() {
        assert_eq!(range(&[100.0]).unwrap(), Range { low: 95.0, high: 105.0 });
        assert_eq!(range(&[0.0]).unwrap(), Range { low: -1.0, high: 1.0 });
        let tiny = range(&[-2e-9, -2e-9]).unwrap();
        assert!(tiny.low < -2e-9 && tiny.high > -2e-9 && tiny.high < 0.0);
    }

    #[test]
    fn data_a_little_above_zero_begin_at_zero() {
        let range = Range { low: 1000.0, high: 50_000.0 };
        assert_eq!(range.starting_at_zero_if_near().low, 0.0);
        let far = Range { low: 90.0, high: 100.0 };
        assert_eq!(far.starting_at_zero_if_near(), far);
    }

    #[test]
    fn corners_map_to_corners() {
        let axis = Axis::new("x");
        let (x, y) = (Range { low: 0.0, high: 10.0 }, Range { low: -1.0, high: 1.0 });
        let (frame, _) = lay_out((800.0, 480.0), 50.0, (&axis, x), (&axis, y)).unwrap();
        assert_eq!(frame.place(0.0, -1.0), (frame.left, frame.bottom));
        assert_eq!(frame.place(10.0, 1.0), (frame.right, frame.top));
        assert!(frame.right <= 800.0 && frame.bottom <= 480.0 && frame.left > 0.0);
    }

    #[test]
    fn ratios_are_equally_far_apart_on_a_logarithmic_axis() {
        let axis = Axis::logarithmic("labels a class");
        let x = axis.range([1.0, 100.0, f64::NAN].into_iter()).unwrap();
        assert_eq!(x, Range { low: 0.0, high: 2.0 });
        let y = Range { low: 0.0, high: 1.0 };
        let (frame, _) = lay_out((800.0, 480.0), 50.0, (&axis, x), (&Axis::default(), y)).unwrap();
        let across = [1.0, 10.0, 100.0].map(|x| frame.place(x, 0.5).0);
        assert!((across[1] - across[0] - (across[2] - across[1])).abs() < 1e-9, "{across:?}");
        assert!(matches!(axis.range([1.0, 0.0].into_iter()), Err(PlotError::NotPositive(_))));
        assert!(matches!(axis.range([-2.0].into_iter()), Err(PlotError::NotPositive(_))));
    }
}
