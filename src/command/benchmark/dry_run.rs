//! `gymnast benchmark --dry-run`: what would be trained, and about how long it would take.

use std::{
    io::Write,
    process::ExitCode,
    time::{Duration, Instant},
};

use gymnast_core::text::columns;
use gymnast_harness::{Callback, Ending, Flow, Progress, SeedDir};

use super::{Benchmark, Cell};
use crate::{
    command::{CommandError, table::duration},
    run::cores,
};

/// How long a run without a finished seed is tried.
const TRIAL: Duration = Duration::from_secs(1);

/// Ends a training after a while and keeps how far it came.
struct Trial {
    begun: Instant,
    env_steps: u64,
}

impl Callback for Trial {
    fn on_step(&mut self, progress: &Progress) -> Flow {
        self.env_steps = progress.env_steps;
        if self.begun.elapsed() < TRIAL { Flow::Continue } else { Flow::Stop }
    }
}

pub(super) fn run(
    args: &Benchmark,
    cells: &[Cell<'_>],
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let jobs = args.jobs.unwrap_or_else(cores);
    let headings = ["run", "env steps", "seeds", "to train", "steps/s", "about"].map(str::to_owned);
    let (mut rows, mut work, mut all_left) = (vec![headings], 0.0, 0);
    for Cell { item, run, dir } in cells {
        let is_done = |seed: &&u64| {
            let summary = SeedDir::below(dir, **seed).summary();
            summary.is_ok_and(|summary| summary.is_some_and(|s| s.ending != Ending::Stopped))
        };
        let done = run.seeds.iter().filter(is_done).count();
        let left = run.seeds.len() - done;
        let speed = if left > 0 { speed(run, dir)? } else { f64::INFINITY };
        let env_steps = run.training.env_steps;
        let seconds = left as f64 * env_steps as f64 / speed;
        (work, all_left) = (work + seconds, all_left + left);
        let speed = if left > 0 { format!("{speed:.0}") } else { "–".to_owned() };
        let count = run.seeds.len().to_string();
        let about = duration(seconds / jobs.min(left.max(1)) as f64);
        rows.push([item.title(), env_steps.to_string(), count, left.to_string(), speed, about]);
    }
    write!(out, "{}", columns(&rows))?;
    let total = duration(work / jobs.min(all_left.max(1)) as f64);
    let how = "Speeds are those of the seeds that have ended, else of a second of training.";
    writeln!(out, "\nAbout {total} in all with {jobs} at a time.\n{how}")?;
    Ok(ExitCode::SUCCESS)
}

/// Env steps per second: of the seeds that have ended, with their evaluations, else of a short trial.
fn speed(run: &crate::Run, dir: &std::path::Path) -> Result<f64, CommandError> {
    let ended = |seed: &u64| SeedDir::below(dir, *seed).summary().ok()?;
    let speeds = run.seeds.iter().filter_map(ended).filter_map(|summary| {
        let seconds = summary.evaluations.last()?.wall_time_s;
        (seconds > 0.0).then(|| summary.env_steps as f64 / seconds)
    });
    if let Some(slowest) = speeds.reduce(f64::min) {
        return Ok(slowest);
    }
    let mut trial = Trial { begun: Instant::now(), env_steps: 0 };
    run.train_with_callbacks(run.seeds[0], &mut [&mut trial])?;
    Ok(trial.env_steps.max(1) as f64 / trial.begun.elapsed().as_secs_f64())
}
