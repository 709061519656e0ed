//! Board games as pictures.

pub use super::Look;
use super::{Canvas, Colour, Frame, Pixel};

const SIDE: f64 = 80.0;
const MARGIN: f64 = 14.0;
const PAPER: Colour = Colour([250, 249, 245]);

/// Draws a board. `stone` returns the contents of a cell, numbered row by row: 0 empty, 1 or 2 for
/// a player's stone; `is_winning` whether the cell is part of the winning row. Cells are 80 pixels
/// wide.
///
/// # Panics
/// If there are no cells.
#[must_use]
pub fn picture(
    look: Look,
    [rows, columns]: [usize; 2],
    stone: impl Fn(usize) -> usize,
    is_winning: impl Fn(usize) -> bool,
) -> Frame {
    assert!(rows > 0 && columns > 0, "a board has cells");
    let pixels = |cells: usize| (cells as f64 * SIDE + 2.0 * MARGIN) as u32;
    let mut canvas = Canvas::new(pixels(columns), pixels(rows), PAPER);
    match look {
        Look::Paper => lines(&mut canvas, rows, columns),
        Look::Rack => {
            let size = [columns as f64 * SIDE + MARGIN, rows as f64 * SIDE + MARGIN];
            canvas.rounded_rect([MARGIN / 2.0; 2], size, 18.0, Colour::BLUE);
        }
    }
    for cell in 0..rows * columns {
        let along = |i: usize| MARGIN + SIDE * (i as f64 + 0.5);
        let middle = [along(cell % columns), along(cell / columns)];
        match look {
            Look::Paper => sign(&mut canvas, middle, stone(cell), is_winning(cell)),
            Look::Rack => disc(&mut canvas, middle, stone(cell), is_winning(cell)),
        }
    }
    canvas.into()
}

fn lines(canvas: &mut Canvas, rows: usize, columns: usize) {
    let at = |i: usize| MARGIN + SIDE * i as f64;
    for row in 1..rows {
        canvas.line(&[[at(0), at(row)], [at(columns), at(row)]], 4.0, Colour::GREY);
    }
    for column in 1..columns {
        canvas.line(&[[at(column), at(0)], [at(column), at(rows)]], 4.0, Colour::GREY);
    }
}

/// A cross or a nought, on a ground of its own where it won.
fn sign(canvas: &mut Canvas, [x, y]: Pixel, stone: usize, is_winning: bool) {
    let mut ground = PAPER;
    if is_winning {
        ground = Colour::YELLOW.mix(PAPER, 0.5);
        let half = SIDE / 2.0 - 6.0;
        canvas.rounded_rect([x - half, y - half], [2.0 * half; 2], 8.0, ground);
    }
    match stone {
        1 => {
            for direction in [1.0, -1.0] {
                let at = |along: f64| [x + along, y + direction * along];
                canvas.line(&[at(-21.0), at(21.0)], 9.0, Colour::BLUE);
            }
        }
        2 => {
            canvas.circle([x, y], 26.5, Colour::VERMILLION);
            canvas.circle([x, y], 17.5, ground);
        }
        _ => {}
    }
}

/// A hole or a stone in it, with a ring where it won.
fn disc(canvas: &mut Canvas, middle: Pixel, stone: usize, is_winning: bool) {
    let radius = 0.41 * SIDE;
    let colour = match stone {
        1 => Colour::YELLOW,
        2 => Colour::VERMILLION,
        _ => PAPER,
    };
    canvas.circle(middle, radius, colour);
    if stone > 0 {
        canvas.circle(middle, 0.8 * radius, colour.mix(Colour::INK, 0.12));
        canvas.circle(middle, 0.72 * radius, colour);
    }
    if is_winning {
        canvas.circle(middle, 0.45 * radius, Colour::WHITE);
        canvas.circle(middle, 0.28 * radius, colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_their_sizes() {
        let size = |look, sides| {
            let frame = picture(look, sides, |_| 0, |_| false);
            (frame.width, frame.height)
        };
        assert_eq!(size(Look::Paper, [3, 3]), (268, 268));
        assert_eq!(size(Look::Rack, [6, 7]), (588, 508));
    }

    #[test]
    fn everything_that_changes_is_seen() {
        for look in [Look::Paper, Look::Rack] {
            let draw = |cell: usize, stone: usize, won: bool| {
                let stone = move |i: usize| if i == cell { stone } else { 0 };
                picture(look, [2, 2], stone, |i| won && i == cell)
            };
            let frames = [
                draw(0, 0, false),
                draw(0, 1, false),
                draw(0, 2, false),
                draw(1, 1, false),
                draw(2, 1, false),
                draw(0, 1, true),
                draw(0, 2, true),
            ];
            for (i, frame) in frames.iter().enumerate() {
                assert!(!frames[..i].contains(frame), "{look:?} {i}");
            }
        }
    }
}
