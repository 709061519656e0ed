//! Options of an environment's constructor.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::{
    EnvError,
    spelling::{did_you_mean, in_plain_words, misspelt_boolean, nearest, whole_number},
};

/// The option that every environment accepts.
const LIMIT: &str = "max_episode_steps";

/// One option of an environment's constructor, as data for listings.
#[derive(Clone, Debug, PartialEq)]
pub struct EnvOption {
    /// The name.
    pub name: &'static str,
    /// The default.
    pub default: Value,
    /// The documentation.
    pub doc: &'static str,
}

/// Options of an environment's constructor by name (Gymnasium's `make(id, **kwargs)`).
///
/// Every environment accepts `max_episode_steps`, which overrides the registered limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EnvOptions(Map<String, Value>);

impl EnvOptions {
    /// Creates an empty set of options: the environment as registered.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds an option.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    /// Returns the options as a map.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Reads the options into a structure. Give the structure
    /// `#[serde(default, deny_unknown_fields)]`.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`], which names the option.
    pub fn parse<T: DeserializeOwned>(&self, id: &str) -> Result<T, EnvError> {
        let mut own = self.clone();
        own.0.remove(LIMIT);
        own.parse_all(id)
    }

    /// Reads the options, including the structure's own `max_episode_steps` if it has one.
    pub(crate) fn parse_all<T: DeserializeOwned>(&self, id: &str) -> Result<T, EnvError> {
        let mut own = self.0.clone();
        let alone = |key: &String, value: Value| {
            let only = Value::Object(Map::from_iter([(key.clone(), value)]));
            // Other missing options are not the fault of this one.
            let is_own =
                |error: &serde_json::Error| !error.to_string().starts_with("missing field");
            serde_json::from_value::<T>(only).err().filter(is_own)
        };
        // 1e4 is accepted as a count.
        for (key, value) in &mut own {
            let whole = whole_numbers(value.clone());
            if whole != *value
                && alone(key, value.clone()).is_some()
                && alone(key, whole.clone()).is_none()
            {
                *value = whole;
            }
        }
        serde_json::from_value(Value::Object(own.clone())).map_err(|error| {
            // A type error does not name the option, so the options are read one by one.
            let alone = |(key, value): (&String, &Value)| {
                let error = alone(key, whole_numbers(value.clone()))?;
                let spelling = value.as_str().and_then(misspelt_boolean).unwrap_or_default();
                let error = in_plain_words(&error.to_string());
                Some(format!("`{key}` = {value}: {error}{spelling}"))
            };
            let whole = || in_plain_words(&error.to_string());
            let reason = own.iter().find_map(alone).unwrap_or_else(whole);
            EnvError::InvalidOption { id: id.to_owned(), reason }
        })
    }

    /// Checks that each option is one of `known` or `max_episode_steps`.
    pub(crate) fn expect_known(&self, id: &str, known: &[EnvOption]) -> Result<(), EnvError> {
        self.expect_names(id, || known.iter().map(|option| option.name).chain([LIMIT]))
    }

    /// Checks that each option is one of `names`.
    pub(crate) fn expect_names<'a, I: Iterator<Item = &'a str>>(
        &self,
        id: &str,
        names: impl Fn() -> I,
    ) -> Result<(), EnvError> {
        let Some(key) = self.0.keys().find(|key| names().all(|name| name != *key)) else {
            return Ok(());
        };
        let meant = did_you_mean(nearest(key, names()).as_deref());
        let names = names().collect::<Vec<_>>().join(", ");
        let names = if names.is_empty() { "none".to_owned() } else { names };
        let reason = format!("there is no option `{key}`{meant}: the options are {names}");
        Err(EnvError::InvalidOption { id: id.to_owned(), reason })
    }

    /// Returns the option `max_episode_steps` of the environment `id`. `None` if it is not set.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] unless it is a positive whole number.
    pub fn max_episode_steps(&self, id: &str) -> Result<Option<u32>, EnvError> {
        let Some(value) = self.0.get(LIMIT) else { return Ok(None) };
        let steps =
            whole_numbers(value.clone()).as_u64().and_then(|steps| u32::try_from(steps).ok());
        steps.filter(|&steps| steps > 0).map(Some).ok_or_else(|| EnvError::InvalidOption {
            id: id.to_owned(),
            reason: format!("max_episode_steps must be a positive integer, got {value}"),
        })
    }
}

/// Converts whole floats to integers.
fn whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => match number.as_f64().and_then(whole_number) {
            Some(whole) => whole.into(),
            None => Value::Number(number),
        },
        Value::Array(values) => values.into_iter().map(whole_numbers).collect(),
        other => other,
    }
}

impl From<Map<String, Value>> for EnvOptions {
    fn from(options: Map<String, Value>) -> Self {
        Self(options)
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Options {
        rows: u32,
        shape: Vec<u8>,
        slippery: bool,
        share: f64,
    }

    #[test]
    fn a_whole_float_is_a_count_where_one_is_expected() {
        let read = |options: EnvOptions| options.parse::<Options>("Maze-v0");
        let all = EnvOptions::none().with("rows", 1e4).with("shape", vec![3.0, 4.0]);
        let options = read(all.with("share", 2.0)).unwrap();
        let expected = Options { rows: 10_000, shape: vec![3, 4], slippery: false, share: 2.0 };
        assert_eq!(options, expected);
        for count in [1.5, -1.0, 1e300] {
            let error = read(EnvOptions::none().with("rows", count)).unwrap_err().to_string();
            assert!(error.contains("`rows` = "), "{error}");
            assert!(error.contains("expected a whole number from 0 to 4294967295"), "{error}");
        }
        let limit = |steps: f64| EnvOptions::none().with(LIMIT, steps).max_episode_steps("Maze-v0");
        assert!(limit(1e2).unwrap() == Some(100) && limit(1.5).is_err());
    }

    #[test]
    fn a_misspelt_boolean_is_told_the_spelling() {
        for (value, part) in [("False", "write false"), ("TRUE", "write true")] {
            let options = EnvOptions::none().with("slippery", value);
            let error = options.parse::<Options>("Maze-v0").unwrap_err().to_string();
            assert!(error.contains("`slippery` = ") && error.contains(part), "{error}");
        }
    }
}
