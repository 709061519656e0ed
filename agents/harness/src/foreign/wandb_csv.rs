//! The CSV that W&B's "Export" makes of a chart: a column of steps, and columns for each run.
//!
//! A run's columns are `NAME - METRIC`, `NAME - METRIC__MIN` and `NAME - METRIC__MAX`; a cell without a
//! value is empty. The first column is the chart's horizontal axis: `Step`, which counts W&B's own
//! steps, or a metric such as `global_step`.

use std::path::Path;

use super::{
    ForeignError, ForeignSeed, MAX_RETURNS, Program, names,
    seed::SeedNames,
    series::{self, Steps},
};
use crate::report::ReturnAt;

/// What stands between a run's name and a metric's.
const BETWEEN: &str = " - ";
/// Axes that are no steps.
const TIMES: [&str; 3] = ["Relative Time (Process)", "Relative Time (Wall)", "Wall Time"];
const BOUNDS: [&str; 2] = ["__MIN", "__MAX"];

/// Whether text begins with the header of such a file.
pub(super) fn is_chart(bytes: &[u8]) -> bool {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(line);
    let Some(Ok(header)) = reader.records().next() else { return false };
    // The last name may be cut off where these are the first bytes of a long line.
    let is_whole = bytes.contains(&b'\n');
    let whole = header.len() - usize::from(!is_whole && header.len() > 2);
    whole > 1 && header.iter().take(whole).skip(1).all(|name| name.contains(BETWEEN))
}

/// A run's column.
struct Column<'a> {
    index: usize,
    name: &'a str,
    metric: &'a str,
}

/// Reads one seed for each run.
pub(super) fn read(
    path: &Path,
    bytes: &[u8],
    tag: Option<&str>,
) -> Result<Vec<ForeignSeed>, ForeignError> {
    let invalid = |reason: String| ForeignError::invalid(path, reason);
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(|error| invalid(format!("line 1: {error}")))?.clone();
    let axis = header.get(0).unwrap_or_default();
    if TIMES.contains(&axis) {
        return Err(invalid(format!(
            "line 1: `{axis}` counts no env steps: export the chart with global_step as its horizontal axis"
        )));
    }
    let columns = chosen(path, &header, tag)?;
    let mut order = Steps::new(path, axis);
    let mut points: Vec<Vec<ReturnAt>> = columns.iter().map(|_| Vec::new()).collect();
    let mut count = 0;
    for (row, line) in reader.records().zip(2..) {
        let row = row.map_err(|error| invalid(format!("line {line}: {error}")))?;
        let number = |index: usize| -> Result<Option<f64>, ForeignError> {
            let cell = row.get(index).unwrap_or_default().trim();
            let wrong = |_| {
                let name = header.get(index).unwrap_or_default();
                invalid(format!("line {line}: `{name}`: expected a number, got `{cell}`"))
            };
            if cell.is_empty() { Ok(None) } else { cell.parse().map(Some).map_err(wrong) }
        };
        let step = number(0)?.ok_or_else(|| invalid(format!("line {line}: `{axis}` is empty")))?;
        let env_step = order.next(step)?;
        for (column, points) in columns.iter().zip(&mut points) {
            let Some(value) = number(column.index)? else { continue };
            points.push(ReturnAt { env_step, wall_time_s: f64::NAN, value });
            count += 1;
        }
        if count > MAX_RETURNS {
            return Err(invalid(format!("expected at most {MAX_RETURNS} returns, got more")));
        }
    }
    let seed = |(column, points): (&Column<'_>, Vec<ReturnAt>)| {
        let mut results = series::results(vec![(column.metric.to_owned(), points)])?;
        if axis == "Step" {
            results.remarks.push(
                "`Step` counts W&B's own steps, which need not be env steps: export the chart with \
                 global_step as its horizontal axis"
                    .to_owned(),
            );
        }
        let names = names::of_clean_rl("", column.name).unwrap_or_else(|| SeedNames {
            agent: Some(column.name.to_owned()),
            ..SeedNames::default()
        });
        let names = SeedNames { program: Some(Program::WeightsAndBiases), ..names };
        Some(names.with(path, results))
    };
    let seeds: Vec<_> = columns.iter().zip(points).filter_map(seed).collect();
    if seeds.is_empty() {
        return Err(invalid("it holds no returns: every cell is empty".to_owned()));
    }
    Ok(seeds)
}

