//! Checkpoints on disk: written atomically, checked on reading.

mod file_sum;
mod manifest;
mod names;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use gymnast_core::files;

pub use file_sum::FileSum;
pub(crate) use file_sum::{RunningSum, Summed};
pub use manifest::Manifest;

use crate::{AgentError, CheckpointError, RunIdentity, StateDict, TrainError};
use names::{REPLACED, UNFINISHED, is_set_aside, is_unfinished, with_end};

const ARRAYS: &str = "arrays.safetensors";
const VALUES: &str = "values.json";
const MANIFEST: &str = "manifest.json";
/// No file of a checkpoint may be larger, so that a damaged length cannot exhaust memory.
const MAX_FILE_BYTES: u64 = 16 << 30;
/// No manifest may be larger: a configuration of 1 MiB fits, however its characters are escaped.
const MAX_MANIFEST_BYTES: u64 = 8 << 20;
/// The older checkpoints are kept in case the newest is damaged.
const KEPT: usize = 2;
/// So many of those that were set aside are kept, to be looked into.
const KEPT_ASIDE: usize = 2;

/// The checkpoints of one run; each is a directory named after its env steps.
#[derive(Clone, Debug)]
pub struct CheckpointDir {
    path: PathBuf,
}

/// The newest usable checkpoint.
#[derive(Debug)]
pub struct Newest<T> {
    /// Its manifest.
    pub manifest: Manifest,
    /// The result of restoring its state.
    pub state: T,
    /// Why newer checkpoints were skipped.
    pub damaged: Vec<CheckpointError>,
}

