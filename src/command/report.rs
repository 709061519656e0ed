//! `gymnast report`: compares runs by return, sample efficiency, stability and speed.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use gymnast_core::text::{WIDTH, escape_name};
use gymnast_harness::report;

use super::{CommandError, Names, numbers::finite, run_dir};

/// Report final returns, steps to the threshold, area and speed over the seeds of each run
#[derive(clap::Args)]
#[command(after_help = "Columns:\n  \
    mean, median, IQM    of each seed's last evaluation; the interval is a 95 % bootstrap over seeds\n  \
    steps to threshold   env steps to the first evaluation that reaches it, median over seeds; a\n                       \
                         seed that does not reach it counts as last\n  \
    held to end          seeds that never fell below the threshold after reaching it\n  \
    area                 mean return over the training; higher means faster learning\n  \
    steps/s              env steps per second of training\n\n\
    Examples:\n  \
    gymnast report runs/q-learning-FrozenLake-v1\n  \
    gymnast report runs/* --format md > results.md\n  \
    gymnast report runs/a runs/b --threshold 0.7 --format json")]
pub(crate) struct Report {
    /// The directories of runs or of their seeds
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print JSON, as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// The mean return that counts as solved [default: the environment's]
    #[arg(long, value_parser = finite, allow_negative_numbers = true)]
    threshold: Option<f64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// Columns of text
    Table,
    /// CSV, for spreadsheets
    Csv,
    /// JSON, for programs
    Json,
    /// Markdown, for a README
    Md,
}

pub(crate) fn run(
    args: &Report,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let runs = run_dir::results(&args.runs, args.threshold, names)?;
    let report = report::Report::of(&runs)?;
    let format = if args.json { Format::Json } else { args.format };
    let text = match format {
        Format::Table => with_short_names(report).to_table(),
        Format::Csv => report.to_csv(),
        Format::Json => report.to_json(),
        Format::Md => report.to_markdown(),
    };
    write!(out, "{text}")?;
    Ok(ExitCode::SUCCESS)
}

/// The maximum width beside the names of agents and runs: the steps to a threshold, with the number
/// of seeds that reached it.
const BESIDE: usize = 34;
/// The minimum length of a name; shorter ones do not distinguish runs.
const SHORTEST: usize = 12;

/// Shortens the names of runs to leave room for a column beside them. The other formats have the
/// full names.
fn with_short_names(mut report: report::Report) -> report::Report {
    let agents = report.rows.iter().map(|row| row.agent.chars().count()).max().unwrap_or(0);
    let room = WIDTH.saturating_sub(BESIDE + agents + " ()".len()).max(SHORTEST);
    let names = report.rows.iter().map(|row| escape_name(&row.run).into_owned());
    let names = short_names(&names.collect::<Vec<_>>(), room);
    report.rows.iter_mut().zip(names).for_each(|(row, name)| row.run = name);
    report
}

/// Shortens paths to at most `room` characters: first the folders that all of them share are
/// removed, then the middle. Different paths that would look alike stay complete.
fn short_names(names: &[String], room: usize) -> Vec<String> {
    let is_long = |name: &String| name.chars().count() > room;
    let long: Vec<Vec<&str>> =
        names.iter().filter(|name| is_long(name)).map(|name| name.split('/').collect()).collect();
    let (before, after) = shared(&long);
    let short: Vec<String> = names
        .iter()
        .map(|name| match is_long(name) {
            true => without_middle(&without_shared(name, before, after), room),
            false => name.clone(),
        })
        .collect();
    let is_ambiguous = |name: &String, shown: &String| {
        names.iter().zip(&short).any(|(other, also)| other != name && also == shown)
    };
    let pairs = names.iter().zip(&short);
    pairs
        .map(|(name, shown)| if is_ambiguous(name, shown) { name } else { shown }.clone())
        .collect()
}

/// Returns the numbers of leading folders and of trailing parts that all paths share. One part of
/// each path is kept.
fn shared(paths: &[Vec<&str>]) -> (usize, usize) {
    let [first, others @ ..] = paths else { return (0, 0) };
    let rest = paths.iter().map(Vec::len).min().unwrap_or(1) - 1;
    if others.is_empty() {
        return (0, 0);
    }
    let begins = |&i: &usize| others.iter().all(|path| path[i] == first[i]);
    let ends = |&i: &usize| {
        others.iter().all(|path| path[path.len() - 1 - i] == first[first.len() - 1 - i])
    };
    let before = (0..rest).take_while(begins).count();
    let after = (0..rest - before).take_while(ends).count();
    (before, after)
}

fn without_shared(name: &str, before: usize, after: usize) -> String {
    let parts: Vec<&str> = name.split('/').collect();
    let own = parts[before..parts.len() - after].join("/");
    let (start, end) = (if before > 0 { "…/" } else { "" }, if after > 0 { "/…" } else { "" });
    format!("{start}{own}{end}")
}

/// Replaces the middle of a text that does not fit by an ellipsis. Keeps more of the end, in which
/// runs differ.
fn without_middle(text: &str, room: usize) -> String {
    let length = text.chars().count();
    if length <= room {
        return text.to_owned();
    }
    let start = (room - 1) / 3;
    let end = room - 1 - start;
    text.chars().take(start).chain(['…']).chain(text.chars().skip(length - end)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(names: &[&str]) -> Vec<String> {
        short_names(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>(), 16)
    }

    #[test]
    fn what_fits_stays() {
        assert_eq!(short(&["runs/a", "runs/0123456789a"]), ["runs/a", "runs/0123456789a"]);
    }

    #[test]
    fn long_names_keep_what_tells_them_apart() {
        let folder = "a-folder-with-a-long-name";
        let [a, b] = ["a", "b"].map(|run| format!("{folder}/{run}"));
        assert_eq!(short(&[&a, &b, "runs/c"]), ["…/a", "…/b", "runs/c"]);
        let [a, b] = [0.1, 0.2].map(|alpha| format!("sweep/alpha-{alpha}/q-learning-Taxi-v4"));
        assert_eq!(short(&[&a, &b]), ["…/alpha-0.1/…", "…/alpha-0.2/…"]);
        let seed = format!("{folder}/seed-0");
        assert_eq!(short(&[folder, &seed]), ["a-fol…-long-name", "a-fol…ame/seed-0"]);
        assert_eq!(short(&[&a]), ["sweep…ng-Taxi-v4"]);
        // The same run twice is the same name.
        assert_eq!(short(&[&a, &a]), ["…/q-l…ng-Taxi-v4"; 2]);
        let absolute = ["/tmp/runs/long-name/a", "/tmp/runs/long-name/b"];
        assert_eq!(short(&absolute), ["…/a", "…/b"]);
    }

    #[test]
    fn names_that_would_look_alike_stay_whole() {
        let [a, b] = ["x", "y"].map(|middle| format!("the-same-{middle}-at-both-ends"));
        let other = "another-of-another-name".to_owned();
        assert_eq!(short(&[&a, &b, &other]), [a.as_str(), b.as_str(), "anoth…other-name"]);
    }
}
