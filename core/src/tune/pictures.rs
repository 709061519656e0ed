//! Plots of a study.

use super::{Importance, Study, StudyDirection};
use crate::plot::{Axis, Bar, BarChart, Line, LinePlot, capitalized};

impl Study {
    /// Plots the values of the complete trials and the best so far; the plot is empty without
    /// complete trials.
    pub fn history_plot(&self, value: &str) -> LinePlot {
        let complete =
            self.trials().iter().filter_map(|trial| Some((trial.number, trial.value()?)));
        let points: Vec<_> = complete.map(|(number, value)| (number as f64, value)).collect();
        let better = match self.config().direction {
            StudyDirection::Minimize => f64::min,
            StudyDirection::Maximize => f64::max,
        };
        let mut best: Vec<(f64, f64)> = Vec::new();
        for &(number, value) in &points {
            if let Some(&(_, before)) = best.last() {
                // A step, since it is not known before the trial ends.
                best.push((number, before));
                best.push((number, better(before, value)));
            } else {
                best.push((number, value));
            }
        }
        LinePlot {
            title: format!("{} of each trial", capitalized(value)),
            x_axis: Axis::new("trial"),
            y_axis: Axis::new(value),
            lines: vec![Line::new("best so far", best), Line::dots("trials", &points)],
            ..LinePlot::default()
        }
    }
}

impl Importance {
    /// Plots the importances as a bar chart.
    pub fn plot(importances: &[Self]) -> BarChart {
        let bar = |own: &Self| Bar {
            name: own.name.clone(),
            length: own.share.max(0.0),
            text: format!("{:.0} %", 100.0 * own.share),
        };
        BarChart {
            title: "Importance of the parameters".to_owned(),
            x_label: "share of the variance explained by the parameter alone".to_owned(),
            bars: importances.iter().map(bar).collect(),
            ..BarChart::default()
        }
    }
}
