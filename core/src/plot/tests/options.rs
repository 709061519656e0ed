//! What a user may choose: limits, widths, fonts; and what follows from the data: labels, dashes, notes.

use super::super::drawing::Mark;
use super::super::*;
use super::{assert_legible, labels, series};

fn line(label: &str, points: &[(f64, f64)]) -> Line {
    Line::new(label, points.to_vec())
}

/// Two lines from 0 to 100, whose ends are `apart`.
fn two(apart: f64) -> LinePlot {
    let steps = |end: f64| vec![(0.0, 0.0), (50.0, 30.0), (100.0, end)];
    let lines = vec![Line::new("dqn", steps(100.0)), Line::new("ppo", steps(100.0 - apart))];
    LinePlot { lines, y_axis: Axis::new("return"), ..LinePlot::default() }
}

fn texts(plot: &LinePlot) -> Vec<String> {
    labels(&plot.drawing().unwrap()).into_iter().map(|label| label.text).collect()
}

#[test]
fn limits_cut_lines_and_bands_at_the_frame() {
    let band = vec![(0.0, -1e6, 1e6), (100.0, -1e6, 1e6)];
    let wild = line("wild", &[(-1e300, 1e300), (20.0, 10.0), (1e9, -1e300)]);
    let mut plot = two(50.0);
    plot.lines[0].band = band;
    plot.lines.push(wild);
    let plot = LinePlot { x_limits: Some((20.0, 60.0)), y_limits: Some((0.0, 40.0)), ..plot };
    let drawing = plot.drawing().unwrap();
    assert_legible(&drawing);
    let texts = texts(&plot);
    for end in ["20", "60", "0", "40"] {
        assert!(texts.iter().any(|text| text == end), "{end}: {texts:?}");
    }
    // The vertical axis fits what is left within the horizontal limits.
    let early = LinePlot { x_limits: Some((0.0, 50.0)), ..two(0.0) };
    let texts = self::texts(&early);
    assert!(texts.iter().any(|text| text == "30") && !texts.iter().any(|text| text == "100"));
}

#[test]
fn limits_without_data_or_sense_are_refused() {
    let refused =
        |x_limits, y_limits| LinePlot { x_limits, y_limits, ..two(50.0) }.to_svg().unwrap_err();
    assert!(matches!(refused(Some((200.0, 300.0)), None), PlotError::Outside));
    assert!(matches!(refused(None, Some((200.0, 300.0))), PlotError::Outside));
    assert!(matches!(refused(Some((3.0, 1.0)), None), PlotError::Limits { low: 3.0, high: 1.0 }));
    // A value that is not positive has no place on a logarithmic axis, within the limits or not.
    let log =
        LinePlot { y_axis: Axis::logarithmic("return"), y_limits: Some((1.0, 100.0)), ..two(50.0) };
    assert!(matches!(log.to_svg(), Err(PlotError::NotPositive(0.0))));
    for font_size in [0.0, 3.9, 201.0, f64::NAN] {
        let plot = LinePlot { font_size, ..two(50.0) };
        assert!(matches!(plot.to_svg(), Err(PlotError::FontSize(_))), "{font_size}");
    }
}

#[test]
fn a_log_axis_over_one_decade_and_over_many_has_ticks() {
    for (low, high) in [(1.0, 10.0), (2.0, 3.0), (1e-12, 1e12), (0.7, 1.1)] {
        let points = [(low, low), (high, high)];
        let plot = LinePlot {
            x_axis: Axis::logarithmic("x"),
            y_axis: Axis::logarithmic("y"),
            lines: vec![line("a", &points)],
            ..LinePlot::default()
        };
        assert_legible(&plot.drawing().unwrap());
        assert!(texts(&plot).len() >= 6, "{low} {high}: {:?}", texts(&plot));
    }
}

