//! Learning curves from records.

use std::borrow::Borrow;

use gymnast_core::{
    plot::{Axis, Center, LearningCurves, Line, LinePlot, Series},
    statistics::Curve,
};
use gymnast_harness::{
    Evaluation,
    report::{ReturnAt, Returns, RunResults, TrainingReturns},
};

use super::{CommandError, run_dir::labels, shown_runs::Source};

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct View {
    /// Draw against wall time instead of env steps.
    pub(crate) by_time: bool,
    /// Draw returns of training episodes instead of evaluations.
    pub(crate) of_episodes: bool,
    /// The center line.
    pub(crate) center: Center,
}

/// Draws one picture of several runs, each with its source.
pub(crate) fn learning_curves(
    runs: &[RunResults],
    sources: &[impl Borrow<Source>],
    view: View,
    title: Option<&str>,
) -> Result<LearningCurves, CommandError> {
    let mut series = Vec::new();
    for ((run, source), label) in runs.iter().zip(sources).zip(labels(runs)) {
        let points: Vec<Vec<ReturnAt>> = if view.of_episodes {
            source.borrow().training(run)?.iter().map(TrainingReturns::means).collect()
        } else {
            run.seeds
                .iter()
                .map(|seed| seed.evaluations.iter().map(of_evaluation).collect())
                .collect()
        };
        let mut seeds = Vec::new();
        for (seed, points) in run.seeds.iter().zip(&points) {
            let curve = curve(points, view)
                .map_err(|error| error.about(&format!("{}, seed {}", run.run, seed.seed)))?;
            seeds.extend(Some(curve).filter(|curve| !curve.is_empty()));
        }
        series.push(Series { label, seeds });
    }
    let thresholds: Vec<_> = runs.iter().map(|run| run.threshold).collect();
    let envs: Vec<_> = runs.iter().map(|run| run.env.as_str()).collect();
    let mut distinct = envs.clone();
    distinct.sort_unstable();
    distinct.dedup();
    let title = title.map_or_else(|| distinct.join(", "), str::to_owned);
    let x_axis =
        if view.by_time { Axis::seconds("wall time") } else { Axis::new("environment steps") };
    let mut y_label = if view.of_episodes {
        "training return, mean of up to 100 episodes".to_owned()
    } else {
        let has = |returns| runs.iter().any(|run| run.returns == returns);
        match (has(Returns::Evaluation), has(Returns::Training)) {
            (true, true) => "evaluation or training return",
            (false, true) => "training return",
            _ => "evaluation return",
        }
        .to_owned()
    };
    if distinct.len() > 1 {
        y_label.push_str(", not comparable across environments");
    }
    let y_axis = Axis::new(&y_label);
    let center = view.center;
    // A threshold belongs to one environment: none is drawn for several.
    let threshold = thresholds[0].filter(|_| thresholds.iter().all(|t| *t == thresholds[0]));
    let mut curves =
        LearningCurves { title, x_axis, y_axis, series, threshold, center, ..Default::default() };
    curves.height = height(&curves);
    Ok(curves)
}

/// Returns a picture height that leaves the curves the same room beside a long legend.
fn height(curves: &LearningCurves) -> u32 {
    let legend = |series: &[Series]| {
        let lines = series.iter().map(|series| Line::new(&series.label, Vec::new()));
        LinePlot { lines: lines.collect(), width: curves.width, ..LinePlot::default() }
            .heading_height()
    };
    let more = legend(&curves.series) - 2.0 * legend(curves.series.get(..1).unwrap_or_default());
    curves.height.saturating_add(more.max(0.0).ceil() as u32)
}

fn of_evaluation(evaluation: &Evaluation) -> ReturnAt {
    let &Evaluation { env_step, wall_time_s, mean_return: value, .. } = evaluation;
    ReturnAt { env_step, wall_time_s, value }
}

/// Returns as a function of env steps or of time.
fn curve(points: &[ReturnAt], view: View) -> Result<Curve, CommandError> {
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
    Curve::new(x, y).map_err(|error| CommandError::failed(error.to_string()))
}
