//! Learning curves from records.

use std::{collections::BTreeMap, num::NonZeroUsize, path::Path};

use gymnast_core::{
    plot::{Axis, AxisScale, Center, LearningCurves, LinePlot, Series},
    statistics::{Curve, moving_average},
};
use gymnast_harness::{
    Episode, SeedDir, read_records,
    report::{RunResults, SeedResults},
};

use super::Limits;
use crate::{command::CommandError, trained::Place};

/// The maximum number of training episodes averaged in a point.
const SMOOTHED_EPISODES: NonZeroUsize = NonZeroUsize::new(100).expect("100 is not 0");

/// What to draw.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct View {
    /// Draw against wall time instead of env steps.
    pub(crate) by_time: bool,
    /// Draw returns of training episodes instead of evaluations.
    pub(crate) of_episodes: bool,
    /// The center line.
    pub(crate) center: Center,
    /// The number of evaluations or episodes averaged in a point; `None`: one evaluation, or up to
    /// [`SMOOTHED_EPISODES`].
    pub(crate) smooth: Option<NonZeroUsize>,
    /// The spacing of values on the axes.
    pub(crate) scales: (AxisScale, AxisScale),
    /// The ends of the axes.
    pub(crate) limits: (Option<Limits>, Option<Limits>),
}

/// Draws the runs in the directories `dirs`: a plot for each environment, because returns of
/// different ones do not share an axis.
pub(crate) fn curves(
    runs: &[RunResults],
    dirs: &[impl AsRef<Path>],
    view: View,
) -> Result<Vec<LinePlot>, CommandError> {
    let names = names(runs);
    let series = series(runs);
    let mut by_env: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        by_env.entry(&run.env).or_default().push(index);
    }
    let plot = |(env, indices): (&str, Vec<usize>)| {
        let own = indices.iter().map(|&i| {
            let seeds = curves_of(&runs[i], dirs[i].as_ref(), view)?;
            Ok(Series { label: names[i].clone(), seeds })
        });
        let own = own.collect::<Result<Vec<_>, CommandError>>()?;
        let thresholds: Vec<_> = indices.iter().map(|&i| runs[i].threshold).collect();
        let threshold = thresholds[0].filter(|_| thresholds.iter().all(|t| *t == thresholds[0]));
        let curves = LearningCurves {
            title: env.to_owned(),
            note: smoothing(view),
            x_axis: Axis { scale: view.scales.0, ..x_axis(view) },
            y_axis: Axis { scale: view.scales.1, ..Axis::new(y_label(view)) },
            x_limits: view.limits.0,
            y_limits: view.limits.1,
            series: own,
            threshold,
            center: view.center,
            ..LearningCurves::default()
        };
        let mut plot = curves.line_plot().map_err(|error| CommandError::from(error).about(env))?;
        for (line, &i) in plot.lines.iter_mut().zip(&indices) {
            line.series = Some(series[i]);
        }
        Ok(plot)
    };
    by_env.into_iter().map(plot).collect()
}

/// Returns the number of each run's series: runs of the same name in different environments look
/// the same.
pub(crate) fn series(runs: &[RunResults]) -> Vec<usize> {
    let names = names(runs);
    let mut distinct: Vec<&String> = Vec::new();
    for name in &names {
        if !distinct.contains(&name) {
            distinct.push(name);
        }
    }
    let number = |name| distinct.iter().position(|other| *other == name);
    names.iter().map(|name| number(name).expect("each name is among them")).collect()
}

/// Returns the name of each run within its environment: its agent, or its directory where an
/// environment has two runs of that agent.
fn names(runs: &[RunResults]) -> Vec<String> {
    let key = |run: &RunResults| (run.agent.clone(), run.env.clone());
    let is_twice =
        |run: &RunResults| runs.iter().filter(|other| key(other) == key(run)).count() > 1;
    let is_ambiguous = |agent: &str| runs.iter().any(|run| run.agent == agent && is_twice(run));
    let name = |run: &RunResults| {
        let name = if is_ambiguous(&run.agent) { &run.run } else { &run.agent };
        name.clone()
    };
    runs.iter().map(name).collect()
}

fn x_axis(view: View) -> Axis {
    if view.by_time { Axis::seconds("wall time") } else { Axis::new("environment steps") }
}

fn y_label(view: View) -> &'static str {
    if view.of_episodes { "training return" } else { "evaluation return" }
}

/// What a point is, if it is more than one evaluation.
fn smoothing(view: View) -> String {
    match (view.smooth, view.of_episodes) {
        (None, false) => String::new(),
        (None, true) => {
            format!("each point: trailing mean of up to {SMOOTHED_EPISODES} episodes")
        }
        (Some(n), false) => format!("each point: trailing mean of {n} evaluations"),
        (Some(n), true) => format!("each point: trailing mean of {n} episodes"),
    }
}

/// The curves of a run's seeds; those without a point are left out.
fn curves_of(run: &RunResults, dir: &Path, view: View) -> Result<Vec<Curve>, CommandError> {
    let mut curves = Vec::new();
    for seed in &run.seeds {
        let curve = curve(seed, dir, view)
            .map_err(|error| error.about(&format!("{}, seed {}", run.run, seed.seed)))?;
        curves.extend(curve);
    }
    Ok(curves)
}

fn curve(seed: &SeedResults, dir: &Path, view: View) -> Result<Option<Curve>, CommandError> {
    let points: Vec<(u64, f64, f64)> = if view.of_episodes {
        let dir = SeedDir::below(&Place::of(dir).run, seed.seed);
        let point = |e: Episode| (e.env_step, e.wall_time_s, e.episode_return);
        read_records::<Episode>(&dir.path)?.into_iter().map(point).collect()
    } else {
        let evaluations = seed.evaluations.iter();
        evaluations.map(|e| (e.env_step, e.wall_time_s, e.mean_return)).collect()
    };
    let x = points.iter().map(|point| if view.by_time { point.1 } else { point.0 as f64 });
    let curve = Curve::new(x.collect(), points.iter().map(|point| point.2).collect())
        .map_err(|error| CommandError::failed(error.to_string()))?;
    let Some(all) = NonZeroUsize::new(curve.len()) else { return Ok(None) };
    let window = match (view.smooth, view.of_episodes) {
        (None, false) => return Ok(Some(curve)),
        // A short training is drawn too, if only as a point.
        (None, true) => SMOOTHED_EPISODES.min(all),
        (Some(window), of_episodes) if window > all => {
            let what = if of_episodes { "episodes" } else { "evaluations" };
            return Err(CommandError::usage(format!(
                "--smooth {window} needs as many {what}, and there are {all}: use --smooth {all} or less"
            )));
        }
        (Some(window), _) => window,
    };
    Ok(Some(moving_average(&curve, window)))
}
