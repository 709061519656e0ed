//! Horizontal bar charts.

use gymnast_draw::{Colour, font};

use super::drawing::{Align, Drawing, HALF_DIGIT, LABEL_SIZE, Mark, TICK_SIZE, zoom};
use super::palette::AXIS;
use super::rows::{GAP, Rows, Texts, widest};
use super::{Picture, PlotError};

const ROW: f64 = 28.0;
const THICKNESS: f64 = 18.0;

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
    /// Width in pixels of 1/96 inch, from 200 to 10 000.
    pub width: u32,
    /// The size of the axis's label in pixels, from 4 to 200; everything else is in proportion.
    pub font_size: f64,
}

impl Default for BarChart {
    /// An empty chart, 640 pixels wide.
    fn default() -> Self {
        let [title, x_label] = [String::new(), String::new()];
        Self { title, x_label, bars: Vec::new(), width: 640, font_size: LABEL_SIZE }
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
    fn drawing(&self) -> Result<Drawing, PlotError> {
        if self.bars.is_empty() {
            return Err(PlotError::Empty);
        }
        let is_length = |length: f64| (0.0..=1e300).contains(&length);
        if let Some(bar) = self.bars.iter().find(|bar| !is_length(bar.length)) {
            return Err(PlotError::OutOfRange(bar.length));
        }
        let zoom = zoom(self.font_size)?;
        let width = f64::from(self.width) / zoom;
        let texts = Texts { title: &self.title, note: "", x_label: &self.x_label };
        let names: Vec<&str> = self.bars.iter().map(|bar| bar.name.as_str()).collect();
        let behind = widest(self.bars.iter().map(|bar| bar.text.as_str()), width);
        let rows = Rows::lay_out(texts, &names, width, ROW, behind + GAP, 0.0)?;
        let longest = self.bars.iter().map(|bar| bar.length).fold(f64::MIN_POSITIVE, f64::max);

        let mut marks = Vec::new();
        for (index, bar) in self.bars.iter().enumerate() {
            let middle = rows.middle(index);
            let left = rows.left;
            let right = left + (rows.right - left) * (bar.length / longest);
            let (above, below) = (middle - THICKNESS / 2.0, middle + THICKNESS / 2.0);
            let points = vec![(left, above), (right, above), (right, below), (left, below)];
            marks.push(Mark::Fill { points, colour: Colour::of_series(0), opacity: 1.0 });
            let own = font::fit(&bar.text, TICK_SIZE, false, behind);
            let at = (right + GAP, middle + HALF_DIGIT * TICK_SIZE);
            marks.push(Mark::text(&own, at, Align::Start, TICK_SIZE));
        }
        let axis = vec![(rows.left, rows.top), (rows.left, rows.bottom)];
        marks.push(Mark::line(axis, AXIS, 1.0));
        Ok(rows.with(marks).drawing(zoom))
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
        let drawing = chart(&[2.0, 1.0, 0.0]).drawing().unwrap();
        let lengths: Vec<f64> = drawing
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
