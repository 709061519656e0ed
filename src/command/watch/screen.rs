//! Shows an episode: live in a terminal, line by line elsewhere, or in a GIF.

use std::{
    io::{IsTerminal as _, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use gymnast_envs::render::{Frame, half_blocks, save_gif};

use crate::command::CommandError;

/// The frames per second for pictures and for text.
const FPS: [u32; 2] = [30, 4];
/// The maximum number of frames of a GIF, to limit its size.
const MAX_GIF_FRAMES: usize = 20_000;
/// The width of a picture in a terminal, in columns.
const COLUMNS: usize = 80;

/// The rendered environment, computed on demand.
pub(super) struct Picture<'a> {
    pub(super) text: &'a dyn Fn() -> Option<String>,
    pub(super) frame: &'a dyn Fn() -> Option<Frame>,
}

/// Where to show an episode.
pub(super) struct Screen<'a> {
    out: &'a mut dyn Write,
    /// Whether to use escape sequences: for a terminal that supports them. Elsewhere an episode is
    /// text line by line.
    is_terminal: bool,
    has_colour: bool,
    gif: Option<(PathBuf, Vec<Frame>)>,
    fps: Option<u32>,
    /// The frame rate that suits the environment.
    natural_fps: u32,
    shown: Option<Instant>,
}

impl<'a> Screen<'a> {
    pub(super) fn new(gif: Option<&Path>, fps: Option<u32>, out: &'a mut dyn Write) -> Self {
        let is_terminal = std::io::stdout().is_terminal()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        // https://no-color.org: any value but the empty one.
        let has_colour = is_terminal && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
        let gif = gif.map(|path| (path.to_owned(), Vec::new()));
        Self { out, is_terminal, has_colour, gif, fps, natural_fps: FPS[0], shown: None }
    }

    /// Shows one state of an environment and waits until the next frame is due.
    pub(super) fn show(&mut self, status: &str, picture: &Picture<'_>) -> Result<(), CommandError> {
        if let Some((_, frames)) = &mut self.gif {
            let frame = (picture.frame)().ok_or_else(|| {
                CommandError::failed("the environment draws no pictures: watch it without --gif")
            })?;
            if frames.len() == MAX_GIF_FRAMES {
                return Err(CommandError::failed(format!(
                    "more than {MAX_GIF_FRAMES} frames: reduce --episodes or --max-steps"
                )));
            }
            frames.push(frame);
            // Text changes in larger steps, which need more time.
            self.natural_fps = FPS[usize::from((picture.text)().is_some())];
            return Ok(());
        }
        let (text, fps) = match ((picture.text)(), (picture.frame)()) {
            (Some(text), _) if self.has_colour => (text, FPS[1]),
            (Some(text), _) => (without_escapes(&text), FPS[1]),
            (None, Some(frame)) if self.has_colour => (half_blocks(&frame, COLUMNS), FPS[0]),
            _ => (String::new(), FPS[0]),
        };
        if !self.is_terminal {
            writeln!(self.out, "{status}\n{text}")?;
            return Ok(());
        }
        let pause = Duration::from_secs_f64(1.0 / f64::from(self.fps.unwrap_or(fps)));
        match self.shown {
            None => write!(self.out, "\x1b[2J")?,
            Some(before) => std::thread::sleep(pause.saturating_sub(before.elapsed())),
        }
        self.shown = Some(Instant::now());
        // From the top left; the rest of longer lines and of a taller frame is erased.
        let text = format!("{status}\n\n{text}").replace('\n', "\x1b[K\n");
        write!(self.out, "\x1b[H{text}\x1b[K\x1b[J")?;
        self.out.flush()?;
        Ok(())
    }

    /// Restores the terminal, or writes the GIF.
    pub(super) fn finish(self) -> Result<(), CommandError> {
        let Some((path, frames)) = self.gif else {
            if self.has_colour {
                writeln!(self.out, "\x1b[0m")?;
            }
            return Ok(());
        };
        let fps = f64::from(self.fps.unwrap_or(self.natural_fps));
        save_gif(&frames, fps, &path).map_err(|error| CommandError::failed(error.to_string()))?;
        writeln!(self.out, "{} ({} frames)", path.display(), frames.len())?;
        Ok(())
    }
}

/// Removes escape sequences (`ESC [` … `m`). Text on a coloured background, such as a player's
/// position, is put in brackets instead.
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    let mut is_marked = false;
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain.push_str(before);
        let end = after.find(|c: char| c.is_ascii_alphabetic()).map_or(after.len(), |end| end + 1);
        let mut codes = after[..end].trim_start_matches('[').trim_end_matches('m').split(';');
        let marks = codes.any(|code| code.len() == 2 && code.starts_with('4'));
        if marks != is_marked {
            plain.push(if marks { '[' } else { ']' });
            is_marked = marks;
        }
        rest = &after[end..];
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_coloured_stands_in_brackets_where_there_is_no_colour() {
        assert_eq!(without_escapes("S\x1b[41mF\x1b[0mG"), "S[F]G");
        assert_eq!(without_escapes("|\x1b[34;1mR\x1b[0m: |\x1b[43m \x1b[0m:"), "|R: |[ ]:");
        assert_eq!(
            (without_escapes("plain"), without_escapes("cut \x1b[3")),
            ("plain".into(), "cut ".into())
        );
    }
}
