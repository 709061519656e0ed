//! Pictures of the grid worlds.

mod book;

pub use book::{Place, chain, maze, windy};

use super::lettering::write_centred;
use super::{Canvas, Colour, Frame, Pixel};

const MARGIN: f64 = 10.0;
const ICE: Colour = Colour([226, 240, 249]);
const LAND: Colour = Colour([241, 238, 230]);

/// Draws a frozen lake: its map as rows of `S`, `F`, `H` and `G`, the player's tile, numbered row
/// by row, and the last intended step, to the right and downwards. A square map has about 500 x 500
/// pixels.
///
/// # Panics
/// If there are no tiles, or the rows differ in length.
#[must_use]
pub fn frozen_lake(desc: &[String], player: usize, heading: Option<[i8; 2]>) -> Frame {
    let columns = desc.first().map_or(0, String::len);
    assert!(columns > 0 && desc.iter().all(|row| row.len() == columns), "the map is a rectangle");
    let side = (480 / desc.len().max(columns)).max(4) as f64;
    let mut canvas = board(desc.len(), columns, side);
    for (row, letters) in desc.iter().enumerate() {
        for (column, letter) in letters.bytes().enumerate() {
            let middle = tile(&mut canvas, row, column, side, ICE);
            match letter {
                b'H' => hole(&mut canvas, middle, side),
                b'G' => flag(&mut canvas, middle, side, Colour::GREEN),
                b'S' => ring(&mut canvas, middle, side, ICE),
                _ => {}
            }
        }
    }
    walker(&mut canvas, middle_of(player / columns, player % columns, side), side, heading);
    canvas.into()
}

/// Draws a cliff of 4 rows and 12 columns: the player's tile, numbered row by row, and the last
/// intended step, to the right and downwards. 740 x 260 pixels.
#[must_use]
pub fn cliff_walking(player: usize, heading: Option<[i8; 2]>) -> Frame {
    let side = 60.0;
    let mut canvas = board(4, 12, side);
    for i in 0..48 {
        let (row, column) = (i / 12, i % 12);
        let is_cliff = (37..47).contains(&i);
        let ground = if is_cliff { Colour::INK.mix(Colour::VERMILLION, 0.2) } else { LAND };
        let middle = tile(&mut canvas, row, column, side, ground);
        match i {
            36 => ring(&mut canvas, middle, side, ground),
            47 => flag(&mut canvas, middle, side, Colour::GREEN),
            _ if is_cliff => spikes(&mut canvas, middle, side),
            _ => {}
        }
    }
    walker(&mut canvas, middle_of(player / 12, player % 12, side), side, heading);
    canvas.into()
}

/// Draws a taxi in its town of 5 rows and columns: the marked places R, G, Y and B, whether a tile
/// has a wall on its right, the taxi, the place where the passenger waits (`None` if aboard) and
/// the destination, which has a flag. Tiles are given by row and column; 500 x 500 pixels.
///
/// # Panics
/// If a place's number is not below 4.
#[must_use]
pub fn taxi(
    places: [(usize, usize); 4],
    has_wall: impl Fn(usize, usize) -> bool,
    at: (usize, usize),
    passenger: Option<usize>,
    destination: usize,
) -> Frame {
    const COLOURS: [Colour; 4] = [Colour::VERMILLION, Colour::GREEN, Colour::YELLOW, Colour::BLUE];
    let side = 96.0;
    let mut canvas = board(5, 5, side);
    for i in 0..25 {
        tile(&mut canvas, i / 5, i % 5, side, LAND);
    }
    for ((place, colour), letter) in places.iter().zip(COLOURS).zip(["R", "G", "Y", "B"]) {
        let [x, y] = tile(&mut canvas, place.0, place.1, side, colour.mix(LAND, 0.45));
        write_centred(&mut canvas, letter, [x - 33.0, y - 33.0], 15.0, Colour::INK);
    }
    let (low, high) = (MARGIN, MARGIN + 5.0 * side);
    let fence = [[low, low], [high, low], [high, high], [low, high], [low, low]];
    canvas.line(&fence, 7.0, Colour::INK);
    for (row, column) in
        (0..25).map(|i| (i / 5, i % 5)).filter(|&(row, column)| has_wall(row, column))
    {
        let [x, y] = middle_of(row, column, side);
        let x = x + side / 2.0;
        canvas.line(&[[x, y - side / 2.0], [x, y + side / 2.0]], 7.0, Colour::INK);
    }
    let (row, column) = places[destination];
    let [x, y] = middle_of(row, column, side);
    flag(&mut canvas, [x + 22.0, y - 20.0], 0.55 * side, Colour::PURPLE);
    let [x, y] = middle_of(at.0, at.1, side);
    cab(&mut canvas, [x, y + 13.0], passenger.is_none());
    if let Some(place) = passenger {
        let (row, column) = places[place];
        let [x, y] = middle_of(row, column, side);
        person(&mut canvas, [x - 8.0, y - 6.0], 1.0);
    }
    canvas.into()
}

