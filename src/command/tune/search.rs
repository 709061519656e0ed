//! Reads the ranges of a search.

use std::path::Path;

use gymnast_core::tune::{Distribution, Scale, SearchSpace};
use gymnast_envs::spelling::whole_number;
use toml::{Table, Value};

use crate::{AgentEntry, command::CommandError, run::read_toml, settings::parse_assignment};

/// How to write ranges, for messages.
const FORMS: &str = "expected uniform(LOW, HIGH), log(LOW, HIGH), int(LOW, HIGH), log_int(LOW, HIGH) \
                     or a list of choices, for example [64, 128]";

/// The largest whole end of a range: trials cannot distinguish larger numbers.
const LARGEST_END: u64 = 1 << 53;

/// Collects the ranges of a file, then those of arguments; a later range of the same key replaces
/// an earlier one. Without any, returns the agent's own.
pub(super) fn gather(
    agent: &AgentEntry,
    file: Option<&Path>,
    assignments: &[String],
) -> Result<Table, CommandError> {
    let mut ranges = Table::new();
    if let Some(file) = file {
        let table = read_toml(file).map_err(|error| CommandError::failed(error.to_string()))?;
        flatten("", table, &mut ranges);
    }
    for text in assignments {
        let (key, value) = parse_assignment(text).map_err(CommandError::usage)?;
        ranges.insert(key, value);
    }
    if ranges.is_empty() {
        for (key, range) in &agent.search_ranges {
            let assignment = format!("{key}={range}");
            let (key, value) = parse_assignment(&assignment).map_err(CommandError::usage)?;
            ranges.insert(key, value);
        }
    }
    if ranges.is_empty() {
        return Err(CommandError::usage(format!(
            "{} has no default ranges: give some, for example --search 'gamma=uniform(0.9,0.999)'",
            agent.name
        )));
    }
    Ok(ranges)
}

/// Flattens `[training] num_envs = …` to `training.num_envs = …`.
fn flatten(prefix: &str, table: Table, flat: &mut Table) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            Value::Table(inner) => flatten(&format!("{key}."), inner, flat),
            value => drop(flat.insert(key, value)),
        }
    }
}

/// Creates the search space of these ranges.
pub(super) fn space(ranges: &Table) -> Result<SearchSpace, CommandError> {
    let parameters: Vec<_> = ranges
        .iter()
        .map(|(key, range)| Ok((key.clone(), parse(key, range)?)))
        .collect::<Result<_, CommandError>>()?;
    Ok(SearchSpace::new(parameters)?)
}

fn parse(key: &str, range: &Value) -> Result<Distribution, CommandError> {
    let wrong = |why: &str| CommandError::usage(format!("{key} = {range}: {why}{FORMS}"));
    let text = match range {
        Value::Array(choices) => {
            if let Some(choice) = choices.iter().find_map(unfit) {
                return Err(wrong(&format!("{choice} cannot be a choice; ")));
            }
            let choices: Result<_, _> = choices.iter().map(serde_json::to_value).collect();
            return Ok(Distribution::Categorical { choices: choices.map_err(|_| wrong(""))? });
        }
        Value::String(text) => text.trim(),
        _ => return Err(wrong("")),
    };
    let (form, ends) = text
        .strip_suffix(')')
        .and_then(|text| text.split_once('('))
        .and_then(|(form, ends)| Some((form.trim(), ends.split_once(',')?)))
        .ok_or_else(|| wrong(""))?;
    let number = |text: &str| text.trim().replace('_', "").parse::<f64>().ok();
    let (Some(low), Some(high)) = (number(ends.0), number(ends.1)) else {
        return Err(wrong("its ends are not numbers; "));
    };
    let whole = |scale| {
        let (low, high) = whole_end(ends.0).zip(whole_end(ends.1)).ok_or_else(|| {
            wrong(&format!("its ends are not whole numbers within ±{LARGEST_END}; "))
        })?;
        Ok(Distribution::Int { low, high, scale })
    };
    match form {
        "uniform" => Ok(Distribution::Float { low, high, scale: Scale::Linear }),
        "log" => Ok(Distribution::Float { low, high, scale: Scale::Log }),
        "int" => whole(Scale::Linear),
        "log_int" => whole(Scale::Log),
        _ => Err(wrong(&format!("there is no `{form}`; "))),
    }
}

/// Reads a whole end of a range exactly: a float would round 9007199254740993.
fn whole_end(text: &str) -> Option<i64> {
    let text = text.trim().replace('_', "");
    let end: Option<i64> = text.parse().ok().or_else(|| whole_number(text.parse().ok()?));
    end.filter(|end| end.unsigned_abs() <= LARGEST_END)
}

/// Returns the part of a choice that is not allowed: a number that is not finite, or a date. JSON,
/// in which trials are recorded, has neither.
fn unfit(choice: &Value) -> Option<&Value> {
    match choice {
        Value::Float(number) if !number.is_finite() => Some(choice),
        Value::Datetime(_) => Some(choice),
        Value::Array(parts) => parts.iter().find_map(unfit),
        Value::Table(parts) => parts.values().find_map(unfit),
        _ => None,
    }
}

