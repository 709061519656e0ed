//! `gymnast benchmark`: trains the runs of a suite and compares them with its demands.

mod suite;
mod table;

use std::{
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use gymnast_core::atomic_file;
use gymnast_harness::{
    Ending, Existing, TrainError,
    report::{Report, SeedResults},
};
use toml::Table;

use self::{
    suite::{Item, Suite},
    table::{Cells, cells, columns, markdown},
};
use super::{
    CommandError, MOST, Names, ProgressBars, StopOnInterrupt, interrupted,
    numbers::whole,
    run_dir, say,
    seeds::{self, Seeds, seeds},
};
use crate::{
    Run,
    run::{CONFIG_FILE, cores, overlay, read_toml},
    settings::set,
};

/// Train all runs of a suite and compare the results with its demands
#[derive(clap::Args)]
#[command(
    after_help = "A suite is a TOML file of runs, each with the preset of its agent and environment:\n\n  \
    first_seed = 100          # the first seed of every run [default: 0]\n  \
    seeds = 20                # the seeds of every run [default: 10]\n\n  \
    [[run]]\n  \
    agent = \"dqn\"\n  \
    env = \"CartPole-v1\"\n  \
    env_steps = 50000\n  \
    mean = 500                # the mean final return over seeds is at least this\n  \
    reach = 475               # the median seed's evaluation reaches this …\n  \
    within = 8000             # … after at most this many env steps\n  \
    hold = 475                # the fraction of a seed's evaluations at or above this …\n  \
    hold_share = 0.9          # … is at least this, median over seeds\n  \
    last_quarter_min = 400    # no evaluation is below this after 3/4 of the training\n  \
    wrappers = ['ClipAction'] # around the environment, as env.wrappers [default: none]\n  \
    eval_episodes = 20        # the number of episodes of an evaluation [default: the preset's]\n  \
    seeds = 5                 # first_seed and seeds can be set for one run\n\n\
    A demand holds (yes) if the 95 % interval over the seeds lies on its side. It does not hold (no) if the\n\
    interval lies on the other side. Otherwise there are too few seeds to tell. The interval of a mean is\n\
    Student's t, that of a median comes from order statistics. The presets were tuned on the seeds 0 to 9:\n\
    report results on the seeds 100 and up.\n\n\
    Seeds that the directory already holds are not trained again: run the same command to continue an\n\
    interrupted suite.\n\n\
    Examples:\n  \
    gymnast benchmark docs/benchmarks/scores.toml --out runs/scores\n  \
    gymnast benchmark docs/benchmarks/scores.toml --agent dqn --seeds 3 --out runs/quick\n  \
    gymnast benchmark suite.toml --first-seed 200 --seeds 20 --out runs/fresh"
)]
pub(crate) struct Benchmark {
    /// The TOML file that lists the runs
    suite: PathBuf,
    /// Train only the runs of this agent (repeatable)
    #[arg(long)]
    agent: Vec<String>,
    /// Train only the runs in this environment (repeatable)
    #[arg(long)]
    env: Vec<String>,
    /// The number of seeds of each run, or a list of seeds: 3,7,100..119 (ranges include both ends)
    /// [default: the suite's, else 10]
    #[arg(long, value_name = "SEEDS", value_parser = seeds, allow_negative_numbers = true)]
    seeds: Option<Seeds>,
    /// The first seed of each run [default: the suite's, else 0]
    #[arg(long, value_name = "S", value_parser = whole::<u64>(0..=MOST), allow_negative_numbers = true)]
    first_seed: Option<u64>,
    /// The number of seeds to train in parallel [default: the number of cores]
    #[arg(long, value_name = "J", value_parser = whole::<usize>(1..=u64::MAX), allow_negative_numbers = true)]
    jobs: Option<usize>,
    /// The directory for the runs and the table, results.md
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

pub(crate) fn run(
    args: &Benchmark,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let suite = read(args)?;
    // All runs are checked before the first is trained, which may take hours.
    let runs: Vec<(&Item, Run, PathBuf)> = suite
        .run
        .iter()
        .map(|item| {
            let run = configure(item, args, &suite, names)?;
            // Runs with wrappers have their own directories.
            let env = run.env.title().replace(" + ", "-");
            let dir = args.out.join(run_dir::default_name(&item.agent, &env));
            Ok((item, run, dir))
        })
        .collect::<Result<_, CommandError>>()?;
    expect_own_directories(&runs)?;
    let results = args.out.join("results.md");
    let earlier = table::read(&results)?;
    let interrupt = StopOnInterrupt::install();
    let mut rows: Vec<Cells> = Vec::new();
    for (item, run, dir) in &runs {
        if !train(args, run, dir)? || interrupt.requested() {
            return Ok(interrupted("every seed is saved: run the same command to continue"));
        }
        rows.push(judge(item, run, dir, names)?);
        // Written after each run, so that a long suite can be watched; includes runs of earlier
        // calls.
        let text = markdown(&rows) + &table::others(&earlier, &rows);
        atomic_file::write_unsynced(&results, text.as_bytes())?;
    }
    if io::stdout().is_terminal() {
        writeln!(out, "{}\nEach seed's return: {}", columns(&rows), results.display())?;
    } else {
        write!(out, "{}", markdown(&rows))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads the suite, limited to the selected runs.
fn read(args: &Benchmark) -> Result<Suite, CommandError> {
    let mut suite: Suite =
        read_toml(&args.suite).map_err(|error| CommandError::failed(error.to_string()))?;
    let path = args.suite.display();
    suite.check().map_err(|reason| CommandError::failed(format!("{path}: {reason}")))?;
    let among = |asked: &[String], name: &String| asked.is_empty() || asked.contains(name);
    suite.run.retain(|item| among(&args.agent, &item.agent) && among(&args.env, &item.env));
    if suite.run.is_empty() {
        let asked = [&args.agent[..], &args.env[..]].concat().join(" or ");
        let of = if asked.is_empty() { String::new() } else { format!(" of {asked}") };
        return Err(CommandError::failed(format!(
            "{path} lists no run{of}: expected [[run]] with agent, env and env_steps"
        )));
    }
    Ok(suite)
}

/// Checks that no two runs of the suite share a directory: the second would be mistaken for the
/// first.
fn expect_own_directories(runs: &[(&Item, Run, PathBuf)]) -> Result<(), CommandError> {
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

fn configure(
    item: &Item,
    args: &Benchmark,
    suite: &Suite,
    names: &Names,
) -> Result<Run, CommandError> {
    let mut config = Run::defaults(&names.catalog, &names.registry, &item.agent, &item.env)?;
    let env_steps = i64::try_from(item.env_steps).unwrap_or(i64::MAX);
    let mut training = Table::from_iter([("env_steps".to_owned(), env_steps.into())]);
    if let Some(episodes) = item.eval_episodes {
        training.insert("eval_episodes".to_owned(), episodes.into());
    }
    let own = suite.seeds_of(item);
    let seeds = seeds::resolve(args.seeds.as_ref(), args.first_seed, own[0], &own)?;
    let above =
        [("training".to_owned(), training.into()), ("seeds".to_owned(), seeds::to_toml(&seeds))];
    overlay(&mut config, &Table::from_iter(above))?;
    if let Some(wrappers) = &item.wrappers {
        set(&mut config, "env.wrappers", wrappers.clone()).map_err(CommandError::failed)?;
    }
    let run = Run::new(&names.catalog, &names.registry, &config)?;
    run.check_first_update()?;
    Ok(run)
}

/// Returns the cells of a run, computed from its own seeds; the directory may hold more.
fn judge(item: &Item, run: &Run, dir: &Path, names: &Names) -> Result<Cells, CommandError> {
    let mut results =
        run_dir::results_of(dir, item.reach, names, |seed| run.seeds.contains(&seed))?;
    results.env = run.env.title();
    let is_whole = |seed: &SeedResults| {
        let ends_early = run.training.stop_at.is_some();
        let last = seed.evaluations.last();
        last.is_some_and(|last| ends_early || last.env_step >= item.env_steps)
    };
    let whole = results.seeds.iter().filter(|seed| is_whole(seed)).count();
    if whole < run.seeds.len() {
        return Err(CommandError::failed(format!(
            "{}: {whole} of its {} seeds have an evaluation after {} env steps: put the files that are gone \
             back, or delete the directories of the other seeds, which are then trained again",
            run_dir::name(dir),
            run.seeds.len(),
            item.env_steps
        )));
    }
    let report = Report::of(std::slice::from_ref(&results))?;
    let judgement = item.demands().judge(&results).map_err(|error| {
        let (path, reason) = (dir.to_owned(), error.to_string());
        TrainError::InvalidFile { path, reason }
    })?;
    let last = results.seeds.iter().filter_map(|seed| seed.evaluations.last());
    let finals: Vec<f64> = last.map(|last| last.mean_return).collect();
    Ok(cells(&report.rows[0], &judgement, &seeds::to_text(&run.seeds), &finals))
}

/// Trains the seeds that are not trained yet. Returns whether it was not interrupted.
fn train(args: &Benchmark, run: &Run, dir: &Path) -> Result<bool, CommandError> {
    let begun = dir.join(CONFIG_FILE).is_file();
    let existing = if begun { Existing::Resume } else { Existing::Refuse };
    if !args.quiet {
        say(&run_dir::name(dir));
    }
    let jobs = args.jobs.unwrap_or_else(cores);
    let summaries = run.train_with(dir, existing, jobs, ProgressBars::unless(args.quiet))?;
    Ok(summaries.iter().all(|summary| summary.ending != Ending::Stopped))
}
