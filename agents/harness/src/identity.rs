//! The identity of a run, and differences between configurations.

use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::CheckpointError;

/// The identity of records and checkpoints: a resumed run must have the same.
///
/// A program with a single run in its own directory may use the default, which is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunIdentity {
    /// The name of the agent.
    pub agent: String,
    /// The configuration as TOML, without the seeds.
    pub config: String,
    /// Values of settings that the configuration of an older checkpoint may lack. Not saved.
    #[serde(skip)]
    pub defaults: Table,
    /// The name of the environment.
    pub env: String,
    /// The seed.
    pub seed: u64,
}

impl RunIdentity {
    /// Returns the identity of one seed of a configuration, which may hold `agent.name` and
    /// `env.id`.
    #[must_use]
    pub fn new(config: &Table, seed: u64) -> Self {
        let name = |part: &str, key: &str| {
            let name = config.get(part).and_then(|part| part.get(key)).and_then(Value::as_str);
            name.unwrap_or_default().to_owned()
        };
        let (agent, env) = (name("agent", "name"), name("env", "id"));
        let mut config = config.clone();
        config.remove(SEEDS);
        Self { agent, config: config.to_string(), defaults: Table::new(), env, seed }
    }

    /// Checks that a file which was saved with the identity `saved` belongs to this run.
    ///
    /// # Errors
    /// [`CheckpointError::Foreign`], naming the first difference.
    pub(crate) fn check(&self, path: &Path, saved: &Self) -> Result<(), CheckpointError> {
        let foreign = |Difference { key, was, is }: Difference| CheckpointError::Foreign {
            path: path.to_owned(),
            key,
            was,
            is,
        };
        let table = |text: &str| {
            let parsed: Result<Table, _> = text.parse();
            parsed.map_err(|error| CheckpointError::Damaged {
                path: path.to_owned(),
                reason: format!("its configuration is no TOML: {error}").replace('\n', " "),
            })
        };
        for (key, was, is) in [
            ("seed", saved.seed.to_string(), self.seed.to_string()),
            ("agent.name", saved.agent.clone(), self.agent.clone()),
            ("env.id", saved.env.clone(), self.env.clone()),
        ] {
            if was != is {
                return Err(foreign(Difference { key: key.to_owned(), was, is }));
            }
        }
        match difference(&table(&saved.config)?, &table(&self.config)?, &self.defaults) {
            None => Ok(()),
            Some(found) => Err(foreign(found)),
        }
    }
}

/// The key of a configuration that lists the seeds.
pub(crate) const SEEDS: &str = "seeds";

/// The first key in which two configurations differ, and its two values as TOML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The key, prefixed by the names of its tables.
    pub key: String,
    /// Its value in the first configuration.
    pub was: String,
    /// Its value in the second.
    pub is: String,
}

/// Returns the first difference between a saved configuration and another, in the key order of the
/// saved one. 1 and 1.0 are equal. A key that the saved one lacks has its value of `defaults`.
/// `training.env_threads`, which does not affect results, is ignored.
#[must_use]
pub fn difference(saved: &Table, asked: &Table, defaults: &Table) -> Option<Difference> {
    let [saved, asked] = [saved, asked].map(|config| {
        let mut config = config.clone();
        let training = config.get_mut("training").and_then(Value::as_table_mut);
        training.map(|training| training.remove("env_threads"));
        config
    });
    first_difference(&saved, &asked, defaults)
}

fn first_difference(saved: &Table, asked: &Table, defaults: &Table) -> Option<Difference> {
    let none = Table::new();
    let below = |key: &str| defaults.get(key).and_then(Value::as_table).unwrap_or(&none);
    let keys = saved.keys().chain(asked.keys().filter(|key| !saved.contains_key(*key)));
    for key in keys {
        let (was, is) = (saved.get(key).or_else(|| defaults.get(key)), asked.get(key));
        match (was, is) {
            (Some(Value::Table(was)), Some(Value::Table(is))) => {
                if let Some(inner) = first_difference(was, is, below(key)) {
                    return Some(Difference { key: format!("{key}.{}", inner.key), ..inner });
                }
            }
            (Some(was), Some(is)) if is_same(was, is) => {}
            (was, is) => {
                let text = |value: Option<&Value>| {
                    value.map_or_else(|| "nothing".to_owned(), ToString::to_string)
                };
                return Some(Difference { key: key.clone(), was: text(was), is: text(is) });
            }
        }
    }
    None
}

fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a == b || a.is_nan() && b.is_nan(),
        // As exact as both are: not every whole number is a floating-point number.
        (&Value::Integer(n), &Value::Float(x)) | (&Value::Float(x), &Value::Integer(n)) => {
            n as f64 == x && x as i64 == n
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Table(a), Value::Table(b)) => first_difference(a, b, &Table::new()).is_none(),
        (a, b) => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        text.parse().unwrap()
    }

    fn differ(saved: &str, asked: &str) -> Option<(String, String, String)> {
        difference(&table(saved), &table(asked), &table("[agent]\nnew = 5"))
            .map(|Difference { key, was, is }| (key, was, is))
    }

    #[test]
    fn the_first_key_that_differs_is_named_with_both_values() {
        let triple = |key: &str, was: &str, is: &str| Some((key.into(), was.into(), is.into()));
        assert_eq!(differ("a = 1", "a = 1.0"), None);
        assert_eq!(differ("a = nan\nb = [1, 2]", "b = [1.0, 2]\na = nan"), None);
        assert_eq!(differ("a = 9007199254740993", "a = 9007199254740992.0").unwrap().0, "a");
        let found = differ("[agent]\nalpha = 0.1\nname = 'x'", "[agent]\nname = 'y'\nalpha = 0.2");
        assert_eq!(found, triple("agent.alpha", "0.1", "0.2"));
        assert_eq!(differ("a = true", "a = 1"), triple("a", "true", "1"));
        assert_eq!(differ("a = 1\nb = 2", "a = 1"), triple("b", "2", "nothing"));
        assert_eq!(differ("a = [1, 2]", "a = [1]"), triple("a", "[1, 2]", "[1]"));
        assert_eq!(differ("a = {x = 1}", "a = {x = 1.5}"), triple("a.x", "1", "1.5"));
        assert_eq!(differ("a = [{x = 1}]", "a = [{x = 2}]").unwrap().0, "a");
    }

    #[test]
    fn a_key_that_the_saved_one_lacks_had_its_default() {
        assert_eq!(differ("[agent]\nold = 1", "[agent]\nold = 1\nnew = 5.0"), None);
        let found = differ("[agent]\nold = 1", "[agent]\nold = 1\nnew = 6");
        assert_eq!(found, Some(("agent.new".into(), "5".into(), "6".into())));
        assert_eq!(differ("", "[agent]\nnew = 5"), None);
    }

    #[test]
    fn an_identity_names_what_differs() {
        let config = table("seeds = [0, 1]\n[agent]\nname = 'sarsa'\n[env]\nid = 'Taxi-v4'");
        let identity = RunIdentity::new(&config, 1);
        assert_eq!((identity.agent.as_str(), identity.env.as_str()), ("sarsa", "Taxi-v4"));
        let check =
            |other: &RunIdentity| other.check("file".as_ref(), &identity).unwrap_err().to_string();
        let seed = check(&RunIdentity { seed: 2, ..identity.clone() });
        assert!(seed.contains("seed = 1, not with seed = 2"), "{seed}");
        let env = check(&RunIdentity { env: "Other-v0".to_owned(), ..identity.clone() });
        assert!(env.contains("env.id = Taxi-v4"), "{env}");
        let mut more = config.clone();
        more.insert("seeds".to_owned(), vec![Value::from(1)].into());
        assert!(RunIdentity::new(&more, 1).check("f".as_ref(), &identity).is_ok());
        more.insert("extra".to_owned(), 1.into());
        let extra = check(&RunIdentity::new(&more, 1));
        assert!(extra.contains("extra = nothing, not with extra = 1"), "{extra}");
    }
}
