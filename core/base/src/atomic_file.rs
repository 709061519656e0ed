//! Writes files atomically: whole or not at all.
//!
//! Bytes go to a temporary file in the target's own folder and are synced to the disk; then one
//! rename gives it the target's name, and the folder is synced so that the name survives a power
//! cut. A reader sees the old file or the new one, never a part. A process killed in between leaves
//! at most a hidden `.NAME.PID-N.tmp`, which may be deleted.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::files::{self, folder, sync_name};

/// A file could not be written; the old file at `path`, if any, is unchanged.
///
/// If only the sync of the folder failed, the new file is complete and in place.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {}", path.display(), advice(path, source))]
pub struct WriteError {
    /// The file to write.
    pub path: PathBuf,
    /// The error of the operating system.
    pub source: io::Error,
}

/// Writes `bytes` to `path` and replaces an existing file.
///
/// A symbolic link at `path` is replaced, not followed. The file gets the default permissions of a
/// new file.
///
/// # Errors
/// [`WriteError`] names the path and what to do: the folder is missing, writing is not permitted,
/// the disk is full, or `path` is a folder.
///
/// ```
/// # let folder = std::env::temp_dir().join(format!("atomic-file-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// gymnast_base::atomic_file::write(&folder.join("notes.txt"), b"whole or not at all")?;
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_with(path, |file| file.write_all(bytes))
}

/// Writes `bytes` as [`write()`] does, but leaves it to the system when they reach the disk: after a
/// power cut soon afterwards, the file may be the old one or empty. For what can be made again.
///
/// # Errors
/// As [`write()`].
pub fn write_unsynced(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    replace(path, false, |file| file.write_all(bytes))
}

/// Writes to `path` through a buffered file that `fill` writes to. Use it for contents too large to
/// hold in memory twice.
///
/// # Errors
/// As [`write()`]; an error returned by `fill` leaves `path` untouched and the temporary file removed.
pub fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), WriteError> {
    replace(path, true, fill)
}

fn replace(
    path: &Path,
    synced: bool,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), WriteError> {
    let error = |source| WriteError { path: path.to_owned(), source };
    let Some(name) = path.file_name() else {
        return Err(error(io::Error::new(io::ErrorKind::IsADirectory, "the path names no file")));
    };
    let (temporary, file) = create_locked(folder(path), &name.to_string_lossy()).map_err(error)?;
    // The lock is held until the file has its name: then it is no leftover any more.
    let written = fill_whole(&file, synced, fill).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report; a leftover temporary file is harmless.
        let _ = fs::remove_file(&temporary);
    }
    let named = written.and_then(|()| if synced { sync_name(path) } else { Ok(()) });
    named.map_err(error)
}

/// Deletes the temporary files of killed processes that were writing `targets` in `folder`. Those of
/// processes that still write are locked, and stay.
///
/// # Errors
/// The error of the operating system.
pub fn remove_leftovers(folder: &Path, targets: &[&str]) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if targets.iter().any(|target| is_leftover(&name.to_string_lossy(), target)) {
            remove_leftover(&entry.path())?;
        }
    }
    Ok(())
}

fn remove_leftover(path: &Path) -> io::Result<()> {
    let file = match files::open(path, OpenOptions::new().read(true)) {
        // It has its name by now, or another process has removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        // A link, for example: it is removed, not followed.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            return files::remove_file(path);
        }
        opened => opened?,
    };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Ok(()),
        // In between it may have been given its name.
        _ if !files::is_at(&file, path)? => Ok(()),
        _ => files::remove_file(path),
    }
}

/// Returns whether a file of this name is a temporary file for `target`, of a process that writes it
/// or that was killed while it did.
#[must_use]
pub fn is_leftover(name: &str, target: &str) -> bool {
    let inner = name.strip_prefix(&beginning(target)).and_then(|rest| rest.strip_suffix(".tmp"));
    inner.is_some_and(|inner| inner.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'))
}

fn temporary_beside(folder: &Path, name: &str) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    // Processes of several machines that share the folder may have the same id.
    static MACHINE: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(process::id()));
    let own = format!("{}-{}-{number}", process::id(), *MACHINE);
    folder.join(format!("{}{own}.tmp", beginning(name)))
}

/// Returns the prefix of the names of a target's temporary files.
fn beginning(name: &str) -> String {
    // Names end at 255 bytes on common file systems; room is left for the ends added here.
    let name: String = name.chars().take(40).collect();
    format!(".{name}.")
}

/// Creates a temporary file that is locked as long as it is open, so that [`remove_leftovers`] knows
/// that it is none.
fn create_locked(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    loop {
        let path = temporary_beside(folder, name);
        // A file of this name can only be left over from a dead process that had our id. It is removed,
        // not opened, because in a shared folder it might be a link planted by another user.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = File::create_new(&path)?;
        // A file system without locks has no other processes that look for them.
        let is_ours = match file.try_lock() {
            Ok(()) | Err(TryLockError::Error(_)) => files::is_at(&file, &path)?,
            Err(TryLockError::WouldBlock) => false,
        };
        if is_ours {
            return Ok((path, file));
        }
        // Another process took it for a leftover before it was locked, and removes it. The next has
        // another name, which that process does not know.
    }
}

