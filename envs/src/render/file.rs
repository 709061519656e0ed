//! Writes pictures to files atomically.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Why a picture could not be drawn or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RenderError {
    /// The file could not be written.
    #[error("cannot write {}: {source}; does its folder exist, and may it be written to?", path.display())]
    Write {
        /// The path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// An animation has no frames.
    #[error("an animation needs at least one frame, got none")]
    NoFrames,
    /// The frames of an animation differ in size.
    #[error(
        "every frame must be as large as the first, {} x {} pixels; frame {index} has {} x {}",
        expected.0, expected.1, got.0, got.1
    )]
    SizeMismatch {
        /// The frame that differs, counted from 0.
        index: usize,
        /// The first frame's width and height.
        expected: (usize, usize),
        /// This frame's width and height.
        got: (usize, usize),
    },
    /// A frame's sides do not fit the format, or its bytes do not fit its sides.
    #[error(
        "a frame of {width} x {height} pixels must have sides in 1..={limit} and {} bytes, got {bytes}",
        3_u128 * (*width as u128) * (*height as u128)
    )]
    InvalidFrame {
        /// The frame's width.
        width: usize,
        /// The frame's height.
        height: usize,
        /// The longest side allowed by the format.
        limit: u32,
        /// The number of bytes that the frame has.
        bytes: usize,
    },
    /// The frame rate is outside the range of a GIF.
    #[error("frames per second must lie in 0.01..=50, got {0}")]
    InvalidSpeed(f64),
    /// The picture could not be encoded.
    #[error("cannot encode the picture: {0}")]
    Encode(String),
}

/// Writes a file under a passing name, syncs it and gives it its own, so that whoever finds it
/// finds all of it. On an error nothing is left, and a file of that name stays as it was.
pub(super) fn replace_file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), RenderError>,
) -> Result<(), RenderError> {
    let failed = |source| RenderError::Write { path: path.to_owned(), source };
    let name = path.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
    let mut passing_name = std::ffi::OsString::from(".");
    passing_name.push(name);
    passing_name.push(format!(".{}.tmp", std::process::id()));
    let passing = path.with_file_name(passing_name);
    // Not opened if it is there: left over from a process that was killed, or a link somewhere else.
    let _ = fs::remove_file(&passing);
    let written = File::create_new(&passing).map_err(failed).and_then(|file| {
        let mut file = BufWriter::new(file);
        write(&mut file)?;
        file.flush().map_err(failed)?;
        file.get_ref().sync_all().map_err(failed)?;
        fs::rename(&passing, path).map_err(failed)
    });
    if written.is_err() {
        // What matters is the first error; the file may not even exist.
        let _ = fs::remove_file(&passing);
    }
    written?;
    sync_folder(path).map_err(failed)
}

/// Makes the file's new name survive a power cut. Only Unix can open a folder for that.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(folder.unwrap_or(Path::new(".")))?.sync_all() {
        // Some network file systems cannot do it.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            Ok(())
        }
        done => done,
    }
}
