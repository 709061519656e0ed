//! The records of a run: episodes, evaluations and metrics as CSV.

use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom},
    marker::PhantomData,
    path::Path,
};

use gymnast_core::files;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    CheckpointError, FileSum, TrainError,
    digits::{push_number, push_seconds, push_whole},
    log_file::LogFile,
};

/// No log may be larger to be read: some 400 million episodes.
const MAX_LOG_BYTES: u64 = 16 << 30;

/// One finished episode of training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// The total env steps when it ended.
    pub env_step: u64,
    /// The number of the episode, from 1.
    pub episode: u64,
    /// The sum of rewards.
    #[serde(rename = "return")]
    pub episode_return: f64,
    /// The length in steps.
    pub length: u64,
    /// The seconds since the start of the run.
    pub wall_time_s: f64,
}

/// One evaluation of the policy, without exploration.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The env steps of training before it.
    pub env_step: u64,
    /// The seconds since the start of the run.
    pub wall_time_s: f64,
    /// The mean return of the episodes.
    pub mean_return: f64,
    /// The standard deviation of the returns (of the population: divided by the number of
    /// episodes).
    pub std_return: f64,
    /// The lowest return.
    pub min_return: f64,
    /// The highest return.
    pub max_return: f64,
    /// The number of episodes.
    pub episodes: usize,
}

/// One metric, averaged over the updates since the last row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricRow {
    /// The total env steps at that moment.
    pub env_step: u64,
    /// The seconds since the start of the run.
    pub wall_time_s: f64,
    /// The name of the metric.
    pub metric: String,
    /// The mean of the metric.
    pub value: f64,
}

/// A kind of record, with its file and columns.
pub trait Record: DeserializeOwned {
    /// The name of the file.
    const FILE: &'static str;
    /// The header line.
    const HEADER: &'static str;
    /// Appends the record as a line, without its end.
    fn write(&self, line: &mut Vec<u8>);
}

impl Record for Episode {
    const FILE: &'static str = "episodes.csv";
    const HEADER: &'static str = "env_step,episode,return,length,wall_time_s";

    fn write(&self, line: &mut Vec<u8>) {
        let &Self { env_step, episode, episode_return, length, wall_time_s } = self;
        push_whole(line, env_step);
        line.push(b',');
        push_whole(line, episode);
        line.push(b',');
        push_number(line, episode_return);
        line.push(b',');
        push_whole(line, length);
        line.push(b',');
        push_seconds(line, wall_time_s);
    }
}

impl Record for Evaluation {
    const FILE: &'static str = "evaluations.csv";
    const HEADER: &'static str =
        "env_step,wall_time_s,mean_return,std_return,min_return,max_return,episodes";

    fn write(&self, line: &mut Vec<u8>) {
        let &Self { env_step, wall_time_s, episodes, .. } = self;
        push_whole(line, env_step);
        line.push(b',');
        push_seconds(line, wall_time_s);
        for number in [self.mean_return, self.std_return, self.min_return, self.max_return] {
            line.push(b',');
            push_number(line, number);
        }
        line.push(b',');
        push_whole(line, episodes);
    }
}

impl Record for MetricRow {
    const FILE: &'static str = "metrics.csv";
    const HEADER: &'static str = "env_step,wall_time_s,metric,value";

    fn write(&self, line: &mut Vec<u8>) {
        let Self { env_step, wall_time_s, metric, value } = self;
        push_whole(line, *env_step);
        line.push(b',');
        push_seconds(line, *wall_time_s);
        line.extend(format!(",{metric},{value}").into_bytes());
    }
}

/// Reads all records of a kind in a run's directory. An incomplete last line, as a running training
/// may leave it, is ignored.
///
/// # Errors
/// [`TrainError::File`] if the file does not exist; [`TrainError::InvalidFile`] with the number of
/// the line.
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
    file: LogFile,
    record: PhantomData<fn(&R)>,
}

