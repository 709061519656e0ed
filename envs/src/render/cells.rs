//! Boards of coloured cells, for games with image observations.

use super::{Canvas, Colour, Frame};

/// The background colour of a board.
pub const DARK: Colour = Colour([30, 34, 41]);
/// About how long the picture's longer side is, in pixels.
const LENGTH: usize = 480;

/// Draws a board; `colour` returns the colour of the cell at a row and column. The longer side has
/// about 480 pixels.
///
/// # Panics
/// If there are no cells.
#[must_use]
pub fn picture(rows: usize, columns: usize, colour: impl Fn(usize, usize) -> Colour) -> Frame {
    assert!(rows > 0 && columns > 0, "a board has cells");
    let side = (LENGTH / rows.max(columns)).max(2);
    let pixels = |cells: usize| (cells * side) as u32;
    let mut canvas = Canvas::new(pixels(columns), pixels(rows), DARK);
    // A thin gap between cells, as far as they are large enough to have one.
    let gap = if side < 8 { 0.0 } else { 1.0 };
    let inner = side as f64 - 2.0 * gap;
    for row in 0..rows {
        for column in 0..columns {
            let corner = [column, row].map(|i| (i * side) as f64 + gap);
            let ground = colour(row, column);
            // Cells of the ground stand out from the gaps.
            let ground = if ground == DARK { DARK.mix(Colour::WHITE, 0.08) } else { ground };
            let [x, y] = corner;
            let corners = [[x, y], [x + inner, y], [x + inner, y + inner], [x, y + inner]];
            canvas.polygon(&corners, ground);
        }
    }
    canvas.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cell_has_its_colour() {
        let colour = |row, column| if (row, column) == (1, 2) { Colour::ORANGE } else { DARK };
        let frame = picture(3, 4, colour);
        assert_eq!((frame.width, frame.height), (480, 360));
        let orange = |x: usize, y: usize| {
            let start = 3 * (y * frame.width + x);
            frame.rgb[start..start + 3] == Colour::ORANGE.0
        };
        assert!(orange(300, 180) && orange(242, 122) && orange(357, 237));
        assert!(!orange(238, 180) && !orange(300, 118) && !orange(362, 180));
        assert_eq!(picture(300, 1, |_, _| DARK).width, 2);
    }
}
