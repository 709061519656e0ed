//! What a run writes down: episodes, evaluations and metrics, as CSV that anyone can read.

use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use gymnast_core::files;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{CheckpointError, TrainError};

/// No log may be larger to be read: some 400 million episodes.
const MAX_LOG_BYTES: u64 = 16 << 30;

/// One finished episode of training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// The env steps taken in all by the time it ended.
    pub env_step: u64,
    /// Its number, from 1.
    pub episode: u64,
    /// The sum of its rewards.
    #[serde(rename = "return")]
    pub episode_return: f64,
    /// Its length, in steps.
    pub length: u64,
    /// The seconds since the run began.
    pub wall_time_s: f64,
}

/// One evaluation of the policy at its best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The env steps of training before it.
    pub env_step: u64,
    /// The seconds since the run began.
    pub wall_time_s: f64,
    /// The mean of the episodes' returns.
    pub mean_return: f64,
    /// Their standard deviation (the population's: divided by the number of episodes).
    pub std_return: f64,
    /// The least of them.
    pub min_return: f64,
    /// The greatest of them.
    pub max_return: f64,
    /// How many there were.
    pub episodes: usize,
}

/// One metric, averaged over the updates since it was last written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricRow {
    /// The env steps taken by then.
    pub env_step: u64,
    /// The seconds since the run began.
    pub wall_time_s: f64,
    /// The metric's name.
    pub metric: String,
    /// Its mean.
    pub value: f64,
}

/// A kind of record, its file and its columns.
pub trait Record: DeserializeOwned {
    /// The file's name.
    const FILE: &'static str;
    /// The header line.
    const HEADER: &'static str;
    /// The record as a line without its end.
    fn line(&self) -> String;
}

impl Record for Episode {
    const FILE: &'static str = "episodes.csv";
    const HEADER: &'static str = "env_step,episode,return,length,wall_time_s";

    fn line(&self) -> String {
        let Self { env_step, episode, episode_return, length, wall_time_s } = self;
        format!("{env_step},{episode},{episode_return},{length},{wall_time_s:.3}")
    }
}

impl Record for Evaluation {
    const FILE: &'static str = "evaluations.csv";
    const HEADER: &'static str =
        "env_step,wall_time_s,mean_return,std_return,min_return,max_return,episodes";

    fn line(&self) -> String {
        let Self {
            env_step,
            wall_time_s,
            mean_return,
            std_return,
            min_return,
            max_return,
            episodes,
        } = self;
        format!(
            "{env_step},{wall_time_s:.3},{mean_return},{std_return},{min_return},{max_return},\
             {episodes}"
        )
    }
}

impl Record for MetricRow {
    const FILE: &'static str = "metrics.csv";
    const HEADER: &'static str = "env_step,wall_time_s,metric,value";

    fn line(&self) -> String {
        let Self { env_step, wall_time_s, metric, value } = self;
        format!("{env_step},{wall_time_s:.3},{metric},{value}")
    }
}

/// Reads every record of a run's directory. A last line that is not whole yet, as a run that goes on
/// leaves it, is not there yet.
///
/// # Errors
/// [`TrainError::File`] where there is no such file; [`TrainError::InvalidFile`] naming the line.
pub fn read_records<R: Record>(run: &Path) -> Result<Vec<R>, TrainError> {
    read_first_records(run, u64::MAX)
}

/// The same of the first `length` bytes.
pub(crate) fn read_first_records<R: Record>(run: &Path, length: u64) -> Result<Vec<R>, TrainError> {
    let path = run.join(R::FILE);
    // No link is followed, to a device that never ends for instance.
    let mut text =
        files::read_bounded(&path, MAX_LOG_BYTES).map_err(TrainError::file("read", &path))?;
    text.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    let mut reader = csv::Reader::from_reader(&text[..whole]);
    let invalid = |reason: String| TrainError::InvalidFile { path: path.clone(), reason };
    let header = reader.headers().map_err(|error| invalid(error.to_string()))?;
    let header = header.iter().collect::<Vec<_>>().join(",");
    if header != R::HEADER {
        return Err(invalid(format!("line 1: expected `{}`, got `{header}`", R::HEADER)));
    }
    let rows = reader.deserialize().enumerate();
    rows.map(|(i, row)| row.map_err(|error| invalid(format!("line {}: {error}", i + 2)))).collect()
}

