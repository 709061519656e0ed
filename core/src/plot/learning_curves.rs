//! Learning curves: runs over several seeds, each a line with its uncertainty.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::axis::Axis;
use super::drawing::{Drawing, LABEL_SIZE};
use super::line_plot::{Guide, Line, LinePlot};
use super::{Picture, PlotError};
use crate::statistics::{
    Bootstrap, Curve, Interpolation, Method, common_grid, iqm, mean, median, sample_std,
};

/// The most series whose numbers of seeds are listed where they differ.
const MOST_COUNTS: usize = 6;
/// More places than this across a picture cannot be told apart.
const MOST_PLACES: usize = 400;

/// Plots returns over env steps or wall time, one line for each [`Series`].
///
/// A series is drawn where all its seeds have a value, so a seed that stops early cannot shift the
/// line. Between a seed's points the curve is linear. Smooth episode returns first, with
/// [`moving_average`](crate::statistics::moving_average). The same data always give the same
/// picture: the bootstrap is seeded with [`seed`](Self::seed), with one stream for each series, so
/// adding a series leaves the others unchanged.
///
/// ```
/// use gymnast_core::plot::{LearningCurves, Series, Picture as _};
/// use gymnast_core::statistics::Curve;
///
/// let steps = vec![1000.0, 2000.0, 3000.0];
/// let seeds = vec![
///     Curve::new(steps.clone(), vec![20.0, 180.0, 470.0])?,
///     Curve::new(steps.clone(), vec![25.0, 240.0, 500.0])?,
///     Curve::new(steps, vec![18.0, 90.0, 440.0])?,
/// ];
/// let plot = LearningCurves {
///     title: "CartPole-v1".to_owned(),
///     series: vec![Series { label: "dqn".to_owned(), seeds }],
///     threshold: Some(475.0),
///     ..LearningCurves::default()
/// };
/// assert!(plot.to_svg()?.contains("threshold 475"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LearningCurves {
    /// The title above the plot; may be empty.
    pub title: String,
    /// Further words below the title, after what lines and bands are; may be empty.
    pub note: String,
    /// What the curves of a series are, in the plural: `seeds`.
    pub units: String,
    /// The horizontal axis: `Axis::new("environment steps")` or `Axis::seconds("wall time")`.
    pub x_axis: Axis,
    /// The vertical axis.
    pub y_axis: Axis,
    /// The ends of the horizontal axis; `None`: as the data. Lines beyond are cut.
    pub x_limits: Option<(f64, f64)>,
    /// The ends of the vertical axis; `None`: as the data within the other limits.
    pub y_limits: Option<(f64, f64)>,
    /// The runs to compare.
    pub series: Vec<Series>,
    /// The return at which the task counts as solved, drawn as a dashed line; `None`: no line.
    pub threshold: Option<f64>,
    /// The statistic that the line shows; a single seed is shown as it is.
    pub center: Center,
    /// The band around the line; a series of one seed has none.
    pub band: Band,
    /// Whether to draw every seed as a thin line.
    pub show_seeds: bool,
    /// Seed of the bootstrap.
    pub seed: u64,
    /// Width in pixels of 1/96 inch, from 200 to 10 000.
    pub width: u32,
    /// Height in pixels, from 150 to 10 000.
    pub height: u32,
    /// The size of the axes' labels in pixels, from 4 to 200; everything else is in proportion.
    pub font_size: f64,
}

/// One run: the curves of its seeds under one label.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Series {
    /// The label in the legend.
    pub label: String,
    /// One curve for each seed.
    pub seeds: Vec<Curve>,
}

/// The statistic over seeds at each place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Center {
    /// The mean.
    #[default]
    Mean,
    /// The interquartile mean.
    Iqm,
    /// The median.
    Median,
}

/// The band around the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Band {
    /// A bootstrap confidence interval of the center.
    Bootstrap(Bootstrap),
    /// One sample standard deviation of the seeds to either side of the center.
    StandardDeviation,
    /// No band.
    None,
}

impl Default for Band {
    /// The 95 % percentile interval from 2000 resamples: more would not move it by a pixel. Of fewer than
    /// ten seeds it is too narrow, but an [expanded](Method::Expanded) one of two or three would leave the
    /// lines no room.
    fn default() -> Self {
        Self::Bootstrap(Bootstrap { resamples: 2000, confidence: 0.95, method: Method::Percentile })
    }
}

impl Default for LearningCurves {
    /// Mean return over environment steps with a 95 % interval and every seed, 800 by 480 pixels.
    fn default() -> Self {
        Self {
            title: String::new(),
            note: String::new(),
            units: "seeds".to_owned(),
            x_axis: Axis::new("environment steps"),
            y_axis: Axis::new("return"),
            x_limits: None,
            y_limits: None,
            series: Vec::new(),
            threshold: None,
            center: Center::default(),
            band: Band::default(),
            show_seeds: true,
            seed: 0,
            width: 800,
            height: 480,
            font_size: LABEL_SIZE,
        }
    }
}

impl Band {
    /// What stands behind the center's name.
    fn name(self) -> String {
        match self {
            Self::Bootstrap(bootstrap) => {
                format!(" and {} % bootstrap interval", percent(bootstrap.confidence))
            }
            Self::StandardDeviation => " ± one standard deviation".to_owned(),
            Self::None => String::new(),
        }
    }
}

