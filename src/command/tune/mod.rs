//! `gymnast tune`: searches for better settings.

mod definition;
mod finish;
mod objective;
mod search;

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::ValueEnum;
use gymnast_core::tune::{SharedStudy, Study, StudyEnding, Trial, TuneError};

use super::{
    CommandError, MOST, Names, StopOnInterrupt, interrupted,
    numbers::whole,
    seeds::{Seeds, seeds},
    shell,
};
use definition::{Definition, MOST_TRIALS};
use objective::Objective;

/// The file that defines the search.
pub(super) const DEFINITION: &str = "tune.toml";
/// The file of the trials.
pub(super) const STUDY: &str = "study.jsonl";

/// Search for better settings of an agent in an environment
#[derive(clap::Args)]
#[command(
    after_help = "A trial trains an agent with its own settings; its value is the mean of its seeds' final returns.\n\
    Write ranges as\n\n  \
    learning_rate=log(1e-5, 1e-2)      a number on a logarithmic scale\n  \
    gamma=uniform(0.9, 0.999)          a number on a linear scale\n  \
    n_step=int(1, 5)                   a whole number; log_int for a logarithmic scale\n  \
    hidden=[[64, 64], [256, 256]]      one of these choices\n\n\
    with the names of gymnast train --set, for example learning_rate.from for the start of a schedule.\n\
    Without ranges, the agent's default ranges are searched. The directory holds the trials, pictures, a\n\
    table, and config.toml with the best settings and with seeds that the search has not used.\n\n\
    Examples:\n  \
    gymnast tune dqn CartPole-v1 --steps 20000\n  \
    gymnast tune dqn CartPole-v1 --search 'learning_rate=log(1e-5,1e-2)' --search 'tau=[0.005,0.05,1]'\n  \
    gymnast tune q-learning FrozenLake-v1 --space ranges.toml --trials 100 --seeds 5 --jobs 4\n  \
    gymnast tune ppo CartPole-v1 --set training.num_envs=8 --sampler cma-es --pruner asha\n  \
    gymnast tune --resume --out runs/tune-dqn-CartPole-v1 --trials 60\n  \
    gymnast tune sac Pendulum-v1 --trials 200 --jobs 16 --join --out runs/tune\n  \
    gymnast train --config runs/tune-dqn-CartPole-v1/config.toml --out runs/tuned"
)]
pub(crate) struct Tune {
    /// The agent (gymnast agents lists them)
    #[arg(required_unless_present = "resume")]
    agent: Option<String>,
    /// The environment (gymnast envs lists them)
    #[arg(required_unless_present = "resume")]
    env: Option<String>,
    /// Search a setting of the agent, training.KEY or env.KEY, in this range (repeatable)
    #[arg(long, value_name = "KEY=RANGE")]
    search: Vec<String>,
    /// Read ranges from a TOML file with lines KEY = "RANGE"
    #[arg(long, value_name = "FILE")]
    space: Option<PathBuf>,
    /// Set a setting that is not searched, as in gymnast train (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The number of env steps to train each seed of a trial for
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=MOST), allow_negative_numbers = true)]
    steps: Option<u64>,
    /// The total number of trials [default: 30; for a grid all combinations]
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1..=MOST_TRIALS), allow_negative_numbers = true)]
    trials: Option<u64>,
    /// The number of seeds of each trial, from 0 or --first-seed on, or a list of seeds: 3,7,10..19
    /// (ranges include both ends) [default: 2]
    #[arg(long, value_name = "SEEDS", value_parser = seeds, allow_negative_numbers = true)]
    seeds: Option<Seeds>,
    /// The first seed; --seeds sets their number
    #[arg(long, value_name = "S", value_parser = whole::<u64>(0..=MOST), allow_negative_numbers = true)]
    first_seed: Option<u64>,
    /// How to choose the next settings
    #[arg(long, value_enum, default_value_t = SamplerName::Tpe)]
    sampler: SamplerName,
    /// The number of values of each range in a grid
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = whole::<u64>(2..=1000), allow_negative_numbers = true)]
    grid_points: u64,
    /// When to end poor trials early
    #[arg(long, value_enum, default_value_t = PrunerName::Median)]
    pruner: PrunerName,
    /// The number of trials to run in parallel, with --join in all processes together. It changes
    /// which trials are tried, but the order in which they end does not [default: 1]
    #[arg(long, value_name = "J", value_parser = whole::<usize>(1..=1024), allow_negative_numbers = true)]
    jobs: Option<usize>,
    /// The seed of the search
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = whole::<u64>(0..=MOST), allow_negative_numbers = true)]
    seed: u64,
    /// The directory of the search [default: runs/tune-AGENT-ENV]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Continue the search in the directory; --trials and --jobs may change
    #[arg(long, requires = "out", conflicts_with_all = [
        "agent", "env", "search", "space", "set", "steps", "seeds", "first_seed", "sampler", "grid_points", "pruner", "seed",
    ])]
    resume: bool,
    /// Work beside other processes with the same arguments, on any machines that see the directory,
    /// one trial at a time; begin the search if there is none
    #[arg(long, conflicts_with = "resume")]
    join: bool,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum SamplerName {
    /// Tree-structured Parzen estimator
    Tpe,
    /// CMA-ES, an evolution strategy, for numeric settings
    CmaEs,
    /// Independent random draws
    Random,
    /// Every combination; the first setting changes slowest
    Grid,
}

