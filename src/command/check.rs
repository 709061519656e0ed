//! `gymnast check`: what an environment's author did wrong.

use std::{io::Write, process::ExitCode};

use serde_json::json;

use super::{CommandError, Names, run_dir, write_json};

/// Hold an environment against what agents rely on, and say what to mend
#[derive(clap::Args)]
#[command(after_help = "The exit status is 1 if there are errors; warnings alone leave it 0.\n\n\
    Examples:\n  \
    gymnast check CartPole-v1\n  \
    gymnast check FrozenLake-v1 --set map_name=8x8 --json")]
pub(crate) struct Check {
    /// The environment
    env: String,
    /// Set an option of the environment (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(
    args: &Check,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let spec = names.registry.spec(&args.env)?;
    let options = run_dir::options(spec.id(), &args.set)?;
    // Options that do not fit are the caller's fault, not the environment's.
    spec.spaces(&options)?;
    let report = spec.check(&options);
    if args.json {
        let (id, is_ok) = (spec.id(), report.is_ok());
        write_json(out, &json!({ "env": id, "is_ok": is_ok, "report": report }))?;
    } else {
        writeln!(out, "{}\n{report}", spec.id())?;
    }
    Ok(if report.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
