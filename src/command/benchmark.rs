//! `gymnast benchmark`: many runs, one table, held against what was demanded.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use gymnast_core::atomic_file;
use gymnast_harness::{
    Ending, Existing, ProgressBars, StopOnInterrupt,
    report::{Report, Row},
};
use serde::Deserialize;
use toml::{Table, Value};

use super::{CommandError, Names, numbers::whole, run_dir};
use crate::{
    Run,
    run::{CONFIG_FILE, cores, overlay, read_toml},
};

/// Train everything that a suite lists, and hold the results against what it demands
#[derive(clap::Args)]
#[command(
    after_help = "A suite is a TOML file of runs, each with the preset of its agent and environment:\n\n  \
    [[run]]\n  \
    agent = \"dqn\"\n  \
    env = \"CartPole-v1\"\n  \
    env_steps = 50000\n  \
    mean = 500          # the final return, mean over seeds, at least\n  \
    reach = 475         # the median seed's evaluation reaches this …\n  \
    within = 8000       # … after at most so many env steps\n  \
    eval_episodes = 20  # the episodes of an evaluation, else the preset's\n  \
    seeds = 5           # at most so many, where one takes long\n\n\
    What is in the directory already is not trained again: a suite that was interrupted goes on.\n\n\
    Examples:\n  \
    gymnast benchmark docs/benchmarks/scores.toml --out runs/scores\n  \
    gymnast benchmark docs/benchmarks/scores.toml --agent dqn --seeds 3 --out runs/quick"
)]
pub(crate) struct Benchmark {
    /// The file that lists the runs
    suite: PathBuf,
    /// Only the runs of this agent (repeatable)
    #[arg(long)]
    agent: Vec<String>,
    /// Only the runs in this environment (repeatable)
    #[arg(long)]
    env: Vec<String>,
    /// Train with the seeds 0 to K-1
    #[arg(long, value_name = "K", default_value_t = 10, value_parser = whole::<u32>(1..=10_000), allow_negative_numbers = true)]
    seeds: u32,
    /// Train so many seeds at the same time [default: the number of cores]
    #[arg(long, value_name = "J", value_parser = whole::<usize>(1..=u64::MAX), allow_negative_numbers = true)]
    jobs: Option<usize>,
    /// The directory of the runs and of the table, results.md
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// The runs of a suite.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Suite {
    run: Vec<Item>,
}

/// One run, and what is demanded of it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    agent: String,
    env: String,
    env_steps: u64,
    mean: Option<f64>,
    reach: Option<f64>,
    within: Option<f64>,
    eval_episodes: Option<u32>,
    seeds: Option<u32>,
}

pub(crate) fn run(
    args: &Benchmark,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let items = read(args)?;
    // All are checked before the first is trained, which may take hours.
    let runs: Vec<(Item, Run, PathBuf)> = items
        .into_iter()
        .map(|item| {
            let run = configure(&item, args.seeds, names)?;
            let dir = args.out.join(run_dir::default_name(&item.agent, &item.env));
            Ok((item, run, dir))
        })
        .collect::<Result<_, CommandError>>()?;
    expect_own_directories(&runs)?;
    let interrupt = StopOnInterrupt::install();
    let mut table = HEADER.to_owned();
    for (item, run, dir) in &runs {
        if !train(args, run, dir)? || interrupt.requested() {
            let _ = writeln!(
                std::io::stderr(),
                "interrupted; everything is saved: the same command goes on"
            );
            return Ok(ExitCode::from(130));
        }
        let mut results = run_dir::results(std::slice::from_ref(dir), item.reach, names)?;
        // The directory may hold further seeds, of a call with more of them.
        results[0].seeds.retain(|results| run.seeds.contains(&results.seed));
        let finals: Vec<f64> = results[0]
            .seeds
            .iter()
            .filter_map(|seed| seed.evaluations.last().map(|last| last.mean_return))
            .collect();
        let report = Report::of(&results)?;
        table.push_str(&line(item, &report.rows[0], &finals));
        // After each run, so that a long suite can be watched.
        atomic_file::write(&args.out.join("results.md"), table.as_bytes())?;
    }
    write!(out, "{table}")?;
    Ok(ExitCode::SUCCESS)
}

fn read(args: &Benchmark) -> Result<Vec<Item>, CommandError> {
    let suite: Suite = read_toml(&args.suite).map_err(|e| CommandError::failed(e.to_string()))?;
    let among = |asked: &[String], name: &String| asked.is_empty() || asked.contains(name);
    let asked = |item: &Item| among(&args.agent, &item.agent) && among(&args.env, &item.env);
    let items: Vec<_> = suite.run.into_iter().filter(asked).collect();
    if items.is_empty() {
        let names = [&args.agent[..], &args.env[..]].concat().join(" or ");
        let reason = format!("{}: it lists no run of {names}", args.suite.display());
        return Err(CommandError::failed(reason));
    }
    Ok(items)
}

/// Checks that no two runs of the suite share a directory: the second would be taken for the first.
fn expect_own_directories(runs: &[(Item, Run, PathBuf)]) -> Result<(), CommandError> {
    for (i, (item, _, dir)) in runs.iter().enumerate() {
        if let Some((other, ..)) = runs[..i].iter().find(|(.., other)| other == dir) {
            return Err(CommandError::failed(format!(
                "{} in {} (run {} of the suite) and {} in {} would share the directory {}: list each agent \
                 and environment once, or put one of them in a suite with another --out",
                item.agent,
                item.env,
                i + 1,
                other.agent,
                other.env,
                run_dir::name(dir)
            )));
        }
    }
    Ok(())
}

