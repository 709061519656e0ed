//! Checkpoints on disk: written whole or not at all, and checked when they are read.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{CheckpointError, StateDict, TrainError};

const ARRAYS: &str = "arrays.safetensors";
const VALUES: &str = "values.json";
const MANIFEST: &str = "manifest.json";
/// No file of a checkpoint may be larger, so that a damaged length cannot exhaust memory.
const MAX_FILE_BYTES: u64 = 16 << 30;
/// No manifest may be larger.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;
/// The older checkpoints are kept in case the newest is damaged.
const KEPT: usize = 2;

/// What a checkpoint's manifest says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    /// The env steps after which it was taken.
    pub env_steps: u64,
    /// The seconds that the run had taken by then.
    pub wall_time_s: f64,
    /// The same without evaluations and checkpoints.
    pub learning_time_s: f64,
    /// How long each of the run's log files was, in bytes.
    pub logs: BTreeMap<String, u64>,
    files: BTreeMap<String, FileSum>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct FileSum {
    bytes: u64,
    crc32: u32,
}

impl FileSum {
    fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, crc32: crc32fast::hash(bytes) }
    }
}

/// The checkpoints of one run, each a directory named after its env steps.
#[derive(Clone, Debug)]
pub struct CheckpointDir {
    path: PathBuf,
}

impl CheckpointDir {
    /// The checkpoints below `path`, which need not exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Writes a checkpoint: to a temporary name, synced, then renamed. Then deletes all but the
    /// newest two.
    ///
    /// # Errors
    /// [`TrainError::File`]; nothing half-made is left under a checkpoint's name.
    pub fn save(
        &self,
        state: &StateDict,
        env_steps: u64,
        (wall_time_s, learning_time_s): (f64, f64),
        logs: BTreeMap<String, u64>,
    ) -> Result<PathBuf, TrainError> {
        let (arrays, values) = state.to_files()?;
        let files = BTreeMap::from([
            (ARRAYS.to_owned(), FileSum::of(&arrays)),
            (VALUES.to_owned(), FileSum::of(&values)),
        ]);
        let manifest = Manifest { format: 1, env_steps, wall_time_s, learning_time_s, logs, files };
        let manifest = serde_json::to_vec_pretty(&manifest).expect("a manifest is plain data");

        let path = self.path.join(format!("{env_steps:012}"));
        let temporary = self.path.join(format!("{env_steps:012}.tmp"));
        remove_if_there(&temporary)?;
        fs::create_dir_all(&temporary).map_err(TrainError::file("create", &temporary))?;
        for (name, bytes) in [(ARRAYS, &arrays), (VALUES, &values), (MANIFEST, &manifest)] {
            let file = temporary.join(name);
            write_synced(&file, bytes).map_err(TrainError::file("write", &file))?;
        }
        sync_dir(&temporary)?;
        // Only a run that goes back to this very step finds one here: it holds the same.
        remove_if_there(&path)?;
        fs::rename(&temporary, &path).map_err(TrainError::file("rename", &temporary))?;
        sync_dir(&self.path)?;
        self.prune()?;
        Ok(path)
    }

    /// The newest checkpoint that is whole, and the reasons why newer ones were passed over.
    /// `None` where there is none.
    ///
    /// # Errors
    /// [`TrainError::File`] where the directory cannot be listed.
    pub fn newest_good(&self) -> Result<Newest, TrainError> {
        let mut damaged = Vec::new();
        for env_steps in self.steps()?.into_iter().rev() {
            match read(&self.path.join(format!("{env_steps:012}"))) {
                Ok(good) => return Ok(Newest { good: Some(good), damaged }),
                Err(error) => damaged.push(error),
            }
        }
        Ok(Newest { good: None, damaged })
    }

    /// Deletes every checkpoint taken after `env_steps`: a run that goes on from there makes them
    /// anew. Finishes what a process that was killed while it pruned had begun.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn delete_after(&self, env_steps: u64) -> Result<(), TrainError> {
        let later = self.steps()?.into_iter().filter(|&steps| steps > env_steps);
        for steps in later {
            remove_if_there(&self.path.join(format!("{steps:012}")))?;
        }
        self.prune()
    }

    /// Deletes every checkpoint and what a killed run left half-made; the directory too where
    /// nothing else is left in it.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn delete_all(&self) -> Result<(), TrainError> {
        for name in self.names()? {
            if parse_name(name.strip_suffix(".tmp").unwrap_or(&name)).is_some() {
                remove_if_there(&self.path.join(&name))?;
            }
        }
        // Fails where somebody keeps something else there, which then stays.
        let _ = fs::remove_dir(&self.path);
        Ok(())
    }

    fn prune(&self) -> Result<(), TrainError> {
        let steps = self.steps()?;
        for old in steps.iter().rev().skip(KEPT) {
            remove_if_there(&self.path.join(format!("{old:012}")))?;
        }
        Ok(())
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
        let entries = match fs::read_dir(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(TrainError::file("list", &self.path))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(TrainError::file("list", &self.path))?;
            names.extend(entry.file_name().into_string().ok());
        }
        Ok(names)
    }
}

/// What [`CheckpointDir::newest_good`] found.
#[derive(Debug)]
pub struct Newest {
    /// The newest whole checkpoint.
    pub good: Option<(Manifest, StateDict)>,
    /// Why newer ones could not be used.
    pub damaged: Vec<CheckpointError>,
}

