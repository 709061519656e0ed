//! The command `gymnast`: one file per subcommand.
//!
//! [`main`] is the whole command with the environments of a registry, so that your program can
//! train, watch and report on custom environments:
//!
//! ```no_run
//! use gymnast::{Registry, command};
//!
//! fn main() -> std::process::ExitCode {
//!     let mut registry = Registry::builtin();
//!     // registry.register(EnvSpec::discrete("Maze-v0", |_| Ok(Maze::default()))) …
//!     command::main(registry)
//! }
//! ```
//!
//! Other programs can use its progress bars and signals: [`ProgressBars`], `EpochBar`, [`StopOnInterrupt`].

mod agents;
mod benchmark;
mod check;
mod envs;
#[cfg(feature = "deep")]
mod epoch_bar;
mod error;
mod evaluate;
mod interrupt;
mod live;
mod numbers;
mod pictures;
mod play;
mod plot;
mod processes;
mod progress;
mod record;
mod replay;
mod report;
mod run_dir;
mod seeds;
mod shell;
mod shown_runs;
mod status;
mod table;
mod train;
mod tune;
mod watch;
mod wrappers;

use std::{
    ffi::OsString,
    io::{self, Write},
    path::Path,
    process::ExitCode,
};

use clap::{Parser, Subcommand};
use gymnast_core::{
    files,
    text::{escape_controls, escape_name},
};
use gymnast_envs::{Registry, catch_panic};

use crate::Catalog;
use error::CommandError;

#[cfg(feature = "deep")]
pub use epoch_bar::EpochBar;
pub use interrupt::StopOnInterrupt;
pub use progress::ProgressBars;

/// Train, watch and compare reinforcement learning agents.
#[derive(Parser)]
#[command(
    name = "gymnast",
    version,
    arg_required_else_help = true,
    after_help = "Start here:\n  \
        gymnast train q-learning FrozenLake-v1     train over five seeds, draw the curve\n  \
        gymnast watch runs/q-learning-FrozenLake-v1   watch the trained agent\n  \
        gymnast envs                               list the environments\n  \
        gymnast agents                             list the agents"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Envs(envs::Envs),
    Agents(agents::Agents),
    Wrappers(wrappers::Wrappers),
    Train(train::Train),
    Tune(tune::Tune),
    Status(status::Status),
    Evaluate(evaluate::Evaluate),
    Watch(watch::Watch),
    Record(record::Record),
    Plot(plot::Plot),
    Report(report::Report),
    Benchmark(benchmark::Benchmark),
    Check(check::Check),
    Replay(replay::Replay),
}

/// The exit code after an interrupt by a signal.
const INTERRUPTED: u8 = 130;
/// The largest whole number in a configuration.
const MOST: u64 = i64::MAX as u64;

/// The agents and environments that can be chosen by name.
struct Names {
    catalog: Catalog,
    registry: Registry,
}

/// Runs the command with the process's arguments, the built-in agents and these environments.
#[must_use]
pub fn main(registry: Registry) -> ExitCode {
    run(registry, Catalog::builtin(), std::env::args_os())
}

/// Runs the command with these environments, agents and arguments; the first argument is the
/// program's name. Writes to standard output and standard error.
///
/// The exit code is 0 for success, 1 for failure, 2 for an invalid call, and 130 if Ctrl-C, SIGTERM
/// or SIGHUP ended the work.
#[must_use]
pub fn run(
    registry: Registry,
    catalog: Catalog,
    args: impl IntoIterator<Item = impl Into<OsString> + Clone>,
) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            print(&error, &args);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let names = Names { catalog, registry };
    let mut out = io::stdout().lock();
    let work = || dispatch(&cli.command, &names, &mut out);
    let panicked =
        |message| Err(CommandError::failed(format!("internal error (panic): {message}")));
    let result = catch_panic(work).unwrap_or_else(panicked).and_then(|code| {
        out.flush()?;
        Ok(code)
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            if let Some(text) = error.message() {
                say(&format!("error: {}", on_one_line(text, &args)));
            }
            error.exit_code()
        }
    }
}

