//! One line of a trace.

use serde_json::Value;

use crate::{
    SpaceDescription,
    json_lines::{LineError, object, value},
};

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
        let json = &object(bytes)?;
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
