//! How often 95 % intervals hold what they estimate, by simulation: in 92 to 98 of 100 experiments.

use gymnast_core::statistics::{
    Bootstrap, Interval, KaplanMeier, MedianInterval, Method, aggregate_iqm, iqm, mean_interval,
    median_interval,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1, Normal};

const EXPERIMENTS: u32 = 2000;

/// Draws a return.
type Draw = fn(&mut ChaCha8Rng) -> f64;

/// Final returns as they occur: symmetric, with heavy tails, skewed, most at a ceiling, and with some
/// seeds that failed.
const RETURNS: [(&str, Draw); 5] = [
    ("normal", |rng| normal(rng, 0.0, 1.0)),
    ("Laplace", |rng| {
        let sign = if rng.random() { 1.0 } else { -1.0 };
        sign * exponential(rng)
    }),
    ("exponential", exponential),
    ("ceiling", |rng| normal(rng, 495.0, 20.0).min(500.0)),
    ("failures", |rng| {
        let centre = if rng.random_bool(0.25) { 100.0 } else { 200.0 };
        normal(rng, centre, 10.0)
    }),
];

fn normal(rng: &mut ChaCha8Rng, mean: f64, std: f64) -> f64 {
    Normal::new(mean, std).unwrap().sample(rng)
}

fn exponential(rng: &mut ChaCha8Rng) -> f64 {
    Exp1.sample(rng)
}

/// Holds the share of the experiments whose interval holds `truth` between 92 % and 98 %.
fn expect_coverage(
    what: &str,
    truth: f64,
    mut experiment: impl FnMut(&mut ChaCha8Rng) -> Interval,
) {
    expect_share(what, (0.92, 0.98), |rng| {
        let interval = experiment(rng);
        interval.low <= truth && truth <= interval.high
    });
}

fn expect_share(
    what: &str,
    (low, high): (f64, f64),
    mut holds: impl FnMut(&mut ChaCha8Rng) -> bool,
) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let held = (0..EXPERIMENTS).filter(|_| holds(&mut rng)).count();
    let share = held as f64 / f64::from(EXPERIMENTS);
    println!("{what}: {share:.3}");
    assert!((low..=high).contains(&share), "{what}: {share}");
}

fn drawn(draw: Draw, count: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    (0..count).map(|_| draw(rng)).collect()
}

#[test]
fn the_iqm_of_one_environment_from_five_seeds_on() {
    let bootstrap = Bootstrap { resamples: 1000, ..Bootstrap::default() };
    for (name, draw) in RETURNS {
        let truth = iqm(&drawn(draw, 1_000_000, &mut ChaCha8Rng::seed_from_u64(2))).unwrap();
        for seeds in [5, 10, 20] {
            expect_coverage(&format!("IQM of {seeds}, {name}"), truth, |rng| {
                let returns = drawn(draw, seeds, rng);
                bootstrap.interval(&returns, iqm, rng).unwrap()
            });
        }
    }
}

#[test]
fn the_percentile_interval_is_too_narrow_for_few_seeds() {
    let bootstrap =
        Bootstrap { resamples: 1000, method: Method::Percentile, ..Bootstrap::default() };
    let truth = 0.0;
    for (seeds, most) in [(3, 0.8), (5, 0.92)] {
        expect_share(&format!("percentile, IQM of {seeds}, normal"), (0.7, most), |rng| {
            let interval = bootstrap.interval(&drawn(RETURNS[0].1, seeds, rng), iqm, rng).unwrap();
            interval.low <= truth && truth <= interval.high
        });
    }
}