fn fill_whole(
    file: &File,
    synced: bool,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> io::Result<()> {
    let mut buffered = BufWriter::new(file);
    fill(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    if synced { file.sync_all() } else { Ok(()) }
}

fn advice(path: &Path, source: &io::Error) -> String {
    use io::ErrorKind;
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.display().to_string(),
        _ => "the current folder".to_owned(),
    };
    match source.kind() {
        ErrorKind::NotFound => format!("{folder} does not exist; create it first"),
        ErrorKind::NotADirectory => format!("{folder} is not a folder; choose another path"),
        ErrorKind::PermissionDenied => {
            format!(
                "writing to {folder} is not permitted; change its permissions or choose another path"
            )
        }
        ErrorKind::ReadOnlyFilesystem => {
            format!("{folder} is on a read-only file system; choose another path")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "the disk or your quota is full; free some space or choose another path".to_owned()
        }
        ErrorKind::IsADirectory | ErrorKind::DirectoryNotEmpty => {
            "a folder stands there; choose another name".to_owned()
        }
        ErrorKind::InvalidFilename => {
            "the file name is not allowed here; choose a shorter one".to_owned()
        }
        _ => source.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn writes_and_replaces_without_leftovers() {
        let folder = folder();
        let path = folder.path().join("a.txt");
        write(&path, b"first, and longer").unwrap();
        write(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn what_is_being_written_is_no_leftover() {
        let folder = folder();
        let path = folder.path().join("a.txt");
        write_with(&path, |file| {
            remove_leftovers(folder.path(), &["a.txt"])?;
            file.write_all(b"whole")
        })
        .unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        // Writers, and others that tidy up behind them.
        std::thread::scope(|scope| {
            for i in 0..4 {
                let (folder, path) = (folder.path(), &path);
                scope.spawn(move || {
                    for _ in 0..300 {
                        match i % 2 {
                            0 => write_unsynced(path, b"whole").unwrap(),
                            _ => remove_leftovers(folder, &["a.txt"]).unwrap(),
                        }
                    }
                });
            }
        });
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn what_a_killed_process_left_is_known() {
        let temporary = temporary_beside(Path::new("folder"), "config.toml");
        let name = temporary.file_name().unwrap().to_str().unwrap();
        assert!(is_leftover(name, "config.toml"));
        for other in [".config.toml.tmp.bak", "config.toml", ".config.toml.mine.tmp"] {
            assert!(!is_leftover(other, "config.toml"), "{other}");
        }
        assert!(!is_leftover(name, "summary.json"));
        let folder = folder();
        for file in [name, "config.toml", ".mine.tmp"] {
            write(&folder.path().join(file), b"").unwrap();
        }
        remove_leftovers(folder.path(), &["summary.json", "config.toml"]).unwrap();
        assert_eq!(names(folder.path()), [".mine.tmp", "config.toml"]);
    }

    #[test]
    fn a_failing_writer_leaves_the_old_file_and_no_other() {
        let folder = folder();
        let path = folder.path().join("a.txt");
        write(&path, b"old").unwrap();
        let error = write_with(&path, |file| {
            file.write_all(b"half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        })
        .unwrap_err();
        assert!(
            error.to_string().contains("a.txt") && error.to_string().contains("free some space")
        );
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn errors_name_the_path_and_the_remedy() {
        let folder = folder();
        let missing = write(&folder.path().join("no/such/a.txt"), b"").unwrap_err().to_string();
        assert!(
            missing.contains("no/such/a.txt") && missing.contains("create it first"),
            "{missing}"
        );
        let occupied = write(folder.path(), b"").unwrap_err().to_string();
        assert!(occupied.contains("a folder stands there"), "{occupied}");
        write(&folder.path().join("file"), b"").unwrap();
        let below = write(&folder.path().join("file/a.txt"), b"").unwrap_err().to_string();
        assert!(below.contains("is not a folder"), "{below}");
        assert!(
            write(Path::new("/"), b"").unwrap_err().to_string().contains("a folder stands there")
        );
        let long = write(&folder.path().join("x".repeat(300)), b"").unwrap_err().to_string();
        assert!(long.contains("choose a shorter one"), "{long}");
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error() {
        let device = File::options().write(true).open("/dev/full").unwrap();
        let error = fill_whole(&device, false, |file| file.write_all(b"bytes")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn parallel_writers_each_leave_a_whole_file() {
        let folder = folder();
        let path = folder.path().join("a.bin");
        std::thread::scope(|scope| {
            for byte in 0..4_u8 {
                let path = &path;
                scope.spawn(move || (0..20).for_each(|_| write(path, &[byte; 10_000]).unwrap()));
            }
        });
        let bytes = fs::read(&path).unwrap();
        assert_eq!(bytes.len(), 10_000);
        assert!(bytes.iter().all(|byte| *byte == bytes[0]));
        assert_eq!(names(folder.path()), ["a.bin"]);
    }
}
