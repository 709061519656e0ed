//! Checkpoints on disk: written whole or not at all, and checked when they are read.

mod manifest;
#[cfg(test)]
mod tests;

use std::{
    fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use gymnast_core::files;

pub use manifest::Manifest;

use crate::{AgentError, CheckpointError, RunIdentity, StateDict, TrainError};
use manifest::FileSum;

const ARRAYS: &str = "arrays.safetensors";
const VALUES: &str = "values.json";
const MANIFEST: &str = "manifest.json";
/// No file of a checkpoint may be larger, so that a damaged length cannot exhaust memory.
const MAX_FILE_BYTES: u64 = 16 << 30;
/// No manifest may be larger: a configuration of 1 MiB fits, however its characters are escaped.
const MAX_MANIFEST_BYTES: u64 = 8 << 20;
/// The older checkpoints are kept in case the newest is damaged.
const KEPT: usize = 2;
/// The end of the name of what is being written or deleted.
const UNFINISHED: &str = ".tmp";
/// What stands in the name of a checkpoint that was set aside.
const SET_ASIDE: &str = ".damaged";

/// The checkpoints of one run, each a directory named after its env steps.
#[derive(Clone, Debug)]
pub struct CheckpointDir {
    path: PathBuf,
}

/// The newest checkpoint that could be taken up.
#[derive(Debug)]
pub struct Newest<T> {
    /// What it says of itself.
    pub manifest: Manifest,
    /// What came of its state.
    pub state: T,
    /// Why newer ones were passed over.
    pub damaged: Vec<CheckpointError>,
}

impl CheckpointDir {
    /// The checkpoints below `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Makes the directory unless it is there; the one above it must exist.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, TrainError> {
        let path = path.into();
        files::create_dir(&path).map_err(TrainError::file("create", &path))?;
        Ok(Self { path })
    }

    /// Writes a checkpoint: to a temporary name, synced, then renamed. Then deletes all but the
    /// newest two.
    ///
    /// # Errors
    /// [`TrainError::Gone`] where the directory is not there; [`TrainError::File`]. Nothing half-made is
    /// left under a checkpoint's name, nor, as far as the system lets it be deleted, under another.
    pub fn save(&self, state: &StateDict, mut manifest: Manifest) -> Result<PathBuf, TrainError> {
        if !files::is_dir(&self.path).map_err(TrainError::file("open", &self.path))? {
            return Err(TrainError::Gone { path: self.path.clone() });
        }
        let (arrays, values) = state.to_files()?;
        manifest.files = [(ARRAYS, &arrays), (VALUES, &values)]
            .map(|(name, bytes)| (name.to_owned(), FileSum::of(bytes)))
            .into();
        let path = self.path_of(manifest.env_steps);
        let temporary = with_end(&path, UNFINISHED);
        let contents = [(ARRAYS, arrays), (VALUES, values), (MANIFEST, manifest.to_bytes())];
        let written = self.write(&temporary, &path, &contents);
        if written.is_err() {
            // The first error is the one to report.
            let _ = files::remove_dir_all(&temporary);
        }
        written?;
        self.prune()?;
        Ok(path)
    }

    fn write(
        &self,
        temporary: &Path,
        path: &Path,
        contents: &[(&str, Vec<u8>)],
    ) -> Result<(), TrainError> {
        remove_dir(temporary)?;
        fs::create_dir(temporary).map_err(TrainError::file("create", temporary))?;
        for (name, bytes) in contents {
            let file = temporary.join(name);
            write_synced(&file, bytes).map_err(TrainError::file("write", &file))?;
        }
        files::sync_dir(temporary).map_err(TrainError::file("sync", temporary))?;
        // Only a second save of the same env steps finds one here: the old one makes room, and is deleted last.
        let replaced = with_end(path, ".replaced.tmp");
        let is_replaced = files::is_dir(path).map_err(TrainError::file("open", path))?;
        if is_replaced {
            remove_dir(&replaced)?;
            fs::rename(path, &replaced).map_err(TrainError::file("rename", path))?;
        }
        fs::rename(temporary, path).map_err(TrainError::file("rename", temporary))?;
        files::sync_dir(&self.path).map_err(TrainError::file("sync", &self.path))?;
        if is_replaced { remove_dir(&replaced) } else { Ok(()) }
    }

    /// Takes up the newest checkpoint of this run that can be taken up; `None` where there is none at
    /// all. `take_up` is given each whole one, the newest first, until it succeeds.
    ///
    /// One that is damaged, belongs to another run or is not accepted by `take_up` is passed over. Reads
    /// only: nothing is deleted or moved.
    ///
    /// # Errors
    /// [`TrainError::NoUsableCheckpoint`] where there are some and none can be used; what the system
    /// says where one cannot be read; [`CheckpointError::Format`] for one of another version; what
    /// `take_up` returns but [`CheckpointError`]s.
    pub fn newest<T>(
        &self,
        identity: &RunIdentity,
        mut take_up: impl FnMut(&Manifest, StateDict) -> Result<T, TrainError>,
    ) -> Result<Option<Newest<T>>, TrainError> {
        let mut damaged = Vec::new();
        for env_steps in self.steps()?.into_iter().rev() {
            let path = self.path_of(env_steps);
            let taken = read(&path, env_steps, identity).map_err(TrainError::from);
            let taken = taken.and_then(|(manifest, state)| {
                let state = take_up(&manifest, state)?;
                Ok((manifest, state))
            });
            match taken {
                Ok((manifest, state)) => return Ok(Some(Newest { manifest, state, damaged })),
                Err(
                    TrainError::Checkpoint(error)
                    | TrainError::Agent(AgentError::Checkpoint(error)),
                ) if error.is_final() => damaged.push(located(error, &path)),
                Err(error) => return Err(error),
            }
        }
        let set_aside = self.names()?.into_iter().filter(|name| is_set_aside(name));
        damaged.extend(set_aside.map(|name| CheckpointError::Damaged {
            path: self.path.join(name),
            reason: "it was set aside earlier".to_owned(),
        }));
        if damaged.is_empty() {
            return Ok(None);
        }
        Err(TrainError::NoUsableCheckpoint { path: self.path.clone(), reasons: damaged })
    }

    /// Makes the checkpoint after `env_steps` the newest, once a run has taken it up: sets aside those
    /// that were passed over, and finishes what a killed process had begun to write or delete.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn set_aside_after(&self, env_steps: u64) -> Result<(), TrainError> {
        for steps in self.steps()?.into_iter().filter(|&steps| steps > env_steps) {
            self.set_aside(&self.path_of(steps))?;
        }
        for name in self.names()?.into_iter().filter(|name| is_unfinished(name)) {
            remove_dir(&self.path.join(name))?;
        }
        self.prune()
    }

    /// Deletes every checkpoint, those set aside too, and what a killed run left half-made; the
    /// directory too where nothing else is left in it.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn delete_all(&self) -> Result<(), TrainError> {
        for name in self.names()? {
            if parse_name(&name).is_some() {
                delete(&self.path.join(&name))?;
            } else if is_unfinished(&name) || is_set_aside(&name) {
                remove_dir(&self.path.join(&name))?;
            }
        }
        // Fails where other files are kept there, which then stay.
        let _ = fs::remove_dir(&self.path);
        Ok(())
    }

    fn set_aside(&self, path: &Path) -> Result<(), TrainError> {
        let names = (1..).map(|n| match n {
            1 => with_end(path, SET_ASIDE),
            n => with_end(path, &format!("{SET_ASIDE}-{n}")),
        });
        for aside in names {
            if files::metadata(&aside).map_err(TrainError::file("open", &aside))?.is_none() {
                fs::rename(path, &aside).map_err(TrainError::file("rename", path))?;
                return files::sync_dir(&self.path).map_err(TrainError::file("sync", &self.path));
            }
        }
        unreachable!("a directory holds finitely many names")
    }

    fn prune(&self) -> Result<(), TrainError> {
        let steps = self.steps()?;
        steps.iter().rev().skip(KEPT).try_for_each(|&old| delete(&self.path_of(old)))
    }

    fn path_of(&self, env_steps: u64) -> PathBuf {
        self.path.join(format!("{env_steps:012}"))
    }

    /// The env steps of every checkpoint, in order.
    fn steps(&self) -> Result<Vec<u64>, TrainError> {
        let mut steps: Vec<u64> =
            self.names()?.iter().filter_map(|name| parse_name(name)).collect();
        steps.sort_unstable();
        Ok(steps)
    }

    /// Everything there, also what is not ours to read.
    fn names(&self) -> Result<Vec<String>, TrainError> {
        let failed = || TrainError::file("list", &self.path);
        if !files::is_dir(&self.path).map_err(failed())? {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(failed())? {
            names.extend(entry.map_err(failed())?.file_name().into_string().ok());
        }
        Ok(names)
    }
}