fn board(rows: usize, columns: usize, side: f64) -> Canvas {
    let pixels = |count: usize| (count as f64 * side + 2.0 * MARGIN) as u32;
    Canvas::new(pixels(columns), pixels(rows), Colour::WHITE)
}

fn middle_of(row: usize, column: usize, side: f64) -> Pixel {
    [MARGIN + side * (column as f64 + 0.5), MARGIN + side * (row as f64 + 0.5)]
}

/// Draws a tile, a gap away from its neighbours, and returns its middle.
fn tile(canvas: &mut Canvas, row: usize, column: usize, side: f64, colour: Colour) -> Pixel {
    let [x, y] = middle_of(row, column, side);
    let inner = side - (side / 20.0).clamp(0.5, 3.0);
    let corner = [x - inner / 2.0, y - inner / 2.0];
    canvas.rounded_rect(corner, [inner; 2], side / 14.0, colour);
    [x, y]
}

fn hole(canvas: &mut Canvas, middle: Pixel, side: f64) {
    canvas.circle(middle, 0.38 * side, Colour::BLUE);
    canvas.circle(
        [middle[0], middle[1] + 0.04 * side],
        0.32 * side,
        Colour::BLUE.mix(Colour::INK, 0.6),
    );
}

/// Marks a start.
fn ring(canvas: &mut Canvas, middle: Pixel, side: f64, ground: Colour) {
    canvas.circle(middle, 0.38 * side, Colour::GREY);
    canvas.circle(middle, 0.34 * side, ground);
}

fn flag(canvas: &mut Canvas, [x, y]: Pixel, side: f64, colour: Colour) {
    let at = |dx: f64, dy: f64| [x + dx * side, y + dy * side];
    canvas.line(&[at(-0.2, 0.36), at(-0.2, -0.34)], 0.06 * side, Colour::INK);
    canvas.polygon(&[at(-0.17, -0.36), at(0.32, -0.18), at(-0.17, 0.0)], colour);
}

fn spikes(canvas: &mut Canvas, [x, y]: Pixel, side: f64) {
    for i in [-1.0, 0.0, 1.0] {
        let (left, half) = (x + 0.28 * i * side, 0.12 * side);
        let peak = [left, y - 0.18 * side];
        let foot = y + 0.22 * side;
        canvas.polygon(&[[left - half, foot], peak, [left + half, foot]], Colour::GREY);
    }
}

fn walker(canvas: &mut Canvas, [x, y]: Pixel, side: f64, heading: Option<[i8; 2]>) {
    let radius = 0.25 * side;
    canvas.circle([x, y], radius + 0.03 * side, Colour::WHITE);
    canvas.circle([x, y], radius, Colour::VERMILLION);
    let Some(heading) = heading else { return };
    let [dx, dy] = heading.map(f64::from);
    let length = dx.hypot(dy);
    // A player who stands still points nowhere.
    if length == 0.0 {
        return;
    }
    let [dx, dy] = [dx / length, dy / length];
    let at = |along: f64, aside: f64| {
        let (along, aside) = (along * radius, aside * radius);
        [x + along * dx - aside * dy, y + along * dy + aside * dx]
    };
    canvas.polygon(&[at(0.7, 0.0), at(-0.35, 0.55), at(-0.35, -0.55)], Colour::WHITE);
}

