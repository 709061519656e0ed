//! Files and directories owned by a process.
//!
//! They are opened without following links, and a file that was removed or replaced is distinguished
//! from the open one.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// Opens a regular file. Anything else at `path` (a link, a directory, a device) is an error.
///
/// # Errors
/// The error of the operating system; [`ErrorKind::InvalidInput`] for anything but a regular file.
pub fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    if let Some(found) = metadata(path)? {
        expect_file(&found)?;
    }
    // A link that is put there in between is refused by the system itself.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = options.open(path)?;
    expect_file(&file.metadata()?)?;
    Ok(file)
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// As [`open`]; [`ErrorKind::InvalidData`] if the file is longer.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path, OpenOptions::new().read(true))?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        let message = format!("expected at most {limit} bytes, got more");
        return Err(io::Error::new(ErrorKind::InvalidData, message));
    }
    Ok(bytes)
}

/// Returns whether a directory exists at `path`. A link or a file there is an error.
///
/// # Errors
/// The error of the operating system; [`ErrorKind::InvalidInput`] for anything but a directory.
pub fn is_dir(path: &Path) -> io::Result<bool> {
    match metadata(path)? {
        None => Ok(false),
        Some(found) if found.is_dir() => Ok(true),
        Some(found) => Err(unexpected(&found, "a directory")),
    }
}

/// Creates a directory unless it exists. A link or a file at `path` is an error.
///
/// # Errors
/// The error of the operating system; [`ErrorKind::InvalidInput`] for anything but a directory.
pub fn create_dir(path: &Path) -> io::Result<()> {
    if is_dir(path)? {
        return Ok(());
    }
    match fs::create_dir(path) {
        // Another process was quicker.
        Err(error) if error.kind() == ErrorKind::AlreadyExists && is_dir(path)? => Ok(()),
        made => made,
    }
}

/// Creates a directory and its parents unless they exist. Links to directories are followed: the
/// caller chose the path.
///
/// # Errors
/// The error of the operating system.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(found) => return Err(unexpected(&found, "a directory")),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    create_dir_all(folder(path))?;
    match fs::create_dir(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Deletes a file if it exists. A link is deleted, not its target.
///
/// # Errors
/// The error of the operating system.
pub fn remove_file(path: &Path) -> io::Result<()> {
    missing_is_ok(fs::remove_file(path))
}

/// Deletes a directory and its contents if it exists. Links are not followed.
///
/// # Errors
/// The error of the operating system.
pub fn remove_dir_all(path: &Path) -> io::Result<()> {
    missing_is_ok(fs::remove_dir_all(path))
}

/// Returns whether `path` still names the open file: false after it was removed, replaced or moved.
///
/// # Errors
/// The error of the operating system.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let Some(named) = metadata(path)? else { return Ok(false) };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let open = file.metadata()?;
        Ok((open.dev(), open.ino()) == (named.dev(), named.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(named.is_file())
    }
}

/// Returns the metadata of `path` without following links; `None` if it does not exist.
///
/// # Errors
/// The error of the operating system.
pub fn metadata(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        found => found.map(Some),
    }
}

/// Syncs the name of a new file or directory to the disk, so that it survives a power cut.
///
/// # Errors
/// The error of the operating system.
pub fn sync_name(path: &Path) -> io::Result<()> {
    sync_dir(folder(path))
}

/// Syncs the names of `path` and of its parents, which may be new as well. Those that may not be read
/// are left out.
///
/// # Errors
/// The error of the operating system.
pub fn sync_names(path: &Path) -> io::Result<()> {
    let mut parents = path.ancestors().filter(|path| !path.as_os_str().is_empty());
    parents.try_for_each(|path| match sync_name(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(()),
        done => done,
    })
}

/// Syncs the names in a directory to the disk. Does nothing outside Unix, which alone can open
/// directories.
///
/// # Errors
/// The error of the operating system.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(path)?.sync_all() {
        // Some network file systems cannot sync a directory; there the name has to do.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {
            Ok(())
        }
        done => done,
    }
}

/// Returns the directory that contains `path`.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn expect_file(found: &Metadata) -> io::Result<()> {
    if found.is_file() { Ok(()) } else { Err(unexpected(found, "a regular file")) }
}

fn unexpected(found: &Metadata, expected: &str) -> io::Error {
    let kind = match found.file_type() {
        kind if kind.is_symlink() => "a link, which is not followed",
        kind if kind.is_dir() => "a directory",
        kind if kind.is_file() => "a file",
        _ => "a device or pipe",
    };
    let message = format!("expected {expected}, found {kind}: move it away");
    io::Error::new(ErrorKind::InvalidInput, message)
}

fn missing_is_ok(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn links_and_pipes_are_refused_and_their_targets_untouched() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        fs::write(&target, "mine").unwrap();
        symlink(&target, &link).unwrap();
        let mut truncate = OpenOptions::new();
        truncate.write(true).create(true).truncate(true);
        let error = open(&link, &mut truncate).unwrap_err().to_string();
        assert!(error.contains("a link, which is not followed"), "{error}");
        assert!(read_bounded(&link, 10).is_err());
        assert_eq!(fs::read(&target).unwrap(), b"mine");
        // A link that leads nowhere makes nothing either.
        symlink(folder.path().join("none"), folder.path().join("dangling")).unwrap();
        assert!(open(&folder.path().join("dangling"), &mut truncate).is_err());
        assert!(!folder.path().join("none").exists());
        symlink(folder.path(), folder.path().join("linked")).unwrap();
        assert!(is_dir(&folder.path().join("linked")).is_err());
        assert!(create_dir(&folder.path().join("linked")).is_err());
        assert!(create_dir(&target).unwrap_err().to_string().contains("found a file"));
        // A pipe would block for ever.
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert!(read_bounded(&pipe, 10).unwrap_err().to_string().contains("pipe"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_replaced_is_told_from_the_open_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let file = open(&path, OpenOptions::new().write(true).create(true)).unwrap();
        assert!(is_at(&file, &path).unwrap());
        fs::rename(&path, folder.path().join("moved")).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        fs::write(&path, "another").unwrap();
        assert!(!is_at(&file, &path).unwrap());
    }

    #[test]
    fn what_is_longer_than_allowed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "12345").unwrap();
        assert_eq!(read_bounded(&path, 5).unwrap(), b"12345");
        assert_eq!(read_bounded(&path, 4).unwrap_err().kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn directories_are_made_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b/c");
        create_dir_all(&path).unwrap();
        create_dir_all(&path).unwrap();
        create_dir(&path).unwrap();
        assert!(is_dir(&path).unwrap() && !is_dir(&path.join("d")).unwrap());
        fs::write(path.join("file"), "").unwrap();
        assert!(create_dir_all(&path.join("file")).is_err());
        assert!(create_dir_all(&path.join("file/below")).is_err());
    }
}
