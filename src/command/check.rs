//! `gymnast check`: checks an environment and advises its author.

use std::{io::Write, process::ExitCode};

use gymnast_envs::Wrapper;
use serde_json::json;

use super::{CommandError, Names, run_dir, write_json};

/// Check an environment for what agents rely on, and advise how to fix it
#[derive(clap::Args)]
#[command(after_help = "The exit status is 1 if there are errors; warnings alone leave it 0.\n\n\
    Examples:\n  \
    gymnast check CartPole-v1\n  \
    gymnast check FrozenLake-v1 --set map_name=8x8 --json\n  \
    gymnast check CartPole-v1 --wrapper 'FrameStack(k=4)' --wrapper FlattenObservation")]
pub(crate) struct Check {
    /// The environment (gymnast envs lists them)
    env: String,
    /// Set an option of the environment (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Wrap the environment; the first wrapper is innermost (repeatable; gymnast wrappers lists
    /// them)
    #[arg(long, value_name = "NAME(KEY=VALUE,…)")]
    wrapper: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(
    args: &Check,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let spec = &run_dir::wrapped(names.registry.spec(&args.env)?, &args.wrapper, names)?;
    let options = run_dir::options(spec.id(), &args.set)?;
    // Invalid options are the caller's fault, not the environment's.
    spec.spaces(&options)?;
    let report = spec.check(&options);
    if args.json {
        let wrappers: Vec<_> = spec.wrappers().iter().map(Wrapper::to_json).collect();
        let (id, is_ok) = (spec.id(), report.is_ok());
        let value = json!({ "env": id, "wrappers": wrappers, "is_ok": is_ok, "report": report });
        write_json(out, &value)?;
    } else {
        writeln!(out, "{}\n{report}", spec.title())?;
    }
    Ok(if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
