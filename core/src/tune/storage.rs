//! The file of a study: a line for the study, and a line for each finished trial.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{StudyConfig, TrialRecord, TuneError};
use crate::{atomic_file::WriteError, files};

/// The format of the file. Another is refused.
const FORMAT: u32 = 1;
/// No study is larger: about 100 000 trials.
const MAX_BYTES: u64 = 1 << 27;

/// How every study's first line begins.
const HEADER_BEGINS: &[u8] = b"{\"study_format\":";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    study_format: u32,
    config: StudyConfig,
}

/// The file of a study, locked against other processes while it is open.
#[derive(Debug)]
pub(super) struct Storage {
    path: PathBuf,
    file: File,
    /// The end of the last whole line that was read or written.
    end: u64,
    /// The number of these lines.
    lines: usize,
    /// Half a line stands there that could not be cut off.
    is_broken: bool,
}

impl Storage {
    pub(super) fn create(path: &Path, config: &StudyConfig) -> Result<Self, TuneError> {
        let mut storage = Self::open_or_create(path)?;
        storage.hold(File::try_lock)?.ok_or_else(|| is_held(path))?;
        if !storage.is_before_header()? {
            return Err(TuneError::Exists(path.to_owned()));
        }
        storage.write_header(config)?;
        Ok(storage)
    }

    /// Opens the file without a lock, an empty one if there is none. It is never replaced, so that of
    /// two processes one gets the lock and the other sees what the first wrote.
    pub(super) fn open_or_create(path: &Path) -> Result<Self, TuneError> {
        let file = files::open(path, OpenOptions::new().read(true).append(true).create(true));
        let file = file.map_err(|source| WriteError { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, end: 0, lines: 0, is_broken: false })
    }

    /// Locks the file; `None` if another process holds it.
    pub(super) fn hold(
        &self,
        take: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Option<()>, TuneError> {
        match take(&self.file) {
            Ok(()) => Ok(Some(())),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(self.error("lock")(source)),
        }
    }

    /// Lets go of the file.
    pub(super) fn release(&self) -> Result<(), TuneError> {
        self.file.unlock().map_err(self.error("unlock"))
    }

    /// Writes the first line, in the place of one that a killed process has begun.
    pub(super) fn write_header(&mut self, config: &StudyConfig) -> Result<(), TuneError> {
        self.file.set_len(0).map_err(|source| self.write_error(source))?;
        self.write_line(&Header { study_format: FORMAT, config: config.clone() })?;
        files::sync_name(&self.path).map_err(|source| self.write_error(source))
    }

    /// Returns whether the file is empty, or holds the beginning of a header's line and no whole line.
    pub(super) fn is_before_header(&self) -> Result<bool, TuneError> {
        let bytes = self.read_on()?;
        let is_begun = bytes.iter().zip(HEADER_BEGINS).all(|(byte, begins)| byte == begins);
        Ok(is_begun && !bytes.contains(&b'\n'))
    }

    /// The file, its study and its trials by number.
    pub(super) fn resume(path: &Path) -> Result<(Self, StudyConfig, Vec<TrialRecord>), TuneError> {
        let mut storage = Self::open(path, OpenOptions::new().read(true).append(true))?;
        storage.hold(File::try_lock)?.ok_or_else(|| is_held(path))?;
        let (config, trials) = storage.read_all()?;
        storage.cut()?;
        Ok((storage, config, trials))
    }

    /// Reads the file beside those who write to it, and changes nothing.
    pub(super) fn look(path: &Path) -> Result<(StudyConfig, Vec<TrialRecord>), TuneError> {
        Self::open(path, OpenOptions::new().read(true))?.read_all()
    }

    fn open(path: &Path, options: &mut OpenOptions) -> Result<Self, TuneError> {
        let error = |source| TuneError::File { action: "open", path: path.to_owned(), source };
        let file = files::open(path, options).map_err(error)?;
        Ok(Self { path: path.to_owned(), file, end: 0, lines: 0, is_broken: false })
    }

    /// Reads the study and its trials by number, after the file was opened and locked.
    pub(super) fn read_all(&mut self) -> Result<(StudyConfig, Vec<TrialRecord>), TuneError> {
        let bytes = self.read_on()?;
        let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
            let reason = "no complete line: expected a study; remove the file to start one";
            return Err(self.damaged(1, reason.to_owned()));
        };
        let header: Header = read(&bytes[..end]).map_err(|reason| self.damaged(1, reason))?;
        if header.study_format != FORMAT {
            let reason = format!("format {}: expected {FORMAT}", header.study_format);
            return Err(self.damaged(1, reason));
        }
        header.config.check().map_err(|error| self.damaged(1, error.to_string()))?;
        (self.end, self.lines) = (end as u64 + 1, 1);
        let mut trials = Vec::new();
        self.read_new(&mut trials)?;
        Ok((header.config, trials))
    }