#[test]
fn the_iqm_of_four_environments_from_five_seeds_on() {
    let bootstrap = Bootstrap { resamples: 1000, ..Bootstrap::default() };
    let tasks = |count: usize, rng: &mut ChaCha8Rng| -> Vec<Vec<f64>> {
        // At most about 1, each at another place.
        let task = |(i, (_, draw)): (usize, &(_, Draw))| {
            let normalised = |x: &f64| match i {
                3 => 0.8 + 0.01 * (x - 500.0),
                _ => 0.2 * i as f64 + 0.1 * x,
            };
            drawn(*draw, count, rng).iter().map(normalised).collect()
        };
        RETURNS.iter().take(4).enumerate().map(task).collect()
    };
    let truth = aggregate_iqm(&tasks(300_000, &mut ChaCha8Rng::seed_from_u64(2))).unwrap();
    for seeds in [5, 10, 20] {
        expect_coverage(&format!("IQM of 4 times {seeds}"), truth, |rng| {
            let runs = tasks(seeds, rng);
            bootstrap.stratified_interval(&runs, aggregate_iqm, rng).unwrap()
        });
    }
}

#[test]
fn the_probability_of_improvement_from_five_seeds_on() {
    let bootstrap = Bootstrap { resamples: 500, ..Bootstrap::default() };
    // P(X > Y) of normal X and Y whose means differ by 0.5 and 1: Φ(δ / √2).
    let truth = (0.638_163 + 0.760_250) / 2.0;
    for seeds in [5, 10, 20] {
        expect_coverage(&format!("improvement of {seeds}"), truth, |rng| {
            let of = |mean: f64, rng: &mut ChaCha8Rng| -> Vec<f64> {
                (0..seeds).map(|_| normal(rng, mean, 1.0)).collect()
            };
            let (x, y) = ([of(0.5, rng), of(1.0, rng)], [of(0.0, rng), of(0.0, rng)]);
            bootstrap.improvement(&x, &y, rng).unwrap()
        });
    }
}

#[test]
fn the_mean_where_returns_are_symmetric() {
    for seeds in [3, 5, 10, 20] {
        let of_normal =
            |rng: &mut ChaCha8Rng| mean_interval(&drawn(RETURNS[0].1, seeds, rng), 0.95).unwrap();
        expect_coverage(&format!("mean of {seeds}"), 0.0, of_normal);
    }
}

#[test]
fn the_median_from_order_statistics_is_never_too_narrow() {
    // Its levels are few: at 95 % it holds the median with 95 to 99 %.
    for seeds in [6, 10, 20] {
        expect_share(&format!("median of {seeds}"), (0.94, 0.995), |rng| {
            let steps: Vec<_> = drawn(exponential, seeds, rng).into_iter().map(Some).collect();
            holds(median_interval(&steps, 0.95).unwrap(), std::f64::consts::LN_2)
        });
    }
}

fn holds(interval: MedianInterval, truth: f64) -> bool {
    interval.low.is_none_or(|low| low <= truth) && interval.high.is_none_or(|high| truth <= high)
}

#[test]
fn times_of_runs_of_which_some_ended_early() {
    // Exponential times with a mean of 1; a third of the runs is observed for 0.2 to 1.5 only.
    let fit = |seeds: usize, rng: &mut ChaCha8Rng| {
        let run = |rng: &mut ChaCha8Rng| {
            let (time, end) = (exponential(rng), rng.random_range(0.2..1.5));
            if rng.random_bool(1.0 / 3.0) { (time.min(end), time <= end) } else { (time, true) }
        };
        let (durations, observed): (Vec<_>, Vec<_>) = (0..seeds).map(|_| run(rng)).unzip();
        KaplanMeier::fit(&durations, &observed).unwrap()
    };
    for seeds in [10, 20] {
        expect_share(&format!("Kaplan–Meier median of {seeds}"), (0.92, 0.99), |rng| {
            holds(fit(seeds, rng).median_interval(0.95).unwrap(), std::f64::consts::LN_2)
        });
    }
    let horizon: f64 = 1.0;
    let truth = 1.0 - (-horizon).exp();
    for seeds in [10, 20] {
        expect_share(&format!("restricted mean of {seeds}"), (0.92, 0.98), |rng| {
            // Where all runs ended before the horizon it is unknown, and says so.
            let interval = fit(seeds, rng).restricted_mean_interval(horizon, 0.95);
            interval.is_ok_and(|interval| interval.low <= truth && truth <= interval.high)
        });
    }
}
