//! One line of a trace.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::{EnvError, SpaceDescription};

/// Of what stands in a line, so much is repeated: a whole trace without line breaks should not fill
/// the screen.
const SHOWN: usize = 200;

/// What is wrong with a line of a trace.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LineError {
    /// It could not be read.
    #[error("{0}")]
    Io(std::io::Error),
    /// It is longer than any transition.
    #[error("longer than 1 MiB")]
    TooLong,
    /// It is no JSON.
    #[error("no JSON: {reason}")]
    NoJson {
        /// What is wrong with it, and where in the line.
        reason: String,
    },
    /// It is JSON, but no object.
    #[error("expected a JSON object, got {got}")]
    NoObject {
        /// What stands there.
        got: String,
    },
    /// A key is not there.
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
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        got: String,
    },
    /// It does not fit the environment: no such state or action.
    #[error("{0}")]
    Env(#[from] EnvError),
}

/// One recorded transition.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub(super) state: Vec<f64>,
    pub(super) action: Value,
    pub(super) next_state: Vec<f64>,
    pub(super) reward: f64,
    pub(super) terminated: bool,
}

impl Line {
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, LineError> {
        let json: Value = serde_json::from_slice(bytes).map_err(|error| no_json(&error))?;
        let Value::Object(json) = &json else {
            return Err(LineError::NoObject { got: shown(&json) });
        };
        let list = "a number or a list of numbers";
        let (state, next_state) =
            (value(json, "state", list, numbers)?, value(json, "next_state", list, numbers)?);
        Ok(Self {
            state,
            action: value(json, "action", list, |action| numbers(action).map(|_| action.clone()))?,
            next_state,
            reward: value(json, "reward", "a number", number)?,
            terminated: value(json, "terminated", "true or false", truth)?,
        })
    }
}

fn value<T>(
    json: &Map<String, Value>,
    key: &'static str,
    expected: &'static str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<T, LineError> {
    let value = json.get(key).ok_or(LineError::Missing { key })?;
    read(value).ok_or_else(|| LineError::Malformed { key, expected, got: shown(value) })
}

fn no_json(error: &serde_json::Error) -> LineError {
    let text = error.to_string();
    // The parser saw one line, which is not the first of the trace.
    let reason = text.split(" at line ").next().unwrap_or_default();
    LineError::NoJson { reason: format!("{reason} at column {}", error.column()) }
}

fn shown(value: &Value) -> String {
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn truth(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| value.as_f64().filter(|&x| x == 0.0 || x == 1.0).map(|x| x == 1.0))
}

/// A number, or a truth value as one.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_bool().map(|b| f64::from(u8::from(b))))
}

/// The numbers of a list, or of one number standing alone.
pub(super) fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Array(values) => values.iter().map(number).collect(),
        one => number(one).map(|x| vec![x]),
    }
}

/// The action in the form that its space reads: a list for a box, an integer for a discrete one.
pub(super) fn shaped(action: &Value, space: &SpaceDescription) -> Value {
    let all = numbers(action).unwrap_or_default();
    match (space, &all[..]) {
        (SpaceDescription::Box { .. }, _) => all.into(),
        (SpaceDescription::Discrete { .. }, &[x]) if x.fract() == 0.0 && x.abs() < 1e15 => {
            (x as i64).into()
        }
        _ => action.clone(),
    }
}