impl<R: Record> CsvLog<R> {
    /// A new file with its header.
    pub(crate) fn create(run: &Path) -> Result<Self, TrainError> {
        let file = LogFile::create(run.join(R::FILE))?;
        let mut log = Self { file, record: PhantomData };
        log.file.buffer().extend(format!("{}\n", R::HEADER).into_bytes());
        log.flush()?;
        Ok(log)
    }

    /// Whether the file is there and holds more than the header.
    pub(crate) fn holds_records(run: &Path) -> Result<bool, TrainError> {
        let path = run.join(R::FILE);
        let found = files::metadata(&path).map_err(TrainError::file("read", &path))?;
        Ok(found.is_some_and(|found| found.len() > R::HEADER.len() as u64 + 1))
    }

    /// Checks that the file begins with what a checkpoint counts on: bytes of the sum `expected`, which are
    /// whole lines under this header. Reads them once.
    pub(crate) fn check(run: &Path, expected: Option<FileSum>) -> Result<(), CheckpointError> {
        let path = run.join(R::FILE);
        let damaged = |reason: String| CheckpointError::Damaged { path: path.clone(), reason };
        let failed = |source: io::Error| match source.kind() {
            ErrorKind::NotFound => damaged("missing".to_owned()),
            ErrorKind::UnexpectedEof => damaged("cut off".to_owned()),
            _ => CheckpointError::Read { path: path.clone(), source },
        };
        let omitted = || damaged(format!("the checkpoint does not say what {} held", R::FILE));
        let expected = expected.ok_or_else(omitted)?;
        let file = files::open(&path, OpenOptions::new().read(true)).map_err(failed)?;
        let found = file.metadata().map_err(failed)?.len();
        if found < expected.bytes {
            let length = expected.bytes;
            return Err(damaged(format!("{found} bytes long, but {length} in the checkpoint")));
        }
        match Self::find_damage(file, expected).map_err(failed)? {
            None => Ok(()),
            Some(reason) => Err(damaged(reason)),
        }
    }