/// A file that only grows, by whole records.
pub(crate) struct CsvLog<R> {
    path: PathBuf,
    file: BufWriter<File>,
    length: u64,
    record: std::marker::PhantomData<fn(&R)>,
}

impl<R: Record> CsvLog<R> {
    /// A new file with its header.
    pub(crate) fn create(run: &Path) -> Result<Self, TrainError> {
        let path = run.join(R::FILE);
        let file = files::open(&path, OpenOptions::new().write(true).create(true).truncate(true));
        let file = file.map_err(TrainError::file("create", &path))?;
        let mut log = Self::around(path, file, 0);
        log.write_line(R::HEADER)?;
        log.flush()?;
        Ok(log)
    }

    /// Whether the file is there and holds more than the header.
    pub(crate) fn holds_records(run: &Path) -> Result<bool, TrainError> {
        let path = run.join(R::FILE);
        let found = files::metadata(&path).map_err(TrainError::file("read", &path))?;
        Ok(found.is_some_and(|found| found.len() > R::HEADER.len() as u64 + 1))
    }

    /// Checks that the file holds what a checkpoint counts on: `length` bytes, whole lines under this
    /// header.
    pub(crate) fn check(run: &Path, length: Option<u64>) -> Result<(), CheckpointError> {
        let path = run.join(R::FILE);
        let damaged = |reason: String| CheckpointError::Damaged { path: path.clone(), reason };
        let failed = |source: std::io::Error| match source.kind() {
            ErrorKind::NotFound => damaged("missing".to_owned()),
            ErrorKind::UnexpectedEof => damaged("cut off".to_owned()),
            _ => CheckpointError::Read { path: path.clone(), source },
        };
        let omitted = || damaged(format!("the checkpoint does not say how long {} was", R::FILE));
        let length = length.ok_or_else(omitted)?;
        let mut file = files::open(&path, OpenOptions::new().read(true)).map_err(failed)?;
        let found = file.metadata().map_err(failed)?.len();
        if found < length {
            return Err(damaged(format!("{found} bytes long, but {length} in the checkpoint")));
        }
        let mut header = vec![0; R::HEADER.len() + 1];
        file.read_exact(&mut header).map_err(failed)?;
        if length < header.len() as u64 || header != format!("{}\n", R::HEADER).as_bytes() {
            return Err(damaged(format!("line 1: expected `{}`", R::HEADER)));
        }
        let mut last = [0];
        file.seek(SeekFrom::Start(length - 1)).map_err(failed)?;
        file.read_exact(&mut last).map_err(failed)?;
        if last != *b"\n" {
            return Err(damaged(format!("its first {length} bytes do not end with a line")));
        }
        Ok(())
    }

    /// The file as it was when it was `length` bytes long, [checked](Self::check) before: what came after
    /// is cut off.
    pub(crate) fn reopen(run: &Path, length: u64) -> Result<Self, TrainError> {
        let path = run.join(R::FILE);
        let mut file = files::open(&path, OpenOptions::new().write(true))
            .map_err(TrainError::file("open", &path))?;
        // Never grown: a file that is shorter would be filled up with zeros.
        if file.metadata().map_err(TrainError::file("read", &path))?.len() < length {
            return Err(TrainError::Gone { path });
        }
        file.set_len(length).map_err(TrainError::file("write", &path))?;
        file.seek(SeekFrom::End(0)).map_err(TrainError::file("write", &path))?;
        Ok(Self::around(path, file, length))
    }

    fn around(path: PathBuf, file: File, length: u64) -> Self {
        Self { path, file: BufWriter::new(file), length, record: std::marker::PhantomData }
    }

    pub(crate) fn append(&mut self, record: &R) -> Result<(), TrainError> {
        self.write_line(&record.line())
    }

    fn write_line(&mut self, line: &str) -> Result<(), TrainError> {
        let added = line.len() + 1;
        if self.file.buffer().len() + added > self.file.capacity() {
            self.expect_in_place()?;
        }
        self.length += added as u64;
        writeln!(self.file, "{line}").map_err(TrainError::file("write", &self.path))
    }

    /// Hands what was appended to the system, so that others can read it.
    pub(crate) fn flush(&mut self) -> Result<(), TrainError> {
        self.expect_in_place()?;
        self.file.flush().map_err(TrainError::file("write", &self.path))
    }