    /// Adds the trials to `trials` that were written since the file was last read or written. A last
    /// line without its end is left alone.
    pub(super) fn read_new(&mut self, trials: &mut Vec<TrialRecord>) -> Result<(), TuneError> {
        let bytes = self.read_on()?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = bytes[..whole].split_inclusive(|byte| *byte == b'\n');
        for (text, line) in lines.zip(self.lines + 1..) {
            let text = &text[..text.len() - 1];
            self.lines = line;
            self.end += text.len() as u64 + 1;
            if text.is_empty() {
                continue;
            }
            let trial: TrialRecord = read(text).map_err(|reason| self.damaged(line, reason))?;
            trial.check().map_err(|reason| self.damaged(line, reason))?;
            match trials.binary_search_by_key(&trial.number, |other| other.number) {
                Ok(_) => {
                    let reason = format!("trial {} occurs twice", trial.number);
                    return Err(self.damaged(line, reason));
                }
                Err(place) => trials.insert(place, trial),
            }
        }
        Ok(())
    }

    /// Cuts off a last line without its end, which was being written when a process was killed. Called
    /// after reading, while no other process writes.
    pub(super) fn cut(&self) -> Result<(), TuneError> {
        let length = self.file.metadata().map_err(self.error("read"))?.len();
        match length > self.end {
            true => self.file.set_len(self.end).map_err(self.error("cut")),
            false => Ok(()),
        }
    }

    /// Reads what stands behind the lines that were read or written so far.
    fn read_on(&self) -> Result<Vec<u8>, TuneError> {
        let mut file = &self.file;
        let length = file.metadata().map_err(self.error("read"))?.len();
        if length < self.end {
            let reason = "lines that were there are gone: put them back";
            return Err(self.damaged(self.lines, reason.to_owned()));
        }
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.end)).map_err(self.error("read"))?;
        let limit = (MAX_BYTES + 1).saturating_sub(self.end);
        file.take(limit).read_to_end(&mut bytes).map_err(self.error("read"))?;
        if self.end + bytes.len() as u64 > MAX_BYTES {
            return Err(TuneError::Full { path: self.path.clone(), most: MAX_BYTES });
        }
        Ok(bytes)
    }

    /// Writes a trial down, to be there after a power cut: whole, or not at all.
    pub(super) fn append(&mut self, trial: &TrialRecord) -> Result<(), TuneError> {
        self.write_line(trial)
    }

    fn write_line(&mut self, value: &impl Serialize) -> Result<(), TuneError> {
        let line = gymnast_json::to_string(value).expect("records are plain data") + "\n";
        let end = self.end + line.len() as u64;
        if end > MAX_BYTES {
            return Err(TuneError::Full { path: self.path.clone(), most: MAX_BYTES });
        }
        self.write(end, |mut file| file.write_all(line.as_bytes()))
    }

    /// Writes what makes the file end at `end`. What could only be written in part is cut off again, so
    /// that the next line does not come to stand behind half of this one.
    fn write(
        &mut self,
        end: u64,
        fill: impl FnOnce(&File) -> io::Result<()>,
    ) -> Result<(), TuneError> {
        if self.is_broken {
            let reason = "an earlier line could not be completed; resume the study from its file";
            return Err(self.write_error(io::Error::other(reason)));
        }
        // What is written to a file that was removed would be lost without a word.
        if !files::is_at(&self.file, &self.path).map_err(|source| self.write_error(source))? {
            let reason = "it was removed or replaced during the search; put it back to resume";
            return Err(self.write_error(io::Error::other(reason)));
        }
        if let Err(source) = fill(&self.file).and_then(|()| self.file.sync_data()) {
            self.is_broken = self.file.set_len(self.end).is_err();
            return Err(self.write_error(source));
        }
        (self.end, self.lines) = (end, self.lines + 1);
        Ok(())
    }

    fn error(&self, action: &'static str) -> impl Fn(io::Error) -> TuneError + use<> {
        let path = self.path.clone();
        move |source| TuneError::File { action, path: path.clone(), source }
    }

    fn damaged(&self, line: usize, reason: String) -> TuneError {
        TuneError::Damaged { path: self.path.clone(), line, reason }
    }

    fn write_error(&self, source: io::Error) -> TuneError {
        WriteError { path: self.path.clone(), source }.into()
    }
}

