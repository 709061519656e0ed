//! `gymnast tune`: settings that are searched for.

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
use gymnast_core::tune::{Study, StudyEnding, TuneError};

use super::{
    CommandError, MOST, Names, StopOnInterrupt,
    numbers::whole,
    say,
    seeds::{Seeds, seeds},
    shell,
};
use definition::{Definition, MOST_TRIALS};
use objective::Objective;

/// The file that says what is searched for.
const DEFINITION: &str = "tune.toml";
/// The file of the trials.
const STUDY: &str = "study.jsonl";

/// Search for settings with which an agent does better in an environment
#[derive(clap::Args)]
#[command(
    after_help = "A trial trains with settings of its own and comes to the mean of its seeds' final returns. Ranges\n\
    are written as\n\n  \
    learning_rate=log(1e-5, 1e-2)      a number, equal ratios equally likely\n  \
    gamma=uniform(0.9, 0.999)          a number, equal steps equally likely\n  \
    n_step=int(1, 5)                   a whole number; log_int for sizes\n  \
    hidden=[[64, 64], [256, 256]]      one of several\n\n\
    under the names that gymnast train --set has, learning_rate.from for the beginning of a schedule say;\n\
    without any, every agent has ranges of its own. The directory holds the trials, config.toml with the\n\
    best settings and with seeds that the search has not seen, pictures and a table.\n\n\
    Examples:\n  \
    gymnast tune dqn CartPole-v1 --steps 20000\n  \
    gymnast tune dqn CartPole-v1 --search 'learning_rate=log(1e-5,1e-2)' --search 'tau=[0.005,0.05,1]'\n  \
    gymnast tune q-learning FrozenLake-v1 --space ranges.toml --trials 100 --seeds 5 --jobs 4\n  \
    gymnast tune ppo CartPole-v1 --set training.num_envs=8 --sampler cma-es --pruner asha\n  \
    gymnast tune --resume --out runs/tune-dqn-CartPole-v1 --trials 60\n  \
    gymnast train --config runs/tune-dqn-CartPole-v1/config.toml --out runs/tuned"
)]
pub(crate) struct Tune {
    /// The agent (gymnast agents lists them)
    #[arg(required_unless_present = "resume")]
    agent: Option<String>,
    /// The environment (gymnast envs lists them)
    #[arg(required_unless_present = "resume")]
    env: Option<String>,
    /// Search this setting of the agent, training.KEY or env.KEY, in this range (repeatable)
    #[arg(long, value_name = "KEY=RANGE")]
    search: Vec<String>,
    /// Read ranges from a TOML file, KEY = "RANGE" a line
    #[arg(long, value_name = "FILE")]
    space: Option<PathBuf>,
    /// Set what is not searched, as in gymnast train (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Train each seed of a trial for so many env steps
    #[arg(long, value_name = "N", value_parser = whole::<u64>(0..=MOST), allow_negative_numbers = true)]
    steps: Option<u64>,
    /// Run so many trials in all [default: 30; of a grid every combination]
    #[arg(long, value_name = "N", value_parser = whole::<u64>(1..=MOST_TRIALS), allow_negative_numbers = true)]
    trials: Option<u64>,
    /// Train each trial with this many seeds, from 0 or --first-seed on, or with those of a list: 3,7,10..19
    /// (a range includes both ends) [default: 2]
    #[arg(long, value_name = "SEEDS", value_parser = seeds, allow_negative_numbers = true)]
    seeds: Option<Seeds>,
    /// The first of the seeds; as many follow as --seeds says
    #[arg(long, value_name = "S", value_parser = whole::<u64>(0..=MOST), allow_negative_numbers = true)]
    first_seed: Option<u64>,
    /// What chooses the next settings
    #[arg(long, value_enum, default_value_t = SamplerName::Tpe)]
    sampler: SamplerName,
    /// The values that a grid takes of each range
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = whole::<u64>(2..=1000), allow_negative_numbers = true)]
    grid_points: u64,
    /// What ends trials early that lag behind
    #[arg(long, value_enum, default_value_t = PrunerName::Median)]
    pruner: PrunerName,
    /// Run so many trials at a time; the trials depend on it, but not on which ends first [default: 1]
    #[arg(long, value_name = "J", value_parser = whole::<usize>(1..=1024), allow_negative_numbers = true)]
    jobs: Option<usize>,
    /// The seed of the search
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = whole::<u64>(0..=MOST), allow_negative_numbers = true)]
    seed: u64,
    /// The directory [default: runs/tune-AGENT-ENV]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Continue the search of the directory; --trials and --jobs may be changed
    #[arg(long, requires = "out", conflicts_with_all = [
        "agent", "env", "search", "space", "set", "steps", "seeds", "first_seed", "sampler", "grid_points", "pruner", "seed",
    ])]
    resume: bool,
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
    /// Evolution strategy with covariance matrix adaptation, for numbers
    CmaEs,
    /// Independent draws
    Random,
    /// Every combination, the first setting changing slowest
    Grid,
}

#[derive(Clone, Copy, ValueEnum)]
enum PrunerName {
    /// None
    None,
    /// Those worse than the median of the others at the same step, from the middle of the first seed on
    Median,
    /// All but the best quarter at steps that lie ever further apart (successive halving)
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
    // From here on, so that Ctrl-C never leaves anything half-written.
    let interrupt = StopOnInterrupt::install();
    if !args.resume {
        definition.claim(&dir)?;
    }
    // In this order: who is refused, since another process has the study, has changed nothing.
    let mut study = open(&definition, &dir)?;
    finish::check_trials(&study, &dir)?;
    finish::remove_leftovers(&dir)?;
    definition.write(&dir)?;
    let ending = match definition.jobs {
        1 => study.optimize(definition.trials, |trial| objective.evaluate(trial, interrupt))?,
        jobs => study.optimize_parallel(definition.trials, jobs, |trial| {
            objective.evaluate(trial, interrupt)
        })?,
    };
    if ending == StudyEnding::Interrupted {
        let (dir, trials) = (shell::path(&dir), study.trials().len());
        say(&format!(
            "interrupted; {trials} trials are saved. Continue with\n  \
             gymnast tune --resume --out {dir}"
        ));
        return Ok(ExitCode::from(130));
    }
    finish::show(args, &definition, &study, &dir, names, out)?;
    Ok(ExitCode::SUCCESS)
}

/// The study of the directory, begun where there is none.
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
