//! Checksums that identify files.

use std::{
    fs::File,
    io::{self, BufWriter, Read, Write},
};

use crc32fast::Hasher;
use serde::{Deserialize, Serialize};

/// The length and checksum of a file, or of its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSum {
    /// The length, in bytes.
    pub bytes: u64,
    /// The CRC-32 of these bytes, as zip and PNG compute it.
    pub crc32: u32,
}

impl FileSum {
    /// Computes the sum of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, crc32: crc32fast::hash(bytes) }
    }

    /// Reads the sum of the first `bytes` bytes, or of all where there are fewer. A log may be longer than
    /// the memory: it is read a part at a time.
    pub(crate) fn of_first(bytes: u64, reader: impl Read) -> io::Result<Self> {
        let mut sum = RunningSum::default();
        io::copy(&mut reader.take(bytes), &mut sum)?;
        Ok(sum.so_far())
    }
}

/// The sum of a file that grows, kept as it is written: a checkpoint need not read the file again.
#[derive(Default)]
pub(crate) struct RunningSum {
    bytes: u64,
    hasher: Hasher,
}

impl RunningSum {
    /// Adds bytes at the end.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.hasher.update(bytes);
    }

    /// The sum of all bytes that were added.
    pub(crate) fn so_far(&self) -> FileSum {
        FileSum { bytes: self.bytes, crc32: self.hasher.clone().finalize() }
    }
}

/// Goes on behind the bytes of this sum.
impl From<FileSum> for RunningSum {
    fn from(FileSum { bytes, crc32 }: FileSum) -> Self {
        Self { bytes, hasher: Hasher::new_with_initial_len(crc32, bytes) }
    }
}

impl Write for RunningSum {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A new file and its sum, kept as it is written.
pub(crate) struct Summed {
    file: BufWriter<File>,
    sum: RunningSum,
}

impl Summed {
    pub(crate) fn new(file: File) -> Self {
        Self { file: BufWriter::new(file), sum: RunningSum::default() }
    }

    /// Writes what is left, to the disk itself where it is to be `durable`.
    pub(crate) fn finish(mut self, durable: bool) -> io::Result<FileSum> {
        self.file.flush()?;
        if durable {
            self.file.get_ref().sync_all()?;
        }
        Ok(self.sum.so_far())
    }
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.sum.add(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_the_same_however_the_bytes_came() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|i| (i % 251) as u8).collect();
        let whole = FileSum::of(&bytes);
        assert_eq!(FileSum::of_first(u64::MAX, &bytes[..]).unwrap(), whole);
        let mut sum = RunningSum::default();
        bytes.chunks(999).for_each(|part| sum.add(part));
        assert_eq!(sum.so_far(), whole);
        // Taken up from what a checkpoint says of the first part.
        for length in [0, 1, 50_000, 100_000] {
            let first = FileSum::of_first(length as u64, &bytes[..]).unwrap();
            assert_eq!(first, FileSum::of(&bytes[..length]));
            let mut sum = RunningSum::from(first);
            sum.add(&bytes[length..]);
            assert_eq!(sum.so_far(), whole);
        }
        // The check value of CRC-32.
        assert_eq!(FileSum::of(b"123456789"), FileSum { bytes: 9, crc32: 0xcbf4_3926 });
    }
}
