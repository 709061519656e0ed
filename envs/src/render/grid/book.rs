//! Pictures of the grids in Sutton and Barto's book.

use super::{Canvas, Colour, Frame, LAND, Pixel, board, flag, middle_of, ring, tile, walker};

const SIDE: f64 = 60.0;
const WIND: Colour = Colour([150, 198, 230]);

/// Draws a maze: rows of walls (`#`), a start (`S`), a goal (`G`) and free tiles, the player's
/// tile, numbered row by row, and the last intended step, to the right and downwards. Tiles are 60
/// pixels wide.
///
/// # Panics
/// If there are no tiles, or the rows differ in length.
#[must_use]
pub fn maze(desc: &[&str], player: usize, heading: Option<[i8; 2]>) -> Frame {
    let columns = desc.first().map_or(0, |row| row.len());
    assert!(columns > 0 && desc.iter().all(|row| row.len() == columns), "a maze is a rectangle");
    let mut canvas = board(desc.len(), columns, SIDE);
    for (row, letters) in desc.iter().enumerate() {
        for (column, letter) in letters.bytes().enumerate() {
            let ground = if letter == b'#' { Colour::INK } else { LAND };
            let middle = tile(&mut canvas, row, column, SIDE, ground);
            match letter {
                b'G' => flag(&mut canvas, middle, SIDE, Colour::GREEN),
                b'S' => ring(&mut canvas, middle, SIDE, ground),
                _ => {}
            }
        }
    }
    walker(&mut canvas, middle_of(player / columns, player % columns, SIDE), SIDE, heading);
    canvas.into()
}

/// Draws a grid with an upward wind in each column, shown as chevrons; the start's and the goal's
/// tile, and the player as in [`maze`]. Tiles are 60 pixels wide.
///
/// # Panics
/// If there are no tiles.
#[must_use]
pub fn windy(
    rows: usize,
    wind: &[i8],
    [start, goal]: [usize; 2],
    player: usize,
    heading: Option<[i8; 2]>,
) -> Frame {
    let columns = wind.len();
    assert!(rows > 0 && columns > 0, "a grid has tiles");
    let mut canvas = board(rows, columns, SIDE);
    for row in 0..rows {
        for (column, &strength) in wind.iter().enumerate() {
            let ground = LAND.mix(Colour::SKY_BLUE, 0.18 * f64::from(strength.clamp(0, 3)));
            let middle = tile(&mut canvas, row, column, SIDE, ground);
            for i in 0..strength.clamp(0, 3) {
                let offset = f64::from(i) - f64::from(strength - 1) / 2.0;
                chevron(&mut canvas, [middle[0], middle[1] + 12.0 * offset]);
            }
            match row * columns + column {
                tile if tile == goal => flag(&mut canvas, middle, SIDE, Colour::GREEN),
                tile if tile == start => ring(&mut canvas, middle, SIDE, ground),
                _ => {}
            }
        }
    }
    walker(&mut canvas, middle_of(player / columns, player % columns, SIDE), SIDE, heading);
    canvas.into()
}

fn chevron(canvas: &mut Canvas, [x, y]: Pixel) {
    canvas.line(&[[x - 9.0, y + 4.5], [x, y - 4.5], [x + 9.0, y + 4.5]], 4.0, WIND);
}

/// The marking of a place in a [`chain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// No marking.
    Plain,
    /// The start: a ring.
    Start,
    /// A terminal place: grey.
    End,
    /// The goal: a flag.
    Goal,
    /// Swapped actions, left leads right and right leads left: two arrows.
    Switched,
}

/// Draws places in a row, the player's place, and the last intended step. Tiles are 96 pixels wide,
/// or narrower to keep the picture at about 1200 pixels, and at least 4.
///
/// # Panics
/// If there are no places.
#[must_use]
pub fn chain(places: &[Place], player: usize, heading: Option<[i8; 2]>) -> Frame {
    assert!(!places.is_empty(), "a chain has places");
    let side = (1200.0 / places.len() as f64).floor().clamp(4.0, 96.0);
    let mut canvas = board(1, places.len(), side);
    for (column, place) in places.iter().enumerate() {
        let ground = match place {
            Place::End => Colour::GREY,
            Place::Switched => Colour::SKY_BLUE.mix(LAND, 0.5),
            _ => LAND,
        };
        let middle = tile(&mut canvas, 0, column, side, ground);
        match place {
            Place::Start => ring(&mut canvas, middle, side, ground),
            Place::Goal => flag(&mut canvas, middle, side, Colour::GREEN),
            Place::Switched => switch(&mut canvas, middle, side),
            Place::Plain | Place::End => {}
        }
    }
    walker(&mut canvas, middle_of(0, player, side), side, heading);
    canvas.into()
}

/// An arrow to the right above one to the left.
fn switch(canvas: &mut Canvas, [x, y]: Pixel, side: f64) {
    for direction in [1.0, -1.0] {
        let y = y - 0.36 * direction * side;
        let at = |along: f64, aside: f64| [x + direction * along * side, y + aside * side];
        canvas.line(&[at(-0.25, 0.0), at(0.25, 0.0)], 0.035 * side, Colour::INK);
        canvas.line(&[at(0.16, -0.07), at(0.25, 0.0), at(0.16, 0.07)], 0.035 * side, Colour::INK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIND: [i8; 3] = [0, 1, 2];

    #[test]
    fn frames_have_their_sizes() {
        let size = |frame: Frame| (frame.width, frame.height);
        assert_eq!(size(maze(&["S.G", "..#"], 0, None)), (200, 140));
        assert_eq!(size(windy(2, &WIND, [0, 5], 1, None)), (200, 140));
        assert_eq!(size(chain(&[Place::Plain; 4], 3, None)), (404, 116));
        assert_eq!(size(chain(&[Place::Plain; 20], 3, None)), (1220, 80));
        assert_eq!(size(chain(&[Place::Plain; 1002], 3, None)), (4028, 24));
    }

    #[test]
    fn everything_that_changes_is_seen() {
        let frames = [
            maze(&["S.G", "..#"], 1, None),
            maze(&["S.G", "..#"], 3, None),
            maze(&["S.G", "..#"], 1, Some([1, 0])),
            maze(&["S.G", ".#."], 1, None),
            windy(2, &WIND, [0, 5], 1, None),
            windy(2, &[0, 0, 0], [0, 5], 1, None),
            windy(2, &WIND, [0, 5], 1, Some([1, -1])),
            windy(2, &WIND, [0, 5], 1, Some([1, 0])),
            chain(&[Place::Plain, Place::Plain], 1, None),
            chain(&[Place::Start, Place::Plain], 1, None),
            chain(&[Place::End, Place::Plain], 1, None),
            chain(&[Place::Goal, Place::Plain], 1, None),
            chain(&[Place::Switched, Place::Plain], 1, None),
            chain(&[Place::Plain, Place::Plain], 0, None),
            chain(&[Place::Plain, Place::Plain], 1, Some([-1, 0])),
        ];
        for (i, frame) in frames.iter().enumerate() {
            assert!(!frames[..i].contains(frame), "{i}");
        }
        // A player who stands still points nowhere.
        assert_eq!(windy(2, &WIND, [0, 5], 1, Some([0, 0])), frames[4]);
    }
}
