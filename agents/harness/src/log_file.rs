//! The log files that a training appends to.

use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Seek as _, SeekFrom, Write as _},
    path::PathBuf,
};

use gymnast_core::files;

use crate::{FileSum, TrainError, checkpoint::RunningSum};

/// A file that only grows, with the sum of everything that was written to it.
pub(crate) struct LogFile {
    path: PathBuf,
    file: BufWriter<File>,
    sum: RunningSum,
}

impl LogFile {
    /// Creates the file, empty. One that is there is emptied.
    pub(crate) fn create(path: PathBuf) -> Result<Self, TrainError> {
        let file = files::open(&path, OpenOptions::new().write(true).create(true).truncate(true));
        let file = file.map_err(TrainError::file("create", &path))?;
        Ok(Self { path, file: buffered(file), sum: RunningSum::default() })
    }

    /// Goes on behind the first bytes of an open file, whose sum is `sum`: cuts off what comes after them.
    /// The caller has made sure that the file is no shorter, else it would be filled up with zeros.
    pub(crate) fn go_on(path: PathBuf, mut file: File, sum: FileSum) -> Result<Self, TrainError> {
        file.set_len(sum.bytes).map_err(TrainError::file("write", &path))?;
        file.seek(SeekFrom::End(0)).map_err(TrainError::file("write", &path))?;
        Ok(Self { path, file: buffered(file), sum: sum.into() })
    }

    /// Appends a whole record.
    pub(crate) fn append(&mut self, record: &[u8]) -> Result<(), TrainError> {
        self.sum.add(record);
        self.file.write_all(record).map_err(TrainError::file("write", &self.path))
    }

    /// Whether a record of this length is buffered, so that nothing is written to the file yet.
    pub(crate) fn fits_buffer(&self, length: usize) -> bool {
        self.file.buffer().len() + length <= self.file.capacity()
    }

    /// Hands what was appended to the system, so that others can read it.
    pub(crate) fn flush(&mut self) -> Result<(), TrainError> {
        self.file.flush().map_err(TrainError::file("write", &self.path))
    }

    /// Flushes and returns the sum of the file.
    pub(crate) fn sum(&mut self) -> Result<FileSum, TrainError> {
        self.flush()?;
        Ok(self.sum.so_far())
    }

    /// Makes what was flushed durable.
    pub(crate) fn sync(&self) -> Result<(), TrainError> {
        self.file.get_ref().sync_data().map_err(TrainError::file("write", &self.path))
    }

    /// Checks that the file was neither removed nor replaced: what is written to it would be lost without
    /// a word.
    pub(crate) fn expect_in_place(&self) -> Result<(), TrainError> {
        let is_there = files::is_at(self.file.get_ref(), &self.path);
        match is_there.map_err(TrainError::file("write", &self.path))? {
            true => Ok(()),
            false => Err(TrainError::Gone { path: self.path.clone() }),
        }
    }
}

/// Buffers a thousand short records or more: a call to the system costs as much as many steps.
fn buffered(file: File) -> BufWriter<File> {
    BufWriter::with_capacity(1 << 16, file)
}
