//! `gymnast train`: trains an agent.

mod config;
mod finish;

use std::{
    ffi::OsString,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
};

use gymnast_harness::{Ending, Existing, ProgressDisplay, Summary};

use super::{
    CommandError, MOST, Names, ProgressBars, StopOnInterrupt, interrupted,
    live::{self, Audience, KeptWarnings},
    numbers::whole,
    processes::{JobsAs, Processes},
    say,
    seeds::{Seeds, seeds},
    shell,
};
use crate::{
    Run,
    run::{CONFIG_FILE, cores},
};

/// Train an agent in an environment, with several seeds
#[derive(clap::Args)]
#[command(
    after_help = "Settings come from the preset of the agent and the environment, then from --config, then from the\n\
    other flags. The run's directory holds config.toml, the records and checkpoints of each seed, and\n\
    the learning curve.\n\n\
    The presets were tuned on the seeds 0 to 9, which flatter them: report results on the seeds 100\n\
    and up.\n\n\
    Examples:\n  \
    gymnast train q-learning FrozenLake-v1\n  \
    gymnast train q-learning Taxi-v4 --seeds 10 --steps 100000 --out runs/taxi\n  \
    gymnast train q-learning Taxi-v4 --first-seed 100 --seeds 20         on seeds not used for tuning\n  \
    gymnast train q-learning Taxi-v4 --seeds 3,7,100..119\n  \
    gymnast train q-learning FrozenLake-v1 --set alpha=0.2 --set epsilon='{from=1.0,to=0.05,until=0.5}'\n  \
    gymnast train q-learning FrozenLake-v1 --set env.is_slippery=false --set training.num_envs=4\n  \
    gymnast train q-learning CartPole-v1 --wrapper 'DiscretizeObservation(bins=8, low=-3, high=3)'\n  \
    gymnast train --resume --out runs/taxi\n  \
    gymnast train --config runs/taxi/config.toml --out runs/taxi-again"
)]
pub(crate) struct Train {
    /// The agent (gymnast agents lists them)
    agent: Option<String>,
    /// The environment (gymnast envs lists them)
    env: Option<String>,
    /// The number of env steps to train each seed for
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=MOST), allow_negative_numbers = true)]
    steps: Option<u64>,
    /// The number of seeds, from 0 or --first-seed on, or a list of seeds: 3,7,100..119 (ranges
    /// include both ends) [default: 5]
    #[arg(long, value_name = "SEEDS", value_parser = seeds, allow_negative_numbers = true)]
    seeds: Option<Seeds>,
    /// The first seed; --seeds sets their number
    #[arg(long, value_name = "S", value_parser = whole::<u64>(0..=MOST), allow_negative_numbers = true)]
    first_seed: Option<u64>,
    /// Train with this seed only
    #[arg(long, value_name = "S", conflicts_with_all = ["seeds", "first_seed"], value_parser = whole::<u64>(0..=MOST), allow_negative_numbers = true)]
    seed: Option<u64>,
    /// Set a setting of the agent, or training.KEY, env.KEY or, for evaluations only,
    /// evaluation.KEY (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Wrap the environment; the first wrapper is innermost. Replaces the configured wrappers
    /// (repeatable; gymnast wrappers lists them)
    #[arg(long, value_name = "NAME(KEY=VALUE,…)")]
    wrapper: Vec<String>,
    /// Read settings from a file, for example the config.toml of another run
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Evaluate every N env steps; 0: only at the end
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=MOST), allow_negative_numbers = true)]
    eval_every: Option<u64>,
    /// The number of episodes of an evaluation
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=MOST), allow_negative_numbers = true)]
    eval_episodes: Option<u64>,
    /// End a seed's training when an evaluation reaches the environment's threshold
    #[arg(long)]
    stop_at_threshold: bool,
    /// The number of seeds to train in parallel [default: the number of cores]
    #[arg(long, value_name = "J", value_parser = whole::<usize>(1..=u64::MAX), allow_negative_numbers = true)]
    jobs: Option<usize>,
    /// Train seeds in parallel as threads of this process, or as a process each
    #[arg(long, value_enum, default_value_t)]
    jobs_as: JobsAs,
    /// The run's directory [default: runs/AGENT-ENV]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Continue the run in the directory from its last checkpoints
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Work on the run in the directory beside other processes, or begin it: each seed is trained by
    /// one of them. With --seed $SLURM_ARRAY_TASK_ID the tasks of an array make one run
    #[arg(long, conflicts_with_all = ["resume", "force"])]
    join: bool,
    /// Overwrite the run in the directory
    #[arg(long)]
    force: bool,
    /// Show curves, speeds and diagnostics while it trains
    #[arg(long, conflicts_with_all = ["quiet", "jobs_as"])]
    live: bool,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(
    args: &Train,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let (table, dir) = config::resolve(args, names)?;
    let run = Run::new(&names.catalog, &names.registry, &table)?;
    // From here on, Ctrl-C never leaves a run half-written.
    let interrupt = StopOnInterrupt::install();
    let summaries = if args.live { train_live(args, &run, &dir) } else { train(args, &run, &dir) }?;
    if interrupt.requested() && summaries.iter().any(|summary| summary.ending == Ending::Stopped) {
        let at = summaries.iter().map(|summary| summary.env_steps.to_string());
        let (at, dir) = (at.collect::<Vec<_>>().join(", "), shell::path(&dir));
        let how = match args.join {
            true => "the same command".to_owned(),
            false => format!("\n  gymnast train --resume --out {dir}"),
        };
        return Ok(interrupted(&format!(
            "saved up to these env steps, by seed: {at}. Continue with {how}"
        )));
    }
    finish::show(args, &run, &dir, &summaries, names, out)?;
    Ok(ExitCode::SUCCESS)
}