    /// Makes everything durable and returns the length of the file, in bytes.
    pub(crate) fn sync(&mut self) -> Result<u64, TrainError> {
        self.flush()?;
        self.file.get_ref().sync_data().map_err(TrainError::file("write", &self.path))?;
        Ok(self.length)
    }

    /// What is written to a file that was removed would be lost without a word.
    fn expect_in_place(&self) -> Result<(), TrainError> {
        let is_there = files::is_at(self.file.get_ref(), &self.path);
        match is_there.map_err(TrainError::file("write", &self.path))? {
            true => Ok(()),
            false => Err(TrainError::Gone { path: self.path.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn episode(i: u64) -> Episode {
        let wall_time_s = 0.25;
        Episode { env_step: 10 * i, episode: i, episode_return: -0.1, length: 10, wall_time_s }
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let run = tempfile::tempdir().unwrap();
        let mut log = CsvLog::create(run.path()).unwrap();
        log.append(&episode(1)).unwrap();
        let length = log.sync().unwrap();
        log.append(&episode(2)).unwrap();
        drop(log);
        assert_eq!(read_records::<Episode>(run.path()).unwrap(), [episode(1), episode(2)]);

        let mut log = CsvLog::reopen(run.path(), length).unwrap();
        log.append(&episode(3)).unwrap();
        drop(log);
        assert_eq!(read_records::<Episode>(run.path()).unwrap(), [episode(1), episode(3)]);
        assert!(CsvLog::<Episode>::reopen(run.path(), 10_000).is_err());
    }

    #[test]
    fn what_a_checkpoint_counts_on_must_be_there_and_end_with_a_line() {
        let run = tempfile::tempdir().unwrap();
        let missing = CsvLog::<Episode>::check(run.path(), Some(10)).unwrap_err().to_string();
        assert!(missing.contains("episodes.csv") && missing.contains("missing"), "{missing}");
        let mut log = CsvLog::create(run.path()).unwrap();
        let header = log.length;
        log.append(&episode(1)).unwrap();
        let length = log.sync().unwrap();
        let check = |length| CsvLog::<Episode>::check(run.path(), length);
        assert!(check(Some(length)).is_ok() && check(Some(header)).is_ok());
        for wrong in [None, Some(0), Some(1), Some(header - 1), Some(length - 1), Some(length + 1)]
        {
            assert!(check(wrong).is_err_and(|error| error.is_final()), "{wrong:?}");
        }
        assert!(check(Some(u64::MAX)).is_err());
        let other = std::fs::read_to_string(run.path().join(Episode::FILE)).unwrap();
        std::fs::write(run.path().join(Episode::FILE), other.replace("env_step", "env_stop"))
            .unwrap();
        assert!(check(Some(length)).unwrap_err().to_string().contains("line 1"));
    }

    #[cfg(unix)]
    #[test]
    fn a_log_that_was_removed_or_replaced_is_not_written_to() {
        let run = tempfile::tempdir().unwrap();
        let path = run.path().join(Episode::FILE);
        let mut log = CsvLog::create(run.path()).unwrap();
        log.append(&episode(1)).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(log.flush(), Err(TrainError::Gone { .. })));
        std::fs::write(&path, "another's").unwrap();
        assert!(matches!(log.sync(), Err(TrainError::Gone { .. })));
        // Even between two flushes, once the buffer is full.
        assert!((0..10_000).any(|i| log.append(&episode(i)).is_err()));
        assert_eq!(std::fs::read(&path).unwrap(), b"another's");
    }

    #[test]
    fn a_damaged_line_is_named() {
        let run = tempfile::tempdir().unwrap();
        let text = format!("{}\n10,1,5,10,0.1\n20,x,5,10,0.1\n", Episode::HEADER);
        std::fs::write(run.path().join(Episode::FILE), text).unwrap();
        let error = read_records::<Episode>(run.path()).unwrap_err().to_string();
        assert!(error.contains("line 3"), "{error}");
        let text = format!("{}\n10,1,5,10,0.1\n20,2,5,1", Episode::HEADER);
        std::fs::write(run.path().join(Episode::FILE), text).unwrap();
        assert_eq!(read_records::<Episode>(run.path()).unwrap().len(), 1);
        std::fs::write(run.path().join(Episode::FILE), "a,b\n").unwrap();
        let error = read_records::<Episode>(run.path()).unwrap_err().to_string();
        assert!(error.contains("env_step,episode"), "{error}");
    }
}
