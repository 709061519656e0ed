//! Holds the statistics of runs against rliable and lifelines; `tests/reference/runs.py` made the values.

use gymnast_core::statistics::{
    Bootstrap, Interval, KaplanMeier, Method, aggregate_iqm, aggregate_mean, aggregate_median,
    optimality_gap, performance_profile,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

/// As rliable computes them.
const PERCENTILE: Bootstrap =
    Bootstrap { resamples: 20_000, confidence: 0.95, method: Method::Percentile };

fn reference() -> Value {
    serde_json::from_str(include_str!("reference/runs.json")).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn list<T>(value: &Value, of: fn(&Value) -> T) -> Vec<T> {
    value.as_array().unwrap().iter().map(of).collect()
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value, number)
}

/// The estimates are the same, the ends within the error of both bootstraps.
fn assert_same(what: &str, ours: Interval, [estimate, low, high]: [f64; 3]) {
    assert!((ours.estimate - estimate).abs() < 1e-12, "{what}: {ours:?}, not {estimate}");
    assert!((ours.low - low).abs() < 0.01, "{what}: {ours:?}, not {low}");
    assert!((ours.high - high).abs() < 0.01, "{what}: {ours:?}, not {high}");
}

fn points(value: &Value) -> Vec<[f64; 3]> {
    let of = |key: &str| numbers(&value[key]);
    let (estimate, low, high) = (of("estimate"), of("low"), of("high"));
    estimate.into_iter().zip(low).zip(high).map(|((e, low), high)| [e, low, high]).collect()
}

#[test]
fn aggregates_are_rliables() {
    let reference = reference();
    let x = list(&reference["x"], numbers);
    type Aggregate = fn(&[Vec<f64>]) -> Option<f64>;
    let aggregates: [(&str, Aggregate); 4] = [
        ("mean", aggregate_mean),
        ("median", aggregate_median),
        ("iqm", aggregate_iqm),
        ("optimality_gap", |scores| optimality_gap(scores, 1.0)),
    ];
    for (name, aggregate) in aggregates {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let ours = PERCENTILE.stratified_interval(&x, aggregate, &mut rng).unwrap();
        assert_same(name, ours, points(&reference["aggregates"][name])[0]);
    }
}

#[test]
fn the_probability_of_improvement_is_rliables() {
    let reference = reference();
    let (x, y) = (list(&reference["x"], numbers), list(&reference["y"], numbers));
    let ours = PERCENTILE.improvement(&x, &y, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    let theirs = ["estimate", "low", "high"].map(|key| number(&reference["improvement"][key]));
    assert_same("improvement", ours, theirs);
}

#[test]
fn profiles_and_curves_are_rliables() {
    let reference = reference();
    let (x, thresholds) = (list(&reference["x"], numbers), numbers(&reference["thresholds"]));
    let profile = performance_profile(&x, &thresholds).unwrap();
    // A profile is the mean of each threshold's indicators.
    let above = |score: &f64| thresholds.iter().map(|t| Some(f64::from(score > t))).collect();
    let runs: Vec<Vec<Vec<_>>> = x.iter().map(|task| task.iter().map(above).collect()).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let band = PERCENTILE.stratified_band(&runs, aggregate_mean, &mut rng).unwrap();
    for ((ours, fraction), theirs) in
        band.into_iter().zip(profile).zip(points(&reference["profile"]))
    {
        assert_same("profile", ours.unwrap(), theirs);
        assert!((fraction - theirs[0]).abs() < 1e-12);
    }
    let curves: Vec<Vec<Vec<_>>> = list(&reference["curves"], |task| {
        list(task, |run| numbers(run).into_iter().map(Some).collect())
    });
    let band = PERCENTILE.stratified_band(&curves, aggregate_iqm, &mut rng).unwrap();
    for (ours, theirs) in band.into_iter().zip(points(&reference["iqm_curve"])) {
        assert_same("the curve of the IQM", ours.unwrap(), theirs);
    }
}

#[test]
fn censored_times_are_lifelines() {
    let reference = reference();
    let observed = list(&reference["event_observed"], |value| value.as_bool().unwrap());
    let fit = KaplanMeier::fit(&numbers(&reference["durations"]), &observed).unwrap();
    for (time, survival) in reference["survival"].as_object().unwrap() {
        assert!((fit.survival_at(time.parse().unwrap()) - number(survival)).abs() < 1e-12);
    }
    assert_eq!(fit.median(), reference["median_time"].as_f64());
    let interval = fit.median_interval(0.95).unwrap();
    assert_eq!(interval.low, reference["median_low"].as_f64());
    assert_eq!(interval.high, reference["median_high"].as_f64());
    for (horizon, mean) in reference["restricted_mean"].as_object().unwrap() {
        let ours = fit.restricted_mean(horizon.parse().unwrap()).unwrap();
        assert!((ours - number(mean)).abs() < 1e-9, "{horizon}: {ours}");
    }
}
