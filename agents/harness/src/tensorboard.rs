//! Event files for TensorBoard.

use std::{
    fs::OpenOptions,
    io::ErrorKind,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use gymnast_core::files;

use crate::{
    Episode, Evaluation, FileSum, MetricRow, TrainError,
    event_format::{HEAD, event, key, masked_crc, summary, wire},
    log_file::LogFile,
    read_records,
};

/// What the first event of a file says.
const VERSION: &[u8] = b"brain.Event:2";

/// Writes scalars to a TensorBoard event file.
///
/// Each is one TFRecord (its length and bytes, each with a masked CRC-32C) that holds an `Event`
/// message of TensorFlow's `event.proto`; `event_format.rs` has the numbers.
pub struct EventWriter {
    file: LogFile,
    /// When the training's clock stood at 0, in seconds since 1970.
    started: f64,
}

impl EventWriter {
    /// The name of the event file in a run's directory.
    pub const FILE: &'static str = "events.out.tfevents.0.gymnast";

    /// Creates an event file in this directory, of a training whose clock stands at `wall_time_s`.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn create(run: &Path, wall_time_s: f64) -> Result<Self, TrainError> {
        let mut writer = Self::with(LogFile::create(run.join(Self::FILE))?, wall_time_s);
        writer.record(wall_time_s, |message| {
            begin_bytes(message, event::FILE_VERSION, VERSION.len());
            message.extend_from_slice(VERSION);
        })?;
        Ok(writer)
    }

    fn with(file: LogFile, wall_time_s: f64) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        Self { file, started: now - wall_time_s }
    }

    /// The event file as it was when `sum` was its sum; `None` where it is gone, cut off or altered.
    pub(crate) fn reopen(
        run: &Path,
        sum: Option<FileSum>,
        wall_time_s: f64,
    ) -> Result<Option<Self>, TrainError> {
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
        Ok(Some(Self::with(LogFile::go_on(path, file, sum)?, wall_time_s)))
    }

    /// A new event file with everything that the run's logs hold, which it is derived from.
    pub(crate) fn from_logs(run: &Path, wall_time_s: f64) -> Result<Self, TrainError> {
        let mut events = Self::create(run, wall_time_s)?;
        read_records(run)?.iter().try_for_each(|episode| events.episode(episode))?;
        read_records(run)?.iter().try_for_each(|evaluation| events.evaluation(evaluation))?;
        read_records(run)?.iter().try_for_each(|row| events.metric(row))?;
        Ok(events)
    }

    /// Writes the return of an episode.
    pub(crate) fn episode(&mut self, episode: &Episode) -> Result<(), TrainError> {
        let &Episode { env_step, episode_return, wall_time_s, .. } = episode;
        self.scalar("train/return", env_step, wall_time_s, episode_return)
    }

    /// Writes the mean return of an evaluation.
    pub(crate) fn evaluation(&mut self, evaluation: &Evaluation) -> Result<(), TrainError> {
        let &Evaluation { env_step, mean_return, wall_time_s, .. } = evaluation;
        self.scalar("eval/mean_return", env_step, wall_time_s, mean_return)
    }

    /// Writes a metric.
    pub(crate) fn metric(&mut self, row: &MetricRow) -> Result<(), TrainError> {
        self.scalar(&format!("train/{}", row.metric), row.env_step, row.wall_time_s, row.value)
    }

    /// Writes one number of the series `tag` at `step`, when the training's clock stood at `wall_time_s`.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn scalar(
        &mut self,
        tag: &str,
        step: u64,
        wall_time_s: f64,
        value: f64,
    ) -> Result<(), TrainError> {
        let entry = 1 + varint_length(tag.len()) + tag.len() + 5;
        self.record(wall_time_s, |message| {
            message.push(key(event::STEP, wire::VARINT));
            write_varint(message, step);
            begin_bytes(message, event::SUMMARY, 1 + varint_length(entry) + entry);
            begin_bytes(message, summary::VALUE, entry);
            begin_bytes(message, summary::TAG, tag.len());
            message.extend_from_slice(tag.as_bytes());
            message.push(key(summary::SIMPLE_VALUE, wire::FIXED_32));
            message.extend_from_slice(&(value as f32).to_le_bytes());
        })
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

    /// Appends a record: its length and the event, each with its checksum. `write` writes the event behind
    /// its time.
    fn record(
        &mut self,
        wall_time_s: f64,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), TrainError> {
        let buffer = self.file.buffer();
        let start = buffer.len();
        buffer.extend_from_slice(&[0; HEAD]);
        buffer.push(key(event::WALL_TIME, wire::FIXED_64));
        buffer.extend_from_slice(&(self.started + wall_time_s).to_le_bytes());
        write(buffer);
        let (head, event) = buffer[start..].split_at_mut(HEAD);
        let (length, checksum) = ((event.len() as u64).to_le_bytes(), masked_crc(event));
        head[..8].copy_from_slice(&length);
        head[8..].copy_from_slice(&masked_crc(&length).to_le_bytes());
        buffer.extend_from_slice(&checksum.to_le_bytes());
        if self.file.is_full() { self.file.flush() } else { Ok(()) }
    }
}

