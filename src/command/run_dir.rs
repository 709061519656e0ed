//! Reads runs from disk for the subcommands.

use std::path::{Path, PathBuf};

use gymnast_envs::{EnvOptions, EnvSpec, Space};
use gymnast_harness::{
    RunIdentity, RunSeeds, SeedDir, TrainError, Which,
    report::{Returns, RunResults, SeedResults},
};
use toml::{Table, Value};

use super::{CommandError, Names, say, shell};
use crate::{
    Run,
    run::{CONFIG_FILE, read_toml},
    task::Task,
    trained::{LoadedAgent, Place},
};

/// Returns the name of a run's directory, without a trailing slash.
pub(crate) fn name(dir: &Path) -> String {
    dir.components().collect::<PathBuf>().display().to_string()
}

/// Returns the last part of the name of a run's directory.
pub(crate) fn short_name(dir: &Path) -> String {
    dir.file_name().map_or_else(|| name(dir), |name| name.to_string_lossy().into_owned())
}

/// Returns the default directory of a run.
pub(crate) fn default(agent: &str, env: &str) -> PathBuf {
    Path::new("runs").join(default_name(agent, env))
}

/// Returns the name of a run's default directory: one path component, whatever the environment's
/// name.
pub(crate) fn default_name(agent: &str, env: &str) -> String {
    let is_special = |c: char| c.is_control() || ['/', '\\', ':'].contains(&c);
    format!("{agent}-{env}").replace(is_special, "-")
}

/// Returns whether the path names a seed of a run.
fn is_seed(path: &Path) -> bool {
    Place::of(path).seed.is_some()
}

/// Interprets an argument that may be a run's directory or an environment: returns the environment,
/// or `None` for a run.
pub(crate) fn run_or_env<'a>(
    what: &Path,
    names: &'a Names,
) -> Result<Option<&'a EnvSpec>, CommandError> {
    // A path may hold bytes other than UTF-8; an environment's name cannot.
    let Some(id) = what.to_str().filter(|_| !what.is_dir() && !is_seed(what)) else {
        return Ok(None);
    };
    let spec = names.registry.spec(id).map_err(|error| {
        CommandError::usage(format!("{id} is not a run's directory, and {error}"))
    })?;
    Ok(Some(spec))
}

/// Opens a run and the requested seeds: `path` is the run's directory or a seed's.
pub(crate) fn open(path: &Path, names: &Names) -> Result<(Run, Vec<SeedDir>), CommandError> {
    let place = Place::of(path);
    let run = Run::read(&names.catalog, &names.registry, &place.run)?;
    let found = RunSeeds::of(&place.run, &run.to_table())?;
    say_left_out(&found, &name(&place.run));
    let seeds = place.choose(found.own)?;
    if seeds.is_empty() {
        let out = shell::path(&place.run);
        return Err(CommandError::failed(format!(
            "{} holds no seed yet: train it with gymnast train --resume --out {out}",
            name(path)
        )));
    }
    Ok((run, seeds))
}

/// Removes paths that lead to the same place as an earlier one.
pub(crate) fn distinct(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut places = Vec::new();
    let is_new = |path: &&PathBuf| {
        let place = path.canonicalize().unwrap_or_else(|_| (*path).clone());
        let is_new = !places.contains(&place);
        places.push(place);
        is_new
    };
    paths.iter().filter(is_new).cloned().collect()
}

/// Loads a seed's agent from its newest valid checkpoint. Reports newer ones that could not be
/// used.
pub(crate) fn load_agent<O: Space, A: Space>(
    run: &Run,
    task: &Task<O, A>,
    dir: &SeedDir,
) -> Result<LoadedAgent<O, A>, CommandError> {
    let restored = LoadedAgent::read(run, task, dir, Which::Newest)?;
    for error in &restored.passed_over {
        say(&format!("seed {}: an older checkpoint is used because {error}", dir.seed));
    }
    Ok(restored)
}

/// Reads the records of the requested seeds of one run; other seeds are not read. The agent and the
/// environment need not be available.
pub(crate) fn results_of(
    path: &Path,
    threshold: Option<f64>,
    names: &Names,
    is_asked_for: impl Fn(u64) -> bool,
) -> Result<RunResults, CommandError> {
    let place = Place::of(path);
    if !place.run.join(CONFIG_FILE).is_file() {
        return Err(TrainError::NoRun { path: path.to_owned() }.into());
    }
    let config: Table = read_toml(&place.run.join(CONFIG_FILE))?;
    let text = |part: &str, key: &str| {
        let value = config.get(part).and_then(|part| part.get(key));
        value.and_then(Value::as_str).unwrap_or("?").to_owned()
    };
    let env = text("env", "id");
    let spec = names.registry.spec(&env).ok();
    let wrappers = wrapper_names(&config);
    let other = spec.map(|spec| other_options(spec, &config)).unwrap_or_default();
    let title =
        std::iter::once(env).chain(wrappers.iter().cloned()).collect::<Vec<_>>().join(" + ");
    let title = match &other[..] {
        [] => title,
        other => format!("{title} ({})", other.join(", ")),
    };
    let found = RunSeeds::of(&place.run, &config)?;
    say_left_out(&found, &name(&place.run));
    say_missing(&found, &name(&place.run));
    let mut seeds = place.choose(found.own)?;
    seeds.retain(|dir| is_asked_for(dir.seed));
    let identity_of = identities(&config, names);
    let read = |dir: SeedDir| SeedResults::read(&dir, &identity_of(dir.seed));
    Ok(RunResults {
        run: name(path),
        agent: text("agent", "name"),
        threshold: threshold.or_else(|| spec.and_then(EnvSpec::threshold)),
        // It holds for the environment as it is registered alone.
        reference: spec
            .filter(|_| other.is_empty() && wrappers.is_empty())
            .and_then(EnvSpec::reference),
        env: title,
        returns: Returns::Evaluation,
        seeds: seeds.into_iter().map(read).collect::<Result<_, _>>()?,
    })
}

