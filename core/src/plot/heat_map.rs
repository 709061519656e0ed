//! Heat maps: tables with shaded cells.

use gymnast_draw::{Colour, font};

use super::drawing::{
    Align, Drawing, HALF_DIGIT, LABEL_SIZE, Label, Mark, Part, TICK_SIZE, TITLE_SIZE,
};
use super::frame::x_label;
use super::heading;
use super::palette::{AXIS, TEXT};
use super::{Picture, PlotError};

const CELL_SIZE: f64 = 13.0;
const MARGIN: f64 = 14.0;
const GAP: f64 = 7.0;
/// Names longer than this are cut.
const LONGEST_NAME: f64 = 200.0;
/// The table is at least this wide and high, however few its cells.
const SMALLEST: f64 = 300.0;
const LARGEST: f64 = 10_000.0;

/// A table of shaded cells, for example a confusion matrix.
///
/// Its size follows from its texts: cells are squares that hold the longest one.
///
/// ```
/// use gymnast_core::plot::{Cell, HeatMap, Picture as _};
///
/// let names = || vec!["left".to_owned(), "right".to_owned()];
/// let cell = |share: f64| Cell { intensity: share, text: format!("{share:.2}") };
/// let table = HeatMap {
///     title: "Actions".to_owned(),
///     x_label: "chosen".to_owned(),
///     y_label: "best".to_owned(),
///     columns: names(),
///     rows: names(),
///     cells: [0.9, 0.1, 0.25, 0.75].map(cell).to_vec(),
/// };
/// assert!(table.to_svg()?.contains("0.75"));
/// # Ok::<(), gymnast_core::plot::PlotError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Default)]
pub struct HeatMap {
    /// The title above the table; may be empty.
    pub title: String,
    /// The label of the columns, below them; may be empty.
    pub x_label: String,
    /// The label of the rows, beside them; may be empty.
    pub y_label: String,
    /// The names of the columns, from the left.
    pub columns: Vec<String>,
    /// The names of the rows, from the top.
    pub rows: Vec<String>,
    /// The cells, row by row: `[rows, columns]`.
    pub cells: Vec<Cell>,
}

/// One cell of a [`HeatMap`].
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Cell {
    /// The darkness, from 0 (white) to 1.
    pub intensity: f64,
    /// The text in the cell.
    pub text: String,
}

impl Picture for HeatMap {
    fn drawing(&self) -> Result<Drawing, PlotError> {
        self.check()?;
        let fitted = |names: &[String]| -> Vec<String> {
            names.iter().map(|name| font::fit(name, TICK_SIZE, false, LONGEST_NAME)).collect()
        };
        let (columns, rows) = (fitted(&self.columns), fitted(&self.rows));
        let texts = self.cells.iter().map(|cell| font::width(&cell.text, CELL_SIZE, false));
        let most = columns.len().max(rows.len()) as f64;
        let side = texts.fold(SMALLEST / most, f64::max).max(CELL_SIZE + GAP) + 2.0 * GAP;
        let upwards = widest(&columns) + GAP > side;
        let names_height = if upwards { widest(&columns) } else { TICK_SIZE };
        let label_height = |label: &str| if label.is_empty() { 0.0 } else { LABEL_SIZE + 8.0 };
        let title_height = if self.title.is_empty() { 0.0 } else { TITLE_SIZE + GAP };
        let top = MARGIN + title_height;
        let left = MARGIN + label_height(&self.y_label) + widest(&rows) + GAP;
        let right = left + side * columns.len() as f64;
        let bottom = top + side * rows.len() as f64;
        let width = (right + MARGIN).ceil();
        let height = (bottom + GAP + names_height + label_height(&self.x_label) + MARGIN).ceil();
        if width.max(height) > LARGEST {
            return Err(PlotError::Size { width: width as u32, height: height as u32 });
        }

        let mut marks = Vec::new();
        for (index, cell) in self.cells.iter().enumerate() {
            let (row, column) = (index / columns.len(), index % columns.len());
            let (x, y) = (left + side * column as f64, top + side * row as f64);
            marks.extend(draw_cell(cell, x, y, side));
        }
        let corners = vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        marks.push(Mark::line(corners, AXIS, 1.0));
        for (index, name) in rows.iter().enumerate() {
            let middle = top + side * (index as f64 + 0.5) + HALF_DIGIT * TICK_SIZE;
            marks.push(Mark::text(name, (left - GAP, middle), Align::End, TICK_SIZE));
        }
        for (index, name) in columns.iter().enumerate() {
            let middle = left + side * (index as f64 + 0.5);
            marks.push(if upwards {
                let at = (middle + HALF_DIGIT * TICK_SIZE, bottom + GAP);
                Mark::Text(Label { upwards: true, ..Label::new(name, at, Align::End, TICK_SIZE) })
            } else {
                Mark::text(name, (middle, bottom + GAP + 0.8 * TICK_SIZE), Align::Middle, TICK_SIZE)
            });
        }
        let edges = (MARGIN, width - MARGIN);
        marks.extend(heading::lay_out(&self.title, "", edges, MARGIN).0);
        if !self.x_label.is_empty() {
            marks.push(x_label(&self.x_label, width, height, (left, right)));
        }
        if !self.y_label.is_empty() {
            let name = font::fit(&self.y_label, LABEL_SIZE, false, bottom - top);
            let at = (MARGIN + 0.8 * LABEL_SIZE, f64::midpoint(top, bottom));
            let name = Label::new(&name, at, Align::Middle, LABEL_SIZE);
            marks.push(Mark::Text(Label { upwards: true, ..name }));
        }
        Ok(Part { width, height, marks }.drawing(1.0))
    }
}

