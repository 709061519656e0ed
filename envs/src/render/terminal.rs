//! Pictures as coloured text.

use std::fmt::Write as _;

use super::Frame;

/// Renders the picture as lines of half blocks in 24-bit colours, each character showing two pixels
/// above one another, scaled down to at most `max_columns` characters across. Each line ends with a
/// reset of the colours and a line feed.
///
/// The picture is never enlarged. Without columns or pixels the text is empty.
#[must_use]
pub fn half_blocks(frame: &Frame, max_columns: usize) -> String {
    let columns = frame.width.min(max_columns);
    if columns == 0 || frame.height == 0 {
        return String::new();
    }
    let rows = (frame.height * columns).div_ceil(frame.width);
    let colour = |column: usize, row: usize| {
        let x = part(column, columns, frame.width);
        (row < rows).then(|| average(frame, x, part(row, rows, frame.height)))
    };
    let mut text = String::new();
    for line in 0..rows.div_ceil(2) {
        let (mut front, mut back) = (None, None);
        for column in 0..columns {
            let colours = (colour(column, 2 * line), colour(column, 2 * line + 1));
            set(&mut text, 38, &mut front, colours.0);
            set(&mut text, 48, &mut back, colours.1);
            text.push('▀');
        }
        text.push_str("\x1b[0m\n");
    }
    text
}

/// Changes the front (38) or back (48) colour, unless it is already that.
fn set(text: &mut String, layer: u8, present: &mut Option<[u8; 3]>, colour: Option<[u8; 3]>) {
    if let Some([red, green, blue]) = colour.filter(|_| colour != *present) {
        write!(text, "\x1b[{layer};2;{red};{green};{blue}m").expect("a string takes any text");
        *present = colour;
    }
}

/// The `index`-th of `count` parts of `length` pixels, each at least one.
fn part(index: usize, count: usize, length: usize) -> std::ops::Range<usize> {
    let start = index * length / count;
    start..((index + 1) * length / count).clamp(start + 1, length.max(start + 1))
}

fn average(frame: &Frame, x: std::ops::Range<usize>, y: std::ops::Range<usize>) -> [u8; 3] {
    let count = x.len() * y.len();
    let mut sums = [0; 3];
    for row in y {
        let start = 3 * row * frame.width;
        for pixel in frame.rgb[start + 3 * x.start..start + 3 * x.end].chunks_exact(3) {
            (0..3).for_each(|i| sums[i] += usize::from(pixel[i]));
        }
    }
    sums.map(|sum| ((sum + count / 2) / count) as u8)
}

/// The tiles as lines of letters, by their number.
pub(crate) fn tiles(rows: usize, columns: usize, letter: impl Fn(usize) -> char) -> String {
    let row = |row: usize| {
        let letters = (row * columns..(row + 1) * columns).map(&letter);
        letters.chain(['\n']).collect::<String>()
    };
    (0..rows).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_rows_make_a_line() {
        let rgb = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 255]].concat();
        let frame = Frame { width: 2, height: 2, rgb };
        let expected = "\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m▀\x1b[38;2;0;255;0m▀\x1b[0m\n";
        assert_eq!(half_blocks(&frame, 80), expected);
    }

    #[test]
    fn a_large_frame_is_averaged_to_the_columns_there_are() {
        let rgb = [[0, 0, 0], [100, 0, 0], [200, 40, 0], [100, 0, 80]].concat();
        let one = half_blocks(&Frame { width: 2, height: 2, rgb }, 1);
        assert_eq!(one, "\x1b[38;2;100;10;20m▀\x1b[0m\n");
        let frame = Frame { width: 600, height: 400, rgb: vec![7; 720_000] };
        let text = half_blocks(&frame, 60);
        assert_eq!(text.lines().count(), 20);
        for line in text.lines() {
            assert_eq!(line.matches('▀').count(), 60);
            assert!(line.ends_with("\x1b[0m"));
        }
        assert_eq!(half_blocks(&frame, 0), "");
        // 3 rows fill a line and a half.
        let odd = Frame { width: 3, height: 3, rgb: vec![7; 27] };
        let text = half_blocks(&odd, 3);
        assert_eq!(text.lines().count(), 2);
        assert!(!text.lines().nth(1).unwrap().contains("48;2"));
    }
}
