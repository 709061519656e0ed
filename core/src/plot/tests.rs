//! Whole plots: that labels keep apart, lines stay inside, and nothing odd in the data breaks them.

mod options;

use super::drawing::{Label, Mark};
use super::*;
use crate::statistics::{Bootstrap, Curve};

fn curve(points: &[(f64, f64)]) -> Curve {
    let (x, y) = points.iter().copied().unzip();
    Curve::new(x, y).unwrap()
}

fn series(label: &str, count: u32) -> Series {
    let seed = |k: u32| {
        let at = |i: u32| (f64::from(i) * 1000.0, f64::from(i * 10 + k * (i % 3)));
        curve(&(1..=50).map(at).collect::<Vec<_>>())
    };
    Series { label: label.to_owned(), seeds: (0..count).map(seed).collect() }
}

fn scene(plot: &LearningCurves) -> Drawing {
    plot.drawing().unwrap()
}

fn labels(drawing: &Drawing) -> Vec<Label> {
    let label = |mark: &Mark| match mark {
        Mark::Text(label) => Some(label.clone()),
        _ => None,
    };
    drawing.marks.iter().filter_map(label).collect()
}

/// No two texts overlap, and none leaves the picture.
fn assert_legible(drawing: &Drawing) {
    let labels = labels(drawing);
    let units = |pixels: u32| f64::from(pixels) / drawing.zoom;
    let (width, height) = (units(drawing.width), units(drawing.height));
    for (index, label) in labels.iter().enumerate() {
        let (left, top, right, bottom) = label.bounds();
        assert!(left >= 0.0 && top >= 0.0 && right <= width && bottom <= height, "{label:?}");
        for other in &labels[..index] {
            let (left2, top2, right2, bottom2) = other.bounds();
            let apart = right <= left2 || right2 <= left || bottom <= top2 || bottom2 <= top;
            assert!(apart, "{label:?} overlaps {other:?}");
        }
    }
    for mark in &drawing.marks {
        let (Mark::Line { points, .. } | Mark::Fill { points, .. }) = mark else { continue };
        for &(x, y) in points {
            assert!(x >= 0.0 && x <= width, "{x}");
            assert!(y >= 0.0 && y <= height, "{y}");
        }
    }
}

#[test]
fn labels_keep_apart_whatever_they_say() {
    let long = "a label far longer than any reader would care to read in one breath ".repeat(3);
    for (width, height) in [(800, 480), (400, 300), (1600, 700)] {
        for text in ["", "return", &long] {
            for count in [1, 3] {
                let plot = LearningCurves {
                    title: text.to_owned(),
                    x_axis: Axis::new(text),
                    y_axis: Axis::new(text),
                    series: (0..count).map(|i| series(&format!("{text}{i}"), 4)).collect(),
                    threshold: Some(475.0),
                    width,
                    height,
                    ..LearningCurves::default()
                };
                assert_legible(&scene(&plot));
            }
        }
    }
}

#[test]
fn any_range_of_values_can_be_drawn() {
    let values = [0.0, 1.0, -1.0, 1e-300, 3e-9, 0.1, 475.0, 123_456.789, 1e15, -1e299, 1e300];
    for low in values {
        for high in values {
            for end in [0.5, 1e7, 3e12] {
                for unit in [Unit::Number, Unit::Seconds] {
                    let plot = LearningCurves {
                        x_axis: Axis { unit, ..Axis::new("x") },
                        series: vec![Series {
                            label: "s".to_owned(),
                            seeds: vec![curve(&[(0.0, low), (end, high)])],
                        }],
                        ..LearningCurves::default()
                    };
                    assert_legible(&scene(&plot));
                }
            }
        }
    }
}

#[test]
fn one_point_a_constant_and_gaps_are_drawn() {
    for points in [
        vec![(1000.0, 20.0)],
        vec![(0.0, 0.0)],
        vec![(0.0, 500.0), (1000.0, 500.0)],
        vec![(0.0, f64::NAN), (1.0, 5.0), (2.0, f64::INFINITY), (3.0, 7.0), (4.0, 8.0)],
        vec![(5.0, 1.0), (5.0, 2.0), (5.0, 3.0)],
    ] {
        for seeds in [1, 3] {
            let seeds = vec![curve(&points); seeds];
            let plot = LearningCurves {
                series: vec![Series { label: "s".to_owned(), seeds }],
                ..LearningCurves::default()
            };
            assert_legible(&scene(&plot));
            assert!(!plot.to_svg().unwrap().contains("NaN"));
            plot.to_png().unwrap();
        }
    }
}

