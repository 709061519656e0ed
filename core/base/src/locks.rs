//! Locks between processes, also of several machines that share a file system.
//!
//! The operating system holds them (`flock`), and lets go of a lock when its process ends, however it
//! ends: no lock grows stale. What the files hold does not matter.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files;

/// No more is read of what a holder wrote.
const MOST_BYTES: u64 = 300;
/// How often a claim is tried before another process is believed to hold it, and how far apart.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(2);

/// Opens a lock file, created if it is missing, and locks it with `take`, for example
/// [`File::try_lock`]; `None` if another process has it.
///
/// # Errors
/// The error of the operating system; as [`files::open`] for anything but a regular file.
pub fn hold(
    path: &Path,
    take: impl Fn(&File) -> Result<(), TryLockError>,
) -> io::Result<Option<File>> {
    // Never emptied: what stands there may not be ours.
    let options = &mut OpenOptions::new();
    let file = files::open(path, options.read(true).write(true).create(true).truncate(false))?;
    match take(&file) {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::Error(error)) => Err(error),
        Err(TryLockError::WouldBlock) => Ok(None),
    }
}

/// Locks a file like [`hold`], and waits while another process has it.
///
/// # Errors
/// As [`hold`].
pub fn wait(path: &Path) -> io::Result<File> {
    let held = hold(path, |file| file.lock().map_err(TryLockError::Error))?;
    Ok(held.expect("it was waited for"))
}

/// Returns who holds a lock, as its file says: the number of a process and its machine, or nothing
/// if that is not written yet; `None` if no process holds it.
///
/// # Errors
/// As [`hold`].
pub fn holder(path: &Path) -> io::Result<Option<String>> {
    let file = match files::open(path, OpenOptions::new().read(true)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
        Err(TryLockError::WouldBlock) => {
            let mut text = Vec::new();
            file.take(MOST_BYTES).read_to_end(&mut text)?;
            Ok(Some(String::from_utf8_lossy(&text).trim().to_owned()))
        }
    }
}

/// This process, for people.
fn this_process() -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let machine = machine.or_else(|| std::env::var("HOSTNAME").ok());
    let process = std::process::id();
    match machine.as_deref().map(str::trim).filter(|machine| !machine.is_empty()) {
        Some(machine) => format!("process {process} on {machine}\n"),
        None => format!("process {process}\n"),
    }
}

/// A piece of work that this process alone does, as long as this lives.
#[derive(Debug)]
pub struct Claim {
    _lock: File,
    path: PathBuf,
}

impl Claim {
    /// Claims the work that this lock file stands for, and writes into it who has it; `None` if
    /// another process has it for more than some milliseconds, as one has that asks for the
    /// [`holder`].
    ///
    /// # Errors
    /// As [`hold`].
    pub fn take(path: &Path) -> io::Result<Option<Self>> {
        let mut tries = 0;
        loop {
            let Some(lock) = hold(path, File::try_lock)? else {
                tries += 1;
                if tries == TRIES {
                    return Ok(None);
                }
                std::thread::sleep(PAUSE);
                continue;
            };
            // Whoever had it may have ended and removed the file in between.
            if files::is_at(&lock, path)? {
                // For people: nothing depends on it, so that a full disk is no reason to end.
                let _ = lock.set_len(0).and_then(|()| (&lock).write_all(this_process().as_bytes()));
                return Ok(Some(Self { _lock: lock, path: path.to_owned() }));
            }
        }
    }

    /// Gives the claim up and removes its file.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn finish(self) -> io::Result<()> {
        files::remove_file(&self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_is_one_process_s_until_it_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".work.lock");
        std::fs::write(&path, "mine, says nobody").unwrap();
        let claim = Claim::take(&path).unwrap().expect("nobody holds it");
        assert!(Claim::take(&path).unwrap().is_none());
        let holder = holder(&path).unwrap().expect("it is held");
        assert!(holder.starts_with(&format!("process {}", std::process::id())), "{holder}");
        claim.finish().unwrap();
        assert_eq!(super::holder(&path).unwrap(), None);
        assert!(!path.exists());
        drop(Claim::take(&path).unwrap().expect("it was given up"));
        assert_eq!(super::holder(&path).unwrap(), None, "a file alone holds nothing");
        assert!(Claim::take(&path).unwrap().is_some());
    }

    #[test]
    fn a_claim_whose_file_was_removed_holds_another_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".work.lock");
        let _old = Claim::take(&path).unwrap().unwrap();
        std::fs::remove_file(&path).unwrap();
        let _new = Claim::take(&path).unwrap().expect("the lock of a removed file holds nothing");
        assert!(Claim::take(&path).unwrap().is_none());
    }
}
