use super::*;

fn seed(seed: u64, returns: &[f64]) -> SeedResults {
    let evaluation = |(i, &mean_return): (usize, &f64)| Evaluation {
        env_step: 100 * (i as u64 + 1),
        wall_time_s: i as f64,
        mean_return,
        std_return: 0.0,
        min_return: mean_return,
        max_return: mean_return,
        episodes: 1,
    };
    let evaluations = returns.iter().enumerate().map(evaluation).collect();
    SeedResults { seed, evaluations, env_steps_per_s: Some(1000.0 * (seed + 1) as f64) }
}

fn run(seeds: Vec<SeedResults>) -> RunResults {
    let threshold = Some(10.0);
    let [run, agent, env] = ["runs/a", "q-learning", "Walk, v0"].map(str::to_owned);
    RunResults { run, agent, env, threshold, seeds }
}

/// Three seeds: one reaches 10 and holds it, one falls below again, one never reaches it.
fn report() -> Report {
    let seeds =
        vec![seed(0, &[0.0, 10.0, 20.0]), seed(1, &[10.0, 0.0, 30.0]), seed(2, &[1.0, 2.0, 4.0])];
    Report::of(&[run(seeds)]).unwrap()
}

#[test]
fn a_row_is_what_hand_calculation_gives() {
    let row = &report().rows[0];
    assert_eq!((row.seeds, row.env_steps, row.mean, row.median), (3, 300, 18.0, 20.0));
    // Areas: (5 + 15) / 2, (5 + 15) / 2, (1.5 + 3) / 2.
    assert!((row.area_under_curve.unwrap() - (10.0 + 10.0 + 2.25) / 3.0).abs() < 1e-12);
    assert_eq!(row.env_steps_per_s, Some(2000.0));
    let threshold = row.threshold.unwrap();
    assert_eq!((threshold.reached, threshold.held_to_end), (2, 1));
    assert_eq!(threshold.median_steps, Some(200.0));
    assert!(row.iqm.low >= 4.0 && row.iqm.high <= 30.0 && row.iqm.low <= row.iqm.estimate);
}

#[test]
fn a_threshold_that_most_seeds_miss_is_censored() {
    let seeds = vec![seed(0, &[0.0, 10.0]), seed(1, &[0.0, 0.0]), seed(2, &[1.0, 2.0])];
    let report = Report::of(&[run(seeds)]).unwrap();
    assert_eq!(report.rows[0].threshold.unwrap().median_steps, None);
    assert!(report.to_table().contains("> 200 (1/3 reached)"), "{}", report.to_table());
}

#[test]
fn every_format_holds_the_same_numbers() {
    let report = report();
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["rows"][0]["threshold"]["median_steps"], 200.0);
    let csv = report.to_csv();
    let mut lines = ::csv::Reader::from_reader(csv.as_bytes());
    let columns = lines.headers().unwrap().len();
    let record = lines.records().next().unwrap().unwrap();
    assert_eq!((record.len(), &record[2]), (columns, "Walk, v0"));
    let markdown = report.to_markdown();
    let bars: Vec<_> = markdown.lines().map(|line| line.matches('|').count()).collect();
    assert_eq!(bars, [HEADINGS.len() + 1; 3]);
    assert_eq!(report.to_table().lines().count(), 2);
}

#[test]
fn a_run_without_evaluations_is_an_error_that_says_so() {
    for seeds in [vec![], vec![seed(0, &[])]] {
        let error = Report::of(&[run(seeds)]).unwrap_err().to_string();
        assert!(error.contains("no seed has been evaluated"), "{error}");
    }
}
