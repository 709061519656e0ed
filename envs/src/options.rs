//! Options of an environment's constructor.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{EnvError, spelling::nearest};

/// The option that every environment understands.
const LIMIT: &str = "max_episode_steps";

/// One option of an environment's constructor, as data: for listings.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvOption {
    /// Its name.
    pub name: &'static str,
    /// What it is unless set.
    pub default: Value,
    /// What it means.
    pub doc: &'static str,
}

/// Options of an environment's constructor by name (Gymnasium's `make(id, **kwargs)`).
///
/// `max_episode_steps` is understood for every environment and overrides the registered limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnvOptions(Map<String, Value>);

impl EnvOptions {
    /// No options: the environment as registered.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The same options with one more.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// The options as a map.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Reads the options as a structure; give it `#[serde(default, deny_unknown_fields)]`.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] naming the option.
    pub fn parse<T: DeserializeOwned>(&self, id: &str) -> Result<T, EnvError> {
        let mut own = self.0.clone();
        own.remove(LIMIT);
        serde_json::from_value(Value::Object(own.clone())).map_err(|error| {
            // A type error does not say where it is, so the options are read one by one.
            let alone = |(key, value): (&String, &Value)| {
                let one = Map::from_iter([(key.clone(), value.clone())]);
                let error = serde_json::from_value::<T>(Value::Object(one)).err()?;
                Some(format!("`{key}` = {value}: {error}"))
            };
            let reason = own.iter().find_map(alone).unwrap_or_else(|| error.to_string());
            EnvError::InvalidOption { id: id.to_owned(), reason }
        })
    }

    /// Nothing where each option is one of `known` or `max_episode_steps`.
    pub(crate) fn expect_known(&self, id: &str, known: &[EnvOption]) -> Result<(), EnvError> {
        let names = || known.iter().map(|option| option.name).chain([LIMIT]);
        let Some(key) = self.0.keys().find(|key| names().all(|name| name != *key)) else {
            return Ok(());
        };
        let meant = nearest(key, names()).map(|name| format!(", did you mean `{name}`?"));
        let (meant, names) = (meant.unwrap_or_default(), names().collect::<Vec<_>>().join(", "));
        let reason = format!("there is no option `{key}`{meant}: the options are {names}");
        Err(EnvError::InvalidOption { id: id.to_owned(), reason })
    }

    pub(crate) fn max_episode_steps(&self, id: &str) -> Result<Option<u32>, EnvError> {
        let Some(value) = self.0.get(LIMIT) else { return Ok(None) };
        let steps = value.as_u64().and_then(|steps| u32::try_from(steps).ok());
        steps.filter(|&steps| steps > 0).map(Some).ok_or_else(|| EnvError::InvalidOption {
            id: id.to_owned(),
            reason: format!("max_episode_steps must be a positive integer, got {value}"),
        })
    }
}

impl From<Map<String, Value>> for EnvOptions {
    fn from(options: Map<String, Value>) -> Self {
        Self(options)
    }
}
