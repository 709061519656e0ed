//! A study as a file: a line that says what it is, and a line for each trial as it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{StudyConfig, TrialRecord, TuneError};
use crate::atomic_file;

/// The format of the file. Another is refused.
const FORMAT: u32 = 1;
/// No study is larger: about 100 000 trials.
const MAX_BYTES: u64 = 1 << 27;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    study_format: u32,
    config: StudyConfig,
}

/// The file of a study, which nobody else writes to as long as it is open.
#[derive(Debug)]
pub(super) struct Storage {
    path: PathBuf,
    file: File,
}

impl Storage {
    pub(super) fn create(path: &Path, config: &StudyConfig) -> Result<Self, TuneError> {
        if path.exists() {
            return Err(TuneError::Exists(path.to_owned()));
        }
        // Whole or not at all, so that there is never a study that nobody knows the settings of.
        let header = Header { study_format: FORMAT, config: config.clone() };
        atomic_file::write(path, line(&header).as_bytes())?;
        Self::open(path)
    }

    /// The file, its study and its trials by number.
    ///
    /// A last line without its end was being written when the process was killed: it is cut off.
    pub(super) fn resume(path: &Path) -> Result<(Self, StudyConfig, Vec<TrialRecord>), TuneError> {
        let storage = Self::open(path)?;
        let error = |source| TuneError::File { action: "read", path: path.to_owned(), source };
        let mut bytes = Vec::new();
        (&storage.file).take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(error)?;
        let damaged = |line, reason| TuneError::Damaged { path: path.to_owned(), line, reason };
        if bytes.len() as u64 > MAX_BYTES {
            return Err(damaged(1, format!("the file is larger than {MAX_BYTES} bytes")));
        }
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let mut lines = bytes[..whole].split(|byte| *byte == b'\n').zip(1..);
        let (header, _) = lines.next().expect("a split has at least one part");
        let header: Header = read(header).map_err(|reason| damaged(1, reason))?;
        if header.study_format != FORMAT {
            let reason = format!("format {}: expected {FORMAT}", header.study_format);
            return Err(damaged(1, reason));
        }
        header.config.check()?;
        let mut trials: Vec<TrialRecord> = Vec::new();
        for (text, number) in lines.filter(|(text, _)| !text.is_empty()) {
            let trial: TrialRecord = read(text).map_err(|reason| damaged(number, reason))?;
            trial.check().map_err(|reason| damaged(number, reason))?;
            trials.push(trial);
        }
        trials.sort_by_key(|trial| trial.number);
        if let Some(pair) = trials.windows(2).find(|pair| pair[0].number == pair[1].number) {
            let reason = format!("trial {} is there twice", pair[0].number);
            return Err(damaged(1, reason));
        }
        if whole < bytes.len() {
            storage.file.set_len(whole as u64).map_err(storage.error("cut"))?;
        }
        Ok((storage, header.config, trials))
    }

    /// Writes a trial down, to be there after a power cut.
    pub(super) fn append(&mut self, trial: &TrialRecord) -> Result<(), TuneError> {
        let written = self.file.write_all(line(trial).as_bytes());
        written.and_then(|()| self.file.sync_data()).map_err(self.error("write"))
    }

    fn open(path: &Path) -> Result<Self, TuneError> {
        let error =
            |action| move |source| TuneError::File { action, path: path.to_owned(), source };
        let file = OpenOptions::new().read(true).append(true).open(path).map_err(error("open"))?;
        file.try_lock().map_err(|reason| match reason {
            TryLockError::Error(source) => error("lock")(source),
            TryLockError::WouldBlock => {
                error("open")(io::Error::other("another process is at work on this study"))
            }
        })?;
        Ok(Self { path: path.to_owned(), file })
    }

    fn error(&self, action: &'static str) -> impl Fn(io::Error) -> TuneError + use<> {
        let path = self.path.clone();
        move |source| TuneError::File { action, path: path.clone(), source }
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("records are plain data") + "\n"
}

fn read<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}