#[test]
fn a_series_is_drawn_where_all_its_seeds_are() {
    let seeds = vec![
        curve(&[(0.0, 0.0), (10.0, 10.0), (20.0, 20.0)]),
        curve(&[(0.0, 10.0), (10.0, 40.0)]),
        curve(&[(0.0, 2.0), (10.0, f64::NAN), (20.0, 0.0)]),
    ];
    let two = LearningCurves {
        series: vec![Series { label: "s".to_owned(), seeds: seeds[..2].to_vec() }],
        ..LearningCurves::default()
    };
    let line = &two.line_plot().unwrap().lines[0];
    assert_eq!(line.points, [(0.0, 5.0), (10.0, 25.0)]);
    assert_eq!(line.band.len(), 2);
    assert_eq!(line.band[0], (0.0, 0.0, 10.0));
    let three = LearningCurves { series: vec![Series { label: "s".to_owned(), seeds }], ..two };
    let line = &three.line_plot().unwrap().lines[0];
    assert_eq!(line.points[0], (0.0, 4.0));
    assert!(line.points[1].1.is_nan() && line.band[1].1.is_nan());
}

#[test]
fn centers_and_bands_are_what_they_are_called() {
    let seeds: Vec<_> = [1.0, 2.0, 3.0, 4.0, 90.0].map(|y| curve(&[(0.0, y)])).into();
    let plot = |center, band| LearningCurves {
        series: vec![Series { label: "s".to_owned(), seeds: seeds.clone() }],
        center,
        band,
        ..LearningCurves::default()
    };
    let at = |center| plot(center, Band::None).line_plot().unwrap().lines[0].points[0].1;
    assert_eq!((at(Center::Mean), at(Center::Iqm), at(Center::Median)), (20.0, 3.0, 3.0));
    let std = plot(Center::Mean, Band::StandardDeviation).line_plot().unwrap();
    let (_, low, high) = std.lines[0].band[0];
    assert!((high - low - 2.0 * 1532.5_f64.sqrt()).abs() < 1e-9, "{low} {high}");
    assert!(plot(Center::Mean, Band::None).line_plot().unwrap().lines[0].band.is_empty());
}

#[test]
fn adding_a_series_leaves_the_others_alone() {
    let plot = |count: usize| LearningCurves {
        series: (0..count).map(|i| series(&i.to_string(), 5)).collect(),
        ..LearningCurves::default()
    };
    let (one, two) = (plot(1).line_plot().unwrap(), plot(2).line_plot().unwrap());
    assert_eq!(one.lines[0], two.lines[0]);
    assert_eq!(plot(2).to_png().unwrap(), plot(2).to_png().unwrap());
}

#[test]
fn what_cannot_be_drawn_is_a_typed_error() {
    let empty = LearningCurves::default();
    assert!(matches!(empty.to_svg(), Err(PlotError::Empty)));
    let nan = LinePlot {
        lines: vec![Line::new("l", vec![(f64::NAN, 1.0), (1.0, f64::NAN)])],
        ..LinePlot::default()
    };
    assert!(matches!(nan.to_png(), Err(PlotError::Empty)));
    let small = LearningCurves { series: vec![series("s", 2)], width: 100, ..empty.clone() };
    assert!(matches!(small.to_svg(), Err(PlotError::Size { width: 100, height: 480 })));
    let crowded = LearningCurves {
        series: (0..99).map(|i| series(&format!("a rather long label {i}"), 1)).collect(),
        ..empty.clone()
    };
    assert!(matches!(crowded.to_svg(), Err(PlotError::Size { .. })));
    let threshold = LearningCurves { threshold: Some(f64::NAN), ..crowded };
    assert!(matches!(threshold.to_svg(), Err(PlotError::OutOfRange(_))));
    let guide = Guide { label: String::new(), y: f64::INFINITY };
    assert!(matches!(
        LinePlot { guides: vec![guide], ..nan }.to_svg(),
        Err(PlotError::OutOfRange(_))
    ));
    let none = Bootstrap { resamples: 0, ..Bootstrap::default() };
    let band =
        LearningCurves { series: vec![series("s", 2)], band: Band::Bootstrap(none), ..empty };
    assert!(matches!(band.to_svg(), Err(PlotError::Statistics(StatisticsError::NoResamples))));
}