impl CheckpointDir {
    /// Refers to the checkpoints below `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Creates the directory if it does not exist; its parent must exist.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, TrainError> {
        let path = path.into();
        files::create_dir(&path).map_err(TrainError::file("create", &path))?;
        Ok(Self { path })
    }

    /// Writes a checkpoint: to a temporary name, synced to the disk, then renamed. Then deletes all
    /// but the newest two.
    ///
    /// # Errors
    /// [`TrainError::Gone`] if the directory no longer exists; [`TrainError::File`]. An incomplete
    /// checkpoint never remains under a checkpoint's name, nor, if the system lets it be deleted,
    /// under another.
    pub fn save(&self, state: &StateDict, manifest: Manifest) -> Result<PathBuf, TrainError> {
        let path = self.save_as(state, manifest, true)?;
        files::sync_name(&self.path).map_err(TrainError::file("sync", &self.path))?;
        Ok(path)
    }

    /// The same, synced to the disk or not.
    pub(crate) fn save_as(
        &self,
        state: &StateDict,
        manifest: Manifest,
        durable: bool,
    ) -> Result<PathBuf, TrainError> {
        if !files::is_dir(&self.path).map_err(TrainError::file("open", &self.path))? {
            return Err(TrainError::Gone { path: self.path.clone() });
        }
        let path = self.path_of(manifest.env_steps);
        let temporary = with_end(&path, UNFINISHED);
        let written = write(&temporary, state, manifest, durable)
            .and_then(|()| self.put_in_place(&temporary, &path, durable));
        if written.is_err() {
            // The first error is the one to report.
            let _ = files::remove_dir_all(&temporary);
        }
        written?;
        self.prune()?;
        Ok(path)
    }

    /// Renames a checkpoint that was written to its own name.
    fn put_in_place(&self, temporary: &Path, path: &Path, durable: bool) -> Result<(), TrainError> {
        // Only a second save of the same env steps finds one here: the old one makes room, and is deleted
        // last. A process that is killed in between leaves the old one under the name of a replaced one.
        let replaced = with_end(path, REPLACED);
        let is_replaced = files::is_dir(path).map_err(TrainError::file("open", path))?;
        if is_replaced {
            remove_dir(&replaced)?;
            fs::rename(path, &replaced).map_err(TrainError::file("rename", path))?;
        }
        let renamed = fs::rename(temporary, path).map_err(TrainError::file("rename", temporary));
        if renamed.is_err() && is_replaced {
            // The first error is the one to report. Where this fails too, a resumed run finds the old one.
            let _ = fs::rename(&replaced, path);
        }
        renamed?;
        if durable {
            files::sync_dir(&self.path).map_err(TrainError::file("sync", &self.path))?;
        }
        if is_replaced { remove_dir(&replaced) } else { Ok(()) }
    }

    /// Restores the newest usable checkpoint of this run; `None` if there are no checkpoints.
    /// `take_up` gets each intact one, the newest first, until it succeeds.
    ///
    /// Skips checkpoints that are damaged, belong to another run or are rejected by `take_up`. Only
    /// reads: nothing is deleted or moved.
    ///
    /// # Errors
    /// [`TrainError::NoUsableCheckpoint`] if there are checkpoints and none is usable; the system's
    /// error if one cannot be read; [`CheckpointError::Format`] for one of another version; errors
    /// of `take_up` other than [`CheckpointError`]s.
    pub fn newest<T>(
        &self,
        identity: &RunIdentity,
        mut take_up: impl FnMut(&Manifest, StateDict) -> Result<T, TrainError>,
    ) -> Result<Option<Newest<T>>, TrainError> {
        let mut damaged = Vec::new();
        for (env_steps, path) in self.readable()?.into_iter().rev() {
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

    /// Makes the checkpoint after `env_steps` the newest, after a run has restored it: sets aside
    /// those that were skipped, and completes what a killed process had begun to write or delete.
    /// Keeps the newest two of those ever set aside; returns them if some were set aside now.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn set_aside_after(&self, env_steps: u64) -> Result<Vec<PathBuf>, TrainError> {
        self.put_back()?;
        for name in self.names()?.into_iter().filter(|name| is_unfinished(name)) {
            remove_dir(&self.path.join(name))?;
        }
        let mut aside = Vec::new();
        for steps in self.steps()?.into_iter().filter(|&steps| steps > env_steps) {
            aside.push(self.set_aside(&self.path_of(steps))?);
        }
        if !aside.is_empty() {
            self.prune_aside(&mut aside)?;
        }
        self.prune()?;
        Ok(aside)
    }

    /// Gives back the name of each checkpoint that a killed process had moved out of the way, and whose
    /// place was not taken.
    fn put_back(&self) -> Result<(), TrainError> {
        for (env_steps, found) in self.readable()? {
            let path = self.path_of(env_steps);
            if found != path {
                fs::rename(&found, &path).map_err(TrainError::file("rename", &found))?;
                files::sync_dir(&self.path).map_err(TrainError::file("sync", &self.path))?;
            }
        }
        Ok(())
    }

    /// Deletes all but the newest of those that were set aside. `aside` are those of just now: they
    /// count as newer than all others, whatever their env steps. Afterwards it lists those kept.
    fn prune_aside(&self, aside: &mut Vec<PathBuf>) -> Result<(), TrainError> {
        let mut all: Vec<_> = (self.names()?.into_iter())
            .filter_map(|name| {
                let path = self.path.join(&name);
                Some((aside.contains(&path), names::parse_set_aside(&name)?, path))
            })
            .collect();
        all.sort_unstable();
        let kept = all.split_off(all.len().saturating_sub(KEPT_ASIDE));
        *aside = kept.into_iter().map(|(.., path)| path).collect();
        all.iter().try_for_each(|(.., old)| remove_dir(old))
    }

    /// Deletes every checkpoint, including those set aside and incomplete ones, and the directory
    /// if it is then empty.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn delete_all(&self) -> Result<(), TrainError> {
        self.empty()?;
        // Fails where other files are kept there, which then stay.
        let _ = fs::remove_dir(&self.path);
        Ok(())
    }

    /// The same without the directory.
    pub(crate) fn empty(&self) -> Result<(), TrainError> {
        for name in self.names()? {
            if names::parse(&name).is_some() {
                delete(&self.path.join(&name))?;
            } else if is_unfinished(&name) || is_set_aside(&name) {
                remove_dir(&self.path.join(&name))?;
            }
        }
        Ok(())
    }

    /// Gives a checkpoint another name, which is returned.
    fn set_aside(&self, path: &Path) -> Result<PathBuf, TrainError> {
        for aside in (1..).map(|number| names::set_aside(path, number)) {
            if files::metadata(&aside).map_err(TrainError::file("open", &aside))?.is_none() {
                fs::rename(path, &aside).map_err(TrainError::file("rename", path))?;
                files::sync_dir(&self.path).map_err(TrainError::file("sync", &self.path))?;
                return Ok(aside);
            }
        }
        unreachable!("a directory holds finitely many names")
    }

    fn prune(&self) -> Result<(), TrainError> {
        let steps = self.steps()?;
        steps.iter().rev().skip(KEPT).try_for_each(|&old| delete(&self.path_of(old)))
    }

    fn path_of(&self, env_steps: u64) -> PathBuf {
        self.path.join(names::of(env_steps))
    }

    /// The env steps of every checkpoint, in order.
    fn steps(&self) -> Result<Vec<u64>, TrainError> {
        let mut steps: Vec<u64> =
            self.names()?.iter().filter_map(|name| names::parse(name)).collect();
        steps.sort_unstable();
        Ok(steps)
    }

    /// Where each checkpoint is to be read: under its own name, or under that of a replaced one where a
    /// process was killed before another took its place.
    fn readable(&self) -> Result<BTreeMap<u64, PathBuf>, TrainError> {
        let names = self.names()?;
        let with = |parse: fn(&str) -> Option<u64>| {
            let found = names.iter().filter_map(move |name| Some((parse(name)?, name)));
            found.map(|(env_steps, name)| (env_steps, self.path.join(name)))
        };
        // The later entry of the same env steps wins.
        Ok(with(names::parse_replaced).chain(with(names::parse)).collect())
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
        let reason = format!("it was saved after {} env steps", manifest.env_steps);
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
    let state = StateDict::from_files(load(ARRAYS)?, &load(VALUES)?)?;
    Ok((manifest, state))
}

