//! `gymnast benchmark`: trains the runs of a suite and compares them with its demands.

mod dry_run;
mod pool;
mod suite;
mod table;

use std::{
    ffi::OsString,
    fs,
    io::{self, IsTerminal as _, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use gymnast_core::atomic_file;
use gymnast_harness::{
    TrainError,
    report::{Report, RunResults, SeedResults},
};
use toml::Table;

use self::{
    suite::{BUILT_IN, Item, Suite},
    table::{Cells, cells, columns, markdown},
};
use super::{
    CommandError, MOST, Names, StopOnInterrupt, interrupted,
    numbers::whole,
    processes::{JobsAs, Processes},
    report, run_dir,
    seeds::{self, Seeds, seeds},
    shown_runs::Source,
};
use crate::{
    Run,
    run::{CONFIG_FILE, cores, overlay, read_toml, set_key},
    settings::set,
};

/// The table of a suite's runs.
const RESULTS: &str = "results.md";
/// The report of a suite's runs.
const PAGE: &str = "report.html";

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
    set = { gamma = 0.98 }    # other settings, as --set [default: the preset's]\n  \
    name = \"far-sighted\"      # tells this run from others of its agent and environment\n  \
    eval_episodes = 20        # the number of episodes of an evaluation [default: the preset's]\n  \
    seeds = 5                 # first_seed and seeds can be set for one run\n\n\
    A demand holds (yes) if the 95 % interval over the seeds lies on its side. It does not hold (no) if the\n\
    interval lies on the other side. Otherwise there are too few seeds to tell. The interval of a mean is\n\
    Student's t, that of a median comes from order statistics. The presets were tuned on the seeds 0 to 9:\n\
    report results on the seeds 100 and up.\n\n\
    Seeds that the directory already holds are not trained again: run the same command to continue an\n\
    interrupted suite, or several times at once, on any machines that see DIR, to share the work: each\n\
    seed is trained by one process, and those of one that was killed are taken over by the others.\n\n\
    In the end DIR holds results.md, a table with each seed's return, and report.html, a page that compares\n\
    the runs. Suites known by name: quick, tabular, classic, continuous, pixels.\n\n\
    Examples:\n  \
    gymnast benchmark quick --out runs/quick\n  \
    gymnast benchmark classic --out runs/classic --dry-run\n  \
    gymnast benchmark docs/benchmarks/scores.toml --out runs/scores\n  \
    gymnast benchmark docs/benchmarks/scores.toml --agent dqn --seeds 3 --out runs/quick\n  \
    gymnast benchmark suite.toml --first-seed 200 --seeds 20 --out runs/fresh"
)]
pub(crate) struct Benchmark {
    /// The TOML file that lists the runs, or the name of a suite
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
    /// Train seeds in parallel as threads of this process, or as a process each; each process writes
    /// the table and the page at its end, the same ones
    #[arg(long, value_enum, default_value_t)]
    jobs_as: JobsAs,
    /// The directory for the runs and the table, results.md
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Train nothing: say what would be trained, and about how long it would take
    #[arg(long)]
    dry_run: bool,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

/// A run of the suite that can be trained.
struct Cell<'a> {
    item: &'a Item,
    run: Run,
    dir: PathBuf,
}

