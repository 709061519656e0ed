//! Pictures as text and as an animation.

use std::fmt::Write as _;

use gif::{Encoder, EncodingError, Frame as GifFrame, Repeat};
use gymnast_envs::render::Frame;

/// A picture as coloured half blocks, two pixels a character, at most so many columns wide.
pub(super) fn half_blocks(frame: &Frame, columns: usize) -> String {
    let scale = frame.width.div_ceil(columns.max(1)).max(1);
    let (width, height) = (frame.width / scale, frame.height / scale);
    let mut text = String::new();
    for row in (0..height).step_by(2) {
        for column in 0..width {
            let [r, g, b] = mean_color(frame, column, row, scale);
            let [low_r, low_g, low_b] = mean_color(frame, column, (row + 1).min(height - 1), scale);
            // Writing to a string cannot fail.
            let _ = write!(text, "\x1b[38;2;{r};{g};{b};48;2;{low_r};{low_g};{low_b}m▀");
        }
        text.push_str("\x1b[0m\n");
    }
    text
}

fn mean_color(frame: &Frame, column: usize, row: usize, scale: usize) -> [u8; 3] {
    let mut sums = [0; 3];
    for y in row * scale..(row + 1) * scale {
        for x in column * scale..(column + 1) * scale {
            let pixel = 3 * (y * frame.width + x);
            for (sum, byte) in sums.iter_mut().zip(&frame.rgb[pixel..pixel + 3]) {
                *sum += usize::from(*byte);
            }
        }
    }
    sums.map(|sum| (sum / (scale * scale)) as u8)
}

/// Pictures of one size as an animated GIF that repeats.
pub(super) fn animate(frames: &[Frame], fps: u32) -> Result<Vec<u8>, EncodingError> {
    let side = |pixels: usize| u16::try_from(pixels).unwrap_or(u16::MAX);
    let (width, height) = frames.first().map_or((1, 1), |f| (side(f.width), side(f.height)));
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, width, height, &[])?;
    encoder.set_repeat(Repeat::Infinite)?;
    for frame in frames {
        let mut gif =
            GifFrame::from_rgb_speed(side(frame.width), side(frame.height), &frame.rgb, 10);
        // In hundredths of a second; viewers slow anything faster than 2 down.
        gif.delay = (100 / fps).clamp(2, 100) as u16;
        encoder.write_frame(&gif)?;
    }
    drop(encoder);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        let rgb = (0..4 * 4).flat_map(|i| if i < 8 { [255, 0, 0] } else { [0, 0, 255] }).collect();
        Frame { width: 4, height: 4, rgb }
    }

    #[test]
    fn a_character_is_two_pixels() {
        let text = half_blocks(&frame(), 2);
        assert_eq!(text, format!("{}\x1b[0m\n", "\x1b[38;2;255;0;0;48;2;0;0;255m▀".repeat(2)));
    }

    #[test]
    fn an_animation_holds_every_frame() {
        let bytes = animate(&[frame(), frame()], 30).unwrap();
        let mut decoder = gif::DecodeOptions::new().read_info(&bytes[..]).unwrap();
        let mut count = 0;
        while decoder.next_frame_info().unwrap().is_some() {
            count += 1;
        }
        assert_eq!((count, decoder.width()), (2, 4));
    }
}