/// The env steps that a checkpoint's name tells; `None` for any other name.
fn parse_name(name: &str) -> Option<u64> {
    let env_steps = name.parse().ok()?;
    (name == format!("{env_steps:012}")).then_some(env_steps)
}

fn read(path: &Path) -> Result<(Manifest, StateDict), CheckpointError> {
    let damaged =
        |file: &str, reason: String| CheckpointError::Damaged { path: path.join(file), reason };
    let manifest = read_bounded(&path.join(MANIFEST), MAX_MANIFEST_BYTES)
        .map_err(|error| damaged(MANIFEST, error.to_string()))?;
    let manifest: Manifest =
        serde_json::from_slice(&manifest).map_err(|error| damaged(MANIFEST, error.to_string()))?;
    if manifest.format != 1 {
        let reason = format!("format {}, this version reads format 1", manifest.format);
        return Err(damaged(MANIFEST, reason));
    }
    let load = |name: &str| {
        let expected = manifest.files.get(name);
        let expected = expected.ok_or_else(|| damaged(MANIFEST, format!("it omits {name}")))?;
        let limit = expected.bytes.min(MAX_FILE_BYTES);
        let bytes = read_bounded(&path.join(name), limit)
            .map_err(|error| damaged(name, error.to_string()))?;
        if FileSum::of(&bytes) != *expected {
            return Err(damaged(name, "its checksum differs from the manifest's".to_owned()));
        }
        Ok(bytes)
    };
    let state = StateDict::from_files(&load(ARRAYS)?, &load(VALUES)?)?;
    Ok((manifest, state))
}

fn read_bounded(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let message = format!("longer than the {limit} bytes expected");
        return Err(std::io::Error::new(ErrorKind::InvalidData, message));
    }
    Ok(bytes)
}

fn write_synced(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_dir(path: &Path) -> Result<(), TrainError> {
    // Makes the names durable; only Unix can open a directory for that.
    if cfg!(unix) {
        File::open(path).and_then(|dir| dir.sync_all()).map_err(TrainError::file("sync", path))?;
    }
    Ok(())
}

fn remove_if_there(path: &Path) -> Result<(), TrainError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result.map_err(TrainError::file("delete", path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(count: u64) -> StateDict {
        let mut state = StateDict::new();
        state.insert("count", &count).unwrap();
        state.insert_array("weights", &[3], &[count as f32; 3]);
        state
    }

    fn saved(counts: &[u64]) -> (tempfile::TempDir, CheckpointDir) {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = CheckpointDir::new(folder.path().join("checkpoints"));
        for &count in counts {
            checkpoints.save(&state(count), count, (0.5, 0.25), BTreeMap::new()).unwrap();
        }
        (folder, checkpoints)
    }

    #[test]
    fn the_newest_two_are_kept_and_the_newest_is_read() {
        let (_folder, checkpoints) = saved(&[10, 20, 30]);
        assert_eq!(checkpoints.steps().unwrap(), [20, 30]);
        let (manifest, read) = checkpoints.newest_good().unwrap().good.unwrap();
        assert_eq!((manifest.env_steps, read), (30, state(30)));
    }

    #[test]
    fn whatever_byte_is_damaged_the_older_one_is_used() {
        for name in [ARRAYS, VALUES, MANIFEST] {
            let (_folder, checkpoints) = saved(&[10, 20]);
            let path = checkpoints.path.join("000000000020").join(name);
            let bytes = fs::read(&path).unwrap();
            // Cut short, grown, emptied, and with one bit turned.
            let mut turned = bytes.clone();
            turned[bytes.len() / 2] ^= 0x10;
            let grown = [&bytes[..], b"more"].concat();
            for damage in [&bytes[..bytes.len() - 1], &grown, &[], &turned] {
                fs::write(&path, damage).unwrap();
                let newest = checkpoints.newest_good().unwrap();
                let good = newest.good.unwrap().0.env_steps;
                // A bit of the manifest may turn without consequence, of the others none.
                assert!(good == 10 && newest.damaged.len() == 1 || name == MANIFEST, "{name}");
            }
            fs::remove_file(&path).unwrap();
            assert_eq!(checkpoints.newest_good().unwrap().good.unwrap().0.env_steps, 10);
        }
    }

    #[test]
    fn what_a_killed_run_had_begun_to_prune_is_deleted() {
        let (_folder, checkpoints) = saved(&[10, 20, 30, 40]);
        let half = checkpoints.path.join("000000000005");
        fs::create_dir(&half).unwrap();
        checkpoints.delete_after(40).unwrap();
        assert!(!half.exists());
    }

    #[test]
    fn what_a_killed_run_left_half_made_is_ignored() {
        let (_folder, checkpoints) = saved(&[10]);
        fs::create_dir(checkpoints.path.join("000000000020.tmp")).unwrap();
        fs::create_dir(checkpoints.path.join("000000000030")).unwrap();
        let newest = checkpoints.newest_good().unwrap();
        assert_eq!(newest.good.unwrap().0.env_steps, 10);
        checkpoints.save(&state(20), 20, (0.0, 0.0), BTreeMap::new()).unwrap();
        checkpoints.delete_after(20).unwrap();
        assert_eq!(checkpoints.newest_good().unwrap().good.unwrap().0.env_steps, 20);
    }
}