pub(crate) fn run(
    args: &Benchmark,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let suite = read(args)?;
    let cells = cells_of(&suite, args, names)?;
    let results = args.out.join(RESULTS);
    let page = args.out.join(PAGE);
    table::read(&results)?;
    report::expect_page(&page)?;
    if args.dry_run {
        return dry_run::run(args, &cells, out);
    }
    let interrupt = StopOnInterrupt::install();
    if args.out.is_dir() {
        atomic_file::remove_leftovers(&args.out, &[RESULTS, PAGE])?;
    }
    let mut rows: Vec<Option<Cells>> = cells.iter().map(|_| None).collect();
    let all: usize = cells.iter().map(|cell| cell.run.seeds.len()).sum();
    let jobs = args.jobs.unwrap_or_else(cores).min(all);
    let (threads, others) = match args.jobs_as {
        JobsAs::Threads => (jobs, 0),
        JobsAs::Processes => (1, jobs.saturating_sub(1)),
    };
    let others = Processes::start(others, &args.of_another())?;
    let is_whole = pool::train(args, threads, &cells, |index| {
        let Cell { item, run, dir } = &cells[index];
        rows[index] = Some(judge(item, run, dir, names)?);
        // Written after each run, so that a long suite can be watched; includes runs of earlier
        // calls.
        let rows: Vec<Cells> = rows.iter().flatten().cloned().collect();
        let text = markdown(&rows) + &table::others(&table::read(&results)?, &rows);
        Ok(atomic_file::write_unsynced(&results, text.as_bytes())?)
    })?;
    others.finish()?;
    if !is_whole || interrupt.requested() {
        return Ok(interrupted("every seed is saved: run the same command to continue"));
    }
    let rows: Vec<Cells> = rows.into_iter().flatten().collect();
    if io::stdout().is_terminal() {
        let (results, page) = (results.display(), page.display());
        writeln!(out, "{}\nEach seed's return: {results}\nThe report: {page}", columns(&rows))?;
    } else {
        write!(out, "{}", markdown(&rows))?;
    }
    write_report(&cells, &args.out, names, &page)?;
    Ok(ExitCode::SUCCESS)
}

impl Benchmark {
    /// Returns the arguments of another process that shares the work.
    fn of_another(&self) -> Vec<OsString> {
        let mut args: Vec<OsString> = vec!["benchmark".into(), self.suite.clone().into()];
        let mut add = |flag: &str, value: OsString| args.extend([flag.into(), value]);
        self.agent.iter().for_each(|agent| add("--agent", agent.into()));
        self.env.iter().for_each(|env| add("--env", env.into()));
        if let Some(seeds) = &self.seeds {
            add("--seeds", seeds.to_string().into());
        }
        if let Some(first) = self.first_seed {
            add("--first-seed", first.to_string().into());
        }
        add("--jobs", "1".into());
        add("--out", self.out.clone().into());
        args.push("--quiet".into());
        args
    }
}