/// Returns the names of the wrappers around a run's environment, from the innermost.
fn wrapper_names(config: &Table) -> Vec<String> {
    let wrappers = config.get("env").and_then(|env| env.get("wrappers")).and_then(Value::as_array);
    let name = |wrapper: &Value| {
        let name = wrapper.get("name").unwrap_or(wrapper).as_str();
        name.unwrap_or("?").to_owned()
    };
    wrappers.into_iter().flatten().map(name).collect()
}

/// Returns the options in which a run's environment, or that of its evaluations, differs from the
/// registered one. Returns of environments that differ are not compared.
fn other_options(spec: &EnvSpec, config: &Table) -> Vec<String> {
    let json = |value: &Value| gymnast_json::to_value(value).ok();
    let part = |name: &str| config.get(name).and_then(Value::as_table).into_iter().flatten();
    let is_default = |key: &str, value: &Value| match key {
        "id" | "wrappers" => true,
        "max_episode_steps" => value.as_integer() == spec.step_limit().map(i64::from),
        key => {
            let option = spec.options().iter().find(|option| option.name == key);
            option.is_some_and(|option| json(value).as_ref() == Some(&option.default))
        }
    };
    let is_evaluated = |key: &str, value: &Value| {
        spec.evaluation().as_map().get(key).is_some_and(|known| json(value).as_ref() == Some(known))
    };
    let options = part("env").filter(|(key, value)| !is_default(key, value));
    let evaluation = part("evaluation").filter(|(key, value)| !is_evaluated(key, value));
    let options = options.map(|(key, value)| format!("{key} = {value}"));
    options
        .chain(evaluation.map(|(key, value)| format!("evaluated with {key} = {value}")))
        .collect()
}

/// Reports the seeds that are left out.
fn say_left_out(found: &RunSeeds, run: &str) {
    for dir in &found.left_out {
        say(&format!("{run}: seed-{} is left out because config.toml does not list it", dir.seed));
    }
}

/// Reports how many of the configuration's seeds exist, if some are missing.
fn say_missing(found: &RunSeeds, run: &str) {
    let (own, listed) = (found.own.len(), found.listed.as_ref().map_or(0, Vec::len));
    if own < listed && own > 0 {
        say(&format!("{run}: {own} of the {listed} seeds in its config.toml exist so far"));
    }
}

/// Returns the expected identity of each seed's records.
fn identities<'a>(config: &'a Table, names: &Names) -> impl Fn(u64) -> RunIdentity + use<'a> {
    let run = Run::new(&names.catalog, &names.registry, config).ok();
    move |seed| match &run {
        Some(run) => run.identity(seed),
        // The defaults of an unknown agent or environment are not available: a setting missing in
        // an older summary is taken from the configuration.
        None => RunIdentity { defaults: config.clone(), ..RunIdentity::new(config, seed) },
    }
}

/// Returns the label of each run in a picture: agent · environment, or its directory if two runs
/// would have the same label.
pub(crate) fn labels(runs: &[RunResults]) -> Vec<String> {
    let short = |run: &RunResults| format!("{} · {}", run.agent, run.env);
    let is_shared = |label: &String| runs.iter().filter(|run| short(run) == *label).count() > 1;
    let label = |run| Some(short(run)).filter(|label| !is_shared(label));
    runs.iter().map(|run| label(run).unwrap_or_else(|| run.run.clone())).collect()
}

/// Reads `--set KEY=VALUE` for an environment without a run; `env.KEY` is accepted too.
pub(crate) fn options(id: &str, set: &[String]) -> Result<EnvOptions, CommandError> {
    let mut table = Table::new();
    for text in set {
        let (key, value) = crate::settings::parse_assignment(text).map_err(CommandError::usage)?;
        let key = key.strip_prefix("env.").unwrap_or(&key);
        crate::settings::set(&mut table, key, value).map_err(CommandError::usage)?;
    }
    Ok(crate::run::env_options(id, &table)?)
}

/// Wraps an environment as the `--wrapper` flags say.
pub(crate) fn wrapped(
    spec: &EnvSpec,
    flags: &[String],
    names: &Names,
) -> Result<EnvSpec, CommandError> {
    let list = crate::run::parse_flags(flags).map_err(CommandError::usage)?;
    let list = gymnast_json::to_value(&list)
        .map_err(|error| CommandError::usage(format!("--wrapper: {error}")))?;
    Ok(names.registry.wrapped(spec, &list)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_directory_is_a_single_name() {
        for env in
            ["../../evil", "/etc/passwd", "a\\b:c", "..", "up/..", "line\nend", "ALE/Pong-v5"]
        {
            let name = default_name("dqn", env);
            assert_eq!(Path::new(&name).components().count(), 1, "{name}");
            assert!(!name.chars().any(char::is_control), "{name}");
            assert_eq!(default("dqn", env).parent().unwrap(), Path::new("runs"));
        }
        assert_eq!(default_name("dqn", "CartPole-v1"), "dqn-CartPole-v1");
    }
}
