//! The frame of a plot: where the data go, the grid, the ticks and the axis labels.

use gymnast_draw::font;

use super::PlotError;
use super::axis::{Axis, AxisScale, Range};
use super::drawing::{Align, HALF_DIGIT, LABEL_SIZE, Label, Mark, Point, TICK_SIZE};
use super::palette::{AXIS, GRID};
use super::ticks::Tick;

const TICK_GAP: f64 = 7.0;
/// The least room for data, across and down.
const LEAST: (f64, f64) = (80.0, 60.0);
/// So many times the frame away, where exactly makes no difference to what is seen.
const FAR: f64 = 1e6;

/// What a plot's frame has to fit in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Where the title, the note and the legend end.
    pub(super) top: f64,
    /// The least room to the right of the data, for labels at the ends of lines.
    pub(super) right: f64,
    /// Where the data begin at the least, so that panels below each other do so at the same place.
    pub(super) left: f64,
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
        self.left + self.x.1.share(position).clamp(-FAR, FAR) * (self.right - self.left)
    }

    fn down(&self, position: f64) -> f64 {
        self.bottom - self.y.1.share(position).clamp(-FAR, FAR) * (self.bottom - self.top)
    }
}

/// How far the lower end of the data lies above that of the plot.
pub(super) fn below(x_axis: &Axis) -> f64 {
    12.0 + label_height(x_axis) + TICK_SIZE + TICK_GAP
}

/// Where the data of a plot begin, of which `height` remains for them.
pub(super) fn left(y_axis: &Axis, y: Range, height: f64) -> f64 {
    14.0 + label_height(y_axis) + widest(&y_axis.ticks(y, most(height))) + TICK_GAP
}

/// Lays the axes out; returns the frame and the marks to draw behind the data.
pub(super) fn lay_out(
    room: Room,
    (x_axis, x): (&Axis, Range),
    (y_axis, y): (&Axis, Range),
) -> Result<(Frame, Vec<Mark>), PlotError> {
    let top = room.top;
    let bottom = room.height - below(x_axis);
    let y_ticks = y_axis.ticks(y, most(bottom - top));
    let left = left(y_axis, y, bottom - top).max(room.left);
    let half = widest(&x_axis.ticks(x, 6)) / 2.0;
    let right = room.width - 14.0 - half.max(room.right);
    if right - left < LEAST.0 || bottom - top < LEAST.1 {
        return Err(PlotError::Size { width: room.width as u32, height: room.height as u32 });
    }
    let (x_span, y_span) = ((x_axis.scale, x), (y_axis.scale, y));
    let frame = Frame { left, top, right, bottom, x: x_span, y: y_span };
    let mut marks = Vec::new();
    for tick in &y_ticks {
        let y = frame.down(tick.at);
        marks.push(Mark::line(vec![(left, y), (right, y)], GRID, 1.0));
        let at = (left - TICK_GAP, y + HALF_DIGIT * TICK_SIZE);
        marks.push(Mark::text(&tick.label, at, Align::End, TICK_SIZE));
    }
    for position in y_axis.minor_ticks(y) {
        let y = frame.down(position);
        marks.push(Mark::line(vec![(left - 3.0, y), (left, y)], AXIS, 1.0));
    }
    for position in x_axis.minor_ticks(x) {
        let x = frame.across(position);
        marks.push(Mark::line(vec![(x, bottom), (x, bottom + 2.5)], AXIS, 1.0));
    }
    for tick in x_ticks(x_axis, x, right - left) {
        let x = frame.across(tick.at);
        marks.push(Mark::line(vec![(x, bottom), (x, bottom + 5.0)], AXIS, 1.0));
        let at = (x, bottom + TICK_GAP + 0.8 * TICK_SIZE);
        marks.push(Mark::text(&tick.label, at, Align::Middle, TICK_SIZE));
    }
    marks.push(Mark::line(vec![(left, bottom), (right, bottom)], AXIS, 1.0));
    if !x_axis.label.is_empty() {
        marks.push(x_label(&x_axis.label, room.width, room.height, (left, right)));
    }
    if !y_axis.label.is_empty() {
        // Neither up into the title and the legend nor down to the other label.
        let ends = (top - 8.0, bottom + TICK_GAP + TICK_SIZE);
        marks.push(y_label(&y_axis.label, ends, f64::midpoint(top, bottom)));
    }
    Ok((frame, marks))
}

/// The label of a horizontal axis at the foot of a picture, below the middle of what it spans.
pub(super) fn x_label(label: &str, width: f64, height: f64, (left, right): (f64, f64)) -> Mark {
    let label = font::fit(label, LABEL_SIZE, false, width - 20.0);
    let room = font::width(&label, LABEL_SIZE, false) / 2.0 + 10.0;
    let centre = f64::midpoint(left, right).min(width - room).max(room);
    Mark::text(&label, (centre, height - 14.0), Align::Middle, LABEL_SIZE)
}

/// The label of a vertical axis at the left edge of a picture: in the middle, but between `ends`.
pub(super) fn y_label(label: &str, (highest, lowest): (f64, f64), middle: f64) -> Mark {
    let label = font::fit(label, LABEL_SIZE, false, lowest - highest);
    let half = font::width(&label, LABEL_SIZE, false) / 2.0;
    let centre = middle.min(lowest - half).max(highest + half);
    let at = (8.0 + LABEL_SIZE, centre);
    Mark::Text(Label { upwards: true, ..Label::new(&label, at, Align::Middle, LABEL_SIZE) })
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

fn most(height: f64) -> usize {
    ((height / 34.0) as usize).clamp(2, 7)
}

fn label_height(axis: &Axis) -> f64 {
    if axis.label.is_empty() { 0.0 } else { LABEL_SIZE + 8.0 }
}

fn widest(ticks: &[Tick]) -> f64 {
    ticks.iter().map(|tick| font::width(&tick.label, TICK_SIZE, false)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: Room = Room { width: 800.0, height: 480.0, top: 50.0, right: 0.0, left: 0.0 };

    #[test]
    fn corners_map_to_corners() {
        let axis = Axis::new("x");
        let (x, y) = (Range { low: 0.0, high: 10.0 }, Range { low: -1.0, high: 1.0 });
        let (frame, _) = lay_out(ROOM, (&axis, x), (&axis, y)).unwrap();
        assert_eq!(frame.place(0.0, -1.0), (frame.left, frame.bottom));
        assert_eq!(frame.place(10.0, 1.0), (frame.right, frame.top));
        assert!(frame.right <= 800.0 && frame.bottom <= 480.0 && frame.left > 0.0);
        let room = Room { left: 200.0, right: 150.0, ..ROOM };
        let (frame, _) = lay_out(room, (&axis, x), (&axis, y)).unwrap();
        assert_eq!((frame.left, frame.right), (200.0, 800.0 - 14.0 - 150.0));
    }

    #[test]
    fn ratios_are_equally_far_apart_on_a_logarithmic_axis() {
        let axis = Axis::logarithmic("labels a class");
        let x = axis.range([1.0, 100.0, f64::NAN].into_iter()).unwrap();
        assert_eq!(x, Range { low: 0.0, high: 2.0 });
        let y = Range { low: 0.0, high: 1.0 };
        let (frame, _) = lay_out(ROOM, (&axis, x), (&Axis::default(), y)).unwrap();
        let across = [1.0, 10.0, 100.0].map(|x| frame.place(x, 0.5).0);
        assert!((across[1] - across[0] - (across[2] - across[1])).abs() < 1e-9, "{across:?}");
    }
}