/// Suggests another range for a setting that rejected `value` of this one, depending on the type of
/// its value `now`. `None` if the type is right.
pub(super) fn suggest(
    key: &str,
    range: &Distribution,
    value: &serde_json::Value,
    now: Option<&Value>,
) -> Option<String> {
    let is_fraction = value.as_f64().is_some_and(|value| value.fract() != 0.0);
    match (range, now?) {
        (Distribution::Float { low, high, scale }, Value::Integer(_)) if is_fraction => {
            let form = if *scale == Scale::Log { "log_int" } else { "int" };
            let (low, high) = (low.ceil(), high.floor());
            let ends = if low < high { format!("{low}, {high}") } else { "LOW, HIGH".to_owned() };
            Some(format!(
                "{key} is a whole number: expected {form}({ends}) or a list of choices, for example [1, 2, 4]"
            ))
        }
        (Distribution::Categorical { .. }, _) => None,
        (_, Value::Boolean(_)) => Some(format!("{key} is true or false: expected [true, false]")),
        (_, now @ Value::Array(_)) => {
            Some(format!("{key} is a list: expected a list of choices, for example [{now}, …]"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalog, settings};

    fn parse_toml(range: &str) -> Value {
        let (_, value) = parse_assignment(&format!("range={range}")).expect("it is an assignment");
        value
    }

    fn read(range: &str) -> Result<Distribution, String> {
        parse("x", &parse_toml(range)).map_err(|error| error.message().unwrap().to_owned())
    }

    #[test]
    fn ranges_are_read_as_they_are_shown() {
        for range in ["uniform(0.5, 1)", "log(0.001, 1)", "int(-2, 5)", "log_int(1, 1000)"] {
            assert_eq!(read(range).unwrap().to_string(), range);
        }
        assert_eq!(read("log( 1e-3,1e0 )").unwrap(), read("log(0.001, 1)").unwrap());
        assert_eq!(read("int(1, 1_000)").unwrap(), read("int(1, 1e3)").unwrap());
        let most = read("int(1, 9007199254740992)").unwrap();
        assert_eq!(most, Distribution::Int { low: 1, high: 1 << 53, scale: Scale::Linear });
        assert_eq!(read("[[64, 64], [256]]").unwrap().to_string(), "[[64,64],[256]]");
        for (range, part) in [
            ("logg(1, 2)", "no `logg`"),
            ("uniform(1)", "uniform(LOW, HIGH)"),
            ("uniform(a, 2)", "not numbers"),
            ("int(1, 2.5)", "not whole numbers"),
            ("int(1, 9007199254740993)", "within ±9007199254740992"),
            ("int(1, 1e17)", "within ±9007199254740992"),
            ("[nan]", "nan cannot be a choice"),
            ("[0.5, [-inf]]", "-inf cannot be a choice"),
            ("[{ at = 2024-01-01 }]", "2024-01-01 cannot be a choice"),
            ("0.5", "a list of choices"),
        ] {
            let message = read(range).unwrap_err();
            assert!(message.contains(part) && message.contains("x = "), "{message}");
        }
    }

    #[test]
    fn a_range_of_another_kind_is_told_the_right_one() {
        let told = |range: &str, value: serde_json::Value, now: &str| {
            suggest("n", &read(range).unwrap(), &value, Some(&parse_toml(now)))
        };
        for (range, now, part) in [
            ("uniform(1, 4)", "3", "n is a whole number: expected int(1, 4) or a list"),
            ("log(0.5, 8.5)", "3", "expected log_int(1, 8) or a list"),
            ("uniform(0.1, 0.9)", "3", "expected int(LOW, HIGH)"),
            ("uniform(0, 1)", "true", "n is true or false: expected [true, false]"),
            (
                "int(16, 64)",
                "[64, 64]",
                "n is a list: expected a list of choices, for example [[64, 64], …]",
            ),
        ] {
            let told = told(range, 1.5.into(), now).unwrap();
            assert!(told.contains(part), "{told}");
        }
        // The number is out of its bounds, or the setting can be a number: what it says itself is better.
        assert_eq!(told("uniform(0, 4)", 0.0.into(), "3"), None);
        assert_eq!(told("uniform(0, 4)", 1.5.into(), "0.5"), None);
        assert_eq!(told("[1.5, 2]", 1.5.into(), "3"), None);
        assert_eq!(suggest("n", &read("uniform(0, 4)").unwrap(), &1.5.into(), None), None);
    }

    #[test]
    fn every_agent_takes_its_own_ranges_from_end_to_end() {
        for agent in Catalog::builtin().iter() {
            let ranges = gather(agent, None, &[]).map_err(|e| format!("{e:?}")).unwrap();
            for (key, distribution) in space(&ranges).expect("the ranges are sound").iter() {
                for value in distribution.extremes(key).unwrap() {
                    let mut table = agent.defaults.clone();
                    let value = Value::try_from(value).unwrap();
                    settings::set(&mut table, key, value).unwrap();
                    agent.configure(&table).unwrap();
                }
            }
        }
    }
}