/// Writes the page that compares the runs, and those of earlier calls in the same directory.
fn write_report(
    cells: &[Cell<'_>],
    out: &Path,
    names: &Names,
    page: &Path,
) -> Result<(), CommandError> {
    let mut runs = Vec::new();
    for Cell { run, dir, .. } in cells {
        let is_own = |seed| run.seeds.contains(&seed);
        runs.push((dir.clone(), run_dir::results_of(dir, None, names, is_own)?));
    }
    for entry in fs::read_dir(out)? {
        let dir = entry?.path();
        let is_own = cells.iter().any(|cell| cell.dir == dir);
        // One that another process has just begun has nothing to show, and one that is damaged is not
        // this call's to report.
        if !is_own && dir.join(CONFIG_FILE).is_file() {
            let results = run_dir::results_of(&dir, None, names, |_| true);
            let has_evaluations =
                |run: &RunResults| run.seeds.iter().any(|s| !s.evaluations.is_empty());
            runs.extend(results.ok().filter(has_evaluations).map(|results| (dir, results)));
        }
    }
    runs.sort_by(|a, b| a.0.cmp(&b.0));
    let (sources, runs): (Vec<_>, Vec<_>) =
        runs.into_iter().map(|(dir, run)| (Source::Own(dir), run)).unzip();
    let text = report::page(&sources, &runs, &Report::of(&runs, &[])?)?;
    Ok(atomic_file::write_unsynced(page, text.as_bytes())?)
}

/// Reads the suite, limited to the selected runs.
fn read(args: &Benchmark) -> Result<Suite, CommandError> {
    let named =
        args.suite.to_str().and_then(|name| BUILT_IN.iter().find(|(known, _)| *known == name));
    let mut suite: Suite = match named.filter(|_| !args.suite.exists()) {
        Some((_, text)) => toml::from_str(text).expect("a test reads each of them"),
        None => read_toml(&args.suite).map_err(|error| {
            let known = BUILT_IN.map(|(name, _)| name).join(", ");
            let hint = format!(" (the suites known by name are {known})");
            let hint = if args.suite.exists() { "" } else { &hint };
            CommandError::failed(format!("{error}{hint}"))
        })?,
    };
    let among = |asked: &[String], name: &String| asked.is_empty() || asked.contains(name);
    let path = args.suite.display();
    let problems = suite.problems();
    if !problems.is_empty() {
        return Err(CommandError::failed(format!("{path}: {}", problems.join("\n"))));
    }
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

/// Checks all runs before the first is trained, which may take hours.
///
/// # Errors
/// One error that holds everything that is wrong.
fn cells_of<'a>(
    suite: &'a Suite,
    args: &Benchmark,
    names: &Names,
) -> Result<Vec<Cell<'a>>, CommandError> {
    let (mut cells, mut errors) = (Vec::<Cell<'_>>::new(), Vec::new());
    for (index, item) in suite.run.iter().enumerate() {
        match configure(item, args, suite, names) {
            Ok(run) => {
                // Runs with wrappers have their own directories.
                let env = run.env.title().replace(" + ", "-");
                let own = item.name.as_deref().map_or(env.clone(), |name| format!("{env}-{name}"));
                let dir = args.out.join(run_dir::default_name(&item.agent, &own));
                if let Some(i) = cells.iter().position(|other| other.dir == dir) {
                    errors.push(shared_directory(item, index, cells[i].item, i, &dir));
                }
                cells.push(Cell { item, run, dir });
            }
            Err(error) => errors.push(error),
        }
    }
    match errors.len() {
        0 => Ok(cells),
        1 => Err(errors.remove(0)),
        count => {
            let each = errors.iter().filter_map(|error| Some(format!("\n- {}", error.message()?)));
            let each: String = each.collect();
            Err(CommandError::usage(format!("{count} runs of the suite cannot be trained:{each}")))
        }
    }
}

/// Two runs of the suite share a directory: the second would be mistaken for the first.
fn shared_directory(item: &Item, i: usize, other: &Item, j: usize, dir: &Path) -> CommandError {
    CommandError::failed(format!(
        "{} (run {} of the suite) and {} (run {}) would share the directory {}: list each agent and \
         environment once, or give one of them a `name`",
        item.title(),
        i + 1,
        other.title(),
        j + 1,
        run_dir::name(dir)
    ))
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
    for (key, value) in &item.set {
        set_key(&mut config, key, value.clone())?;
    }
    let run = Run::new(&names.catalog, &names.registry, &config)?;
    run.check_first_update()?;
    Ok(run)
}

/// Returns the cells of a run, computed from its own seeds; the directory may hold more.
fn judge(item: &Item, run: &Run, dir: &Path, names: &Names) -> Result<Cells, CommandError> {
    let mut results =
        run_dir::results_of(dir, item.reach, names, |seed| run.seeds.contains(&seed))?;
    if let Some(name) = &item.name {
        results.agent = format!("{} ({name})", item.agent);
    }
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
    let report = Report::of(std::slice::from_ref(&results), &[])?;
    let judgement = item.demands().judge(&results).map_err(|error| {
        let (path, reason) = (dir.to_owned(), error.to_string());
        TrainError::InvalidFile { path, reason }
    })?;
    let last = results.seeds.iter().filter_map(|seed| seed.evaluations.last());
    let finals: Vec<f64> = last.map(|last| last.mean_return).collect();
    Ok(cells(&report.rows[0], &judgement, &seeds::to_text(&run.seeds), &finals))
}
