//! JSON that keeps every number.
//!
//! JSON has neither NaN nor the infinities, and serde_json writes all three as `null`, which no number
//! can be read from again. Here they are written as the strings `"NaN"`, `"inf"` and `"-inf"`, and read
//! back wherever a number is expected. Everything else is what serde_json writes, byte for byte.
//!
//! Where serde reads a value without knowing its type first (untagged enums, `#[serde(flatten)]`), these
//! strings stay strings, and reading a number from one is an error.
//!
//! ```
//! let text = gymnast_json::to_string(&[0.5, f64::NEG_INFINITY])?;
//! assert_eq!(text, r#"[0.5,"-inf"]"#);
//! assert_eq!(gymnast_json::from_slice::<[f64; 2]>(text.as_bytes())?, [0.5, f64::NEG_INFINITY]);
//! # Ok::<(), gymnast_json::Error>(())
//! ```

mod reader;
mod writer;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// What serde_json says of a value that it cannot write or read.
pub use serde_json::Error;

use reader::Reader;
use writer::Written;

/// How NaN is written.
pub const NAN: &str = "NaN";
/// How +∞ is written.
pub const INFINITY: &str = "inf";
/// How −∞ is written.
pub const NEG_INFINITY: &str = "-inf";

/// Writes a value as a [`Value`].
///
/// # Errors
/// Where JSON cannot hold it: a map whose keys are no text, for one.
pub fn to_value<T: Serialize + ?Sized>(value: &T) -> Result<Value, Error> {
    serde_json::to_value(Written(value))
}

/// Writes a value as one line of text.
///
/// # Errors
/// As [`to_value`].
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string(&Written(value))
}

/// Writes a value as text over several lines.
///
/// # Errors
/// As [`to_value`].
pub fn to_string_pretty<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string_pretty(&Written(value))
}

/// Reads a value from what [`to_value`] wrote.
///
/// # Errors
/// Where the value has another form.
pub fn from_value<T: DeserializeOwned>(value: &Value) -> Result<T, Error> {
    T::deserialize(Reader(value))
}

/// Reads a value from text, all of it.
///
/// # Errors
/// Where it is no JSON or the value has another form.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> Result<T, Error> {
    let mut source = serde_json::Deserializer::from_slice(text);
    let value = T::deserialize(Reader(&mut source))?;
    source.end()?;
    Ok(value)
}

/// The text of a number that JSON lacks; `None` for a finite one.
fn name(x: f64) -> Option<&'static str> {
    match x {
        f64::INFINITY => Some(INFINITY),
        f64::NEG_INFINITY => Some(NEG_INFINITY),
        x if x.is_nan() => Some(NAN),
        _ => None,
    }
}

/// The number of such a text.
fn number(text: &str) -> Option<f64> {
    match text {
        NAN => Some(f64::NAN),
        INFINITY => Some(f64::INFINITY),
        NEG_INFINITY => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
