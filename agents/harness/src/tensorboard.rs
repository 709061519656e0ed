//! Event files for TensorBoard.

use std::{
    fs::OpenOptions,
    io::ErrorKind,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use gymnast_core::files;

use crate::{Episode, Evaluation, FileSum, MetricRow, TrainError, log_file::LogFile, read_records};

/// Writes scalars to a TensorBoard event file.
///
/// Each is one TFRecord (its length and bytes, each with a masked CRC-32C) that holds an `Event`
/// message of TensorFlow's `event.proto`.
pub struct EventWriter {
    file: LogFile,
}

impl EventWriter {
    /// The name of the event file in a run's directory.
    pub const FILE: &'static str = "events.out.tfevents.0.gymnast";

    /// Creates an event file in this directory.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn create(run: &Path) -> Result<Self, TrainError> {
        let mut writer = Self { file: LogFile::create(run.join(Self::FILE))? };
        let mut event = wall_time();
        write_bytes(&mut event, 3, b"brain.Event:2");
        writer.write_record(&event)?;
        Ok(writer)
    }

    /// The event file as it was when `sum` was its sum; `None` where it is gone, cut off or altered.
    pub(crate) fn reopen(run: &Path, sum: Option<FileSum>) -> Result<Option<Self>, TrainError> {
        let path = run.join(Self::FILE);
        let file = match files::open(&path, OpenOptions::new().read(true).write(true)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(TrainError::file("open", &path))?,
        };
        let Some(sum) = sum else { return Ok(None) };
        let found = FileSum::of_first(sum.bytes, &file).map_err(TrainError::file("read", &path))?;
        if found != sum {
            return Ok(None);
        }
        Ok(Some(Self { file: LogFile::go_on(path, file, sum)? }))
    }

    /// A new event file with everything that the run's logs hold, which it is derived from.
    pub(crate) fn from_logs(run: &Path) -> Result<Self, TrainError> {
        let mut events = Self::create(run)?;
        read_records(run)?.iter().try_for_each(|episode| events.episode(episode))?;
        read_records(run)?.iter().try_for_each(|evaluation| events.evaluation(evaluation))?;
        read_records(run)?.iter().try_for_each(|row| events.metric(row))?;
        Ok(events)
    }

    /// Writes the return of an episode.
    pub(crate) fn episode(&mut self, episode: &Episode) -> Result<(), TrainError> {
        self.scalar("train/return", episode.env_step, episode.episode_return)
    }

    /// Writes the mean return of an evaluation.
    pub(crate) fn evaluation(&mut self, evaluation: &Evaluation) -> Result<(), TrainError> {
        self.scalar("eval/mean_return", evaluation.env_step, evaluation.mean_return)
    }

    /// Writes a metric.
    pub(crate) fn metric(&mut self, row: &MetricRow) -> Result<(), TrainError> {
        self.scalar(&format!("train/{}", row.metric), row.env_step, row.value)
    }

    /// Writes one number of the series `tag` at `step`.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn scalar(&mut self, tag: &str, step: u64, value: f64) -> Result<(), TrainError> {
        // Room for all but the longest tags, as thousands a second may be written.
        let mut entry = Vec::with_capacity(64); // Summary.Value
        write_bytes(&mut entry, 1, tag.as_bytes());
        entry.push(2 << 3 | 5); // simple_value, 32 bits
        entry.extend((value as f32).to_le_bytes());
        let mut summary = Vec::with_capacity(80);
        write_bytes(&mut summary, 1, &entry);
        let mut event = wall_time();
        event.push(2 << 3); // step, a varint
        write_varint(&mut event, step);
        write_bytes(&mut event, 5, &summary);
        self.write_record(&event)
    }

    /// Flushes and returns the sum of the file.
    pub(crate) fn sum(&mut self) -> Result<FileSum, TrainError> {
        self.file.sum()
    }

    /// Makes what was flushed durable.
    pub(crate) fn sync(&self) -> Result<(), TrainError> {
        self.file.sync()
    }

    /// Flushes the file, so that TensorBoard sees the numbers.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn flush(&mut self) -> Result<(), TrainError> {
        self.file.flush()
    }

    fn write_record(&mut self, data: &[u8]) -> Result<(), TrainError> {
        let length = (data.len() as u64).to_le_bytes();
        let parts = [
            &length[..],
            &masked_crc(&length).to_le_bytes(),
            data,
            &masked_crc(data).to_le_bytes(),
        ];
        self.file.append(&parts.concat())
    }
}

/// An event that holds its time alone: field 1, 64 bits.
fn wall_time() -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    let mut event = Vec::with_capacity(112);
    event.push(1 << 3 | 1);
    event.extend(now.to_le_bytes());
    event
}

fn write_bytes(message: &mut Vec<u8>, field: u8, bytes: &[u8]) {
    message.push(field << 3 | 2);
    write_varint(message, bytes.len() as u64);
    message.extend_from_slice(bytes);
}

fn write_varint(message: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        message.push(number as u8 | 0x80);
        number >>= 7;
    }
    message.push(number as u8);
}

/// TFRecord's checksum: rotated and shifted, so that a checksum of data with checksums is sound.
fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_framed_as_tensorflow_frames_it() {
        // The record of an empty string, as TensorFlow writes it: 0, 0x07980329, 0xa282ead8.
        assert_eq!(masked_crc(&0_u64.to_le_bytes()), 0x0798_0329);
        assert_eq!(masked_crc(&[]), 0xa282_ead8);
        let mut number = Vec::new();
        write_varint(&mut number, 300);
        assert_eq!(number, [0xac, 0x02]);
    }

    #[test]
    fn what_came_after_a_checkpoint_is_cut_off() {
        let run = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(run.path()).unwrap();
        writer.scalar("eval/mean_return", 10, 1.5).unwrap();
        let sum = writer.sum().unwrap();
        writer.scalar("eval/mean_return", 20, 2.5).unwrap();
        drop(writer);
        let path = run.path().join(EventWriter::FILE);
        let before = std::fs::read(&path).unwrap();
        let reopened = EventWriter::reopen(run.path(), Some(sum)).unwrap();
        assert_eq!(reopened.unwrap().sum().unwrap(), sum);
        let left = std::fs::read(&path).unwrap();
        assert_eq!(left, before[..sum.bytes as usize]);
        // One that is shorter is never grown.
        let longer = FileSum { bytes: sum.bytes + 1, ..sum };
        assert!(EventWriter::reopen(run.path(), Some(longer)).unwrap().is_none());
        assert_eq!(std::fs::read(&path).unwrap(), left);
        assert!(EventWriter::reopen(run.path(), None).unwrap().is_none());
        // One that was altered is not gone on with.
        let mut altered = before;
        altered[sum.bytes as usize / 2] ^= 1;
        std::fs::write(&path, &altered).unwrap();
        assert!(EventWriter::reopen(run.path(), Some(sum)).unwrap().is_none());
        std::fs::remove_file(&path).unwrap();
        assert!(EventWriter::reopen(run.path(), Some(sum)).unwrap().is_none());
    }
}
