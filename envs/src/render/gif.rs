//! Animated GIFs.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use ::gif::{DisposalMethod, Encoder, EncodingError, Repeat};
use gymnast_base::atomic_file;

use super::{Frame, RenderError};

/// The share of pixels that the 256 commonest colours must show exactly, or else a palette is
/// fitted to all of them.
const EXACT_SHARE: f64 = 0.97;
/// How coarsely a palette is fitted: 1 is best, 30 fastest.
const FIT_SPEED: i32 = 10;

/// Writes frames as an endlessly repeating GIF, atomically. Takes a slice or an iterator of frames;
/// it holds at most two of them at a time.
///
/// GIF measures time in hundredths of a second; the delays are rounded so that the total duration
/// is right. Each frame stores only what changed, in up to 256 colours.
///
/// # Errors
/// [`RenderError::NoFrames`], [`RenderError::SizeMismatch`] or [`RenderError::InvalidFrame`] for
/// frames that cannot form an animation (the sides of a GIF reach 65,535),
/// [`RenderError::InvalidSpeed`] for an `fps` outside 0.01..=50 (viewers slow down faster ones),
/// [`RenderError::Write`] if the file cannot be written.
pub fn save_gif<F: Borrow<Frame>>(
    frames: impl IntoIterator<Item = F>,
    fps: f64,
    path: impl AsRef<Path>,
) -> Result<(), RenderError> {
    if !(0.01..=50.0).contains(&fps) {
        return Err(RenderError::InvalidSpeed(fps));
    }
    let mut frames = frames.into_iter();
    let first = frames.next().ok_or(RenderError::NoFrames)?;
    let mut failure = None;
    let written = atomic_file::write_with(path.as_ref(), |file| {
        encode(first, frames, fps, file).map_err(|error| match error {
            Failure::Encoding(EncodingError::Io(source)) => source,
            Failure::Encoding(other) => {
                failure = Some(RenderError::Encode(other.to_string()));
                io::ErrorKind::Other.into()
            }
            Failure::Frame(error) => {
                failure = Some(error);
                io::ErrorKind::Other.into()
            }
        })
    });
    match failure {
        Some(error) => Err(error),
        None => Ok(written?),
    }
}

enum Failure {
    Frame(RenderError),
    Encoding(EncodingError),
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        Self::Frame(error)
    }
}

impl From<EncodingError> for Failure {
    fn from(error: EncodingError) -> Self {
        Self::Encoding(error)
    }
}

fn encode<F: Borrow<Frame>>(
    first: F,
    rest: impl Iterator<Item = F>,
    fps: f64,
    file: impl Write,
) -> Result<(), Failure> {
    let sides = first.borrow().sides::<u16>(u16::MAX.into())?;
    let mut encoder = Encoder::new(file, sides.0, sides.1, &[])?;
    encoder.set_repeat(Repeat::Infinite)?;
    let whole = [0, 0, first.borrow().width, first.borrow().height];
    encoder.write_frame(&indexed(first.borrow(), whole, delay(0, fps)))?;
    let mut previous = first;
    for (i, frame) in rest.enumerate() {
        let size = |frame: &Frame| (frame.width, frame.height);
        let (expected, got) = (size(previous.borrow()), size(frame.borrow()));
        if expected != got {
            return Err(RenderError::SizeMismatch { index: i + 1, expected, got }.into());
        }
        frame.borrow().sides::<u16>(u16::MAX.into())?;
        let area = changed(previous.borrow(), frame.borrow());
        encoder.write_frame(&indexed(frame.borrow(), area, delay(i + 1, fps)))?;
        previous = frame;
    }
    encoder.into_inner()?.flush().map_err(EncodingError::Io)?;
    Ok(())
}

/// The hundredths of a second between a frame and the next.
fn delay(index: usize, fps: f64) -> u16 {
    let start = |index: usize| (100.0 * index as f64 / fps).round();
    (start(index + 1) - start(index)) as u16
}

