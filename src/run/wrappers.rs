//! The wrappers of a run's environment, from its configuration.

use gymnast_envs::{EnvSpec, InEvaluation, Registry, Wrapper};
use toml::{Table, Value};

use super::RunError;
use crate::{Catalog, settings};

/// The key of the list in `[env]`.
const KEY: &str = "wrappers";

/// Wraps the environment as its table says, and removes the list from the table.
pub(super) fn take(
    catalog: &Catalog,
    registry: &Registry,
    spec: &EnvSpec,
    env: &mut Table,
) -> Result<EnvSpec, RunError> {
    let Some(list) = env.remove(KEY) else { return Ok(spec.clone()) };
    let json = gymnast_json::to_value(&list)
        .map_err(|error| RunError::Config(format!("env.wrappers = {list}: {error}")))?;
    let wrapped = registry.wrapped(spec, &json)?;
    match wrapped.wrappers().iter().find(|wrapper| !wrapper.serves_evaluation()) {
        Some(wrapper) => Err(refuse(wrapper, catalog)),
        None => Ok(wrapped),
    }
}

/// Explains why a wrapper that learns during training is rejected, and what to do instead.
fn refuse(wrapper: &Wrapper, catalog: &Catalog) -> RunError {
    const SETTING: &str = "normalize_observations";
    let name = wrapper.spec().name();
    let fixed = match wrapper.spec().in_evaluation() {
        InEvaluation::Given(names) if !names.is_empty() => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("set {}, which fixes the statistics", names.join(" and "))
        }
        _ => "leave it out".to_owned(),
    };
    let agents = catalog.iter().filter(|agent| agent.fields.iter().any(|(key, _)| *key == SETTING));
    let agents: Vec<_> = agents.map(|agent| agent.name).collect();
    let own = match agents.is_empty() || name != "NormalizeObservation" {
        true => String::new(),
        false => format!(
            "; or set the agent's {SETTING} = true ({}), which keeps one set of statistics for all \
             environments, fixed in evaluations and saved in its checkpoints",
            agents.join(", ")
        ),
    };
    RunError::Unshared { wrapper: name, advice: format!("{fixed}{own}") }
}

/// Adds the wrappers, if any, to the table of the environment, with every option.
pub(super) fn insert(env: &mut Table, spec: &EnvSpec) {
    let entry = |wrapper: &Wrapper| {
        let mut table = Table::from_iter([("name".to_owned(), wrapper.spec().name().into())]);
        table.extend(settings::to_table(wrapper.options().as_map()));
        Value::Table(table)
    };
    let wrappers: Vec<_> = spec.wrappers().iter().map(entry).collect();
    if !wrappers.is_empty() {
        env.insert(KEY.to_owned(), wrappers.into());
    }
}

/// Reads a list of flags such as `FrameStack(k=4)` and `ClipAction`.
///
/// # Errors
/// A message if a flag is not a name with options.
#[cfg(feature = "command")]
pub(crate) fn parse_flags(flags: &[String]) -> Result<Value, String> {
    Ok(flags.iter().map(|flag| parse_flag(flag)).collect::<Result<Vec<_>, _>>()?.into())
}

#[cfg(feature = "command")]
fn parse_flag(text: &str) -> Result<Value, String> {
    let wrong = || {
        format!(
            "--wrapper `{text}`: expected a name with or without options, for example \"FrameStack(k=4)\""
        )
    };
    let (name, options) = match text.trim().split_once('(') {
        None => (text.trim(), ""),
        Some((name, rest)) => (name.trim(), rest.strip_suffix(')').ok_or_else(wrong)?),
    };
    let (_, Value::Table(options)) = settings::parse_assignment(&format!("options={{{options}}}"))?
    else {
        return Err(wrong());
    };
    if name.is_empty() || options.contains_key("name") {
        return Err(wrong());
    }
    let mut table = Table::from_iter([("name".to_owned(), name.into())]);
    table.extend(options);
    Ok(table.into())
}

#[cfg(all(test, feature = "command"))]
mod tests {
    use super::*;

    #[test]
    fn flags_are_names_with_options() {
        let parse = |flags: &[&str]| {
            let flags: Vec<_> = flags.iter().map(|&flag| flag.to_owned()).collect();
            parse_flags(&flags)
        };
        let list = parse(&["ClipAction", "DiscretizeObservation(bins=[4, 2], low=-.5)"]).unwrap();
        assert_eq!(list[0]["name"].as_str(), Some("ClipAction"));
        assert_eq!(list[1]["bins"][1].as_integer(), Some(2));
        assert_eq!(list[1]["low"].as_float(), Some(-0.5));
        for wrong in ["FrameStack(k=4", "FrameStack(4)", "(k=4)", "", "A(name=1)"] {
            let message = parse(&[wrong]).unwrap_err();
            assert!(message.contains("expected a name"), "{message}");
        }
    }
}
