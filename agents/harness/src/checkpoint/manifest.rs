//! The manifest of a checkpoint, protected by a checksum.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::FileSum;
use crate::{CheckpointError, RunIdentity};

/// The format of a checkpoint's directory. Another is refused.
const FORMAT: u64 = 3;

/// The manifest of a checkpoint.
// In the order of the alphabet, so that the checksum is that of the file's JSON in canonical form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The checksum of the manifest with 0 here, as JSON without spaces.
    crc32: u32,
    /// The env steps taken before it.
    pub env_steps: u64,
    pub(super) files: BTreeMap<String, FileSum>,
    format: u64,
    /// The run it belongs to.
    pub identity: RunIdentity,
    /// The seconds of learning by then, without evaluations and checkpoints.
    pub learning_time_s: f64,
    /// The checksum of each of the run's log files at that moment. Later lines do not matter.
    pub logs: BTreeMap<String, FileSum>,
    /// The version of the library that wrote it.
    version: String,
    /// The seconds of the run by then.
    pub wall_time_s: f64,
}

impl Manifest {
    /// Creates the manifest of a checkpoint after `env_steps`, without times and logs.
    #[must_use]
    pub fn new(identity: RunIdentity, env_steps: u64) -> Self {
        Self {
            crc32: 0,
            env_steps,
            files: BTreeMap::new(),
            format: FORMAT,
            identity,
            learning_time_s: 0.0,
            logs: BTreeMap::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            wall_time_s: 0.0,
        }
    }

    /// The file's bytes, the checksum included.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let summed = Self { crc32: self.checksum(), ..self.clone() };
        serde_json::to_vec_pretty(&summed).expect("a manifest is plain data")
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub(super) fn from_bytes(path: &Path, bytes: &[u8]) -> Result<Self, CheckpointError> {
        let damaged = |reason: String| CheckpointError::Damaged { path: path.to_owned(), reason };
        let invalid = |error: serde_json::Error| damaged(error.to_string());
        let mut value: Value = serde_json::from_slice(bytes).map_err(invalid)?;
        let found = value.get("format").and_then(Value::as_u64);
        let found = found.ok_or_else(|| damaged("it names no format".to_owned()))?;
        if found != FORMAT {
            let version = value.get("version").and_then(Value::as_str).map(str::to_owned);
            value["format"] = FORMAT.into();
            let path = path.to_owned();
            // One of this format of which just that number was changed needs no other version.
            return Err(match serde_json::from_value::<Self>(value) {
                Ok(manifest) if manifest.crc32 == manifest.checksum() => {
                    damaged(format!("format {found}, but the checksum of one of format {FORMAT}"))
                }
                _ => CheckpointError::Format { path, found, reads: FORMAT, version },
            });
        }
        // From the bytes: a key that is there twice would be lost in the value.
        let manifest: Self = serde_json::from_slice(bytes).map_err(invalid)?;
        if manifest.crc32 != manifest.checksum() {
            return Err(damaged("its own checksum differs from what it holds".to_owned()));
        }
        Ok(manifest)
    }

    fn checksum(&self) -> u32 {
        let bare = Self { crc32: 0, ..self.clone() };
        crc32fast::hash(&serde_json::to_vec(&bare).expect("a manifest is plain data"))
    }
}