#[derive(Clone, Copy, ValueEnum)]
enum PrunerName {
    /// Never
    None,
    /// If worse than the median of the others at the same step, from the middle of the first seed
    /// on
    Median,
    /// Keep the best quarter at steps ever further apart (successive halving)
    Asha,
}

pub(crate) fn run(
    args: &Tune,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let (definition, dir) = if args.resume {
        let dir = args.out.clone().expect("--resume requires --out");
        (Definition::read(&dir, args, names)?, dir)
    } else {
        let definition = Definition::new(args, names)?;
        let dir = args.out.clone().unwrap_or_else(|| definition.default_dir());
        (definition, dir)
    };
    let objective = Objective::new(&definition, names, args.quiet)?;
    // From here on, Ctrl-C never leaves files half-written.
    let interrupt = StopOnInterrupt::install();
    let evaluate = |trial: &mut Trial<'_>| objective.evaluate(trial, interrupt);
    if args.join {
        let lock = definition.join(&dir)?;
        finish::remove_leftovers(&dir)?;
        drop(lock);
        let mut shared = SharedStudy::join(&dir.join(STUDY), definition.study())?;
        finish::check_trials(shared.study(), &dir)?;
        let waits = || !interrupt.requested();
        let ending = shared.optimize(definition.trials, definition.jobs, waits, evaluate)?;
        if ending == StudyEnding::Interrupted {
            let trials = shared.study().trials().len();
            return Ok(interrupted(&format!(
                "{trials} trials are saved: run the same command to continue"
            )));
        }
        let _lock = definition::lock(&dir)?;
        finish::show(args, &definition, shared.study(), &dir, names, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    if !args.resume {
        definition.claim(&dir)?;
    }
    // In this order, so that a call rejected because another process holds the study changes
    // nothing.
    let mut study = open(&definition, &dir)?;
    finish::check_trials(&study, &dir)?;
    finish::remove_leftovers(&dir)?;
    definition.write(&dir)?;
    let ending = match definition.jobs {
        1 => study.optimize(definition.trials, evaluate)?,
        jobs => study.optimize_parallel(definition.trials, jobs, evaluate)?,
    };
    if ending == StudyEnding::Interrupted {
        let (dir, trials) = (shell::path(&dir), study.trials().len());
        return Ok(interrupted(&format!(
            "{trials} trials are saved. Continue with\n  gymnast tune --resume --out {dir}"
        )));
    }
    finish::show(args, &definition, &study, &dir, names, out)?;
    Ok(ExitCode::SUCCESS)
}

/// Opens the study of the directory, or begins a new one.
fn open(definition: &Definition, dir: &Path) -> Result<Study, CommandError> {
    let (path, config) = (dir.join(STUDY), definition.study());
    let study = match Study::create(&path, config.clone()) {
        Err(TuneError::Exists(_)) => Study::resume(&path)?,
        created => created?,
    };
    if *study.config() != config {
        return Err(CommandError::failed(format!(
            "{} is the study of another search: of {DEFINITION} only trials and jobs may change after it \
             began; undo other changes, or begin a search in another --out",
            path.display()
        )));
    }
    Ok(study)
}

impl From<TuneError> for CommandError {
    fn from(error: TuneError) -> Self {
        match error {
            TuneError::File { .. }
            | TuneError::Full { .. }
            | TuneError::Damaged { .. }
            | TuneError::Write(_) => Self::failed(error.to_string()),
            other => Self::usage(other.to_string()),
        }
    }
}