impl HeatMap {
    fn check(&self) -> Result<(), PlotError> {
        let (rows, columns, cells) = (self.rows.len(), self.columns.len(), self.cells.len());
        if rows.checked_mul(columns) != Some(cells) {
            return Err(PlotError::Cells { rows, columns, cells });
        }
        if cells == 0 {
            return Err(PlotError::Empty);
        }
        let intensities = self.cells.iter().map(|cell| cell.intensity);
        match intensities.into_iter().find(|intensity| !(0.0..=1.0).contains(intensity)) {
            Some(intensity) => Err(PlotError::Intensity(intensity)),
            None => Ok(()),
        }
    }
}

fn draw_cell(cell: &Cell, x: f64, y: f64, side: f64) -> [Mark; 2] {
    let points = vec![(x, y), (x + side, y), (x + side, y + side), (x, y + side)];
    let colour = shade(cell.intensity);
    let ink =
        if contrast(colour, Colour::WHITE) > contrast(colour, TEXT) { Colour::WHITE } else { TEXT };
    let at = (x + side / 2.0, y + side / 2.0 + HALF_DIGIT * CELL_SIZE);
    let text = Label { colour: ink, ..Label::new(&cell.text, at, Align::Middle, CELL_SIZE) };
    [Mark::Fill { points, colour, opacity: 1.0 }, Mark::Text(text)]
}

/// From white through the palette's blue to a dark one: one hue that only gets darker, which people
/// with any kind of colour vision, and a grey printer, see in the same order.
fn shade(intensity: f64) -> Colour {
    const MIDDLE: f64 = 0.7;
    const DARKEST: f64 = 0.45;
    let blue = Colour::BLUE;
    if intensity <= MIDDLE {
        return blue.tint(intensity / MIDDLE);
    }
    let share = 1.0 - (1.0 - DARKEST) * (intensity - MIDDLE) / (1.0 - MIDDLE);
    let darker = |part: u8| (f64::from(part) * share).round() as u8;
    Colour(blue.0.map(darker))
}

/// The contrast ratio of the Web Content Accessibility Guidelines 2.2, from 1 to 21.
fn contrast(a: Colour, b: Colour) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(Colour([red, green, blue]): Colour) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

fn widest(names: &[String]) -> f64 {
    names.iter().map(|name| font::width(name, TICK_SIZE, false)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_get_darker_and_their_texts_stay_legible() {
        let mut before = 1.1;
        for step in 0..=100 {
            let colour = shade(f64::from(step) / 100.0);
            let light = luminance(colour);
            assert!(light < before, "{step}");
            before = light;
            assert!(contrast(colour, Colour::WHITE).max(contrast(colour, TEXT)) >= 3.9, "{step}");
        }
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let name = || vec!["a".to_owned()];
        let table = HeatMap { columns: name(), rows: name(), ..HeatMap::default() };
        let error = table.to_svg().unwrap_err().to_string();
        assert_eq!(error, "a table of 1 rows and 1 columns needs 1 cells: got 0");
        assert!(matches!(HeatMap::default().to_svg(), Err(PlotError::Empty)));
        for intensity in [-0.1, 1.1, f64::NAN] {
            let cells = vec![Cell { intensity, text: String::new() }];
            let table = HeatMap { cells, ..table.clone() };
            assert!(matches!(table.to_svg(), Err(PlotError::Intensity(_))));
        }
        let names: Vec<String> = (0..400).map(|class| class.to_string()).collect();
        let cells = vec![Cell::default(); 400 * 400];
        let large = HeatMap { columns: names.clone(), rows: names, cells, ..table };
        assert!(matches!(large.to_svg(), Err(PlotError::Size { .. })));
    }
}
