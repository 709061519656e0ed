//! The report as one web page that needs nothing else: pictures, tables, settings.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::Path,
};

use gymnast_core::plot::{Colour, LinePlot, Panel, Picture, PlotError};
use gymnast_harness::report::{Efficiency, Report, RunResults, Section};
use toml::{Table, Value};

use crate::command::{
    CommandError,
    pictures::{self, Format, View, compose},
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
/// Two pictures beside each other.
const HALF: Format = Format { width: 520, font_size: 14.0 };

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
        body += &across(runs, report)?;
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
fn figure(mut panel: Panel, format: Format, series: &str) -> Result<String, CommandError> {
    // The words stand below the picture, where they can be read aloud.
    let (title, note) = match &mut panel {
        Panel::Lines(plot) => (plot.title.clone(), std::mem::take(&mut plot.note)),
        Panel::Intervals(plot) => (plot.title.clone(), std::mem::take(&mut plot.note)),
    };
    let failed = |error: PlotError| CommandError::failed(error.to_string()).about(&title);
    let svg = compose(vec![panel], None, format)?.to_svg().map_err(failed)?;
    let caption = escaped(&format!("{title}: {note}."));
    let svg = svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{caption}\" "), 1);
    Ok(format!("<figure>\n{svg}\n{series}<figcaption>{caption}</figcaption>\n</figure>\n"))
}

/// Buttons that hide a line each, by its colours.
fn buttons(plot: &LinePlot) -> String {
    let hex = |Colour([r, g, b]): Colour| format!("#{r:02X}{g:02X}{b:02X}");
    let series = plot.lines.iter().enumerate().map(|(i, line)| line.series.unwrap_or(i));
    let series: Vec<usize> = series.collect();
    let mut colours: Vec<Colour> = series.iter().map(|&i| Colour::of_series(i)).collect();
    let button = |(line, &colour): (&gymnast_core::plot::Line, &Colour)| {
        let (colour, tint) = (hex(colour), hex(colour.tint(LinePlot::FAINT)));
        format!(
            "<button type=\"button\" aria-pressed=\"true\" data-colours=\"{colour} {tint}\">\
             <i style=\"background:{colour}\"></i>{}</button>\n",
            escaped(&line.label)
        )
    };
    let buttons: String = plot.lines.iter().zip(&colours).map(button).collect();
    // Where the palette has to repeat a colour, it does not name a line.
    colours.sort_unstable_by_key(|colour| colour.0);
    colours.dedup();
    if series.len() < 2 || colours.len() < series.len() {
        return String::new();
    }
    format!("<div class=\"series\" role=\"group\" aria-label=\"Show or hide\">\n{buttons}</div>\n")
}

fn lines(plot: LinePlot, format: Format) -> Result<String, CommandError> {
    let buttons = buttons(&plot);
    figure(Panel::Lines(plot), format, &buttons)
}

fn across(runs: &[RunResults], report: &Report) -> Result<String, CommandError> {
    let mut text = "<h2>Across environments</h2>\n<div class=\"pair\">\n".to_owned();
    // The interquartile mean and the optimality gap; the tables have the others.
    for panel in pictures::intervals(report, runs).into_iter().take(2) {
        text += &figure(panel, HALF, "")?;
    }
    text += &lines(pictures::profiles(report), HALF)?;
    if let Some(efficiency) = Efficiency::of(runs) {
        text += &lines(pictures::efficiency(&efficiency), HALF)?;
    }
    if !report.improvements.is_empty() && report.improvements.len() <= MOST_PAIRS {
        text += &figure(Panel::Intervals(pictures::improvements(report)), HALF, "")?;
    }
    Ok(text + "</div>\n")
}

/// A picture for each environment: returns of different ones do not share an axis.
fn curves(sources: &[Source], runs: &[RunResults]) -> Result<String, CommandError> {
    let plots = pictures::curves(runs, sources, View::default())?;
    let figures = plots.into_iter().map(|plot| lines(plot, Format::default()));
    let figures = figures.collect::<Result<String, _>>()?;
    Ok(format!("<h2>Learning curves</h2>\n{figures}"))
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
