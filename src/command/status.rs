//! `gymnast status`: who works on what, and how far.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    time::SystemTime,
};

use gymnast_core::{
    text::{columns, escape_name, score},
    tune::{SharedStudy, Study},
};
use gymnast_harness::{RunSeeds, SeedState, SeedStatus, TrainError};
use serde::Serialize;
use toml::{Table, Value};

use super::{
    CommandError, StopOnInterrupt, interrupted,
    live::{self, Audience},
    run_dir, say,
    table::{duration, optional},
    tune::{DEFINITION, STUDY},
    write_json,
};
use crate::run::{CONFIG_FILE, read_toml};

/// Show how far runs, suites and searches are, and which processes work on them
#[derive(clap::Args)]
#[command(
    after_help = "A seed is `stopped` if it was begun and no process trains it: gymnast train --resume, --join, or\n\
    the same gymnast benchmark goes on with it. Processes on other machines are seen if the file\n\
    system shares its locks. Env steps are those of the records; a seed that trains may be further.\n\n\
    Examples:\n  \
    gymnast status runs/dqn-CartPole-v1\n  \
    gymnast status runs/dqn-CartPole-v1 --live\n  \
    gymnast status runs/classic\n  \
    gymnast status runs/tune-dqn-CartPole-v1 --json"
)]
pub(crate) struct Status {
    /// The directories of runs, of suites or of searches
    #[arg(required = true)]
    dirs: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Show the curves, speeds and diagnostics of one run until it has ended
    #[arg(long, conflicts_with = "json")]
    live: bool,
}

/// What one directory holds.
#[derive(Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(super) enum Found {
    Run {
        directory: String,
        /// To train each seed for.
        env_steps: Option<u64>,
        seeds: Vec<SeedStatus>,
    },
    Search {
        directory: String,
        trials: u64,
        ended: usize,
        /// The value of the best trial.
        best: Option<f64>,
        running: Vec<(u64, String)>,
    },
}

pub(crate) fn run(args: &Status, out: &mut dyn Write) -> Result<ExitCode, CommandError> {
    if args.live {
        let [dir] = &args.dirs[..] else {
            return Err(CommandError::usage("--live shows one run: expected one directory"));
        };
        if look(dir)?.is_none() {
            return Err(TrainError::NoRun { path: dir.clone() }.into());
        }
        let interrupt = StopOnInterrupt::install();
        live::show(dir, Audience::Looks, || false)?;
        return Ok(match interrupt.requested() {
            true => interrupted("the run is unchanged"),
            false => ExitCode::SUCCESS,
        });
    }
    let mut all = Vec::new();
    for dir in run_dir::distinct(&args.dirs) {
        match look(&dir)? {
            Some(found) => all.push(found),
            None => all.extend(below(&dir)?),
        }
    }
    if args.json {
        write_json(out, &all)?;
        return Ok(ExitCode::SUCCESS);
    }
    let text = match &all[..] {
        [one] => alone(one),
        all => together(all),
    };
    write!(out, "{text}")?;
    Ok(ExitCode::SUCCESS)
}

/// Looks at a directory; `None` if it is neither a run's nor a search's.
pub(super) fn look(dir: &Path) -> Result<Option<Found>, CommandError> {
    let directory = run_dir::name(dir);
    if dir.join(DEFINITION).is_file() {
        let definition: Table = read_toml(&dir.join(DEFINITION))?;
        let trials = definition.get("trials").and_then(Value::as_integer).unwrap_or(0);
        let path = dir.join(STUDY);
        // Between the definition and the study it was killed, or it is just beginning.
        let study = if path.is_file() { Some(Study::read(&path)?) } else { None };
        return Ok(Some(Found::Search {
            directory,
            trials: u64::try_from(trials).unwrap_or(0),
            ended: study.as_ref().map_or(0, |study| study.trials().len()),
            best: study.as_ref().and_then(|study| study.best()?.value()),
            running: SharedStudy::running(&path)?,
        }));
    }
    if !dir.join(CONFIG_FILE).is_file() {
        return Ok(None);
    }
    let config: Table = read_toml(&dir.join(CONFIG_FILE))?;
    let found = RunSeeds::of(dir, &config)?;
    let listed = found.listed.unwrap_or_else(|| found.own.iter().map(|own| own.seed).collect());
    let env_steps = config.get("training").and_then(|training| training.get("env_steps"));
    let seeds = listed.into_iter().map(|seed| SeedStatus::of(dir, seed));
    Ok(Some(Found::Run {
        directory,
        env_steps: env_steps.and_then(Value::as_integer).and_then(|steps| steps.try_into().ok()),
        seeds: seeds.collect::<Result<_, _>>()?,
    }))
}