/// The columns to read: of the user's metric, of one that is known, or of the only one.
fn chosen<'a>(
    path: &Path,
    header: &'a csv::StringRecord,
    tag: Option<&str>,
) -> Result<Vec<Column<'a>>, ForeignError> {
    let column = |(index, name): (usize, &'a str)| {
        let (name, metric) = name.rsplit_once(BETWEEN)?;
        Some(Column { index, name, metric })
    };
    let mut columns: Vec<_> = header.iter().enumerate().skip(1).filter_map(column).collect();
    columns.retain(|column| !BOUNDS.iter().any(|bound| column.metric.ends_with(bound)));
    let mut metrics: Vec<_> = columns.iter().map(|column| column.metric.to_owned()).collect();
    metrics.sort_unstable();
    metrics.dedup();
    if metrics.len() != 1 || tag.is_some() {
        columns.retain(|column| series::is_wanted(column.metric, tag));
    }
    // Of several known ones the first, as of event files.
    let first =
        columns.iter().map(|column| column.metric).min_by_key(|metric| series::rank(metric));
    columns.retain(|column| Some(column.metric) == first);
    if columns.is_empty() {
        let expected = series::expected(tag);
        return Err(ForeignError::NoSeries { path: path.to_owned(), expected, found: metrics });
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::TrainingReturns;

    fn read_back(text: &str, tag: Option<&str>) -> Result<Vec<ForeignSeed>, String> {
        assert!(is_chart(text.as_bytes()));
        read(Path::new("chart.csv"), text.as_bytes(), tag).map_err(|error| error.to_string())
    }

    fn points(seed: &ForeignSeed) -> Vec<(u64, f64)> {
        let (TrainingReturns::Episodes(points) | TrainingReturns::Means(points)) = &seed.training;
        points.iter().map(|point| (point.env_step, point.value)).collect()
    }

    const CHART: &str = "\"global_step\",\"Cart-v1__ppo__1__17 - charts/episodic_return\",\
        \"Cart-v1__ppo__1__17 - charts/episodic_return__MIN\",\"a - b - charts/episodic_return\"\n\
        \"10\",\"1.5\",\"1.0\",\"\"\n\"20\",\"2.5\",\"2.0\",\"NaN\"\n";

    #[test]
    fn each_run_is_a_seed() {
        let seeds = read_back(CHART, None).unwrap();
        let [first, second] = &seeds[..] else { panic!("{seeds:?}") };
        assert_eq!((first.agent.as_deref(), first.env.as_deref()), (Some("ppo"), Some("Cart-v1")));
        assert_eq!((first.seed, points(first)), (Some(1), vec![(10, 1.5), (20, 2.5)]));
        assert_eq!((second.agent.as_deref(), second.env.as_deref()), (Some("a - b"), None));
        assert!(points(second)[0].1.is_nan() && second.remarks.is_empty());
        let steps = read_back(&CHART.replace("global_step", "Step"), None).unwrap();
        assert!(steps[0].remarks[0].contains("W&B's own steps"));
    }

    #[test]
    fn a_metric_is_known_the_only_one_or_named() {
        let two = "Step,a - x/loss,a - x/score\n1,2,3\n";
        let error = read_back(two, None).unwrap_err();
        assert!(error.contains("found x/loss, x/score; choose one with --tag"), "{error}");
        assert_eq!(points(&read_back(two, Some("x/score")).unwrap()[0]), [(1, 3.0)]);
        let one = "Step,a - x/loss,a - x/loss__MIN,a - x/loss__MAX\n1,2,1,3\n";
        assert_eq!(points(&read_back(one, None).unwrap()[0]), [(1, 2.0)]);
    }

    #[test]
    fn what_cannot_be_says_where() {
        for (text, part) in [
            ("Step,a - r\n1,x\n", "line 2: `a - r`: expected a number, got `x`"),
            ("Step,a - r\n-1,1\n", "got -1"),
            ("Step,a - r\n2,1\n1,1\n", "1 comes after 2"),
            ("Step,a - r\n,1\n", "line 2: `Step` is empty"),
            ("Step,a - r\n1\n", "line 2"),
            ("Step,a - r\n1,\n", "every cell is empty"),
            ("Wall Time,a - r\n1,1\n", "counts no env steps"),
        ] {
            let error = read_back(text, None).unwrap_err();
            assert!(error.contains(part), "`{part}`: {error}");
        }
        // The first bytes of a header that is longer.
        assert!(is_chart(b"Step,a - r,a - r__MIN,\"a"));
        for other in ["", "a,b\n1,2\n", "Step\n1\n", "r,l,t\n"] {
            assert!(!is_chart(other.as_bytes()), "{other}");
        }
    }
}
