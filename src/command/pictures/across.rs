//! Pictures of agents over all environments, as rliable has them, and of runs in each.

use std::collections::BTreeMap;

use gymnast_core::plot::{Axis, IntervalPlot, IntervalRow, Line, LinePlot, Panel};
use gymnast_harness::report::{
    Across, AgentEfficiency, Efficiency, Estimate, Improvement, Report, Row, RunResults,
};

use super::curves::series;

/// The number of places of a performance profile.
const PLACES: usize = 101;
/// The most environments whose names a note lists.
const MOST_NAMES: usize = 3;

/// A statistic of an agent over all environments.
type Statistic = fn(&Across) -> Estimate;

/// The interquartile mean of each agent's normalised returns while it trains.
pub(crate) fn efficiency(efficiency: &Efficiency) -> LinePlot {
    let line = |agent: &AgentEfficiency| {
        let places = || efficiency.x.iter().copied().zip(&agent.iqm);
        let band = places().filter_map(|(x, at)| Some((x, at.low?, at.high?)));
        let points = places().map(|(x, at)| (x, at.estimate)).collect();
        Line { band: band.collect(), ..Line::new(&agent.agent, points) }
    };
    let runs = counts(efficiency.agents.iter().map(|own| (own.agent.as_str(), own.runs)));
    let x = match efficiency.env_steps {
        Some(_) => "environment steps",
        None => "share of each environment's steps",
    };
    LinePlot {
        title: "Sample efficiency".to_owned(),
        note: format!(
            "Interquartile mean and 95 % bootstrap interval of {runs}; {}",
            normalized(&efficiency.envs)
        ),
        x_axis: Axis::new(x),
        y_axis: Axis::new("IQM of normalised returns"),
        lines: efficiency.agents.iter().map(line).collect(),
        ..LinePlot::default()
    }
}

/// The performance profile of each agent.
pub(crate) fn profiles(report: &Report) -> LinePlot {
    let scores = report.across.iter().flat_map(|across| across.scores.iter().flatten());
    let (low, high) =
        scores.fold((0.0, 1.0), |(low, high): (f64, f64), &x| (low.min(x), high.max(x)));
    let place = |i: usize| low + (high - low) * i as f64 / (PLACES - 1) as f64;
    let thresholds: Vec<f64> = (0..PLACES).map(place).collect();
    let line = |across: &Across| {
        let profile = across.profile(&thresholds);
        let places = || thresholds.iter().copied().zip(&profile);
        let band = places().filter_map(|(x, at)| Some((x, at.low?, at.high?)));
        let points = places().map(|(x, at)| (x, at.estimate)).collect();
        Line { band: band.collect(), ..Line::new(&across.agent, points) }
    };
    LinePlot {
        title: "Performance profiles".to_owned(),
        note: format!(
            "Fraction and 95 % bootstrap interval of {}; higher is better; {}",
            runs_of(&report.across),
            environments(&report.across)
        ),
        x_axis: Axis::new("normalised return τ"),
        y_axis: Axis::new("fraction of runs above τ"),
        lines: report.across.iter().map(line).collect(),
        ..LinePlot::default()
    }
}

/// Each agent's aggregates over all environments, or, if there are none, each run's mean return in
/// each environment.
pub(crate) fn intervals(report: &Report, runs: &[RunResults]) -> Vec<Panel> {
    if report.across.is_empty() {
        return intervals_in_each(report, runs);
    }
    let note = format!(
        "Estimates and 95 % bootstrap intervals of {}; {}",
        runs_of(&report.across),
        environments(&report.across)
    );
    let plot = |(title, of): (&str, Statistic)| {
        let row = |across: &Across| row(&across.agent, of(across), None);
        Panel::Intervals(IntervalPlot {
            title: title.to_owned(),
            note: note.clone(),
            x_label: "normalised return".to_owned(),
            rows: report.across.iter().map(row).collect(),
            ..IntervalPlot::default()
        })
    };
    let statistics: [(&str, Statistic); 4] = [
        ("IQM (higher is better)", |across| across.iqm),
        ("Optimality gap (lower is better)", |across| across.optimality_gap),
        ("Median (higher is better)", |across| across.median),
        ("Mean (higher is better)", |across| across.mean),
    ];
    statistics.map(plot).into()
}

