//! Snapshots of a wrapper: its own part beside the wrapped environment's.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{Env, EnvError, Space};

/// A snapshot of `env` with a wrapper's `own` part.
pub(super) fn save(env: &impl Env, own: impl Serialize) -> Option<Value> {
    Some(json!({ "env": env.save()?, "wrapper": gymnast_json::to_value(&own).ok()? }))
}

/// Restores `env` and returns the wrapper's own part. It is read first, so that a snapshot that
/// does not fit the wrapper leaves the environment as it was.
pub(super) fn restore<T: DeserializeOwned>(
    env: &mut impl Env,
    snapshot: &Value,
) -> Result<T, EnvError> {
    let own = own(snapshot)?;
    env.restore(&snapshot["env"])?;
    Ok(own)
}

/// The wrapper's own part alone, for a wrapper that has more to check before it restores `env`.
pub(super) fn own<T: DeserializeOwned>(snapshot: &Value) -> Result<T, EnvError> {
    gymnast_json::from_value(&snapshot["wrapper"]).map_err(|error| invalid(snapshot, error))
}

/// The error for a snapshot whose own part does not fit.
pub(super) fn invalid(snapshot: &Value, reason: impl std::fmt::Display) -> EnvError {
    EnvError::InvalidState {
        expected: "a wrapper's snapshot: `wrapper` beside `env`".to_owned(),
        got: format!("{} ({reason})", snapshot["wrapper"]),
    }
}

/// Elements as JSON.
pub(super) fn elements_to_json<S: Space>(space: &S, elements: &[S::Element]) -> Vec<Value> {
    elements.iter().map(|element| space.to_jsonable(element)).collect()
}

/// The elements that [`elements_to_json`] wrote, whatever the bounds: an environment may show
/// numbers that its own space leaves out.
pub(super) fn elements_from_json<S: Space>(
    space: &S,
    values: &[Value],
) -> Result<Vec<S::Element>, EnvError> {
    let elements = values.iter().map(|value| space.from_jsonable_unbounded(value));
    Ok(elements.collect::<Result<_, _>>()?)
}

/// The error for a wrapper's parameter.
pub(super) fn invalid_option(wrapper: &str, reason: impl Into<String>) -> EnvError {
    EnvError::InvalidOption { id: wrapper.to_owned(), reason: reason.into() }
}