/// The smallest rectangle (left, top, width, height) outside which two frames of one size agree;
/// one pixel where they agree everywhere, since a frame must show something.
fn changed(before: &Frame, after: &Frame) -> [usize; 4] {
    let width = after.width;
    let (mut left, mut right, mut top, mut bottom) = (width, 0, after.height, 0);
    let rows = before.rgb.chunks_exact(3 * width).zip(after.rgb.chunks_exact(3 * width));
    for (y, (old, new)) in rows.enumerate().filter(|(_, (old, new))| old != new) {
        (top, bottom) = (top.min(y), y + 1);
        let differs = |x: &usize| old[3 * x..3 * x + 3] != new[3 * x..3 * x + 3];
        left = left.min((0..width).find(differs).unwrap_or(width));
        right = right.max((0..width).rev().find(differs).map_or(0, |x| x + 1));
    }
    if top < bottom { [left, top, right - left, bottom - top] } else { [0, 0, 1, 1] }
}

/// A part of a frame in at most 256 colours.
fn indexed(frame: &Frame, area: [usize; 4], delay: u16) -> ::gif::Frame<'static> {
    let [left, top, width, height] = area;
    let row = |y: usize| {
        let start = 3 * (y * frame.width + left);
        &frame.rgb[start..start + 3 * width]
    };
    let pixels: Vec<u8> = (top..top + height).flat_map(row).copied().collect();
    // The sides of the whole were seen to fit, and so do those of a part.
    let [left, top, width, height] = area.map(|side| side as u16);
    let part = match common_colours(&pixels) {
        Some(palette) => ::gif::Frame::from_palette_pixels(
            width,
            height,
            nearest(&pixels, &palette),
            palette.concat(),
            None,
        ),
        None => ::gif::Frame::from_rgb_speed(width, height, &pixels, FIT_SPEED),
    };
    ::gif::Frame { left, top, delay, dispose: DisposalMethod::Keep, ..part }
}

