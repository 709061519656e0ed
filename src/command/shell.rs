//! Quotes names for a shell, for the commands that messages suggest.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use gymnast_core::text::escape_name;

/// Quotes a path as one word of a shell, without a trailing slash.
pub(super) fn path(path: &Path) -> String {
    let path: PathBuf = path.components().collect();
    // An argument that begins with a dash is read as an option.
    let is_option = path.as_os_str().as_encoded_bytes().starts_with(b"-");
    word(if is_option { Path::new(".").join(path) } else { path })
}

/// Quotes a name as one word of a shell, if it holds anything but letters, digits and `_-./:,+@%`.
///
/// Text that a terminal cannot or should not show is written as `$'…'`, which sh reads since POSIX
/// 2024 and Bash, Zsh and Ksh always have.
pub(super) fn word(name: impl AsRef<OsStr>) -> String {
    let name = name.as_ref();
    match name.to_str() {
        Some(text) if is_plain(text) => text.to_owned(),
        Some(text) if escape_name(text) == text => format!("'{}'", text.replace('\'', r"'\''")),
        _ => escaped(name.as_encoded_bytes()),
    }
}

fn is_plain(text: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:,+@%".contains(c);
    !text.is_empty() && text.chars().all(is_plain)
}

fn escaped(bytes: &[u8]) -> String {
    let mut text = "$'".to_owned();
    for &byte in bytes {
        match byte {
            b'\'' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            byte => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    text + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_where_it_must_be() {
        for (name, expected) in [
            ("runs/dqn-CartPole-v1", "runs/dqn-CartPole-v1"),
            ("läufe/a", "läufe/a"),
            ("my run", "'my run'"),
            ("it's", r"'it'\''s'"),
            ("$HOME; rm *", "'$HOME; rm *'"),
            ("~/run", "'~/run'"),
            ("", "''"),
            ("a\nb", r"$'a\012b'"),
            ("it's\t\\", r"$'it\'s\011\\'"),
            ("\u{202e}x", r"$'\342\200\256x'"),
        ] {
            assert_eq!(word(name), expected);
        }
    }

    #[test]
    fn a_path_is_no_option_and_ends_without_a_slash() {
        for (name, expected) in [("run/", "run"), ("./run//a", "./run/a"), ("-run", "./-run")] {
            assert_eq!(path(Path::new(name)), expected);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_what_was_meant() {
        use std::{os::unix::ffi::OsStrExt as _, process::Command};
        let plain: &[&[u8]] = &[b"my run", b"it's", b"$HOME `x` \"y\" \\ *", b"a=b", b"~", b""];
        let shown: &[&[u8]] = &[b"r\xff", b"a\nb", b"'\x1b[31m\\"];
        // Not every sh reads `$'…'` yet.
        for (shell, names) in [("sh", plain), ("bash", plain), ("bash", shown)] {
            for name in names {
                let script = format!("printf %s {}", word(OsStr::from_bytes(name)));
                let Ok(output) = Command::new(shell).args(["-c", &script]).output() else {
                    continue;
                };
                assert_eq!(output.stdout, *name, "{shell}: {script}");
            }
        }
    }
}
