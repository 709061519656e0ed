//! Ranges as they are written.

use std::path::Path;

use gymnast_core::tune::{Distribution, Scale, SearchSpace};
use toml::{Table, Value};

use crate::{command::CommandError, run::read_toml, settings::parse_assignment};

/// How ranges are written, for messages.
const FORMS: &str = "expected uniform(LOW, HIGH), log(LOW, HIGH), int(LOW, HIGH), log_int(LOW, HIGH) \
                     or a list of choices, [64, 128] say";

/// The ranges of a file, then those of arguments, of which a later one of the same key counts; where
/// there is neither, the agent's own.
pub(super) fn gather(
    agent: &str,
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
        let own = defaults(agent).into_iter();
        ranges.extend(own.map(|(key, range)| (key.to_owned(), parse_toml(range))));
    }
    if ranges.is_empty() {
        return Err(CommandError::usage(format!(
            "{agent} has no ranges of its own: give some, --search 'gamma=uniform(0.9,0.999)' say"
        )));
    }
    Ok(ranges)
}

/// `[training] num_envs = …` is `training.num_envs = …`.
fn flatten(prefix: &str, table: Table, flat: &mut Table) {
    for (key, value) in table {
        let key = format!("{prefix}{key}");
        match value {
            Value::Table(inner) => flatten(&format!("{key}."), inner, flat),
            value => drop(flat.insert(key, value)),
        }
    }
}

fn parse_toml(range: &str) -> Value {
    let (_, value) = parse_assignment(&format!("range={range}")).expect("it is an assignment");
    value
}

/// The space of ranges as they are written.
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
        return Err(wrong("its ends are no numbers; "));
    };
    let whole = |end: f64| {
        let is_whole = end.fract() == 0.0 && end.abs() < 9e15;
        if is_whole { Ok(end as i64) } else { Err(wrong("its ends are no whole numbers; ")) }
    };
    Ok(match form {
        "uniform" => Distribution::Float { low, high, scale: Scale::Linear },
        "log" => Distribution::Float { low, high, scale: Scale::Log },
        "int" => Distribution::Int { low: whole(low)?, high: whole(high)?, scale: Scale::Linear },
        "log_int" => Distribution::Int { low: whole(low)?, high: whole(high)?, scale: Scale::Log },
        _ => return Err(wrong(&format!("there is no `{form}`; "))),
    })
}

/// The ranges of an agent's own: what is tuned of it most, as far as any environment might need.
fn defaults(agent: &str) -> Vec<(&'static str, &'static str)> {
    let table: &[_] =
        &[("alpha", "log(0.01, 1)"), ("epsilon", "log(0.01, 0.5)"), ("gamma", "uniform(0.9, 1)")];
    let network: &[_] = &[("learning_rate", "log(1e-5, 1e-2)"), ("gamma", "uniform(0.9, 0.999)")];
    let off_policy: &[_] = &[("batch_size", "[32, 64, 128, 256]"), ("tau", "log(1e-3, 0.1)")];
    let actor: &[_] =
        &[("entropy_coefficient", "log(1e-5, 0.1)"), ("value_coefficient", "uniform(0.1, 1)")];
    let parts: [&[_]; 3] = match agent {
        "q-learning" | "double-q" | "sarsa" | "expected-sarsa" | "monte-carlo" => [table, &[], &[]],
        "n-step-sarsa" => [table, &[("n", "log_int(1, 32)")], &[]],
        "sarsa-lambda" => [table, &[("lambda", "uniform(0, 1)")], &[]],
        "dyna-q" | "dyna-q-plus" | "prioritized-sweeping" => {
            [table, &[("planning_steps", "log_int(1, 50)")], &[]]
        }
        "dqn" => [network, off_policy, &[("hidden", "[[64, 64], [128, 128], [256, 256]]")]],
        "rainbow" => {
            [network, off_policy, &[("n_step", "int(1, 5)"), ("noise", "uniform(0.1, 1)")]]
        }
        "ppo" => {
            [network, actor, &[("gae_lambda", "uniform(0.8, 1)"), ("epochs", "log_int(3, 20)")]]
        }
        "a2c" => [network, actor, &[("n_steps", "log_int(4, 64)")]],
        "a3c" => [network, actor, &[("t_max", "log_int(4, 64)")]],
        "reinforce" => [network, actor, &[("episodes_per_update", "log_int(1, 16)")]],
        "sac" => [network, off_policy, &[]],
        "td3" | "ddpg" => [network, off_policy, &[("exploration_noise", "uniform(0.05, 0.5)")]],
        "mbpo" => {
            let model = &[
                ("sac.learning_rate", "log(1e-4, 3e-3)"),
                ("model_learning_rate", "log(1e-4, 1e-2)"),
                ("real_ratio", "uniform(0, 0.5)"),
            ];
            [model, &[], &[]]
        }
        "bc" => {
            let regression =
                &[("learning_rate", "log(1e-5, 1e-2)"), ("weight_decay", "log(1e-6, 0.1)")];
            [regression, &[], &[]]
        }
        _ => [&[], &[], &[]],
    };
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalog, settings};

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
        assert_eq!(read("[[64, 64], [256]]").unwrap().to_string(), "[[64,64],[256]]");
        for (range, part) in [
            ("logg(1, 2)", "no `logg`"),
            ("uniform(1)", "uniform(LOW, HIGH)"),
            ("uniform(a, 2)", "no numbers"),
            ("int(1, 2.5)", "no whole numbers"),
            ("0.5", "a list of choices"),
        ] {
            let message = read(range).unwrap_err();
            assert!(message.contains(part) && message.contains("x = "), "{message}");
        }
    }

    #[test]
    fn every_agent_takes_its_own_ranges_from_end_to_end() {
        for agent in Catalog::builtin().iter() {
            let ranges = gather(agent.name, None, &[]).map_err(|e| format!("{e:?}")).unwrap();
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