fn configure(item: &Item, seeds: u32, names: &Names) -> Result<Run, CommandError> {
    let mut config = Run::defaults(&names.catalog, &names.registry, &item.agent, &item.env)?;
    let env_steps = i64::try_from(item.env_steps).unwrap_or(i64::MAX);
    let mut training = Table::from_iter([("env_steps".to_owned(), env_steps.into())]);
    if let Some(episodes) = item.eval_episodes {
        training.insert("eval_episodes".to_owned(), episodes.into());
    }
    let seeds = item.seeds.map_or(seeds, |most| seeds.min(most));
    let seeds: Vec<Value> = (0..i64::from(seeds)).map(Value::from).collect();
    let above = [("training".to_owned(), training.into()), ("seeds".to_owned(), seeds.into())];
    overlay(&mut config, &Table::from_iter(above))?;
    Ok(Run::new(&names.catalog, &names.registry, &config)?)
}

/// Trains what is not trained yet. Returns whether it came to its end.
fn train(args: &Benchmark, run: &Run, dir: &Path) -> Result<bool, CommandError> {
    let begun = dir.join(CONFIG_FILE).is_file();
    let existing = if begun { Existing::Resume } else { Existing::Refuse };
    let progress = if args.quiet { ProgressBars::hidden() } else { ProgressBars::on_stderr() };
    if !args.quiet {
        let _ = writeln!(std::io::stderr(), "{}", run_dir::name(dir));
    }
    let jobs = args.jobs.unwrap_or_else(cores);
    let summaries = run.train_with(dir, existing, jobs, progress)?;
    Ok(summaries.iter().all(|summary| summary.ending != Ending::Stopped))
}

const HEADER: &str = "\
| agent | environment | env steps | mean | demanded | median | IQM [95 %] | steps to, median | demanded | holds | each seed |
|---|---|---|---|---|---|---|---|---|---|---|
";

fn line(item: &Item, row: &Row, finals: &[f64]) -> String {
    let none = || "–".to_owned();
    let steps = row.threshold.map_or_else(none, |t| {
        let steps = t.median_steps.map_or("not reached".to_owned(), |steps| steps.to_string());
        format!("{}: {steps} ({} of {})", t.threshold, t.reached, row.seeds)
    });
    let number = |x: f64| if x.abs() < 10.0 { format!("{x:.3}") } else { format!("{x:.1}") };
    let seeds: Vec<_> = finals.iter().map(|&x| number(x)).collect();
    format!(
        "| {} | {} | {} | {} | {} | {} | {} [{}, {}] | {steps} | {} | {} | {} |\n",
        item.agent,
        item.env,
        row.env_steps,
        number(row.mean),
        item.mean.map_or_else(none, |x| format!("≥ {x}")),
        number(row.median),
        number(row.iqm.estimate),
        number(row.iqm.low),
        number(row.iqm.high),
        item.within.map_or_else(none, |x| format!("≤ {x}")),
        match (item.mean, item.within) {
            (None, None) => "–",
            _ if holds(item, row) => "yes",
            _ => "no",
        },
        seeds.join(" "),
    )
}

fn holds(item: &Item, row: &Row) -> bool {
    let steps = row.threshold.and_then(|threshold| threshold.median_steps);
    let soon = item.within.is_none_or(|within| steps.is_some_and(|steps| steps <= within));
    item.mean.is_none_or(|mean| row.mean >= mean) && soon
}

#[cfg(test)]
mod tests {
    use gymnast_core::statistics::Interval;
    use gymnast_harness::report::ThresholdRow;

    use super::*;

    fn row(mean: f64, median_steps: Option<f64>) -> Row {
        let threshold = ThresholdRow { threshold: 475.0, median_steps, reached: 2, held_to_end: 1 };
        Row {
            run: "run".to_owned(),
            agent: "dqn".to_owned(),
            env: "CartPole-v1".to_owned(),
            seeds: 2,
            env_steps: 50_000,
            mean,
            median: mean,
            iqm: Interval { estimate: mean, low: mean, high: mean },
            threshold: Some(threshold),
            area_under_curve: None,
            env_steps_per_s: None,
        }
    }

    #[test]
    fn a_line_says_whether_the_demands_hold() {
        let text = "agent = 'dqn'\nenv = 'CartPole-v1'\nenv_steps = 50000\nmean = 500\nreach = 475\nwithin = 8000";
        let item: Item = toml::from_str(text).unwrap();
        assert!(holds(&item, &row(500.0, Some(8000.0))));
        assert!(!holds(&item, &row(499.9, Some(8000.0))));
        assert!(!holds(&item, &row(500.0, Some(8001.0))));
        assert!(!holds(&item, &row(500.0, None)));
        let line = line(&item, &row(500.0, None), &[500.0, 500.0]);
        assert!(line.contains("475: not reached (2 of 2) | ≤ 8000 | no | 500.0 500.0"), "{line}");
        assert_eq!(line.matches('|').count(), HEADER.lines().next().unwrap().matches('|').count());
    }
}
