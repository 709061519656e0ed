//! `gymnast plot`: pictures of one or several runs.

use std::{io::Write, num::NonZeroUsize, path::PathBuf, process::ExitCode};

use clap::ValueEnum;
use gymnast_core::{
    plot::{self, AxisScale, LinePlot, Panel, Picture as _},
    text::escape_name,
};
use gymnast_harness::report::{Efficiency, Report, RunResults};

use super::{
    CommandError, MOST, Names,
    numbers::{finite, whole},
    pictures::{self, Format, Limits, View, compose, limits, width},
    say,
    shown_runs::{self, RunArgs},
};

/// Draw runs: learning curves in a panel for each environment, or agents over all environments
///
/// Each picture says what its lines and bands are and how many seeds stand in them.
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    gymnast plot runs/q-learning-FrozenLake-v1 --out lake.svg\n  \
    gymnast plot runs/a runs/b --out both.png --center iqm --title \"a or b?\"\n  \
    gymnast plot runs/* --out paper.pdf --width two-column\n  \
    gymnast plot runs/a --out sharp.png --width one-column --scale 3\n  \
    gymnast plot runs/a --out early.svg --x-limits 0,20000 --smooth 5\n  \
    gymnast plot runs/* --kind efficiency --out efficiency.pdf\n  \
    gymnast plot runs/* --kind intervals --out intervals.pdf --width one-column\n  \
    gymnast plot runs/ppo-CartPole-v1 logs/ppo/CartPole-v1_1 --out peers.svg\n  \
    gymnast plot runs/ppo-CartPole-v1 cleanrl=runs/CartPole-v1__ppo__1__1700000000 --episodes --out e.svg\n\n\
    `gymnast report --help` lists what is read of other programs.")]
pub(crate) struct Plot {
    #[command(flatten)]
    runs: RunArgs,
    /// The picture to write; ends in .svg, .png or .pdf
    #[arg(long)]
    out: PathBuf,
    /// What to draw
    #[arg(long, value_enum, default_value_t = Kind::Curves)]
    kind: Kind,
    /// The horizontal axis of learning curves [default: steps]
    #[arg(long, value_enum)]
    x: Option<X>,
    /// The center line of learning curves: the statistic over seeds [default: mean]
    #[arg(long, value_enum)]
    center: Option<Center>,
    /// Draw the returns of training episodes instead of the evaluations. Each point is the mean of
    /// the last 100 episodes, or of all if there are fewer
    #[arg(long)]
    episodes: bool,
    /// Draw each point of learning curves as the mean of the last N evaluations (with --episodes:
    /// episodes) of its seed; the first N − 1 are left out
    #[arg(long, value_name = "N", value_parser = whole::<usize>(1..=MOST))]
    smooth: Option<usize>,
    /// The mean return that counts as solved [default: the environment's]
    #[arg(long, value_parser = finite, allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// The title [default: the environment's name, or what is drawn]
    #[arg(long)]
    title: Option<String>,
    /// The ends of the horizontal axis: 0,20000 [default: as the data]
    #[arg(long, value_name = "A,B", value_parser = limits, allow_hyphen_values = true)]
    x_limits: Option<Limits>,
    /// The ends of the vertical axis: -200,0 [default: as the data]
    #[arg(long, value_name = "A,B", value_parser = limits, allow_hyphen_values = true)]
    y_limits: Option<Limits>,
    /// Use a logarithmic horizontal axis; all values must be positive
    #[arg(long)]
    log_x: bool,
    /// Use a logarithmic vertical axis; all values, with those of bands, must be positive
    #[arg(long)]
    log_y: bool,
    /// The width: one-column (3.25 inches) or two-column (6.75) of a paper, inches (5in) or pixels
    /// (800). In columns and inches the text has 8 to 9 points
    #[arg(long, value_name = "WIDTH", value_parser = width, default_value = "800")]
    width: Format,
    /// Write a PNG with K times as many pixels across and down: sharp in print
    #[arg(long, value_name = "K", value_parser = finite, default_value_t = 1.0)]
    scale: f64,
    /// Overwrite an existing picture
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// The return while training, in each environment
    Curves,
    /// The interquartile mean of normalised returns while training, over environments
    Efficiency,
    /// The fraction of runs above each normalised return, over environments
    Profile,
    /// Aggregates over environments with their intervals; of one environment, each run's mean
    Intervals,
    /// How probably each agent beats each other, over environments
    Improvement,
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
    check(args)?;
    let (runs, sources) = shown_runs::read(&args.runs, args.threshold, names)?;
    warn(&runs);
    let panels = match args.kind {
        Kind::Curves => {
            let plots = pictures::curves(&runs, &sources, view(args))?;
            plots.into_iter().map(Panel::Lines).collect()
        }
        Kind::Efficiency => {
            if runs
                .iter()
                .flat_map(|run| &run.seeds)
                .all(|seed| seed.evaluations.iter().all(|evaluation| evaluation.env_step == 0))
            {
                return Err(CommandError::usage(
                    "--kind efficiency draws returns over env steps, which these scores do not say",
                ));
            }
            let efficiency = Efficiency::of(&runs).ok_or_else(not_across)?;
            vec![lines(args, pictures::efficiency(&efficiency))]
        }
        Kind::Profile => vec![lines(args, pictures::profiles(&across(&runs)?))],
        Kind::Intervals => {
            let mut panels = pictures::intervals(&Report::of(&runs, &[])?, &runs);
            for panel in &mut panels {
                if let (Panel::Intervals(plot), Some(limits)) = (panel, args.x_limits) {
                    plot.x_limits = Some(limits);
                }
            }
            panels
        }
        Kind::Improvement => {
            let report = across(&runs)?;
            if report.improvements.is_empty() {
                return Err(CommandError::usage(
                    "--kind improvement compares agents in pairs: name runs of at least two agents",
                ));
            }
            let mut plot = pictures::improvements(&report);
            plot.x_limits = args.x_limits.or(plot.x_limits);
            vec![Panel::Intervals(plot)]
        }
    };
    let drawing = compose(panels, args.title.as_deref(), args.width)?;
    drawing.save_at(&args.out, args.scale)?;
    writeln!(out, "{}", escape_name(&path.to_string()))?;
    Ok(ExitCode::SUCCESS)
}