#[test]
fn lines_that_end_apart_are_labelled_at_their_ends_and_others_above() {
    let places = |plot: &LinePlot| -> Vec<(f64, f64)> {
        let drawing = plot.drawing().unwrap();
        assert_legible(&drawing);
        let named =
            labels(&drawing).into_iter().filter(|label| ["dqn", "ppo"].contains(&&*label.text));
        named.map(|label| label.at).collect()
    };
    let apart = places(&two(50.0));
    assert!(apart.iter().all(|(x, _)| *x > 700.0) && apart[0].1 < apart[1].1, "{apart:?}");
    let near = places(&two(1.0));
    assert!(near.iter().all(|(x, _)| *x < 200.0) && near[0].1 == near[1].1, "{near:?}");
    // A line that ends elsewhere, one that is no line, and too many.
    let mut early = two(50.0);
    early.lines[1].points.pop();
    assert_eq!(places(&early)[0].1, places(&early)[1].1);
    let mut dots = two(50.0);
    dots.lines[1] = Line::dots("ppo", &[(0.0, 0.0), (100.0, 50.0)]);
    assert_eq!(places(&dots)[0].1, places(&dots)[1].1);
    let mut many = two(50.0);
    many.lines
        .extend((0..4).map(|i| line("x", &[(0.0, 0.0), (100.0, 60.0 + 10.0 * f64::from(i))])));
    assert_eq!(places(&many)[0].1, places(&many)[1].1);
}

#[test]
fn each_line_has_dashes_and_a_colour_of_its_own() {
    let lines = (0..12).map(|i| line(&i.to_string(), &[(0.0, 0.0), (1.0, f64::from(i))]));
    let drawing = LinePlot { lines: lines.collect(), ..LinePlot::default() }.drawing().unwrap();
    let styles: Vec<_> = drawing
        .marks
        .iter()
        .filter_map(|mark| match mark {
            Mark::Line { colour, dashes, width, .. } if *width > 2.0 => Some((*colour, *dashes)),
            _ => None,
        })
        .collect();
    assert_eq!(styles.len(), 24, "twelve in the legend and twelve below");
    for (i, style) in styles[..12].iter().enumerate() {
        assert_eq!(*style, styles[12 + i]);
        assert!(!styles[..i].contains(style), "{i}");
    }
    // In a grey print eight neighbours differ in their dashes alone.
    let dashes: Vec<_> = styles[..8].iter().map(|style| style.1).collect();
    assert!((0..8).all(|i| !dashes[..i].contains(&dashes[i])), "{dashes:?}");
}

#[test]
fn a_picture_says_what_it_shows_and_of_how_many_seeds() {
    let of = |counts: &[u32]| LearningCurves {
        series: counts.iter().map(|&count| series(&format!("agent{count}"), count)).collect(),
        ..LearningCurves::default()
    };
    let said = |counts: &[u32]| of(counts).description();
    assert_eq!(said(&[10]), "Mean and 95 % bootstrap interval of 10 seeds; thin: seeds");
    assert_eq!(said(&[1]), "Line: a single seed");
    assert_eq!(said(&[1, 1]), "Lines: one seed each");
    assert!(said(&[3, 5]).contains("of seeds (agent3 3, agent5 5)"));
    assert!(said(&[1, 2, 3, 4, 5, 6, 7]).contains("of 1 to 7 seeds"));
    let plot = LearningCurves {
        center: Center::Iqm,
        band: Band::StandardDeviation,
        show_seeds: false,
        note: "smoothed".to_owned(),
        ..of(&[4])
    };
    let words = "Interquartile mean ± one standard deviation of 4 seeds; smoothed";
    assert_eq!(plot.description(), words);
    assert!(plot.to_svg().unwrap().contains(&format!(">{words}<")));
}

#[test]
fn a_column_of_a_paper_is_legible() {
    for count in [1, 3, 12] {
        let curves = LearningCurves {
            title: "MountainCarContinuous-v1".to_owned(),
            series: (0..count).map(|i| series(&format!("expected-sarsa {i}"), 3)).collect(),
            threshold: Some(475.0),
            width: 312,
            font_size: 12.0,
            ..LearningCurves::default()
        };
        let mut plot = curves.line_plot().unwrap();
        plot.height = plot.height_for(0.45);
        let drawing = plot.drawing().unwrap();
        assert_legible(&drawing);
        assert_eq!((drawing.width(), drawing.height()), (312, plot.height));
        // Every text has 8 to 10 points.
        let points = |size: f64| size * drawing.zoom * 0.75;
        let sizes: Vec<f64> = labels(&drawing).iter().map(|label| points(label.size)).collect();
        assert!(sizes.iter().all(|size| (8.0..10.0).contains(size)), "{sizes:?}");
        let panels = Panels {
            panels: vec![Panel::Lines(plot); 3],
            width: 648,
            font_size: 12.0,
            ..Panels::default()
        };
        assert_legible(&panels.drawing().unwrap());
    }
}
