//! `plot`, and files that appear whole.

use gymnast_core::atomic_file;
use gymnast_core::plot::Picture as _;
use gymnast_core::plot::*;
use gymnast_core::statistics::{Bootstrap, Curve};
use gymnast_core::supervised::History;

use crate::source::Source;

fn font_size(source: &mut Source) -> f64 {
    if source.one_in(5) { source.number() } else { 12.0 }
}

fn pixels(source: &mut Source) -> u32 {
    if source.one_in(5) { source.pick(&[0, 1, 199, 10_001, u32::MAX]) } else { 300 }
}

pub(super) fn pictures(source: &mut Source) {
    let length = source.length().min(40);
    let (x, y) = (source.f64s(length), source.f64s(length));
    let points: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
    let band = points.iter().map(|&(x, y)| (x, y - 1.0, source.number())).collect();
    let line = Line { band, ..Line::new(source.text(), points.clone()) };
    let limits = |source: &mut Source| {
        let limits = (source.number(), source.number());
        source.one_in(3).then_some(limits)
    };
    let plot = LinePlot {
        title: source.text(),
        note: source.text(),
        x_axis: Axis::seconds(source.text()),
        y_axis: if source.one_in(3) {
            Axis::logarithmic(source.text())
        } else {
            Axis::new(source.text())
        },
        x_limits: limits(source),
        y_limits: limits(source),
        lines: vec![line, Line::dots(source.text(), &points)],
        guides: vec![Guide { label: source.text(), y: source.number() }],
        width: pixels(source),
        height: pixels(source),
        font_size: font_size(source),
    };
    let _ = plot.height_for(source.number());
    let folder = tempfile::tempdir().expect("a folder for scratch files");
    let file = folder.path().join(source.pick(&["a.svg", "b.png", "c.gif", "d", "e.pdf"]));
    let _ = (plot.to_svg().is_ok(), plot.save(&file).is_ok());
    if source.one_in(4) {
        let _ = (plot.to_png().is_ok(), plot.to_pdf().is_ok());
        let scale = source.number();
        let _ = (plot.to_png_at(scale).is_ok(), plot.save_at(&file, scale).is_ok());
    }
    if let Ok(drawing) = plot.drawing() {
        assert_eq!((drawing.width(), drawing.height()), (plot.width, plot.height));
    }
    let row = |source: &mut Source| IntervalRow {
        name: source.text(),
        estimate: source.number(),
        interval: source.one_in(2).then(|| (source.number(), source.number())),
        series: source.one_in(2).then(|| source.count()),
    };
    let intervals = IntervalPlot {
        title: source.text(),
        note: source.text(),
        rows: (0..source.up_to(4)).map(|_| row(source)).collect(),
        guide: source.one_in(2).then(|| source.number()),
        x_limits: limits(source),
        width: pixels(source),
        font_size: font_size(source),
        ..IntervalPlot::default()
    };
    let _ = (intervals.to_svg().is_ok(), intervals.to_pdf().is_ok());
    let panels = Panels {
        panels: vec![Panel::Lines(plot.clone()), Panel::Intervals(intervals), Panel::Lines(plot)],
        columns: source.one_in(2).then(|| source.count()),
        width: pixels(source),
        font_size: font_size(source),
        ..Panels::default()
    };
    let _ = panels.to_svg().is_ok();
    let bar = |source: &mut Source| Bar {
        name: source.text(),
        length: source.number(),
        text: source.text(),
    };
    let bars = (0..source.up_to(5)).map(|_| bar(source)).collect();
    let chart = BarChart {
        title: source.text(),
        x_label: source.text(),
        bars,
        width: pixels(source),
        font_size: font_size(source),
    };
    let _ = (chart.to_svg().is_ok(), chart.save(&file).is_ok());
    let (columns, rows) = (source.up_to(4), source.up_to(4));
    let cells = (0..source.about(columns * rows))
        .map(|_| Cell { intensity: source.number(), text: source.text() })
        .collect();
    let map = HeatMap {
        columns: source.texts(columns),
        rows: source.texts(rows),
        cells,
        ..HeatMap::default()
    };
    let _ = (map.to_svg().is_ok(), map.save(&file).is_ok());
    let seeds = [Curve::new(x.clone(), y.clone()), Curve::new(vec![0.0, 1.0], vec![1.0, 2.0])];
    let series = Series { label: source.text(), seeds: seeds.into_iter().flatten().collect() };
    let confidence = source.share();
    let bands = [
        Band::Bootstrap(Bootstrap { resamples: 50, confidence, ..Bootstrap::default() }),
        Band::StandardDeviation,
        Band::None,
    ];
    let curves = LearningCurves {
        series: vec![series],
        threshold: source.one_in(2).then(|| source.number()),
        band: source.pick(&bands),
        ..LearningCurves::default()
    };
    let _ = (curves.line_plot().is_ok(), curves.save(&file).is_ok(), curves.description());
    let _ = (Colour::of_series(source.count()), Colour::of_series(0).tint(source.number()));
    let _ = History::default().save_loss_curves(&file).is_err();
    let bytes = source.mutated(b"bytes");
    atomic_file::write(&file, &bytes).expect("a scratch file");
    assert_eq!(std::fs::read(&file).expect("a scratch file"), bytes);
    let _ = atomic_file::write_with(&folder.path().join("no/where"), |_| Ok(())).is_err();
    let _ = atomic_file::write_with(&file, |_| Err(std::io::Error::other("no"))).is_err();
}