fn cab(canvas: &mut Canvas, [x, y]: Pixel, is_taken: bool) {
    canvas.rounded_rect([x - 22.0, y - 19.0], [44.0, 30.0], 8.0, Colour::INK);
    canvas.rounded_rect([x - 18.0, y - 15.0], [36.0, 20.0], 5.0, Colour::WHITE);
    if is_taken {
        person(canvas, [x, y + 3.0], 0.5);
    }
    canvas.rounded_rect([x - 32.0, y + 1.0], [64.0, 22.0], 7.0, Colour::INK);
    canvas.rounded_rect([x - 30.0, y + 3.0], [60.0, 18.0], 6.0, Colour::ORANGE);
    let sign = if is_taken { Colour::GREY } else { Colour::ORANGE };
    canvas.rounded_rect([x - 8.0, y - 26.0], [16.0, 8.0], 2.0, sign);
    for side in [-18.0, 18.0] {
        canvas.circle([x + side, y + 22.0], 8.5, Colour::INK);
        canvas.circle([x + side, y + 22.0], 3.5, Colour::MIST);
    }
}

/// A person who stands at a pixel.
fn person(canvas: &mut Canvas, [x, y]: Pixel, scale: f64) {
    // A light rim first, so that they stand out from any ground.
    for (rim, body, head) in
        [(2.0, Colour::WHITE, Colour::WHITE), (0.0, Colour::PURPLE, Colour::INK)]
    {
        let (half, height) = (9.0 * scale + rim, 19.0 * scale);
        let size = [2.0 * half, height + 2.0 * rim];
        canvas.rounded_rect([x - half, y - height - rim], size, 7.0 * scale, body);
        canvas.circle([x, y - 25.0 * scale], 8.5 * scale + rim, head);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Vec<String> {
        ["SFFF", "FHFH", "FFFH", "HFFG"].map(str::to_owned).to_vec()
    }

    const PLACES: [(usize, usize); 4] = [(0, 0), (0, 4), (4, 0), (4, 3)];

    fn has_wall(row: usize, column: usize) -> bool {
        (row, column) == (0, 1)
    }

    #[test]
    fn frames_have_their_sizes() {
        let size = |frame: &Frame| (frame.width, frame.height);
        assert_eq!(size(&frozen_lake(&map(), 0, None)), (500, 500));
        assert_eq!(size(&cliff_walking(36, None)), (740, 260));
        assert_eq!(size(&taxi(PLACES, has_wall, (2, 2), None, 0)), (500, 500));
        let strip = vec!["SFFFFFG".to_owned()];
        assert_eq!(size(&frozen_lake(&strip, 6, None)), (496, 88));
        let large = vec!["S".repeat(256); 256];
        assert_eq!(size(&frozen_lake(&large, 65_535, Some([1, 0]))), (1044, 1044));
    }

    #[test]
    fn everything_that_changes_is_seen() {
        assert_ne!(frozen_lake(&map(), 0, None), frozen_lake(&map(), 1, None));
        assert_ne!(frozen_lake(&map(), 0, None), frozen_lake(&map(), 0, Some([1, 0])));
        assert_ne!(frozen_lake(&map(), 5, Some([0, 1])), frozen_lake(&map(), 5, Some([1, 0])));
        assert_ne!(cliff_walking(36, None), cliff_walking(24, None));
        let frames: Vec<Frame> = [
            taxi(PLACES, has_wall, (0, 0), Some(0), 1),
            taxi(PLACES, has_wall, (0, 0), None, 1),
            taxi(PLACES, has_wall, (0, 0), Some(0), 0),
            taxi(PLACES, has_wall, (0, 1), Some(0), 1),
            taxi(PLACES, |_, _| false, (0, 0), Some(0), 1),
        ]
        .into();
        for (i, frame) in frames.iter().enumerate() {
            assert!(!frames[..i].contains(frame), "{i}");
        }
    }
}