#[test]
fn the_extension_decides_the_format() {
    let folder = tempfile::tempdir().unwrap();
    let plot = LearningCurves { series: vec![series("s", 2)], ..LearningCurves::default() };
    let save = |name: &str| plot.save(&folder.path().join(name));
    save("a.svg").unwrap();
    save("a.PNG").unwrap();
    assert!(std::fs::read(folder.path().join("a.svg")).unwrap().starts_with(b"<svg"));
    assert!(std::fs::read(folder.path().join("a.PNG")).unwrap().starts_with(b"\x89PNG"));
    save("a.pdf").unwrap();
    assert!(std::fs::read(folder.path().join("a.pdf")).unwrap().starts_with(b"%PDF"));
    for name in ["a.gif", "a", "png"] {
        let error = save(name).unwrap_err();
        assert!(matches!(error, PlotError::Extension(_)));
        assert!(error.to_string().contains(".svg, .png or .pdf"), "{error}");
    }
    assert!(matches!(save("missing/a.svg"), Err(PlotError::Write(_))));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}

/// Every picture that the library makes by itself says what it shows and what its axes count.
#[cfg(feature = "torch")]
#[test]
fn pictures_have_a_title_and_labels() {
    use crate::diagnosis::{LearningCurve, SizeScores};
    use crate::metrics::{Normalize, confusion_matrix, roc_curve};
    use crate::supervised::{Epoch, History};
    use crate::tune::{Importance, Study, StudyConfig};

    let epoch = Epoch { train_loss: 1.0, validation_loss: Some(2.0), ..Epoch::default() };
    let history = History { epochs: vec![epoch], ..History::default() };
    let size = SizeScores { rows: 2, train: vec![0.5], test: vec![0.4] };
    let learning = LearningCurve { sizes: vec![size] }.plot("accuracy").unwrap();
    let roc = roc_curve(&[1, 0], &[0.9, 0.1]).unwrap();
    let study = Study::new(StudyConfig::default()).unwrap();
    let mut pictures: Vec<[String; 3]> = [
        history.loss_curves(),
        history.score_curves("accuracy"),
        study.history_plot("final return"),
        learning.line_plot().unwrap(),
        roc.plot("network"),
    ]
    .map(|plot| [plot.title, plot.x_axis.label, plot.y_axis.label])
    .into();
    let bars = Importance::plot(&[]);
    let matrix = confusion_matrix(&[0, 1], &[0, 1], 2).unwrap().plot(Normalize::Counts);
    pictures.push([bars.title, bars.x_label, "names".to_owned()]);
    pictures.push([matrix.title, matrix.x_label, matrix.y_label]);
    for picture in &pictures {
        assert!(picture.iter().all(|text| !text.is_empty()), "{picture:?}");
    }
    assert_eq!(pictures[0][0], "Loss by epoch");
    assert_eq!(pictures[2][0], "Final return of each trial");
}

/// A letter that the built-in fonts lack is drawn as a box: these are those of the repository's labels.
#[test]
fn the_letters_of_labels_are_in_the_fonts() {
    for letter in "αγεθλπσΔ−±·×…–²½⁰¹²⁻₀₂≤≥√∞".chars() {
        assert!(gymnast_draw::font::has(letter), "{letter}");
    }
    assert!(!gymnast_draw::font::has('\u{4e00}'));
}

#[test]
fn a_logarithmic_axis_shows_values_not_logarithms() {
    let plot = LinePlot {
        x_axis: Axis::logarithmic("labels a class"),
        lines: vec![Line::new("accuracy", vec![(1.0, 60.0), (7.0, 80.0), (50.0, 97.0)])],
        ..LinePlot::default()
    };
    let texts: Vec<String> =
        labels(&plot.drawing().unwrap()).into_iter().map(|label| label.text).collect();
    for tick in ["1", "2", "5", "10", "20", "50"] {
        assert!(texts.iter().any(|text| text == tick), "{tick}: {texts:?}");
    }
    assert_legible(&plot.drawing().unwrap());
    let zero = Line::new("zero", vec![(0.0, 1.0), (1.0, 2.0)]);
    let refused = LinePlot { lines: vec![zero], ..plot }.to_svg();
    assert!(matches!(refused, Err(PlotError::NotPositive(_))));
}

#[test]
fn tables_are_legible_whatever_their_names_are() {
    let long = "a class with a very long name that nobody would read to its end".to_owned();
    for names in [
        vec!["0".to_owned()],
        vec!["cat".to_owned(), long],
        (0..30).map(|i| format!("class {i}")).collect(),
    ] {
        for title in ["", "Confusion matrix", &"matrix ".repeat(60)] {
            let cell =
                |i: usize| Cell { intensity: 1.0 / (i + 1) as f64, text: (i * 997).to_string() };
            let table = HeatMap {
                title: title.to_owned(),
                x_label: title.to_owned(),
                y_label: title.to_owned(),
                columns: names.clone(),
                rows: names.clone(),
                cells: (0..names.len() * names.len()).map(cell).collect(),
            };
            assert_legible(&table.drawing().unwrap());
        }
    }
}
