//! The report as one web page that needs nothing else: pictures, tables, settings.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use gymnast_core::{
    plot::{Axis, Center, IntervalPlot, IntervalRow, Line, LinePlot, Picture, Rgb},
    statistics::performance_profile,
};
use gymnast_harness::report::{Across, Estimate, Improvement, Report, RunResults, Section};
use toml::{Table, Value};

use crate::command::{
    CommandError,
    curves::{View, learning_curves},
    read_own,
    run_dir::labels,
    shell,
    shown_runs::Source,
};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const TITLE: &str = "<title>Sample-efficiency report</title>";
/// More pairs than this are left to the table.
const MOST_PAIRS: usize = 60;
/// The maximum size of a page that is replaced.
const MAX_BYTES: u64 = 1 << 28;
/// The number of places of a performance profile.
const PLACES: usize = 201;

/// Returns the page.
///
/// # Errors
/// If a picture cannot be drawn or a configuration cannot be read.
pub(in crate::command) fn page(
    sources: &[Source],
    runs: &[RunResults],
    report: &Report,
) -> Result<String, CommandError> {
    let mut body = head(runs);
    if !report.across.is_empty() {
        body += &across(report)?;
    }
    body += &curves(sources, runs)?;
    for section in report.sections() {
        body += &table(&section);
    }
    body += &settings(sources, runs)?;
    Ok(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         {TITLE}\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<main>\n{body}</main>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    ))
}

/// Refuses to replace a file that is no such page.
pub(in crate::command) fn expect_page(path: &Path) -> Result<(), CommandError> {
    read_own(path, MAX_BYTES, "page of gymnast", |text| text.contains(TITLE)).map(drop)
}

/// Text within the page.
fn escaped(text: &str) -> String {
    let text = gymnast_core::text::escape_controls(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn head(runs: &[RunResults]) -> String {
    let envs: BTreeSet<_> = runs.iter().map(|run| run.env.as_str()).collect();
    let seeds: usize = runs.iter().map(|run| run.seeds.len()).sum();
    let count = |n: usize, one: &str| format!("{n} {one}{}", if n == 1 { "" } else { "s" });
    let words: Vec<_> = std::env::args_os().skip(1).map(shell::word).collect();
    format!(
        "<h1>Sample-efficiency report</h1>\n<p>{} in {}, {} in all. Intervals hold 95 %. Made by Gymnast {} \
         with <code>gymnast {}</code>.</p>\n",
        count(runs.len(), "run"),
        count(envs.len(), "environment"),
        count(seeds, "seed"),
        env!("CARGO_PKG_VERSION"),
        escaped(&words.join(" ")),
    )
}

/// A picture with what it shows in words, for those who do not see it.
fn figure(picture: &impl Picture, caption: &str, series: &str) -> Result<String, CommandError> {
    let svg = picture.to_svg().map_err(|error| CommandError::failed(error.to_string()))?;
    let label = escaped(caption);
    let svg = svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{label}\" "), 1);
    Ok(format!("<figure>\n{svg}\n{series}<figcaption>{label}</figcaption>\n</figure>\n"))
}

/// Buttons that hide a series each, by its colours.
fn buttons(labels: &[String]) -> String {
    let hex = |Rgb(r, g, b): Rgb| format!("#{r:02X}{g:02X}{b:02X}");
    let button = |(index, label): (usize, &String)| {
        let colour = Rgb::of_series(index);
        let (colour, tint) = (hex(colour), hex(colour.tint(LinePlot::FAINT)));
        format!(
            "<button type=\"button\" aria-pressed=\"true\" data-colours=\"{colour} {tint}\">\
             <i style=\"background:{colour}\"></i>{}</button>\n",
            escaped(label)
        )
    };
    // Where the palette has to repeat a colour, it does not name a series.
    if labels.len() < 2 || labels.len() > gymnast_core::plot::OKABE_ITO.len() {
        return String::new();
    }
    let buttons: String = labels.iter().enumerate().map(button).collect();
    format!("<div class=\"series\" role=\"group\" aria-label=\"Show or hide\">\n{buttons}</div>\n")
}

fn across(report: &Report) -> Result<String, CommandError> {
    let plot = |title: &str, of: fn(&Across) -> Estimate| {
        let row = |across: &Across| interval_row(&across.agent, of(across));
        let rows = report.across.iter().map(row).collect();
        IntervalPlot { title: title.to_owned(), rows, width: 520, ..IntervalPlot::default() }
    };
    let envs = report.across[0].envs.join(", ");
    let mut text = "<h2>Across environments</h2>\n<div class=\"pair\">\n".to_owned();
    let note = format!(
        "Normalised returns in {envs}: 0 is random, 1 the best known. Dots are estimates, bars 95 % intervals."
    );
    text += &figure(&plot("Interquartile mean (higher is better)", |a| a.iqm), &note, "")?;
    text += &figure(&plot("Optimality gap (lower is better)", |a| a.optimality_gap), &note, "")?;
    text += &profiles(report)?;
    if !report.improvements.is_empty() && report.improvements.len() <= MOST_PAIRS {
        let row =
            |i: &Improvement| interval_row(&format!("{} over {}", i.agent, i.over), i.probability);
        let rows = report.improvements.iter().map(row).collect();
        let title = "Probability of improvement".to_owned();
        let plot = IntervalPlot { title, rows, guide: Some(0.5), width: 520, ..Default::default() };
        let note = "How probably a run of the one beats a run of the other in the same environment. At the \
                    dashed line neither is better.";
        text += &figure(&plot, note, "")?;
    }
    Ok(text + "</div>\n")
}