/// The 256 commonest colours, if they are nearly all there is. In a drawing they are: the others
/// are blends along smooth edges, and their nearest neighbours do. So its plain areas keep their
/// exact colours and do not flicker.
fn common_colours(pixels: &[u8]) -> Option<Vec<[u8; 3]>> {
    let mut counts: HashMap<[u8; 3], usize> = HashMap::new();
    for pixel in pixels.chunks_exact(3) {
        *counts.entry([pixel[0], pixel[1], pixel[2]]).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    // By the colour too, so that the file does not depend on the map's order.
    counts.sort_unstable_by_key(|&(colour, count)| (std::cmp::Reverse(count), colour));
    counts.truncate(256);
    let exact: usize = counts.iter().map(|&(_, count)| count).sum();
    let share = exact as f64 / (pixels.len() / 3) as f64;
    (share >= EXACT_SHARE).then(|| counts.into_iter().map(|(colour, _)| colour).collect())
}

/// Each pixel's nearest colour of the palette, by its index.
fn nearest(pixels: &[u8], palette: &[[u8; 3]]) -> Vec<u8> {
    let mut known: HashMap<[u8; 3], u8> = HashMap::new();
    let mut index = |pixel: &[u8]| {
        let colour = [pixel[0], pixel[1], pixel[2]];
        *known.entry(colour).or_insert_with(|| {
            let distance = |other: &[u8; 3]| -> u32 {
                (0..3).map(|i| u32::from(colour[i].abs_diff(other[i])).pow(2)).sum()
            };
            let indices = 0..=u8::MAX;
            let closest = indices.zip(palette).min_by_key(|(_, other)| distance(other));
            closest.map_or(0, |(i, _)| i)
        })
    };
    pixels.chunks_exact(3).map(&mut index).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::classic;

    fn folder(name: &str) -> std::path::PathBuf {
        let folder =
            std::env::temp_dir().join(format!("gymnast-gif-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// The pixels of each frame as a viewer shows it, and the delays.
    fn read(path: &Path) -> (Vec<Vec<u8>>, Vec<u16>, Repeat) {
        let mut options = ::gif::DecodeOptions::new();
        options.set_color_output(::gif::ColorOutput::RGBA);
        let mut decoder = options.read_info(std::fs::File::open(path).unwrap()).unwrap();
        let width = usize::from(decoder.width());
        let mut screen = vec![0; 3 * width * usize::from(decoder.height())];
        let (mut screens, mut delays) = (Vec::new(), Vec::new());
        while let Some(frame) = decoder.read_next_frame().unwrap() {
            for (i, rgba) in frame.buffer.chunks_exact(4).enumerate() {
                let (w, left, top) = (usize::from(frame.width), frame.left, frame.top);
                let (x, y) = (usize::from(left) + i % w, usize::from(top) + i / w);
                screen[3 * (y * width + x)..][..3].copy_from_slice(&rgba[..3]);
            }
            screens.push(screen.clone());
            delays.push(frame.delay);
        }
        (screens, delays, decoder.repeat())
    }

    #[test]
    fn an_episode_reads_back_frame_by_frame() {
        let folder = folder("episode");
        let frames: Vec<Frame> =
            (0..7).map(|i| classic::cart_pole(0.1 * f64::from(i / 2), 0.1, 0.5)).collect();
        let path = folder.join("episode.gif");
        save_gif(&frames, 30.0, &path).unwrap();
        let (screens, delays, repeat) = read(&path);
        assert_eq!(delays, [3, 4, 3, 3, 4, 3, 3]);
        assert_eq!(repeat, Repeat::Infinite);
        for (screen, frame) in screens.iter().zip(&frames) {
            let off = |(a, b): (&u8, &u8)| a.abs_diff(*b) > 12;
            assert_eq!(screen.iter().zip(&frame.rgb).filter(|&pair| off(pair)).count(), 0);
        }
        let names: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
        assert_eq!(names.len(), 1, "the passing file is gone");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_photograph_is_fitted_to_256_colours() {
        let folder = folder("photograph");
        let pixel = |i: usize| [(i % 64) as u8 * 4, (i / 64) as u8 * 4, 99];
        let rgb = (0..64 * 64).flat_map(pixel).collect();
        let frame = Frame { width: 64, height: 64, rgb };
        let path = folder.join("photograph.gif");
        save_gif([&frame], 10.0, &path).unwrap();
        let (screens, ..) = read(&path);
        let error: u64 =
            screens[0].iter().zip(&frame.rgb).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        assert!(error < 8 * 3 * 64 * 64, "{error}");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_is_no_animation_is_a_typed_error() {
        let folder = folder("errors");
        let path = folder.join("a.gif");
        let frame = |width, height| Frame { width, height, rgb: vec![0; 3 * width * height] };
        let none: [Frame; 0] = [];
        assert!(matches!(save_gif(&none, 30.0, &path), Err(RenderError::NoFrames)));
        for fps in [0.0, -1.0, 51.0, f64::NAN] {
            let error = save_gif([frame(2, 2)], fps, &path);
            assert!(matches!(error, Err(RenderError::InvalidSpeed(_))), "{fps}");
        }
        let error = save_gif([frame(2, 2), frame(2, 3)], 30.0, &path);
        assert!(matches!(error, Err(RenderError::SizeMismatch { index: 1, got: (2, 3), .. })));
        let torn = Frame { rgb: vec![0; 5], ..frame(2, 2) };
        for frames in [vec![torn.clone()], vec![frame(2, 2), torn], vec![frame(70_000, 1)]] {
            let error = save_gif(&frames, 30.0, &path);
            assert!(matches!(error, Err(RenderError::InvalidFrame { .. })));
        }
        let error = save_gif([frame(2, 2)], 30.0, folder.join("missing/a.gif"));
        assert!(matches!(error, Err(RenderError::Write(_))));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "nothing is left");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