/// Looks at the runs and searches below a directory, for example a suite's.
fn below(dir: &Path) -> Result<Vec<Found>, CommandError> {
    let list = |error| CommandError::failed(format!("cannot list {}: {error}", run_dir::name(dir)));
    let mut dirs = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(list)? {
        dirs.push(entry.map_err(list)?.path());
    }
    dirs.sort();
    let mut all = Vec::new();
    for dir in dirs {
        match look(&dir) {
            Ok(found) => all.extend(found),
            // One that cannot be read does not hide the others.
            Err(error) => say(&format!(
                "{}: left out, because {}",
                run_dir::name(&dir),
                error.message().unwrap_or("it cannot be read")
            )),
        }
    }
    match all.is_empty() {
        false => Ok(all),
        true => Err(TrainError::NoRun { path: dir.to_owned() }.into()),
    }
}

impl Found {
    pub(super) fn has_ended(&self) -> bool {
        match self {
            Self::Run { seeds, .. } => {
                seeds.iter().all(|status| status.state == SeedState::Finished)
            }
            Self::Search { trials, ended, .. } => *ended as u64 >= *trials,
        }
    }
}

/// A state in a word or two.
pub(super) fn state(state: &SeedState) -> &'static str {
    match state {
        SeedState::Finished => "finished",
        SeedState::Training { .. } => "training",
        SeedState::Stopped => "stopped",
        SeedState::NotBegun => "not begun",
        SeedState::Damaged { .. } => "damaged",
    }
}

/// The number of seeds in a state.
fn count(seeds: &[SeedStatus], is: fn(&SeedState) -> bool) -> usize {
    seeds.iter().filter(|status| is(&status.state)).count()
}

/// How far a run or a search is, in a line.
pub(super) fn one_line(found: &Found) -> String {
    match found {
        Found::Run { directory, seeds, .. } => {
            let finished = count(seeds, |state| *state == SeedState::Finished);
            let training = count(seeds, |state| matches!(state, SeedState::Training { .. }));
            let done = share_done(found).map(|share| format!(", {}", percent(share)));
            let left = time_left(std::slice::from_ref(found));
            let left = left.map(|left| format!(", about {left} left"));
            format!(
                "{directory}: {finished} of {} seeds finished, {training} training{}{}",
                seeds.len(),
                done.unwrap_or_default(),
                left.unwrap_or_default()
            )
        }
        Found::Search { directory, trials, ended, running, best } => {
            let best = best.map(|best| format!(", the best has {}", score(best)));
            format!(
                "{directory}: {ended} of {trials} trials ended, {} running{}",
                running.len(),
                best.unwrap_or_default()
            )
        }
    }
}

/// One line for each seed of a run.
fn alone(found: &Found) -> String {
    let Found::Run { directory, env_steps, seeds } = found else {
        return together(std::slice::from_ref(found));
    };
    let headings = ["seed", "state", "env steps", "done", "steps/s", "written", "by"];
    let mut rows = vec![headings.map(str::to_owned)];
    for status in seeds {
        let by = match &status.state {
            SeedState::Training { by } => escape_name(by).into_owned(),
            _ => String::new(),
        };
        let done = match (&status.state, env_steps) {
            (SeedState::Finished, _) => Some("100 %".to_owned()),
            (_, Some(steps)) if *steps > 0 => {
                Some(percent(status.env_steps as f64 / *steps as f64))
            }
            _ => None,
        };
        rows.push([
            status.seed.to_string(),
            state(&status.state).to_owned(),
            status.env_steps.to_string(),
            optional(done),
            optional(status.env_steps_per_s().map(|speed| format!("{speed:.0}"))),
            optional(status.written.and_then(age)),
            by,
        ]);
    }
    let mut text = format!("{}\n\n{}", escape_name(directory), columns(&rows));
    for status in seeds {
        if let SeedState::Damaged { reason } = &status.state {
            text += &format!("\nseed {}: {}\n", status.seed, escape_name(reason));
        }
    }
    if let Some(left) = time_left(std::slice::from_ref(found)) {
        text += &format!("\nAbout {left} left at these speeds.\n");
    }
    text
}