/// Prints help to standard output, errors to standard error. Either may be closed.
fn print(error: &clap::Error, args: &[OsString]) {
    let text = error.render().to_string();
    let escaped = on_one_line(&text, args);
    let _ = match escape_controls(&escaped) {
        escaped if escaped == text => error.print(),
        // A message repeats arguments with control characters: printed without colours, so that all
        // can be escaped.
        escaped => write!(io::stderr(), "{escaped}"),
    };
}

/// Escapes the line breaks of arguments in a message, so that no argument can add a line.
fn on_one_line(message: &str, args: &[OsString]) -> String {
    let args = args.iter().map(|arg| arg.to_string_lossy()).filter(|arg| arg.contains('\n'));
    args.fold(message.to_owned(), |message, arg| {
        let value =
            arg.split_once('=').map(|(_, value)| value).filter(|value| value.contains('\n'));
        let value = value.unwrap_or(&arg);
        message.replace(&*arg, &escape_name(&arg)).replace(value, &escape_name(value))
    })
}

fn dispatch(
    command: &Command,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    match command {
        Command::Envs(args) => envs::run(args, names, out),
        Command::Agents(args) => agents::run(args, names, out),
        Command::Wrappers(args) => wrappers::run(args, names, out),
        Command::Train(args) => train::run(args, names, out),
        Command::Tune(args) => tune::run(args, names, out),
        Command::Status(args) => status::run(args, out),
        Command::Evaluate(args) => evaluate::run(args, names, out),
        Command::Watch(args) => watch::run(args, names, out),
        Command::Record(args) => record::run(args, names, out),
        Command::Plot(args) => plot::run(args, names, out),
        Command::Report(args) => report::run(args, names, out),
        Command::Benchmark(args) => benchmark::run(args, names, out),
        Command::Check(args) => check::run(args, names, out),
        Command::Replay(args) => replay::run(args, names, out),
    }
}

/// Returns an error if the file exists, unless it may be replaced.
fn check_free(path: &Path, force: bool) -> Result<(), CommandError> {
    if is_there(path)? && !force {
        let path = path.display();
        return Err(CommandError::usage(format!(
            "{path} already exists: pass --force to overwrite it, or choose another name"
        )));
    }
    Ok(())
}

/// Returns whether the file exists. If this cannot be determined, returns an error, because it may
/// be valuable.
fn is_there(path: &Path) -> Result<bool, CommandError> {
    path.try_exists()
        .map_err(|error| CommandError::failed(format!("cannot access {}: {error}", path.display())))
}

/// Reads a file that an earlier call has written and this one will replace; `None` if it does not exist.
///
/// # Errors
/// If it cannot be read, is larger than `limit` bytes, or is another file, as `is_own` says of its text.
fn read_own(
    path: &Path,
    limit: u64,
    what: &str,
    is_own: impl Fn(&str) -> bool,
) -> Result<Option<String>, CommandError> {
    let shown = path.display();
    let bytes = match files::read_bounded(path, limit) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => {
            read.map_err(|error| CommandError::failed(format!("cannot read {shown}: {error}")))?
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    match is_own(&text) {
        true => Ok(Some(text.into_owned())),
        false => Err(CommandError::failed(format!(
            "{shown} would be replaced, and is no {what}: move it away, or choose another --out"
        ))),
    }
}

/// Reports that the process was interrupted and what happened to the work.
fn interrupted(what: &str) -> ExitCode {
    say(&format!("interrupted; {what}"));
    ExitCode::from(INTERRUPTED)
}

/// Writes a line to standard error with control characters escaped. Ignores write errors.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{}", escape_controls(line));
}

/// Writes a value as indented JSON.
fn write_json(out: &mut dyn Write, value: &impl serde::Serialize) -> Result<(), CommandError> {
    let json = gymnast_json::to_string_pretty(value);
    writeln!(out, "{}", json.expect("what the command prints is plain data"))?;
    Ok(())
}