/// The error of a study that another process holds.
pub(super) fn is_held(path: &Path) -> TuneError {
    let reason = "another process has this study open; wait until it ends";
    TuneError::File { action: "open", path: path.to_owned(), source: io::Error::other(reason) }
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    gymnast_json::from_slice(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::tune::TrialOutcome;

    fn trial(number: u64) -> TrialRecord {
        let (params, reports) = (Vec::new(), Vec::new());
        TrialRecord { number, params, reports, outcome: TrialOutcome::Complete(number as f64) }
    }

    #[test]
    fn a_line_that_cannot_be_written_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        let mut storage = Storage::create(&path, &StudyConfig::default()).unwrap();
        storage.append(&trial(0)).unwrap();
        let half = |mut file: &File| {
            file.write_all(b"{\"number\":1,\"par")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        };
        let message = storage.write(storage.end + 99, half).unwrap_err().to_string();
        assert!(
            message.contains("study.jsonl") && message.contains("free some space"),
            "{message}"
        );
        // As another trial of the same batch does, and a caller who tries again.
        storage.append(&trial(2)).unwrap();
        storage.append(&trial(1)).unwrap();
        drop(storage);
        let (_, _, trials) = Storage::resume(&path).unwrap();
        assert_eq!(trials, [0, 1, 2].map(trial));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn nothing_is_written_behind_half_a_line() {
        // A device that is always full, and cannot be cut.
        let path = PathBuf::from("/dev/full");
        let file = File::options().append(true).open(&path).unwrap();
        let mut storage = Storage { path, file, end: 0, lines: 0, is_broken: false };
        let mut message = || storage.append(&trial(0)).unwrap_err().to_string();
        assert!(message().contains("free some space"));
        assert!(message().contains("resume the study"));
    }

    #[cfg(unix)]
    #[test]
    fn a_study_that_was_removed_is_not_written_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        let mut storage = Storage::create(&path, &StudyConfig::default()).unwrap();
        fs::remove_file(&path).unwrap();
        let gone = storage.append(&trial(0)).unwrap_err().to_string();
        assert!(gone.contains("removed or replaced"), "{gone}");
        fs::write(&path, "another's").unwrap();
        assert!(storage.append(&trial(0)).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"another's");
    }

    #[test]
    fn no_study_outgrows_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        let mut storage = Storage::create(&path, &StudyConfig::default()).unwrap();
        storage.end = MAX_BYTES - 10;
        let full = storage.append(&trial(0)).unwrap_err();
        assert!(matches!(full, TuneError::Full { .. }), "{full}");
        assert!(full.to_string().contains("start another"), "{full}");
        storage.file.set_len(MAX_BYTES + 1).unwrap();
        drop(storage);
        assert!(matches!(Storage::resume(&path), Err(TuneError::Full { .. })));
    }

    #[test]
    fn of_processes_that_create_a_study_at_once_one_gets_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("study.jsonl");
        for _ in 0..50 {
            let create = |seed| Storage::create(&path, &StudyConfig { seed, ..Default::default() });
            let made: Vec<_> = std::thread::scope(|scope| {
                let threads = [0, 1, 2].map(|seed| scope.spawn(move || create(seed)));
                threads.map(|thread| thread.join().unwrap()).into_iter().collect()
            });
            assert_eq!(made.iter().filter(|storage| storage.is_ok()).count(), 1, "{made:?}");
            drop(made);
            fs::remove_file(&path).unwrap();
        }
        // What was killed in between does not stand in the way.
        for half in ["", "{\"study_f", "{\"study_format\":1,\"config\":{\"direc"] {
            fs::write(&path, half).unwrap();
            let empty = Storage::resume(&path).unwrap_err().to_string();
            assert!(empty.contains("line 1: no complete line"), "{empty}");
            Storage::create(&path, &StudyConfig::default()).unwrap();
            assert!(Storage::resume(&path).unwrap().2.is_empty());
        }
        // Anything else does.
        for other in ["mine", "{\"mine\":", "{\"study_format\":1}\n"] {
            fs::write(&path, other).unwrap();
            let create = Storage::create(&path, &StudyConfig::default());
            assert!(matches!(create, Err(TuneError::Exists(_))), "{other}");
            assert_eq!(fs::read_to_string(&path).unwrap(), other);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("study.jsonl"));
        fs::write(&target, "").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let error = Storage::create(&link, &StudyConfig::default()).unwrap_err().to_string();
        assert!(error.contains("a link, which is not followed"), "{error}");
        assert!(Storage::resume(&link).is_err());
        assert_eq!(fs::read(&target).unwrap(), b"");
    }
}