/// One line for each run and search, and one for each process that works.
fn together(all: &[Found]) -> String {
    let headings = ["directory", "ended", "at work", "stopped", "open", "done"];
    let (mut rows, mut workers) = (vec![headings.map(str::to_owned)], Vec::new());
    for found in all {
        let row = match found {
            Found::Run { directory, seeds, .. } => {
                let count = |is| count(seeds, is).to_string();
                for status in seeds {
                    if let SeedState::Training { by } = &status.state {
                        workers.push((by, format!("{directory}, seed {}", status.seed)));
                    }
                }
                [
                    short(directory),
                    count(|state| *state == SeedState::Finished),
                    count(|state| matches!(state, SeedState::Training { .. })),
                    count(|state| matches!(state, SeedState::Stopped | SeedState::Damaged { .. })),
                    count(|state| *state == SeedState::NotBegun),
                    share_done(found).map_or_else(|| "–".to_owned(), percent),
                ]
            }
            Found::Search { directory, trials, ended, running, .. } => {
                for (trial, by) in running {
                    workers.push((by, format!("{directory}, trial {trial}")));
                }
                let open = trials.saturating_sub((ended + running.len()) as u64);
                [
                    short(directory),
                    ended.to_string(),
                    running.len().to_string(),
                    "–".to_owned(),
                    open.to_string(),
                    percent(*ended as f64 / (*trials).max(1) as f64),
                ]
            }
        };
        rows.push(row);
    }
    let mut text = columns(&rows);
    for found in all {
        if let Found::Search { directory, best: Some(best), .. } = found {
            text +=
                &format!("\n{}: the best trial so far has {}\n", short(directory), score(*best));
        }
    }
    if !workers.is_empty() {
        text += "\n";
    }
    for (by, work) in workers {
        text += &format!("{}: {}\n", escape_name(by), escape_name(&work));
    }
    if let Some(left) = time_left(all) {
        text += &format!("\nAbout {left} left at these speeds.\n");
    }
    text
}

/// The last part of a directory's name.
fn short(directory: &str) -> String {
    escape_name(&run_dir::short_name(Path::new(directory))).into_owned()
}

/// The share of a run's env steps that were taken; a seed that ended early counts as whole.
fn share_done(found: &Found) -> Option<f64> {
    let Found::Run { env_steps: Some(env_steps @ 1..), seeds, .. } = found else { return None };
    let share = |status: &SeedStatus| match status.state {
        SeedState::Finished => 1.0,
        _ => (status.env_steps as f64 / *env_steps as f64).min(1.0),
    };
    let shares: Vec<f64> = seeds.iter().map(share).collect();
    gymnast_core::statistics::mean(&shares)
}

/// How long the seeds still take, at the speeds of those that train; `None` if none trains.
fn time_left(all: &[Found]) -> Option<String> {
    let (mut seconds, mut workers) = (0.0, 0_usize);
    for found in all {
        let Found::Run { env_steps: Some(env_steps), seeds, .. } = found else { continue };
        let speeds: Vec<f64> = seeds.iter().filter_map(SeedStatus::env_steps_per_s).collect();
        let speed = gymnast_core::statistics::mean(&speeds);
        for status in seeds {
            workers += usize::from(matches!(status.state, SeedState::Training { .. }));
            if status.state != SeedState::Finished {
                let left = env_steps.saturating_sub(status.env_steps) as f64;
                // A run of which nothing is known yet makes the whole unknown.
                seconds += left / status.env_steps_per_s().or(speed)?;
            }
        }
    }
    (workers > 0).then(|| duration(seconds / workers as f64))
}

fn percent(share: f64) -> String {
    // Whole only at the end.
    format!("{:.0} %", if share < 1.0 { (100.0 * share).min(99.0) } else { 100.0 })
}

/// How long ago something was written.
fn age(written: SystemTime) -> Option<String> {
    let age = SystemTime::now().duration_since(written).ok()?;
    Some(format!("{} ago", duration(age.as_secs_f64())))
}
