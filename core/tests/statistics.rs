//! Holds the statistics against NumPy and SciPy; `tests/reference/statistics.py` made the values.

use std::num::NonZeroUsize;

use gymnast_core::statistics::{
    Bootstrap, Curve, Interpolation, Method, aggregate_iqm, aggregate_mean, aggregate_median,
    bin_means, iqm, mean, median, moving_average, quantile, sample_std,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

fn reference() -> Value {
    serde_json::from_str(include_str!("reference/statistics.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn assert_close(ours: f64, theirs: f64, tolerance: f64) {
    let scale = theirs.abs().max(1e-12);
    assert!((ours - theirs).abs() <= tolerance * scale, "{ours} is not {theirs}");
}

#[test]
fn summaries_are_numpys_and_scipys() {
    let reference = reference();
    let levels = numbers(&reference["levels"]);
    for summary in reference["summaries"].as_array().unwrap() {
        let values = numbers(&summary["values"]);
        assert_close(mean(&values).unwrap(), summary["mean"].as_f64().unwrap(), 1e-12);
        assert_close(median(&values).unwrap(), summary["median"].as_f64().unwrap(), 1e-12);
        assert_close(iqm(&values).unwrap(), summary["iqm"].as_f64().unwrap(), 1e-12);
        assert_eq!(sample_std(&values).is_some(), summary["std"].is_number());
        if let Some(std) = sample_std(&values) {
            assert_close(std, summary["std"].as_f64().unwrap(), 1e-12);
        }
        for (&level, theirs) in levels.iter().zip(numbers(&summary["quantiles"])) {
            assert_close(quantile(&values, level).unwrap(), theirs, 1e-12);
        }
    }
}

#[test]
fn curves_are_numpys_and_scipys() {
    let reference = &reference()["curve"];
    let curve = Curve::new(numbers(&reference["x"]), numbers(&reference["y"])).unwrap();
    assert_close(curve.area_under().unwrap(), reference["area"].as_f64().unwrap(), 1e-12);
    let ours = curve.onto(&numbers(&reference["grid"]), Interpolation::Linear);
    for (ours, theirs) in ours.into_iter().zip(numbers(&reference["interpolated"])) {
        assert_close(ours.unwrap(), theirs, 1e-11);
    }
    let window = NonZeroUsize::new(reference["window"].as_u64().unwrap() as usize).unwrap();
    let (smooth, theirs) = (moving_average(&curve, window), numbers(&reference["smoothed"]));
    assert_eq!(smooth.len(), theirs.len());
    for (&ours, theirs) in smooth.y().iter().zip(theirs) {
        assert_close(ours, theirs, 1e-12);
    }
    let bins = bin_means(&curve, reference["width"].as_f64().unwrap()).unwrap();
    let (counts, means) = (numbers(&reference["counts"]), reference["means"].as_array().unwrap());
    assert_eq!(bins.len(), counts.len());
    for ((bin, count), theirs) in bins.iter().zip(counts).zip(means) {
        assert_eq!(bin.count as f64, count);
        assert_eq!(bin.mean.is_some(), theirs.is_number());
        if let Some(ours) = bin.mean {
            assert_close(ours, theirs.as_f64().unwrap(), 1e-12);
        }
    }
}

#[test]
fn stratified_intervals_tend_to_the_exact_ones() {
    let reference = reference();
    for case in reference["bootstrap"].as_array().unwrap() {
        let strata: Vec<Vec<f64>> =
            case["strata"].as_array().unwrap().iter().map(numbers).collect();
        let confidence = case["confidence"].as_f64().unwrap();
        let bootstrap = Bootstrap { resamples: 100_000, confidence, method: Method::Percentile };
        type Aggregate = fn(&[Vec<f64>]) -> Option<f64>;
        let aggregates: [(&str, Aggregate); 3] =
            [("mean", aggregate_mean), ("median", aggregate_median), ("iqm", aggregate_iqm)];
        for (name, aggregate) in aggregates {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let ours = bootstrap.stratified_interval(&strata, aggregate, &mut rng).unwrap();
            let theirs = &case["intervals"][name];
            assert_close(ours.estimate, theirs["estimate"].as_f64().unwrap(), 1e-12);
            for (ours, theirs) in [(ours.low, &theirs["low"]), (ours.high, &theirs["high"])] {
                let (from, to) = (theirs[0].as_f64().unwrap(), theirs[1].as_f64().unwrap());
                assert!(from - 1e-9 <= ours && ours <= to + 1e-9, "{name}: {ours} {from} {to}");
            }
        }
    }
}

#[test]
fn one_environments_interval_is_scipys() {
    let reference = &reference()["scipy_bootstrap"];
    let values = numbers(&reference["values"]);
    let bootstrap = Bootstrap { resamples: 100_000, confidence: 0.95, method: Method::Percentile };
    let interval = bootstrap.interval(&values, mean, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    assert_close(interval.low, reference["low"].as_f64().unwrap(), 2e-3);
    assert_close(interval.high, reference["high"].as_f64().unwrap(), 2e-3);
}
