//! Text files with one JSON object per line, read with errors that say what is wrong with a line.

use std::io::{BufRead, Read as _};

use serde_json::{Map, Value};
use thiserror::Error;

use crate::{EnvError, SpaceError};

/// The maximum length of a line, in bytes.
pub const MAX_LINE: u64 = 1 << 20;
/// The maximum length of a line's text in a message, so that a file without line breaks does not
/// fill the screen.
const SHOWN: usize = 200;

/// Why a line cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LineError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(std::io::Error),
    /// The line is longer than any line that holds one step.
    #[error("longer than 1 MiB")]
    TooLong,
    /// The line is not JSON.
    #[error("not JSON: {reason}")]
    NoJson {
        /// The reason, and its position in the line.
        reason: String,
    },
    /// The line is JSON, but not an object.
    #[error("expected a JSON object, got {got}")]
    NoObject {
        /// The value found.
        got: String,
    },
    /// A key is missing.
    #[error("`{key}` is missing")]
    Missing {
        /// The key.
        key: &'static str,
    },
    /// A value has another form.
    #[error("`{key}`: expected {expected}, got {got}")]
    Malformed {
        /// The key.
        key: &'static str,
        /// The expected value.
        expected: String,
        /// The value found.
        got: String,
    },
    /// The state and action lead the environment to an invalid observation or reward.
    #[error(
        "`state` and `action` lead to {what}: expected {expected}, got {got}. Check these numbers first, \
         then the environment and its options"
    )]
    Step {
        /// "a reward" or "an observation".
        what: &'static str,
        /// The valid values.
        expected: String,
        /// The value returned.
        got: String,
    },
    /// The value does not fit the environment.
    #[error("{0}")]
    Env(#[source] Box<EnvError>),
}

// Boxed, so that the errors that say of which line this is stay small.
impl From<EnvError> for LineError {
    fn from(error: EnvError) -> Self {
        Self::Env(Box::new(error))
    }
}

/// Reads a file line by line and skips empty lines.
#[derive(Debug)]
pub struct Lines<R> {
    reader: R,
    number: usize,
    bytes: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Creates a reader of the lines from here on.
    pub fn new(reader: R) -> Self {
        Self { reader, number: 0, bytes: Vec::new() }
    }

    /// Returns the bytes of the next line, including the end of the line; `None` at the end of the
    /// file.
    ///
    /// # Errors
    /// [`LineError::Io`], [`LineError::TooLong`].
    pub fn next_line(&mut self) -> Result<Option<&[u8]>, LineError> {
        loop {
            self.number += 1;
            self.bytes.clear();
            let mut bounded = self.reader.by_ref().take(MAX_LINE + 1);
            let read = bounded.read_until(b'\n', &mut self.bytes).map_err(LineError::Io)?;
            // Windows' editors begin a file with a byte order mark, which is no part of its text.
            if self.number == 1 && self.bytes.starts_with(b"\xef\xbb\xbf") {
                self.bytes.drain(..3);
            }
            if read as u64 > MAX_LINE {
                return Err(LineError::TooLong);
            }
            if read == 0 {
                return Ok(None);
            }
            if !self.bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(&self.bytes));
            }
        }
    }

    /// Returns the number of the last line read, counted from 1.
    pub fn number(&self) -> usize {
        self.number
    }
}

/// Parses the JSON object of a line.
///
/// # Errors
/// [`LineError::NoJson`], [`LineError::NoObject`].
pub fn object(line: &[u8]) -> Result<Map<String, Value>, LineError> {
    match serde_json::from_slice(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(LineError::NoObject { got: shown(&other) }),
        Err(error) => Err(no_json(&error, line)),
    }
}

