//! The log files that a training appends to.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Seek as _, SeekFrom, Write as _},
    path::PathBuf,
};

use gymnast_core::files;

use crate::{FileSum, TrainError, checkpoint::RunningSum};

/// Room for a thousand short records or more: a call to the system costs as much as many steps.
const BUFFER: usize = 1 << 16;

/// A file that only grows, with the sum of everything that was written to it.
pub(crate) struct LogFile {
    path: PathBuf,
    file: File,
    /// What was appended and not yet handed to the system.
    buffer: Vec<u8>,
    /// Of the file without the buffer: it is faster over many records than over each.
    sum: RunningSum,
}

impl LogFile {
    /// Creates the file, empty. One that is there is emptied.
    pub(crate) fn create(path: PathBuf) -> Result<Self, TrainError> {
        let file = files::open(&path, OpenOptions::new().write(true).create(true).truncate(true));
        let file = file.map_err(TrainError::file("create", &path))?;
        Ok(Self { path, file, buffer: Vec::with_capacity(BUFFER), sum: RunningSum::default() })
    }

    /// Goes on behind the first bytes of an open file, whose sum is `sum`: cuts off what comes after them.
    /// The caller has made sure that the file is no shorter, else it would be filled up with zeros.
    pub(crate) fn go_on(path: PathBuf, mut file: File, sum: FileSum) -> Result<Self, TrainError> {
        file.set_len(sum.bytes).map_err(TrainError::file("write", &path))?;
        file.seek(SeekFrom::End(0)).map_err(TrainError::file("write", &path))?;
        Ok(Self { path, file, buffer: Vec::with_capacity(BUFFER), sum: sum.into() })
    }

    /// Returns what is not yet in the file, to append whole records to. Then [`flush`](Self::flush) it
    /// [once it is full](Self::is_full).
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Whether the buffer holds so much that it is to be flushed.
    pub(crate) fn is_full(&self) -> bool {
        self.buffer.len() >= BUFFER - 1024 // so that it hardly ever grows
    }

    /// Hands what was appended to the system, so that others can read it. What it does not take stays here,
    /// for the next time.
    pub(crate) fn flush(&mut self) -> Result<(), TrainError> {
        let failed = TrainError::file("write", &self.path);
        while !self.buffer.is_empty() {
            match self.file.write(&self.buffer) {
                Ok(0) => return Err(failed(ErrorKind::WriteZero.into())),
                Ok(written) => {
                    self.sum.add(&self.buffer[..written]);
                    self.buffer.drain(..written);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(())
    }

    /// Flushes and returns the sum of the file.
    pub(crate) fn sum(&mut self) -> Result<FileSum, TrainError> {
        self.flush()?;
        Ok(self.sum.so_far())
    }

    /// Makes what was flushed durable.
    pub(crate) fn sync(&self) -> Result<(), TrainError> {
        self.file.sync_data().map_err(TrainError::file("write", &self.path))
    }

    /// Checks that the file was neither removed nor replaced: what is written to it would be lost without
    /// a word.
    pub(crate) fn expect_in_place(&self) -> Result<(), TrainError> {
        let is_there = files::is_at(&self.file, &self.path);
        match is_there.map_err(TrainError::file("write", &self.path))? {
            true => Ok(()),
            false => Err(TrainError::Gone { path: self.path.clone() }),
        }
    }
}

impl Drop for LogFile {
    /// Writes what is left, as a training that failed ends without a flush.
    fn drop(&mut self) {
        let _ = self.flush();
    }
}