/// Begins a field of `length` bytes.
fn begin_bytes(message: &mut Vec<u8>, field: u8, length: usize) {
    message.push(key(field, wire::BYTES));
    write_varint(message, length as u64);
}

fn write_varint(message: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        message.push(number as u8 | 0x80);
        number >>= 7;
    }
    message.push(number as u8);
}

/// The bytes of a number as a varint: one for every 7 bits.
fn varint_length(number: usize) -> usize {
    (number | 1).ilog2() as usize / 7 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_varint_has_a_byte_for_every_seven_bits() {
        let mut number = Vec::new();
        write_varint(&mut number, 300);
        assert_eq!(number, [0xac, 0x02]);
        for number in [0, 1, 127, 128, 16_383, 16_384, u32::MAX as usize] {
            let mut bytes = Vec::new();
            write_varint(&mut bytes, number as u64);
            assert_eq!(bytes.len(), varint_length(number));
        }
    }

    #[test]
    fn what_came_after_a_checkpoint_is_cut_off() {
        let run = tempfile::tempdir().unwrap();
        let mut writer = EventWriter::create(run.path(), 0.0).unwrap();
        writer.scalar("eval/mean_return", 10, 0.1, 1.5).unwrap();
        let sum = writer.sum().unwrap();
        writer.scalar("eval/mean_return", 20, 0.2, 2.5).unwrap();
        drop(writer);
        let path = run.path().join(EventWriter::FILE);
        let before = std::fs::read(&path).unwrap();
        let reopened = EventWriter::reopen(run.path(), Some(sum), 0.2).unwrap();
        assert_eq!(reopened.unwrap().sum().unwrap(), sum);
        let left = std::fs::read(&path).unwrap();
        assert_eq!(left, before[..sum.bytes as usize]);
        // One that is shorter is never grown.
        let longer = FileSum { bytes: sum.bytes + 1, ..sum };
        assert!(EventWriter::reopen(run.path(), Some(longer), 0.2).unwrap().is_none());
        assert_eq!(std::fs::read(&path).unwrap(), left);
        assert!(EventWriter::reopen(run.path(), None, 0.2).unwrap().is_none());
        // One that was altered is not gone on with.
        let mut altered = before;
        altered[sum.bytes as usize / 2] ^= 1;
        std::fs::write(&path, &altered).unwrap();
        assert!(EventWriter::reopen(run.path(), Some(sum), 0.2).unwrap().is_none());
        std::fs::remove_file(&path).unwrap();
        assert!(EventWriter::reopen(run.path(), Some(sum), 0.2).unwrap().is_none());
    }
}