/// Refuses options that mean nothing for the kind of picture.
fn check(args: &Plot) -> Result<(), CommandError> {
    if args.scale <= 0.0 {
        return Err(CommandError::usage("--scale: expected a number above 0"));
    }
    let is_png = args.out.extension().is_some_and(|end| end.eq_ignore_ascii_case("png"));
    if args.scale != 1.0 && !is_png {
        return Err(CommandError::usage(
            "--scale is for pictures of pixels, which end in .png: others are sharp at any size",
        ));
    }
    let of_curves = [
        ("--x", args.x.is_some()),
        ("--center", args.center.is_some()),
        ("--episodes", args.episodes),
        ("--smooth", args.smooth.is_some()),
        ("--threshold", args.threshold.is_some()),
    ];
    let of_lines =
        [("--log-x", args.log_x), ("--log-y", args.log_y), ("--y-limits", args.y_limits.is_some())];
    let refused = |options: &[(&str, bool)], kinds: &str| {
        let given = options.iter().find(|(_, is_given)| *is_given);
        given.map_or(Ok(()), |(option, _)| {
            Err(CommandError::usage(format!("{option} is for --kind {kinds}")))
        })
    };
    if args.kind != Kind::Curves {
        refused(&of_curves, "curves")?;
    }
    if matches!(args.kind, Kind::Intervals | Kind::Improvement) {
        refused(&of_lines, "curves, efficiency and profile")?;
    }
    Ok(())
}

fn view(args: &Plot) -> View {
    View {
        by_time: args.x == Some(X::Time),
        of_episodes: args.episodes,
        center: match args.center.unwrap_or(Center::Mean) {
            Center::Mean => plot::Center::Mean,
            Center::Iqm => plot::Center::Iqm,
            Center::Median => plot::Center::Median,
        },
        smooth: args.smooth.and_then(NonZeroUsize::new),
        scales: (scale(args.log_x), scale(args.log_y)),
        limits: (args.x_limits, args.y_limits),
    }
}

fn lines(args: &Plot, mut plot: LinePlot) -> Panel {
    (plot.x_axis.scale, plot.y_axis.scale) = (scale(args.log_x), scale(args.log_y));
    (plot.x_limits, plot.y_limits) = (args.x_limits, args.y_limits);
    Panel::Lines(plot)
}

fn scale(is_logarithmic: bool) -> AxisScale {
    if is_logarithmic { AxisScale::Logarithmic } else { AxisScale::Linear }
}

/// The report of runs that can be compared across environments.
fn across(runs: &[RunResults]) -> Result<Report, CommandError> {
    let report = Report::of(runs, &[])?;
    if report.across.is_empty() { Err(not_across()) } else { Ok(report) }
}

fn not_across() -> CommandError {
    CommandError::usage(
        "this kind compares agents across environments: name runs in at least two environments with \
         reference returns, one run of each agent in each (gymnast envs NAME shows them); \
         --kind curves and --kind intervals draw any runs",
    )
}

/// Warns about what makes a picture hard to read.
fn warn(runs: &[RunResults]) {
    let mut series = pictures::series(runs);
    series.sort_unstable();
    series.dedup();
    if series.len() > LinePlot::DISTINCT_LINES {
        say(&format!(
            "warning: of {} runs some lines look alike: a picture can distinguish {}. Draw fewer runs per picture",
            runs.len(),
            LinePlot::DISTINCT_LINES
        ));
    }
}