/// How probably each agent beats each other one.
pub(crate) fn improvements(report: &Report) -> IntervalPlot {
    let row = |pair: &Improvement| {
        row(&format!("{} > {}", pair.agent, pair.over), pair.probability, Some(0))
    };
    IntervalPlot {
        title: "Probability of improvement".to_owned(),
        note: format!(
            "How probably a run of the first beats one of the second, with the 95 % bootstrap interval; {} \
             in {}",
            runs_of(&report.across),
            names(report.across.first().map_or(&[][..], |own| &own.envs))
        ),
        x_label: "probability".to_owned(),
        rows: report.improvements.iter().map(row).collect(),
        guide: Some(0.5),
        x_limits: Some((0.0, 1.0)),
        ..IntervalPlot::default()
    }
}

fn intervals_in_each(report: &Report, runs: &[RunResults]) -> Vec<Panel> {
    let mut by_env: BTreeMap<&str, Vec<(&Row, usize)>> = BTreeMap::new();
    for (row, series) in report.rows.iter().zip(series(runs)) {
        by_env.entry(&row.env).or_default().push((row, series));
    }
    let plot = |(env, rows): (&str, Vec<(&Row, usize)>)| {
        let is_twice = |agent: &str| rows.iter().filter(|(row, _)| row.agent == agent).count() > 1;
        let name = |row: &Row| {
            if is_twice(&row.agent) { row.run.clone() } else { row.agent.clone() }
        };
        let names: Vec<String> = rows.iter().map(|(row, _)| name(row)).collect();
        let seeds = names.iter().zip(&rows).map(|(name, (row, _))| (name.as_str(), row.seeds));
        let own = names.iter().zip(&rows);
        Panel::Intervals(IntervalPlot {
            title: env.to_owned(),
            note: format!("Mean return and 95 % t interval of {}", listed(seeds, "seeds")),
            x_label: "evaluation return".to_owned(),
            rows: own.map(|(name, (of, series))| row(name, of.mean, Some(*series))).collect(),
            ..IntervalPlot::default()
        })
    };
    by_env.into_iter().map(plot).collect()
}

fn row(name: &str, estimate: Estimate, series: Option<usize>) -> IntervalRow {
    let interval = estimate.low.zip(estimate.high);
    IntervalRow { name: name.to_owned(), estimate: estimate.estimate, interval, series }
}

fn runs_of(across: &[Across]) -> String {
    counts(across.iter().map(|own| (own.agent.as_str(), own.runs)))
}

fn environments(across: &[Across]) -> String {
    normalized(across.first().map_or(&[][..], |own| &own.envs))
}

/// How many runs stand in the numbers of each agent.
fn counts<'a>(counts: impl Iterator<Item = (&'a str, usize)>) -> String {
    listed(counts, "runs")
}

/// `30 runs each`, or `runs (dqn 30, ppo 20)` where they differ.
fn listed<'a>(counts: impl Iterator<Item = (&'a str, usize)>, what: &str) -> String {
    let counts: Vec<(&str, usize)> = counts.collect();
    let (least, most) = counts
        .iter()
        .fold((usize::MAX, 0), |(least, most), &(_, count)| (least.min(count), most.max(count)));
    let each = if counts.len() > 1 { " each" } else { "" };
    let one = what.strip_suffix('s').filter(|_| most == 1).unwrap_or(what);
    match counts.len() {
        _ if least == most => format!("{most} {one}{each}"),
        0..=4 => {
            let count = |(name, count): &(&str, usize)| format!("{name} {count}");
            format!("{what} ({})", counts.iter().map(count).collect::<Vec<_>>().join(", "))
        }
        _ => format!("{least} to {most} {what}"),
    }
}

/// What returns are normalised by, and in which environments.
fn normalized(envs: &[String]) -> String {
    format!("0 is random, 1 the best known return in {}", names(envs))
}

fn names(envs: &[String]) -> String {
    match envs.len() {
        0..=MOST_NAMES => envs.join(", "),
        count => format!("{count} environments"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_listed_where_they_differ() {
        let of = |counts: &[(&str, usize)]| listed(counts.iter().copied(), "seeds");
        assert_eq!(of(&[("dqn", 10)]), "10 seeds");
        assert_eq!(of(&[("dqn", 10), ("ppo", 10)]), "10 seeds each");
        assert_eq!(of(&[("dqn", 1), ("ppo", 1)]), "1 seed each");
        assert_eq!(of(&[("dqn", 10), ("ppo", 1)]), "seeds (dqn 10, ppo 1)");
        let many: Vec<(&str, usize)> = (3..9).map(|count| ("dqn", count)).collect();
        assert_eq!(of(&many), "3 to 8 seeds");
    }
}