    /// What is wrong with the beginning of a file that is long enough; `None` where it is as expected.
    fn find_damage(mut file: File, expected: FileSum) -> io::Result<Option<String>> {
        let length = expected.bytes;
        let mut header = vec![0; R::HEADER.len() + 1];
        file.read_exact(&mut header)?;
        if length < header.len() as u64 || header != format!("{}\n", R::HEADER).as_bytes() {
            return Ok(Some(format!("line 1: expected `{}`", R::HEADER)));
        }
        let mut last = [0];
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            return Ok(Some(format!("its first {length} bytes do not end with a line")));
        }
        file.rewind()?;
        let is_altered = FileSum::of_first(length, file)? != expected;
        let reason = || format!("altered: its checksum differs over the first {length} bytes");
        Ok(is_altered.then(reason))
    }

    /// The file as it was when `sum` was its sum, [checked](Self::check) before: what came after is cut
    /// off.
    pub(crate) fn reopen(run: &Path, sum: FileSum) -> Result<Self, TrainError> {
        let path = run.join(R::FILE);
        let file = files::open(&path, OpenOptions::new().write(true))
            .map_err(TrainError::file("open", &path))?;
        // Never grown: a file that is shorter would be filled up with zeros.
        if file.metadata().map_err(TrainError::file("read", &path))?.len() < sum.bytes {
            return Err(TrainError::Gone { path });
        }
        Ok(Self { file: LogFile::go_on(path, file, sum)?, record: PhantomData })
    }

    pub(crate) fn append(&mut self, record: &R) -> Result<(), TrainError> {
        let buffer = self.file.buffer();
        record.write(buffer);
        buffer.push(b'\n');
        if self.file.is_full() { self.flush() } else { Ok(()) }
    }

    /// Hands what was appended to the system, so that others can read it.
    pub(crate) fn flush(&mut self) -> Result<(), TrainError> {
        self.file.expect_in_place()?;
        self.file.flush()
    }

    /// Flushes and returns the sum of the file.
    pub(crate) fn sum(&mut self) -> Result<FileSum, TrainError> {
        self.file.expect_in_place()?;
        self.file.sum()
    }

    /// Makes what was flushed durable.
    pub(crate) fn sync(&self) -> Result<(), TrainError> {
        self.file.sync()
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
        let sum = log.sum().unwrap();
        log.append(&episode(2)).unwrap();
        drop(log);
        assert_eq!(read_records::<Episode>(run.path()).unwrap(), [episode(1), episode(2)]);

        let mut log = CsvLog::reopen(run.path(), sum).unwrap();
        log.append(&episode(3)).unwrap();
        let again = log.sum().unwrap();
        drop(log);
        let bytes = std::fs::read(run.path().join(Episode::FILE)).unwrap();
        assert_eq!(again, FileSum::of(&bytes));
        assert_eq!(read_records::<Episode>(run.path()).unwrap(), [episode(1), episode(3)]);
        let longer = FileSum { bytes: 10_000, ..again };
        assert!(CsvLog::<Episode>::reopen(run.path(), longer).is_err());
    }

    #[test]
    fn what_a_checkpoint_counts_on_must_be_there_and_end_with_a_line() {
        let run = tempfile::tempdir().unwrap();
        let check = |sum| CsvLog::<Episode>::check(run.path(), sum);
        let missing = check(Some(FileSum::of(b""))).unwrap_err().to_string();
        assert!(missing.contains("episodes.csv") && missing.contains("missing"), "{missing}");
        let mut log = CsvLog::create(run.path()).unwrap();
        let header = log.sum().unwrap().bytes as usize;
        log.append(&episode(1)).unwrap();
        let whole = log.sum().unwrap();
        let path = run.path().join(Episode::FILE);
        let bytes = std::fs::read(&path).unwrap();
        let first = |length: usize| Some(FileSum::of(&bytes[..length]));
        assert!(check(Some(whole)).is_ok() && check(first(header)).is_ok());
        // The sums are right, but not of whole lines.
        for wrong in [None, first(0), first(1), first(header - 1), first(bytes.len() - 1)] {
            assert!(check(wrong).is_err_and(|error| error.is_final()), "{wrong:?}");
        }
        for length in [whole.bytes + 1, u64::MAX] {
            let longer = check(Some(FileSum { bytes: length, ..whole })).unwrap_err();
            assert!(longer.is_final() && longer.to_string().contains("bytes long"), "{longer}");
        }
        let other = String::from_utf8(bytes.clone()).unwrap().replace("env_step", "env_stop");
        std::fs::write(&path, other).unwrap();
        assert!(check(Some(whole)).unwrap_err().to_string().contains("line 1"));
    }

    #[test]
    fn whichever_bit_of_a_log_is_turned_the_checkpoints_behind_it_are_unusable() {
        let run = tempfile::tempdir().unwrap();
        let mut log = CsvLog::create(run.path()).unwrap();
        log.append(&episode(1)).unwrap();
        let earlier = log.sum().unwrap();
        log.append(&episode(2)).unwrap();
        let later = log.sum().unwrap();
        let path = run.path().join(Episode::FILE);
        let bytes = std::fs::read(&path).unwrap();
        for bit in 0..8 * bytes.len() {
            let mut turned = bytes.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, &turned).unwrap();
            let check = |sum| CsvLog::<Episode>::check(run.path(), Some(sum));
            assert!(check(later).is_err_and(|error| error.is_final()), "bit {bit}");
            // The one before it counts on fewer bytes.
            assert_eq!(check(earlier).is_ok(), bit as u64 >= 8 * earlier.bytes, "bit {bit}");
        }
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
        assert!(matches!(log.sum(), Err(TrainError::Gone { .. })));
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
