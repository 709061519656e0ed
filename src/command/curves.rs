//! Learning curves from records.

use std::{num::NonZeroUsize, path::Path};

use gymnast_core::{
    plot::{Axis, Center, LearningCurves, Line, LinePlot, Series},
    statistics::{Curve, StatisticsError, moving_average},
};
use gymnast_harness::{Episode, SeedDir, read_records, report::RunResults};

use super::{CommandError, run_dir::labels};
use crate::trained::Place;

/// The maximum number of training episodes averaged in a point.
const SMOOTHED_EPISODES: NonZeroUsize = NonZeroUsize::new(100).expect("100 is not 0");

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

/// Draws one picture of several runs in the directories `dirs`.
pub(crate) fn learning_curves(
    runs: &[RunResults],
    dirs: &[impl AsRef<Path>],
    view: View,
    title: Option<&str>,
) -> Result<LearningCurves, CommandError> {
    let mut series = Vec::new();
    for ((run, dir), label) in runs.iter().zip(dirs).zip(labels(runs)) {
        let mut seeds = Vec::new();
        for seed in &run.seeds {
            let points: Vec<_> = if view.of_episodes {
                let dir = SeedDir::below(&Place::of(dir.as_ref()).run, seed.seed);
                let point = |e: Episode| (e.env_step, e.wall_time_s, e.episode_return);
                read_records::<Episode>(&dir.path)?.into_iter().map(point).collect()
            } else {
                let evaluations = seed.evaluations.iter();
                evaluations.map(|e| (e.env_step, e.wall_time_s, e.mean_return)).collect()
            };
            let curve = curve(&points, view).map_err(|error| {
                CommandError::failed(format!("{}, seed {}: {error}", run.run, seed.seed))
            })?;
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
        "evaluation return".to_owned()
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

fn curve(points: &[(u64, f64, f64)], view: View) -> Result<Curve, StatisticsError> {
    let x = points.iter().map(|point| if view.by_time { point.1 } else { point.0 as f64 });
    let curve = Curve::new(x.collect(), points.iter().map(|point| point.2).collect())?;
    if !view.of_episodes {
        return Ok(curve);
    }
    // A short training is drawn too, if only as a point.
    let all = NonZeroUsize::new(curve.len()).unwrap_or(NonZeroUsize::MIN);
    Ok(moving_average(&curve, SMOOTHED_EPISODES.min(all)))
}