/// Trains on a thread of its own and shows the run's records meanwhile.
fn train_live(args: &Train, run: &Run, dir: &Path) -> Result<Vec<Summary>, CommandError> {
    let kept = KeptWarnings::default();
    thread::scope(|scope| {
        let training = scope.spawn(|| train_with(args, run, dir, kept.clone()));
        // What becomes of the screen is no reason to lose the training.
        let shown = live::show(dir, Audience::Trains, || training.is_finished());
        kept.release();
        if let Err(error) = shown {
            let reason = error.message().unwrap_or_default().to_owned();
            say(&format!("nothing more is shown: {reason}; the training goes on"));
        }
        training.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn train(args: &Train, run: &Run, dir: &Path) -> Result<Vec<Summary>, CommandError> {
    train_with(args, run, dir, ProgressBars::unless(args.quiet))
}

fn train_with(
    args: &Train,
    run: &Run,
    dir: &Path,
    progress: impl ProgressDisplay + 'static,
) -> Result<Vec<Summary>, CommandError> {
    let existing = match args {
        Train { resume: true, .. } => Existing::Resume,
        Train { join: true, .. } => Existing::Join,
        Train { force: true, .. } => Existing::Replace,
        _ => Existing::Refuse,
    };
    let jobs = args.jobs.unwrap_or_else(cores);
    if args.jobs_as == JobsAs::Threads {
        return Ok(run.train_with(dir, existing, jobs, progress)?);
    }
    run.begin(dir, existing)?;
    let mut join: Vec<OsString> = ["train", "--join", "--quiet", "--jobs=1"].map(Into::into).into();
    // The directory may have more seeds than this call asks for.
    let seeds = Seeds::These(run.seeds.clone()).to_string();
    join.extend(["--seeds".into(), seeds.into(), "--config".into(), dir.join(CONFIG_FILE).into()]);
    join.extend(["--out".into(), dir.into()]);
    let others = Processes::start(jobs.min(run.seeds.len()).saturating_sub(1), &join)?;
    let summaries = run.train_with(dir, Existing::Resume, 1, progress)?;
    others.finish()?;
    Ok(summaries)
}