/// Returns the value of a key, parsed by `read`, which returns `None` unless it is what was
/// `expected`.
///
/// # Errors
/// [`LineError::Missing`], [`LineError::Malformed`].
pub fn value<T>(
    object: &Map<String, Value>,
    key: &'static str,
    expected: &str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<T, LineError> {
    let value = object.get(key).ok_or(LineError::Missing { key })?;
    let malformed =
        || LineError::Malformed { key, expected: expected.to_owned(), got: shown(value) };
    read(value).ok_or_else(malformed)
}

/// Returns the value of a key as an element of a space, parsed by `read`.
///
/// # Errors
/// [`LineError::Missing`]; [`LineError::Malformed`] if the value is not an element.
pub fn element<T>(
    object: &Map<String, Value>,
    key: &'static str,
    read: impl FnOnce(&Value) -> Result<T, SpaceError>,
) -> Result<T, LineError> {
    let value = object.get(key).ok_or(LineError::Missing { key })?;
    read(value).map_err(|error| match error {
        SpaceError::NotAnElement { expected, .. } => {
            let expected = format!("an element of {expected}");
            LineError::Malformed { key, expected, got: shown(value) }
        }
        other => EnvError::from(other).into(),
    })
}

fn no_json(error: &serde_json::Error, line: &[u8]) -> LineError {
    let text = error.to_string();
    // The parser saw one line, which is not the first of the file.
    let reason = text.split(" at line ").next().unwrap_or_default();
    // Python writes them.
    let line = String::from_utf8_lossy(line);
    let is_python = ["NaN", "Infinity"].iter().any(|name| line.contains(name));
    let hint =
        if is_python { "; NaN and Infinity are not JSON: expected finite numbers" } else { "" };
    LineError::NoJson { reason: format!("{reason} at column {}{hint}", error.column()) }
}

/// Formats a value for a message; a long value is cut short.
pub(crate) fn shown(value: &Value) -> String {
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_as_an_editor_does() {
        let mut lines = Lines::new(&b"{}\n\n  \n[1]\nx"[..]);
        for (line, number) in [("{}\n", 1), ("[1]\n", 4), ("x", 5)] {
            assert_eq!(lines.next_line().unwrap(), Some(line.as_bytes()));
            assert_eq!(lines.number(), number);
        }
        assert_eq!(lines.next_line().unwrap(), None);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        let mut lines = Lines::new(&b"\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n"[..]);
        assert_eq!(lines.next_line().unwrap(), Some(&b"{}\n"[..]));
        // Anywhere else it is damage.
        assert!(object(lines.next_line().unwrap().unwrap()).is_err());
        assert_eq!(Lines::new(&b"\xef\xbb\xbf"[..]).next_line().unwrap(), None);
    }

    #[test]
    fn a_line_as_long_as_a_book_is_an_error() {
        let longest = MAX_LINE as usize;
        let text = [vec![b'1'; longest], b"\n{}".to_vec()].concat();
        assert!(matches!(Lines::new(&text[..]).next_line(), Err(LineError::TooLong)));
        assert!(Lines::new(&text[2..]).next_line().is_ok());
    }

    #[test]
    fn values_say_what_was_expected() {
        let object = object(br#"{"n": "x", "long": "0123456789"}"#).unwrap();
        let error = value(&object, "n", "a number", Value::as_f64).unwrap_err().to_string();
        assert_eq!(error, "`n`: expected a number, got \"x\"");
        let error = value(&object, "m", "a number", Value::as_f64).unwrap_err().to_string();
        assert_eq!(error, "`m` is missing");
        let space = crate::Discrete::new(3);
        let read = |value: &Value| crate::Space::from_jsonable(&space, value);
        let error = element(&object, "n", read).unwrap_err().to_string();
        assert_eq!(error, "`n`: expected an element of Discrete(3), got \"x\"");
        assert!(shown(&Value::from("é".repeat(300))).ends_with('…'));
    }

    #[test]
    fn numbers_that_python_alone_reads_are_named() {
        for line in [r#"{"n": [1, NaN]}"#, r#"{"n": -Infinity}"#] {
            let error = object(line.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("expected finite numbers"), "{error}");
        }
        let error = object(b"{").unwrap_err().to_string();
        assert!(!error.contains("finite"), "{error}");
    }
}
