//! The parts of a configuration.

use std::{fs::File, io::Read as _, path::Path};

use gymnast_envs::{
    EnvError, EnvOption, EnvOptions, EnvSpec,
    spelling::{in_plain_words, misspelt_boolean},
};
use gymnast_harness::Training;
use serde::de::DeserializeOwned;
use toml::{Table, Value};

use super::RunError;
use crate::settings::{self, check_depth, whole_numbers};

/// The parts of a configuration.
const PARTS: [&str; 5] = ["seeds", "agent", "env", "training", "evaluation"];
/// The maximum size of a configuration.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// Reads a TOML file of at most [`MAX_CONFIG_BYTES`].
///
/// # Errors
/// [`RunError::File`].
pub(crate) fn read_toml<T: DeserializeOwned>(path: &Path) -> Result<T, RunError> {
    let error = |reason: String| RunError::File { path: path.to_owned(), reason };
    // Limited while reading: a device has no length and never ends.
    let mut bytes = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(MAX_CONFIG_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|e| error(format!("cannot read it: {e}")))?;
    if read as u64 > MAX_CONFIG_BYTES {
        return Err(error(format!("larger than the {MAX_CONFIG_BYTES} bytes allowed")));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    check_depth(&String::from_utf8_lossy(text)).map_err(|reason| error(format!("it {reason}")))?;
    toml::from_slice(text).or_else(|wrong| {
        // 1e4 is accepted as a count.
        let whole = toml::from_slice::<Table>(text).ok();
        let whole = whole.map(|table| whole_numbers(Value::Table(table)).try_into());
        let is_float = wrong.message().starts_with("invalid type: floating point ");
        let wrong = match whole {
            Some(Ok(read)) => return Ok(read),
            // The float may be right and the error elsewhere.
            Some(Err(other)) if is_float && other.message() != wrong.message() => other,
            _ => wrong,
        };
        // TOML's message about `.5`.
        let lacks_zero = wrong.message().contains("invalid mantissa");
        let hint =
            if lacks_zero { ": a number begins with a digit, 0.5 instead of .5" } else { "" };
        let misspelt = misspelt(&String::from_utf8_lossy(text));
        Err(error(format!("{}{hint}{misspelt}", with_plain_words(&wrong))))
    })
}

/// Rewrites an error in plain words, with the position that TOML gives.
fn with_plain_words(error: &toml::de::Error) -> String {
    let (mut text, message) = (error.to_string(), error.message());
    // The last position: the message may quote the file, which can hold anything.
    if let Some(at) = text.rfind(message) {
        text.replace_range(at..at + message.len(), &in_plain_words(message));
    }
    text.trim_end().to_owned()
}

/// Explains a boolean in another language's spelling, which is not TOML.
fn misspelt(text: &str) -> String {
    let value = |line: &str| Some(line.split_once('=')?.1.split('#').next()?.trim().to_owned());
    let wrong = text.lines().zip(1..).find_map(|(line, number)| {
        let value = value(line).filter(|value| !matches!(value.as_str(), "true" | "false"))?;
        Some(format!("\nline {number}: {value}{}", misspelt_boolean(&value)?))
    });
    wrong.unwrap_or_default()
}

/// Reads a configuration file.
///
/// # Errors
/// [`RunError::File`].
pub fn read_config(path: &Path) -> Result<Table, RunError> {
    let table = read_toml(path)?;
    check_parts(path, &table)?;
    Ok(table)
}

/// Checks that a configuration, read from this file, has no unknown part.
pub(super) fn check_parts(path: &Path, config: &Table) -> Result<(), RunError> {
    let Some(key) = config.keys().find(|key| !PARTS.contains(&key.as_str())) else { return Ok(()) };
    let reason = format!("unknown part `{key}`: the parts are {}", PARTS.join(", "));
    Err(RunError::File { path: path.to_owned(), reason })
}

/// Overlays a configuration: its values replace those below, part by part.
///
/// # Errors
/// [`RunError::Config`] if a part is not a table.
pub fn overlay(below: &mut Table, above: &Table) -> Result<(), RunError> {
    for (name, value) in above {
        match (below.get_mut(name), value) {
            (Some(Value::Table(below)), Value::Table(above)) => below.extend(above.clone()),
            (Some(Value::Table(_)), other) => {
                return Err(RunError::Config(format!("{name} = {other}: expected a table")));
            }
            _ => drop(below.insert(name.clone(), value.clone())),
        }
    }
    Ok(())
}

/// Sets a setting by its name in `--set`: `training.KEY`, `env.KEY`, `evaluation.KEY`, or without a
/// prefix a setting of the agent.
///
/// # Errors
/// [`RunError::Config`] for the names of agent and environment, and if a value is in the way.
#[cfg(feature = "command")]
pub(crate) fn set_key(config: &mut Table, key: &str, value: Value) -> Result<(), RunError> {
    if ["env.id", "agent.name"].contains(&key) {
        let command = "pass it as an argument instead: gymnast train AGENT ENV";
        return Err(RunError::Config(format!("{key}: {command}")));
    }
    crate::settings::set(config, &key_path(key), value).map_err(RunError::Config)
}

/// Returns the path of a setting in a configuration.
#[cfg(feature = "command")]
pub(crate) fn key_path(key: &str) -> String {
    let parts = ["training.", "env.", "agent.", "evaluation."];
    let is_whole = parts.iter().any(|part| key.starts_with(part));
    if is_whole { key.to_owned() } else { format!("agent.{key}") }
}

pub(super) fn part(config: &Table, name: &str) -> Result<Table, RunError> {
    match config.get(name) {
        Some(Value::Table(table)) => Ok(table.clone()),
        Some(other) => Err(RunError::Config(format!("{name} = {other}: expected a table"))),
        None => Err(RunError::Config(format!("the configuration has no [{name}]"))),
    }
}

pub(super) fn take_name(table: &mut Table, part: &str, key: &str) -> Result<String, RunError> {
    match table.remove(key) {
        Some(Value::String(name)) => Ok(name),
        Some(other) => Err(RunError::Config(format!("{part}.{key} = {other}: expected a name"))),
        None => Err(RunError::Config(format!("the configuration has no {part}.{key}"))),
    }
}

/// Returns the seeds of a configuration, in ascending order.
pub(crate) fn read_seeds(config: &Table) -> Result<Vec<u64>, RunError> {
    let value = config.get("seeds").cloned().unwrap_or_else(|| Value::Array(Vec::new()));
    let seeds: Option<Vec<u64>> = whole_numbers(value.clone()).try_into().ok();
    let mut seeds = seeds.filter(|seeds| !seeds.is_empty()).ok_or_else(|| {
        RunError::Config(format!(
            "seeds = {value}: expected numbers from 0 on, for example [0, 1, 2]"
        ))
    })?;
    let count = seeds.len();
    seeds.sort_unstable();
    seeds.dedup();
    if seeds.len() < count {
        return Err(RunError::Config(format!("seeds = {value}: expected each seed once")));
    }
    Ok(seeds)
}

/// Returns all options of an environment: the given ones, and the defaults of the others, so that a
/// default changed later does not change an existing run.
pub(super) fn complete(spec: &EnvSpec, given: &Table) -> Table {
    // TOML has no null: an option that is unset by default is left out.
    let default =
        |option: &EnvOption| Some((option.name.to_owned(), Value::try_from(&option.default).ok()?));
    let mut all: Table = spec.options().iter().filter_map(default).collect();
    let limit = spec.step_limit().map(|limit| i64::from(limit).into());
    all.extend(limit.map(|limit| ("max_episode_steps".to_owned(), limit)));
    for (key, value) in given {
        let value = as_declared(key, all.get(key), value);
        all.insert(key.clone(), value);
    }
    all
}

/// Converts an option's value to the type of its default, so that 10, 10.0 and 1e1 give the same
/// run.
fn as_declared(key: &str, default: Option<&Value>, value: &Value) -> Value {
    match (default, value) {
        (Some(Value::Float(_)), &Value::Integer(n)) => Value::Float(n as f64),
        (Some(Value::Integer(_)), value) => whole_numbers(value.clone()),
        (_, value) if key == "max_episode_steps" => whole_numbers(value.clone()),
        (_, value) => value.clone(),
    }
}

/// Returns all options that differ in evaluations: the given ones and those of the environment.
pub(super) fn complete_evaluation(spec: &EnvSpec, given: &Table) -> Table {
    let own = Value::try_from(spec.evaluation().as_map()).ok();
    let mut all = own.and_then(|own| own.as_table().cloned()).unwrap_or_default();
    let declared = complete(spec, &Table::new());
    let given = given.iter();
    all.extend(given.map(|(key, value)| (key.clone(), as_declared(key, declared.get(key), value))));
    all
}

/// Puts a configuration together from its parts, the seeds first. An empty evaluation is left out.
pub(super) fn put_together(
    seeds: Option<&[u64]>,
    agent: Table,
    env: Table,
    training: &Training,
    evaluation: Table,
) -> Table {
    let seeds = seeds.map(|seeds| ("seeds".to_owned(), seeds_to_toml(seeds)));
    let parts = [("agent", agent), ("env", env), ("training", settings::to_table(training))];
    let evaluation = (!evaluation.is_empty()).then_some(("evaluation", evaluation));
    let parts = parts.into_iter().chain(evaluation);
    let parts = parts.map(|(name, part)| (name.to_owned(), part.into()));
    seeds.into_iter().chain(parts).collect()
}

/// Writes seeds as in a configuration.
pub(crate) fn seeds_to_toml(seeds: &[u64]) -> Value {
    seeds.iter().map(|&seed| Value::Integer(seed as i64)).collect::<Vec<_>>().into()
}

/// Converts a table of options for the environment.
pub(crate) fn env_options(id: &str, table: &Table) -> Result<EnvOptions, RunError> {
    // JSON would turn them into null without a message.
    if let Some((key, value)) = table.iter().find(|(_, value)| !is_finite(value)) {
        let reason = format!("`{key}` = {value}: expected a finite number");
        return Err(EnvError::InvalidOption { id: id.to_owned(), reason }.into());
    }
    let options = serde_json::to_value(table).ok();
    let options = options.and_then(|options| options.as_object().cloned());
    options
        .map(EnvOptions::from)
        .ok_or_else(|| RunError::Config(format!("the options of {id} cannot be written as JSON")))
}

fn is_finite(value: &Value) -> bool {
    match value {
        Value::Float(x) => x.is_finite(),
        Value::Array(values) => values.iter().all(is_finite),
        Value::Table(table) => table.values().all(is_finite),
        _ => true,
    }
}