fn interval_row(name: &str, estimate: Estimate) -> IntervalRow {
    let interval = estimate.low.zip(estimate.high);
    IntervalRow { name: name.to_owned(), estimate: estimate.estimate, interval }
}

fn profiles(report: &Report) -> Result<String, CommandError> {
    let scores = report.across.iter().flat_map(|across| across.scores.iter().flatten());
    let (low, high) =
        scores.fold((0.0, 1.0), |(low, high): (f64, f64), &x| (low.min(x), high.max(x)));
    let place = |i: usize| low + (high - low) * i as f64 / (PLACES - 1) as f64;
    let thresholds: Vec<f64> = (0..PLACES).map(place).collect();
    let line = |across: &Across| {
        let profile = performance_profile(&across.scores, &thresholds).unwrap_or_default();
        Line::new(&across.agent, thresholds.iter().copied().zip(profile).collect())
    };
    let plot = LinePlot {
        title: "Performance profiles".to_owned(),
        x_axis: Axis::new("normalised return τ"),
        y_axis: Axis::new("fraction of runs above τ"),
        lines: report.across.iter().map(line).collect(),
        width: 520,
        height: 360,
        ..LinePlot::default()
    };
    let labels: Vec<_> = report.across.iter().map(|across| across.agent.clone()).collect();
    figure(
        &plot,
        "The fraction of runs whose normalised return exceeds τ; higher is better.",
        &buttons(&labels),
    )
}

/// A picture for each environment: returns of different ones do not share an axis.
fn curves(sources: &[Source], runs: &[RunResults]) -> Result<String, CommandError> {
    let mut by_env: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, run) in runs.iter().enumerate() {
        by_env.entry(&run.env).or_default().push(index);
    }
    let view = View { by_time: false, of_episodes: false, center: Center::Mean };
    let mut text = "<h2>Learning curves</h2>\n".to_owned();
    for (env, indices) in by_env {
        let own: Vec<RunResults> = indices.iter().map(|&i| runs[i].clone()).collect();
        let own_sources: Vec<&Source> = indices.iter().map(|&i| &sources[i]).collect();
        let plot = learning_curves(&own, &own_sources, view, Some(env))?;
        let seeds: Vec<_> = own.iter().map(|run| run.seeds.len().to_string()).collect();
        let caption = format!(
            "{env}: lines are means over seeds ({}), bands their 95 % bootstrap intervals (percentiles), thin lines single seeds.",
            seeds.join(", ")
        );
        text += &figure(&plot, &caption, &buttons(&labels(&own)))?;
    }
    Ok(text)
}

fn table(section: &Section) -> String {
    let head: String = (section.headings.iter())
        .map(|heading| {
            format!("<th scope=\"col\"><button type=\"button\">{}</button></th>", escaped(heading))
        })
        .collect();
    let row = |cells: &Vec<String>| {
        let cells: String =
            cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = section.rows.iter().map(row).collect();
    format!(
        "<h2>{}</h2>\n<div class=\"wide\"><table>\n<caption>{}</caption>\n<thead><tr>{head}</tr></thead>\n\
         <tbody>\n{rows}</tbody>\n</table></div>\n",
        section.title,
        escaped(&section.note)
    )
}

/// The settings in which runs differ, and all of each.
fn settings(sources: &[Source], runs: &[RunResults]) -> Result<String, CommandError> {
    let configs: Vec<Table> = sources.iter().map(Source::settings).collect::<Result<_, _>>()?;
    let flat: Vec<BTreeMap<String, String>> = configs.iter().map(flattened).collect();
    let keys: BTreeSet<&String> = flat.iter().flat_map(BTreeMap::keys).collect();
    let differs = |key: &&&String| flat.iter().any(|of| of.get(**key) != flat[0].get(**key));
    let row = |key: &&String| {
        let values =
            flat.iter().map(|of| of.get(*key).map_or_else(|| "–".to_owned(), String::clone));
        std::iter::once((*key).clone()).chain(values).collect()
    };
    let labels = labels(runs);
    let section = Section {
        title: "Settings that differ",
        headings: std::iter::once("setting".to_owned()).chain(labels.iter().cloned()).collect(),
        rows: keys.iter().filter(differs).map(row).collect(),
        note: String::new(),
    };
    let mut text = if section.rows.is_empty() { String::new() } else { table(&section) };
    text += "<h2>All settings</h2>\n";
    for (label, config) in labels.iter().zip(&configs) {
        let (label, config) = (escaped(label), escaped(&config.to_string()));
        writeln!(text, "<details><summary>{label}</summary><pre>{config}</pre></details>")
            .expect("a string takes everything");
    }
    Ok(text)
}

/// Every setting by its dotted name.
fn flattened(table: &Table) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    let mut open: Vec<(String, &Value)> =
        table.iter().map(|(key, value)| (key.clone(), value)).collect();
    while let Some((key, value)) = open.pop() {
        match value {
            Value::Table(table) => {
                open.extend(table.iter().map(|(name, value)| (format!("{key}.{name}"), value)));
            }
            value => {
                flat.insert(key, value.to_string());
            }
        }
    }
    flat
}
