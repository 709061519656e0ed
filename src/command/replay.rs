//! `gymnast replay`: compares an environment with a recorded trace.

use std::{fs::File, io::BufReader, io::Write, path::PathBuf, process::ExitCode};

use gymnast_envs::trace::{self, TraceError};
use serde_json::json;

use super::{CommandError, Names, numbers::not_negative, run_dir, write_json};

/// Compare an environment with recorded transitions, for example Gymnasium's
#[derive(clap::Args)]
#[command(
    after_help = "Each line of the trace is a JSON object: state, action, next_state, reward, terminated.\n\
    The environment is set to `state`, stepped and compared. The exit status is 1 if a line disagrees.\n\n\
    Examples:\n  \
    gymnast replay CartPole-v1 trace.jsonl\n  \
    gymnast replay FrozenLake-v1 trace.jsonl --set is_slippery=false"
)]
pub(crate) struct Replay {
    /// The environment (gymnast envs lists them)
    env: String,
    /// The trace: a JSON Lines file
    trace: PathBuf,
    /// The largest relative difference that agrees, as a fraction of the recorded number (or of
    /// 0.001 if that is larger) [default: the environment's]
    #[arg(long, value_parser = not_negative, allow_negative_numbers = true)]
    tolerance: Option<f64>,
    /// Set an option of the environment (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(
    args: &Replay,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let spec = names.registry.spec(&args.env)?;
    let options = run_dir::options(spec.id(), &args.set)?;
    let tolerance = args.tolerance.unwrap_or_else(|| spec.tolerance());
    let path = args.trace.display();
    let unreadable = |error| CommandError::failed(format!("cannot read {path}: {error}"));
    let file = BufReader::new(File::open(&args.trace).map_err(unreadable)?);
    let report = trace::replay(spec, &options, file, tolerance).map_err(|error| match error {
        TraceError::Make(error) => error.into(),
        other => CommandError::failed(format!("{path}: {other}")),
    })?;
    let first = report.first_disagreement.as_ref();
    if args.json {
        let first = first.map(
            |d| json!({ "line": d.line, "field": d.field, "expected": d.expected, "got": d.got }),
        );
        let (lines, agreeing) = (report.lines, report.agreeing);
        let value = json!({
            "env": spec.id(), "tolerance": tolerance, "lines": lines, "agreeing": agreeing,
            "first_disagreement": first,
        });
        write_json(out, &value)?;
    } else {
        let (lines, agreeing) = (report.lines, report.agreeing);
        writeln!(out, "{agreeing} of {lines} lines agree (tolerance {tolerance:e})")?;
        if let Some(d) = first {
            let (line, field) = (d.line, d.field);
            writeln!(out, "first disagreement: line {line}, {field}")?;
            writeln!(out, "  expected {}\n  got      {}", d.expected, d.got)?;
        }
    }
    Ok(if first.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
