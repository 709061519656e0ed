//! The configuration of a training: preset, then file, then flags.

use std::path::PathBuf;

use gymnast_harness::{Difference, TrainError, difference};
use toml::{Table, Value};

use super::Train;
use crate::{
    Run,
    command::{CommandError, Names, run_dir, seeds},
    run::{CONFIG_FILE, overlay, parse_flags, read_config, read_seeds, set_key},
    settings::{parse_assignment, set},
};

/// Returns the configuration and the directory that the arguments select.
pub(super) fn resolve(args: &Train, names: &Names) -> Result<(Table, PathBuf), CommandError> {
    if args.resume {
        return resume(args, names);
    }
    let file = args.config.as_deref().map(read_config).transpose()?;
    let in_file = |part: &str, key: &str| {
        let value = file.as_ref()?.get(part)?.get(key)?.as_str()?;
        Some(value.to_owned())
    };
    let missing = |what: &str, example: &str| {
        CommandError::usage(format!(
            "no {what} given ({example} lists them): try gymnast train q-learning FrozenLake-v1"
        ))
    };
    // Settings of one agent or environment mean nothing for another.
    let one = |flag: &Option<String>, named: Option<String>, what: &str| match (flag, named) {
        (Some(flag), Some(file)) if *flag != file => Err(CommandError::usage(format!(
            "the configuration has {what} of {file}, not of {flag}: remove one of them"
        ))),
        (flag, named) => Ok(flag.clone().or(named)),
    };
    let agent = one(&args.agent, in_file("agent", "name"), "settings")?;
    let agent = agent.ok_or_else(|| missing("agent", "gymnast agents"))?;
    let env = one(&args.env, in_file("env", "id"), "options")?;
    let env = env.ok_or_else(|| missing("environment", "gymnast envs"))?;
    let mut table = Run::defaults(&names.catalog, &names.registry, &agent, &env)?;
    if let Some(file) = &file {
        overlay(&mut table, file)?;
    }
    set_name(&mut table, "env", "id", &env)?;
    apply_flags(args, names, &mut table)?;
    let dir = args.out.clone().unwrap_or_else(|| run_dir::default(&agent, &env));
    Ok((table, dir))
}

/// Reads the configuration of a run to resume: flags may only repeat it.
fn resume(args: &Train, names: &Names) -> Result<(Table, PathBuf), CommandError> {
    let dir = match (&args.out, &args.agent, &args.env) {
        (Some(dir), _, _) => dir.clone(),
        (None, Some(agent), Some(env)) => run_dir::default(agent, env),
        _ => {
            return Err(CommandError::usage(
                "--resume needs the run's directory: gymnast train --resume --out DIR",
            ));
        }
    };
    if !dir.join(CONFIG_FILE).is_file() {
        return Err(TrainError::NoRun { path: dir }.into());
    }
    let saved = Run::read(&names.catalog, &names.registry, &dir)?.to_table();
    let mut asked = saved.clone();
    if let Some(file) = &args.config {
        overlay(&mut asked, &read_config(file)?)?;
    }
    for (part, key, name) in [("agent", "name", &args.agent), ("env", "id", &args.env)] {
        if let Some(name) = name {
            set_name(&mut asked, part, key, name)?;
        }
    }
    apply_flags(args, names, &mut asked)?;
    // Converted to a run and back, so that omitted settings have their defaults; if that fails, the
    // two differ anyway.
    let asked =
        Run::new(&names.catalog, &names.registry, &asked).map_or(asked, |run| run.to_table());
    if let Some(Difference { key, was, is }) = difference(&saved, &asked, &Table::new()) {
        let dir = run_dir::name(&dir);
        return Err(CommandError::usage(format!(
            "--resume continues {dir} as it was begun, with {key} = {was}; {key} = {is} would be \
             another run: leave the flag out, or begin one with another --out"
        )));
    }
    Ok((saved, dir))
}

fn apply_flags(args: &Train, names: &Names, table: &mut Table) -> Result<(), CommandError> {
    if let Some(seed) = args.seed {
        table.insert("seeds".to_owned(), vec![integer(seed)].into());
    }
    if args.seeds.is_some() || args.first_seed.is_some() {
        let configured = read_seeds(table)?;
        let seeds = seeds::resolve(args.seeds.as_ref(), args.first_seed, 0, &configured)?;
        table.insert("seeds".to_owned(), seeds::to_toml(&seeds));
    }
    for text in &args.set {
        let (key, value) = parse_assignment(text).map_err(CommandError::usage)?;
        set_key(table, &key, value)?;
    }
    if !args.wrapper.is_empty() {
        let wrappers = parse_flags(&args.wrapper).map_err(CommandError::usage)?;
        set(table, "env.wrappers", wrappers).map_err(CommandError::usage)?;
    }
    for (key, value) in [
        ("env_steps", args.steps),
        ("eval_every", args.eval_every),
        ("eval_episodes", args.eval_episodes),
    ] {
        if let Some(value) = value {
            let path = format!("training.{key}");
            set(table, &path, integer(value)).map_err(CommandError::usage)?;
        }
    }
    if args.stop_at_threshold {
        let env = table.get("env").and_then(|env| env.get("id")).and_then(Value::as_str);
        let spec = names.registry.spec(env.unwrap_or_default())?;
        let threshold = spec.threshold().ok_or_else(|| {
            CommandError::usage(format!(
                "--stop-at-threshold: {} has no threshold: set one with --set training.stop_at=X",
                spec.id()
            ))
        })?;
        set(table, "training.stop_at", threshold.into()).map_err(CommandError::usage)?;
    }
    Ok(())
}

/// Converts an argument, which is never larger than TOML allows.
fn integer(value: u64) -> Value {
    Value::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

fn set_name(table: &mut Table, part: &str, key: &str, name: &str) -> Result<(), CommandError> {
    set(table, &format!("{part}.{key}"), name.into()).map_err(CommandError::usage)
}
