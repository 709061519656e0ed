//! `gymnast plot`: learning curves of one or several runs.

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use gymnast_core::plot::Picture as _;
use gymnast_core::{
    plot::{self, LinePlot},
    text::escape_name,
};
use gymnast_harness::report::RunResults;

use super::{
    CommandError, Names,
    curves::{View, learning_curves},
    numbers::finite,
    say,
    shown_runs::{self, RunArgs},
};

/// Draw learning curves: one line per run, with its 95 % band over seeds and the seeds themselves
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    gymnast plot runs/q-learning-FrozenLake-v1 --out lake.svg\n  \
    gymnast plot runs/a runs/b --out both.png --center iqm --title \"a or b?\"\n  \
    gymnast plot runs/a --out time.svg --x time\n  \
    gymnast plot runs/ppo-CartPole-v1 logs/ppo/CartPole-v1_1 --out peers.svg\n  \
    gymnast plot runs/ppo-CartPole-v1 cleanrl=runs/CartPole-v1__ppo__1__1700000000 --episodes --out e.svg\n\n\
    `gymnast report --help` lists what is read of other programs.")]
pub(crate) struct Plot {
    #[command(flatten)]
    runs: RunArgs,
    /// The picture to write; ends in .svg or .png
    #[arg(long)]
    out: PathBuf,
    /// The horizontal axis
    #[arg(long, value_enum, default_value_t = X::Steps)]
    x: X,
    /// The center line: the statistic over seeds
    #[arg(long, value_enum, default_value_t = Center::Mean)]
    center: Center,
    /// Draw the returns of training episodes instead of the evaluations. Each point is the mean of
    /// the last 100 episodes, or of all if there are fewer
    #[arg(long)]
    episodes: bool,
    /// The title [default: the environment's name]
    #[arg(long)]
    title: Option<String>,
    /// The mean return that counts as solved [default: the environment's]
    #[arg(long, value_parser = finite, allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Overwrite an existing picture
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum X {
    /// Env steps of training
    Steps,
    /// Wall time
    Time,
}

#[derive(Clone, Copy, ValueEnum)]
enum Center {
    Mean,
    /// Interquartile mean
    Iqm,
    Median,
}

pub(crate) fn run(
    args: &Plot,
    names: &Names,
    out: &mut dyn Write,
) -> Result<ExitCode, CommandError> {
    let path = args.out.display();
    super::check_free(&args.out, args.force)?;
    let (runs, sources) = shown_runs::read(&args.runs, args.threshold, names)?;
    let center = match args.center {
        Center::Mean => plot::Center::Mean,
        Center::Iqm => plot::Center::Iqm,
        Center::Median => plot::Center::Median,
    };
    warn(&runs);
    let view = View { by_time: args.x == X::Time, of_episodes: args.episodes, center };
    learning_curves(&runs, &sources, view, args.title.as_deref())?.save(&args.out)?;
    writeln!(out, "{}", escape_name(&path.to_string()))?;
    Ok(ExitCode::SUCCESS)
}

/// Warns about what makes a picture hard to read or misleading.
fn warn(runs: &[RunResults]) {
    let mut envs: Vec<_> = runs.iter().map(|run| run.env.as_str()).collect();
    envs.sort_unstable();
    envs.dedup();
    if envs.len() > 1 {
        say(&format!(
            "warning: returns of different environments share an axis but cannot be compared: {}. \
             Draw a picture for each environment",
            envs.join(", ")
        ));
    }
    if runs.len() > LinePlot::DISTINCT_LINES {
        say(&format!(
            "warning: of {} runs some lines look alike: a picture can distinguish {}. Draw fewer runs per picture",
            runs.len(),
            LinePlot::DISTINCT_LINES
        ));
    }
}
