//! Checkpoints: arrays and values by name, and a file that holds them.
//!
//! A type with state implements [`Checkpoint`] and writes its parts to a [`StateDict`]. [`save`]
//! writes the state to one safetensors file, which Python can read, and [`load`] checks the file
//! before any of it is used.
//!
//! ```
//! use gymnast_core::checkpoint::{self, StateDict};
//!
//! # let folder = std::env::temp_dir().join(format!("checkpoint-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! let path = folder.join("model.safetensors");
//! let mut state = StateDict::new();
//! state.insert_array("weight", &[2, 2], &[1.0_f32, 2.0, 3.0, 4.0]);
//! state.insert("epoch", &7)?;
//! checkpoint::save(&path, &state)?;
//! assert_eq!(checkpoint::load(&path)?, state);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checked;
mod error;
mod state_dict;

use std::{io::ErrorKind, path::Path};

pub use error::CheckpointError;
pub use gymnast_base::hash::fingerprint;
pub use state_dict::{Array, Checkpoint, Number, StateDict};

use crate::{atomic_file, files};

/// The largest file that is read: a malicious file cannot exhaust the memory.
const MAX_BYTES: u64 = 16 << 30;

/// Writes a state to a file atomically.
///
/// # Errors
/// [`CheckpointError::Write`]; an existing file is then unchanged.
pub fn save(path: &Path, state: &StateDict) -> Result<(), CheckpointError> {
    Ok(atomic_file::write_with(path, |file| state.write(file))?)
}

/// Reads a file that [`save`] wrote.
///
/// # Errors
/// [`CheckpointError::Read`]; [`CheckpointError::Damaged`] if the file is not a checkpoint, was
/// truncated or changed.
pub fn load(path: &Path) -> Result<StateDict, CheckpointError> {
    let damaged = |reason: String| CheckpointError::Damaged { path: path.to_owned(), reason };
    // The caller chose the path: a link that stands there is followed.
    let bytes = std::fs::canonicalize(path)
        .and_then(|path| files::read_bounded(&path, MAX_BYTES))
        .map_err(|source| match source.kind() {
            ErrorKind::InvalidData => damaged(source.to_string()),
            _ => CheckpointError::Read { path: path.to_owned(), source },
        })?;
    StateDict::from_bytes(bytes).map_err(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> StateDict {
        let mut state = StateDict::new();
        state.insert_array("weights", &[2, 3], &[1.0_f32, 2.0, 3.0, -0.0, f32::MIN, 1e-40]);
        state.insert_array("none", &[0], &[0_u64; 0]);
        state.insert("network", &vec!["dense", "relu"]).unwrap();
        state
    }

    #[test]
    fn the_same_state_makes_the_same_bytes() {
        let bytes = |state: &StateDict| {
            let mut bytes = Vec::new();
            state.write(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(bytes(&state()), bytes(&state()));
        let empty = StateDict::new();
        assert_eq!(StateDict::from_bytes(bytes(&empty)).unwrap(), empty);
    }

    #[test]
    fn a_file_with_any_byte_changed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.safetensors");
        save(&path, &state()).unwrap();
        assert_eq!(load(&path).unwrap(), state());
        let bytes = std::fs::read(&path).unwrap();
        for place in 0..bytes.len() {
            let mut turned = bytes.clone();
            turned[place] ^= 0x10;
            std::fs::write(&path, &turned).unwrap();
            // A space more or less in the header is the same state.
            assert!(load(&path).map_or(true, |read| read == state()), "byte {place}");
            std::fs::write(&path, &bytes[..place]).unwrap();
            assert!(matches!(load(&path), Err(CheckpointError::Damaged { .. })), "cut at {place}");
        }
        let missing = load(&folder.path().join("nothing"));
        assert!(matches!(missing, Err(CheckpointError::Read { .. })));
    }
}