/// 95, or 99.9.
fn percent(confidence: f64) -> f64 {
    (confidence * 1e4).round() / 100.0
}

impl Center {
    /// Its name at the start of a sentence.
    fn name(self) -> &'static str {
        match self {
            Self::Mean => "Mean",
            Self::Iqm => "Interquartile mean",
            Self::Median => "Median",
        }
    }

    fn of(self, values: &[f64]) -> Option<f64> {
        match self {
            Self::Mean => mean(values),
            Self::Iqm => iqm(values),
            Self::Median => median(values),
        }
    }
}

impl Picture for LearningCurves {
    fn drawing(&self) -> Result<Drawing, PlotError> {
        self.line_plot()?.drawing()
    }
}

impl LearningCurves {
    /// Returns the lines, bands and seeds as a general plot, to add to or to read numbers from.
    ///
    /// # Errors
    /// [`PlotError::Statistics`] if the bootstrap fails with these settings.
    pub fn line_plot(&self) -> Result<LinePlot, PlotError> {
        let lines = self.series.iter().zip(0..).map(|(series, index)| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(index);
            self.line(series, &mut rng)
        });
        let guide =
            |y: f64| Guide { label: format!("threshold {}", y.to_string().replace('-', "−")), y };
        Ok(LinePlot {
            title: self.title.clone(),
            note: self.description(),
            x_axis: self.x_axis.clone(),
            y_axis: self.y_axis.clone(),
            x_limits: self.x_limits,
            y_limits: self.y_limits,
            lines: lines.collect::<Result<_, _>>()?,
            guides: self.threshold.map(guide).into_iter().collect(),
            width: self.width,
            height: self.height,
            font_size: self.font_size,
        })
    }

    /// Returns what the lines and bands are and how many seeds stand in them, as the plot says it.
    #[must_use]
    pub fn description(&self) -> String {
        let drawn = self.series.iter().filter(|series| !series.seeds.is_empty());
        let counts: Vec<(&str, usize)> =
            drawn.map(|series| (series.label.as_str(), series.seeds.len())).collect();
        let (least, most) = counts.iter().fold((usize::MAX, 0), |(least, most), &(_, count)| {
            (least.min(count), most.max(count))
        });
        let (units, unit) = (&self.units, self.units.strip_suffix('s').unwrap_or(&self.units));
        let center = self.center.name();
        let of = match most {
            0 => return self.note.clone(),
            1 if counts.len() > 1 => format!("Lines: one {unit} each"),
            1 => format!("Line: a single {unit}"),
            _ => {
                let band = self.band.name();
                let seeds = if least == most {
                    format!("{most} {units}")
                } else if counts.len() <= MOST_COUNTS {
                    let count = |&(label, count): &(&str, usize)| format!("{label} {count}");
                    let counts: Vec<_> = counts.iter().map(count).collect();
                    format!("{units} ({})", counts.join(", "))
                } else {
                    format!("{least} to {most} {units}")
                };
                let thin = if self.show_seeds { format!("; thin: {units}") } else { String::new() };
                format!("{center}{band} of {seeds}{thin}")
            }
        };
        if self.note.is_empty() { of } else { format!("{of}; {}", self.note) }
    }

    fn line(&self, series: &Series, rng: &mut ChaCha8Rng) -> Result<Line, PlotError> {
        if let [seed] = &series.seeds[..] {
            return Ok(Line::new(&series.label, seed.points().collect()));
        }
        let grid = common_grid(&series.seeds, MOST_PLACES);
        let onto = |seed: &Curve| seed.onto(&grid, Interpolation::Linear);
        let seeds: Vec<Vec<Option<f64>>> = series.seeds.iter().map(onto).collect(); // [K, T]
        let columns: Vec<Option<Vec<f64>>> =
            (0..grid.len()).map(|place| seeds.iter().map(|seed| seed[place]).collect()).collect();
        let center =
            |column: &Option<Vec<f64>>| column.as_deref().and_then(|values| self.center.of(values));
        let centers: Vec<f64> =
            columns.iter().map(|column| center(column).unwrap_or(f64::NAN)).collect();
        let edges: Vec<(f64, f64)> = match self.band {
            _ if seeds.is_empty() => Vec::new(),
            Band::None => Vec::new(),
            Band::Bootstrap(bootstrap) => bootstrap
                .band(&seeds, |values| self.center.of(values), rng)?
                .into_iter()
                .map(|interval| {
                    interval.map_or((f64::NAN, f64::NAN), |interval| (interval.low, interval.high))
                })
                .collect(),
            Band::StandardDeviation => columns
                .iter()
                .zip(&centers)
                .map(|(column, center)| {
                    let std = column.as_deref().and_then(sample_std).unwrap_or(f64::NAN);
                    (center - std, center + std)
                })
                .collect(),
        };
        let faint = |seed: &Curve| seed.points().collect();
        Ok(Line {
            label: series.label.clone(),
            points: grid.iter().copied().zip(centers).collect(),
            band: grid.iter().zip(edges).map(|(&x, (low, high))| (x, low, high)).collect(),
            faint: if self.show_seeds {
                series.seeds.iter().map(faint).collect()
            } else {
                Vec::new()
            },
            ..Line::default()
        })
    }
}
