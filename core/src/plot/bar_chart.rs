//! Horizontal bar charts.

use super::axes::{HALF_DIGIT, LABEL_SIZE, TICK_SIZE, text};
use super::palette::{AXIS, OKABE_ITO};
use super::scene::{Align, Label, Mark, Scene, TITLE_SIZE};
use super::{Picture, PlotError, font};

const MARGIN: f64 = 14.0;
const GAP: f64 = 7.0;
const ROW: f64 = 28.0;
const THICKNESS: f64 = 18.0;
/// Names longer than this are cut.
const LONGEST_NAME: f64 = 240.0;
const MOST_BARS: usize = 300;

/// Horizontal bars, the first at the top.
///
/// ```
/// use gymnast_core::plot::{Bar, BarChart, Picture as _};
///
/// let bar = |name: &str, length| Bar { name: name.to_owned(), length, text: length.to_string() };
/// let chart = BarChart { bars: vec![bar("learning rate", 0.7), bar("width", 0.1)], ..BarChart::default() };
/// assert!(chart.to_svg()?.contains("learning rate"));
/// # Ok::<(), gymnast_core::plot::PlotError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BarChart {
    /// The title above the bars; may be empty.
    pub title: String,
    /// The label of the lengths, below the bars; may be empty.
    pub x_label: String,
    /// The bars, from the top.
    pub bars: Vec<Bar>,
    /// Width in pixels, from 400 to 10 000.
    pub width: u32,
}

impl Default for BarChart {
    /// An empty chart, 640 pixels wide.
    fn default() -> Self {
        Self { title: String::new(), x_label: String::new(), bars: Vec::new(), width: 640 }
    }
}

/// One bar of a [`BarChart`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Bar {
    /// The name, in front of the bar.
    pub name: String,
    /// The length, ≥ 0; the longest bar fills the chart.
    pub length: f64,
    /// The text behind the bar.
    pub text: String,
}

impl Picture for BarChart {
    fn to_svg(&self) -> Result<String, PlotError> {
        self.scene()?.svg()
    }

    fn to_png(&self) -> Result<Vec<u8>, PlotError> {
        self.scene()?.png()
    }
}

impl BarChart {
    pub(super) fn scene(&self) -> Result<Scene, PlotError> {
        if self.bars.is_empty() {
            return Err(PlotError::Empty);
        }
        let label_height = if self.x_label.is_empty() { 0.0 } else { LABEL_SIZE + 10.0 };
        let title_height = if self.title.is_empty() { 0.0 } else { TITLE_SIZE + GAP };
        let (top, width) = (MARGIN + title_height, f64::from(self.width));
        let bottom = top + ROW * self.bars.len() as f64;
        let height = (bottom + label_height + MARGIN).ceil();
        if self.bars.len() > MOST_BARS || !(400..=10_000).contains(&self.width) {
            return Err(PlotError::Size { width: self.width, height: height as u32 });
        }
        let is_length = |length: f64| (0.0..=1e300).contains(&length);
        if let Some(bar) = self.bars.iter().find(|bar| !is_length(bar.length)) {
            return Err(PlotError::OutOfRange(bar.length));
        }
        let widest = |of: fn(&Bar) -> &str| {
            let widths = self.bars.iter().map(|bar| font::width(of(bar), TICK_SIZE, false));
            widths.fold(0.0, f64::max).min(LONGEST_NAME.min(width / 3.0))
        };
        let (names, texts) = (widest(|bar| &bar.name), widest(|bar| &bar.text));
        let left = MARGIN + names + GAP;
        let room = width - MARGIN - texts - GAP - left;
        let longest = self.bars.iter().map(|bar| bar.length).fold(f64::MIN_POSITIVE, f64::max);

        let mut marks = Vec::new();
        for (index, bar) in self.bars.iter().enumerate() {
            let middle = top + ROW * (index as f64 + 0.5);
            let right = left + room * (bar.length / longest);
            let (above, below) = (middle - THICKNESS / 2.0, middle + THICKNESS / 2.0);
            let points = vec![(left, above), (right, above), (right, below), (left, below)];
            marks.push(Mark::Fill { points, colour: OKABE_ITO[0], opacity: 1.0 });
            let line = middle + HALF_DIGIT * TICK_SIZE;
            let name = font::fit(&bar.name, TICK_SIZE, false, names);
            marks.push(text(&name, (left - GAP, line), Align::End, TICK_SIZE));
            let own = font::fit(&bar.text, TICK_SIZE, false, texts);
            marks.push(text(&own, (right + GAP, line), Align::Start, TICK_SIZE));
        }
        let points = vec![(left, top), (left, bottom)];
        marks.push(Mark::Line { points, colour: AXIS, width: 1.0 });
        if !self.title.is_empty() {
            let title = Label::title(&self.title, (MARGIN, MARGIN), width - 2.0 * MARGIN);
            marks.push(Mark::Text(title));
        }
        if !self.x_label.is_empty() {
            let label = font::fit(&self.x_label, LABEL_SIZE, false, width - 2.0 * MARGIN);
            let half = font::width(&label, LABEL_SIZE, false) / 2.0;
            let middle = (left + room / 2.0).clamp(MARGIN + half, width - MARGIN - half);
            marks.push(text(&label, (middle, height - MARGIN), Align::Middle, LABEL_SIZE));
        }
        Ok(Scene { width: self.width, height: height as u32, marks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(lengths: &[f64]) -> BarChart {
        let bar = |&length: &f64| Bar { name: "x".to_owned(), length, text: String::new() };
        BarChart { bars: lengths.iter().map(bar).collect(), ..BarChart::default() }
    }

    #[test]
    fn bars_are_as_long_as_they_say() {
        let scene = chart(&[2.0, 1.0, 0.0]).scene().unwrap();
        let lengths: Vec<f64> = scene
            .marks
            .iter()
            .filter_map(|mark| match mark {
                Mark::Fill { points, .. } => Some(points[1].0 - points[0].0),
                _ => None,
            })
            .collect();
        assert!((lengths[0] - 2.0 * lengths[1]).abs() < 1e-9 && lengths[2] == 0.0, "{lengths:?}");
        assert!(lengths[0] > 500.0);
    }

    #[test]
    fn what_is_no_length_is_refused() {
        assert!(matches!(chart(&[]).to_svg(), Err(PlotError::Empty)));
        for length in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(matches!(chart(&[length]).to_svg(), Err(PlotError::OutOfRange(_))));
        }
        assert!(matches!(chart(&vec![1.0; 301]).to_svg(), Err(PlotError::Size { .. })));
        assert!(chart(&[0.0, 0.0]).to_png().is_ok());
    }
}
