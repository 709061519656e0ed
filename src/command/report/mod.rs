//! `gymnast report`: compares runs by return, sample efficiency, stability and speed.

mod page;

pub(super) use page::{expect_page, page};

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::ValueEnum;
use gymnast_core::{
    atomic_file,
    text::{WIDTH, escape_name},
};
use gymnast_harness::report::{self, Comparison, RunResults};

use super::{
    CommandError, MOST, Names,
    numbers::{finite, whole},
    shown_runs::{self, OTHER_PROGRAMS, RunArgs, Source},
};

/// Report final returns, steps to the threshold, area and speed over the seeds of each run
#[derive(clap::Args)]
#[command(after_help = format!("Columns:\n  \
    env steps            where the seeds are compared: the most that all of them reached\n  \
    mean, median, IQM    of each seed's last evaluation up to there, with 95 % intervals over seeds:\n                       \
                         Student's t, order statistics (from six seeds on), expanded bootstrap\n  \
    normalised IQM       0 is what random actions reach, 1 the best return known\n  \
    steps to threshold   env steps to the first evaluation that reaches it, to the first of three in\n                       \
                         a row, and to the one from which on all do; medians by Kaplan and Meier, in\n                       \
                         which a seed that does not reach it counts until its end\n  \
    area                 mean return over the training; higher means faster learning\n  \
    steps/s              env steps per second of training\n\n\
    Several runs are compared in pairs on the seeds that both have. Agents with a run each in two or\n\
    more environments are compared across them by normalised returns, as rliable does.\n\n\
    {OTHER_PROGRAMS}\n\n\
    Examples:\n  \
    gymnast report runs/q-learning-FrozenLake-v1\n  \
    gymnast report runs/* --out report.html\n  \
    gymnast report runs/* --format md > results.md\n  \
    gymnast report runs/* --at 10000,50000\n  \
    gymnast report runs/a runs/b --threshold 0.7 --format json\n  \
    gymnast report runs/ppo-CartPole-v1 logs/ppo/CartPole-v1_1\n  \
    gymnast report new=runs/ppo-CartPole-v1 old@CartPole-v1=tb/PPO_1"))]
pub(crate) struct Report {
    #[command(flatten)]
    runs: RunArgs,
    /// Report the returns of training episodes instead of the evaluations: means of the last 100, as
    /// most other programs record them
    #[arg(long)]
    episodes: bool,
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print JSON, as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// The mean return that counts as solved [default: the environment's]
    #[arg(long, value_parser = finite, allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Report the mean return after these env steps too: 10000,50000
    #[arg(long, value_name = "STEPS", value_delimiter = ',', value_parser = whole::<u64>(0..=MOST))]
    at: Vec<u64>,
    /// Write to a file, in the format of its ending (.html, .md, .csv, .json, .tex or .txt); a page
    /// (.html) holds the pictures and settings too
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "json"])]
    out: Option<PathBuf>,
    /// Overwrite an existing file
    #[arg(long)]
    force: bool,
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
    /// LaTeX, for a paper (booktabs)
    Latex,
}

pub(crate) fn run(
    args: &Report,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    if let Some(path) = &args.out {
        return to_file(args, path, names, out);
    }
    let (_, _, report) = compute(args, names)?;
    let format = if args.json { Format::Json } else { args.format };
    write!(out, "{}", format.of(report))?;
    Ok(ExitCode::SUCCESS)
}

fn compute(
    args: &Report,
    names: &Names,
) -> Result<(Vec<RunResults>, Vec<Source>, report::Report), CommandError> {
    let (mut runs, sources) = shown_runs::read(&args.runs, args.threshold, names)?;
    if args.episodes {
        shown_runs::take_training(&mut runs, &sources)?;
    }
    let report = report::Report::of(&runs, &args.at)?;
    Ok((runs, sources, report))
}

impl Format {
    fn of(self, report: report::Report) -> String {
        match self {
            Self::Table => with_short_names(report).to_table(),
            Self::Csv => report.to_csv(),
            Self::Json => report.to_json(),
            Self::Md => report.to_markdown(),
            Self::Latex => report.to_latex(),
        }
    }
}

fn to_file(
    args: &Report,
    path: &Path,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    super::check_free(path, args.force)?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let format = match ending {
        "html" => None,
        "md" => Some(Format::Md),
        "csv" => Some(Format::Csv),
        "json" => Some(Format::Json),
        "tex" => Some(Format::Latex),
        "txt" => Some(Format::Table),
        _ => {
            return Err(CommandError::usage(format!(
                "--out {}: expected a name that ends in .html, .md, .csv, .json, .tex or .txt",
                path.display()
            )));
        }
    };
    let (runs, sources, report) = compute(args, names)?;
    let text = match format {
        Some(format) => format.of(report),
        None => page::page(&sources, &runs, &report)?,
    };
    atomic_file::write_unsynced(path, text.as_bytes())?;
    writeln!(out, "{}", escape_name(&path.display().to_string()))?;
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
    let beside = if report.comparisons.is_empty() { BESIDE } else { BESIDE.max(WIDTH / 2 + 1) };
    let room = WIDTH.saturating_sub(beside + agents + " ()".len()).max(SHORTEST);
    let names = report.rows.iter().map(|row| escape_name(&row.run).into_owned());
    let names = short_names(&names.collect::<Vec<_>>(), room);
    let short: Vec<_> = report.rows.iter().map(|row| row.run.clone()).zip(&names).collect();
    let shorten = |run: &mut String| {
        if let Some((_, name)) = short.iter().find(|(long, _)| long == run) {
            (*name).clone_into(run);
        }
    };
    for Comparison { run, other_run, .. } in &mut report.comparisons {
        [run, other_run].into_iter().for_each(shorten);
    }
    report.rows.iter_mut().zip(&names).for_each(|(row, name)| name.clone_into(&mut row.run));
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