/// The reason why a checkpoint cannot be taken up, with its path.
fn located(error: CheckpointError, path: &Path) -> CheckpointError {
    match error {
        located @ (CheckpointError::Damaged { .. } | CheckpointError::Foreign { .. }) => located,
        other => CheckpointError::Damaged { path: path.to_owned(), reason: other.to_string() },
    }
}

/// Writes a checkpoint's files into a folder, which is made anew.
fn write(
    folder: &Path,
    state: &StateDict,
    mut manifest: Manifest,
    durable: bool,
) -> Result<(), TrainError> {
    let values = state.values_to_bytes()?;
    remove_dir(folder)?;
    fs::create_dir(folder).map_err(TrainError::file("create", folder))?;
    let write = |name: &str, contents: &dyn Fn(&mut Summed) -> std::io::Result<()>| {
        let file = folder.join(name);
        write_new(&file, contents, durable).map_err(TrainError::file("write", &file))
    };
    let arrays = write(ARRAYS, &|file| state.write_arrays(file))?;
    let values = write(VALUES, &|file| file.write_all(&values))?;
    manifest.files = [(ARRAYS.to_owned(), arrays), (VALUES.to_owned(), values)].into();
    let manifest = manifest.to_bytes();
    write(MANIFEST, &|file| file.write_all(&manifest))?;
    if durable {
        files::sync_dir(folder).map_err(TrainError::file("sync", folder))?;
    }
    Ok(())
}

/// Writes a file that must not exist. Returns its sum.
fn write_new(
    path: &Path,
    contents: impl Fn(&mut Summed) -> std::io::Result<()>,
    durable: bool,
) -> std::io::Result<FileSum> {
    let mut file = Summed::new(fs::File::create_new(path)?);
    contents(&mut file)?;
    file.finish(durable)
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
