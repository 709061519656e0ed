//! `gymnast report`: how good, how soon, how steadily, how fast.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::ValueEnum;

use super::{CommandError, Names, numbers::finite, run_dir};

/// Report final returns, steps to the threshold, area and speed, over the seeds of each run
#[derive(clap::Args)]
#[command(after_help = "Columns:\n  \
    mean, median, IQM    of each seed's last evaluation; the interval is a 95 % bootstrap over seeds\n  \
    steps to threshold   median over seeds to the first evaluation that reached it; a seed that\n                       \
                         did not counts as later than all that did\n  \
    held to end          seeds that never fell below the threshold again\n  \
    area                 mean return over the training: higher means sooner\n  \
    steps/s              env steps a second while learning\n\n\
    Examples:\n  \
    gymnast report runs/q-learning-FrozenLake-v1\n  \
    gymnast report runs/* --format md > results.md\n  \
    gymnast report runs/a runs/b --threshold 0.7 --format json")]
pub(crate) struct Report {
    /// The directories of runs, or of seeds of theirs
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print JSON: the same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// The mean return that counts as solved, instead of the environment's own
    #[arg(long, value_parser = finite, allow_negative_numbers = true)]
    threshold: Option<f64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Columns of text
    Table,
    /// For spreadsheets
    Csv,
    /// For programs
    Json,
    /// For a README
    Md,
}

pub(crate) fn run(
    args: &Report,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let runs = run_dir::results(&args.runs, args.threshold, names)?;
    let report = gymnast_harness::report::Report::of(&runs)?;
    let format = if args.json { Format::Json } else { args.format };
    let text = match format {
        Format::Table => report.to_table(),
        Format::Csv => report.to_csv(),
        Format::Json => report.to_json(),
        Format::Md => report.to_markdown(),
    };
    write!(out, "{text}")?;
    Ok(ExitCode::SUCCESS)
}
