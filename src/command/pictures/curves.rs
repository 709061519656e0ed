//! Learning curves from records.

use std::{borrow::Borrow, collections::BTreeMap, num::NonZeroUsize};

use gymnast_core::{
    plot::{Axis, AxisScale, Center, LearningCurves, LinePlot, Series},
    statistics::{Curve, moving_average},
};
use gymnast_harness::{
    Evaluation,
    report::{MEAN_OF_EPISODES, ReturnAt, Returns, RunResults, TrainingReturns},
};

use super::Limits;
use crate::command::{CommandError, shown_runs::Source};

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
    /// [`MEAN_OF_EPISODES`].
    pub(crate) smooth: Option<NonZeroUsize>,
    /// The spacing of values on the axes.
    pub(crate) scales: (AxisScale, AxisScale),
    /// The ends of the axes.
    pub(crate) limits: (Option<Limits>, Option<Limits>),
}

/// Draws runs, each with its source: a plot for each environment, because returns of different ones do
/// not share an axis.
pub(crate) fn curves(
    runs: &[RunResults],
    sources: &[impl Borrow<Source>],
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
            let seeds = curves_of(&runs[i], sources[i].borrow(), view)?;
            Ok(Series { label: names[i].clone(), seeds })
        });
        let own = own.collect::<Result<Vec<_>, CommandError>>()?;
        let returns: Vec<_> = indices.iter().map(|&i| runs[i].returns).collect();
        let thresholds: Vec<_> = indices.iter().map(|&i| runs[i].threshold).collect();
        let threshold = thresholds[0].filter(|_| thresholds.iter().all(|t| *t == thresholds[0]));
        let curves = LearningCurves {
            title: env.to_owned(),
            note: smoothing(view, &returns),
            x_axis: Axis { scale: view.scales.0, ..x_axis(view) },
            y_axis: Axis { scale: view.scales.1, ..Axis::new(y_label(view, &returns)) },
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

fn y_label(view: View, returns: &[Returns]) -> &'static str {
    let has = |one| returns.contains(&one);
    match (has(Returns::Evaluation) && !view.of_episodes, has(Returns::Training)) {
        (true, true) => "evaluation or training return",
        (true, false) => "evaluation return",
        _ => "training return",
    }
}

/// What a point is, if it is more than one evaluation.
fn smoothing(view: View, returns: &[Returns]) -> String {
    match (view.smooth, view.of_episodes) {
        (None, false) if returns.contains(&Returns::Training) => {
            format!("training returns: trailing means of up to {MEAN_OF_EPISODES} episodes")
        }
        (None, false) => String::new(),
        (None, true) => {
            format!("each point: trailing mean of up to {MEAN_OF_EPISODES} episodes")
        }
        (Some(n), false) => format!("each point: trailing mean of {n} evaluations"),
        (Some(n), true) => format!("each point: trailing mean of {n} episodes"),
    }
}

/// The curves of a run's seeds; those without a point are left out.
fn curves_of(run: &RunResults, source: &Source, view: View) -> Result<Vec<Curve>, CommandError> {
    let about = |seed: u64| {
        let run = run.run.clone();
        move |error: CommandError| error.about(&format!("{run}, seed {seed}"))
    };
    let mut curves = Vec::new();
    if view.of_episodes {
        let training = source.training(run)?;
        // As in a report.
        let means = TrainingReturns::evaluations_of(&training);
        for ((seed, training), means) in run.seeds.iter().zip(&training).zip(means) {
            let points = match view.smooth {
                None => means.iter().map(of_evaluation).collect(),
                Some(window) => means_over(training, window).map_err(about(seed.seed))?,
            };
            curves.extend(curve(&points, view).map_err(about(seed.seed))?);
        }
        return Ok(curves);
    }
    for seed in &run.seeds {
        let points: Vec<_> = seed.evaluations.iter().map(of_evaluation).collect();
        let curve = curve(&points, view).map_err(about(seed.seed))?;
        let curve = curve.map(|curve| smoothed(curve, view)).transpose();
        curves.extend(curve.map_err(about(seed.seed))?);
    }
    Ok(curves)
}

fn of_evaluation(evaluation: &Evaluation) -> ReturnAt {
    let &Evaluation { env_step, wall_time_s, mean_return: value, .. } = evaluation;
    ReturnAt { env_step, wall_time_s, value }
}

/// Means over this many training episodes.
fn means_over(
    training: &TrainingReturns,
    window: NonZeroUsize,
) -> Result<Vec<ReturnAt>, CommandError> {
    match training {
        TrainingReturns::Means(_) => Err(CommandError::usage(
            "it holds means over episodes, which --smooth cannot take apart: leave out --smooth",
        )),
        TrainingReturns::Episodes(episodes) if window.get() > episodes.len() => {
            Err(too_few(window, "episodes", episodes.len()))
        }
        TrainingReturns::Episodes(_) => Ok(training.means_over(window)),
    }
}

/// Means over evaluations, if they are asked for.
fn smoothed(curve: Curve, view: View) -> Result<Curve, CommandError> {
    match view.smooth {
        None => Ok(curve),
        Some(window) if window.get() > curve.len() => {
            Err(too_few(window, "evaluations", curve.len()))
        }
        Some(window) => Ok(moving_average(&curve, window)),
    }
}

fn too_few(window: NonZeroUsize, what: &str, all: usize) -> CommandError {
    CommandError::usage(format!(
        "--smooth {window} needs as many {what}, and there are {all}: use --smooth {all} or less"
    ))
}

/// Returns as a function of env steps or of time; `None` without a point.
fn curve(points: &[ReturnAt], view: View) -> Result<Option<Curve>, CommandError> {
    let place = |point: &ReturnAt| match view.by_time {
        true => point.wall_time_s,
        false => point.env_step as f64,
    };
    let (x, y): (Vec<f64>, Vec<f64>) =
        points.iter().map(|point| (place(point), point.value)).unzip();
    if view.by_time && x.iter().any(|x| x.is_nan()) {
        let message = "it does not say when its returns were reached: draw it over env steps, without --x time";
        return Err(CommandError::failed(message));
    }
    let curve = Curve::new(x, y).map_err(|error| CommandError::failed(error.to_string()))?;
    Ok(Some(curve).filter(|curve| !curve.is_empty()))
}
