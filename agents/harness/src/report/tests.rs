use super::*;

pub(super) fn seed(seed: u64, returns: &[f64]) -> SeedResults {
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
    assert_eq!((row.seeds, row.env_steps, row.mean, row.median), (3, Some(300), 18.0, 20.0));
    // Areas: (5 + 15) / 2, (5 + 15) / 2, (1.5 + 3) / 2.
    assert!((row.area_under_curve.unwrap() - (10.0 + 10.0 + 2.25) / 3.0).abs() < 1e-12);
    assert_eq!(row.env_steps_per_s, Some(2000.0));
    let threshold = row.threshold.unwrap();
    assert_eq!((threshold.reached, threshold.held_to_end), (2, 1));
    assert_eq!(threshold.median_steps, Some(200.0));
    let (low, high) = (row.iqm.low.unwrap(), row.iqm.high.unwrap());
    assert!(low >= 4.0 && high <= 30.0 && low <= row.iqm.estimate);
}

#[test]
fn a_threshold_that_most_seeds_miss_is_censored() {
    let seeds = vec![seed(0, &[0.0, 10.0]), seed(1, &[0.0, 0.0]), seed(2, &[1.0, 2.0])];
    let report = Report::of(&[run(seeds)]).unwrap();
    assert_eq!(report.rows[0].threshold.unwrap().median_steps, None);
    assert!(report.to_table().contains("> 200 (1/3 reached)"), "{}", report.to_table());
}

#[test]
fn seeds_that_ended_at_different_steps_are_no_row_of_one_step() {
    let seeds = vec![seed(0, &[0.0, 10.0]), seed(1, &[0.0, 0.0, 0.0, 10.0]), seed(2, &[1.0; 5])];
    let report = Report::of(&[run(seeds)]).unwrap();
    let row = &report.rows[0];
    assert_eq!((row.env_steps, row.env_steps_min, row.env_steps_max), (None, 200, 500));
    assert_eq!(row.area_under_curve, None);
    assert_eq!(row.threshold.unwrap().median_steps, Some(400.0));
    let (table, csv) = (report.to_table(), report.to_csv());
    assert!(table.contains("200–500") && report.to_markdown().contains("200–500"), "{table}");
    assert!(csv.lines().nth(1).unwrap().contains(",3,,200,500,"), "{csv}");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    let row = &json["rows"][0];
    assert!(row["env_steps"].is_null() && row["env_steps_max"] == 500, "{row}");
    for text in [&table, &report.to_markdown()] {
        assert!(text.contains("ended at different env steps"), "{text}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn a_seed_that_ended_early_does_not_count_as_later_than_all() {
    // The second seed ended after 100 steps: whether it would have reached 10 before 300 is unknown.
    let seeds = vec![seed(0, &[10.0]), seed(1, &[0.0]), seed(2, &[0.0, 0.0, 10.0])];
    let report = Report::of(&[run(seeds)]).unwrap();
    let threshold = report.rows[0].threshold.unwrap();
    assert_eq!((threshold.median_steps, threshold.median_steps_min), (None, 100.0));
    assert!(report.to_table().contains("> 100 (2/3 reached)"), "{}", report.to_table());
}

#[test]
fn one_seed_has_no_interval() {
    let report = Report::of(&[run(vec![seed(0, &[0.0, 20.0])])]).unwrap();
    let iqm = report.rows[0].iqm;
    assert_eq!((iqm.estimate, iqm.low, iqm.high), (20.0, None, None));
    assert!(!report.to_table().contains("20.0 ["), "{}", report.to_table());
    assert!(report.to_csv().contains(",20,20,20,,,10,"), "{}", report.to_csv());
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert!(json["rows"][0]["iqm"]["low"].is_null());
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
    let table = report.to_table();
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    for heading in HEADINGS {
        assert!(table.contains(heading), "{heading}: {table}");
    }
}

#[test]
fn a_run_without_evaluations_is_an_error_that_says_so() {
    for seeds in [vec![], vec![seed(0, &[])]] {
        let error = Report::of(&[run(seeds)]).unwrap_err().to_string();
        assert!(error.contains("no seed has been evaluated"), "{error}");
    }
}