/// The env steps that a checkpoint's name tells; `None` for any other name.
fn parse_name(name: &str) -> Option<u64> {
    let env_steps = name.parse().ok()?;
    (name == format!("{env_steps:012}")).then_some(env_steps)
}

fn is_unfinished(name: &str) -> bool {
    let name = name.strip_suffix(UNFINISHED);
    let name = name.map(|name| name.strip_suffix(".replaced").unwrap_or(name));
    name.is_some_and(|name| parse_name(name).is_some())
}

fn is_set_aside(name: &str) -> bool {
    name.split_once(SET_ASIDE).is_some_and(|(name, _)| parse_name(name).is_some())
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn read(
    path: &Path,
    env_steps: u64,
    identity: &RunIdentity,
) -> Result<(Manifest, StateDict), CheckpointError> {
    let damaged =
        |file: &str, reason: String| CheckpointError::Damaged { path: path.join(file), reason };
    let read = |file: &str, limit: u64| {
        let failed = |source: std::io::Error| match source.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => damaged(file, "missing".to_owned()),
            ErrorKind::InvalidData => damaged(file, source.to_string()),
            _ => CheckpointError::Read { path: path.join(file), source },
        };
        files::is_dir(path)
            .and_then(|_| files::read_bounded(&path.join(file), limit))
            .map_err(failed)
    };
    let bytes = read(MANIFEST, MAX_MANIFEST_BYTES)?;
    let manifest = Manifest::from_bytes(&path.join(MANIFEST), &bytes)?;
    if manifest.env_steps != env_steps {
        let reason = format!("it is of {} env steps", manifest.env_steps);
        return Err(damaged(MANIFEST, reason));
    }
    identity.check(path, &manifest.identity)?;
    let load = |name: &str| {
        let expected = manifest.files.get(name);
        let expected = expected.ok_or_else(|| damaged(MANIFEST, format!("it omits {name}")))?;
        let bytes = read(name, expected.bytes.min(MAX_FILE_BYTES))?;
        if FileSum::of(&bytes) != *expected {
            return Err(damaged(name, "its checksum differs from the manifest's".to_owned()));
        }
        Ok(bytes)
    };
    let state = StateDict::from_files(&load(ARRAYS)?, &load(VALUES)?)?;
    Ok((manifest, state))
}

/// The reason why a checkpoint cannot be taken up, with its path.
fn located(error: CheckpointError, path: &Path) -> CheckpointError {
    match error {
        located @ (CheckpointError::Damaged { .. } | CheckpointError::Foreign { .. }) => located,
        other => CheckpointError::Damaged { path: path.to_owned(), reason: other.to_string() },
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = fs::File::create_new(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Deletes a checkpoint in such an order that no half of it ever stands under its name.
fn delete(path: &Path) -> Result<(), TrainError> {
    let doomed = with_end(path, UNFINISHED);
    remove_dir(&doomed)?;
    fs::rename(path, &doomed).map_err(TrainError::file("rename", path))?;
    remove_dir(&doomed)
}

fn remove_dir(path: &Path) -> Result<(), TrainError> {
    files::remove_dir_all(path).map_err(TrainError::file("delete", path))
}
