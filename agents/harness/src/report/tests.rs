use gymnast_envs::ReferenceReturns;

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
    named("a", "q-learning", "Walk, v0", seeds)
}

fn named(run: &str, agent: &str, env: &str, seeds: Vec<SeedResults>) -> RunResults {
    let [agent, env] = [agent, env].map(str::to_owned);
    let reference = Some(ReferenceReturns { random: -10.0, best: 30.0 });
    let (run, returns) = (format!("runs/{run}"), Returns::Evaluation);
    RunResults { run, agent, env, returns, threshold: Some(10.0), reference, seeds }
}

fn of(seeds: Vec<SeedResults>) -> Report {
    Report::of(&[run(seeds)], &[]).unwrap()
}

/// Three seeds: one reaches 10 and holds it, one falls below again, one never reaches it.
fn report() -> Report {
    of(vec![seed(0, &[0.0, 10.0, 20.0]), seed(1, &[10.0, 0.0, 30.0]), seed(2, &[1.0, 2.0, 4.0])])
}

fn assert_near(estimate: Estimate, [value, low, high]: [f64; 3]) {
    let ends = [estimate.estimate, estimate.low.unwrap(), estimate.high.unwrap()];
    for (ours, expected) in ends.into_iter().zip([value, low, high]) {
        assert!((ours - expected).abs() < 1e-3, "{estimate:?}, not {expected}");
    }
}

#[test]
fn a_row_is_what_hand_calculation_gives() {
    let row = &report().rows[0];
    assert_eq!((row.seeds, row.env_steps, row.env_steps_max), (3, 300, 300));
    // 20, 30 and 4: s = 13.115, t(2) = 4.3027, half the interval 32.579.
    assert_near(row.mean, [18.0, 18.0 - 32.579, 18.0 + 32.579]);
    assert_eq!((row.median.estimate, row.median.low), (20.0, None));
    assert_eq!(row.iqm.estimate, 18.0);
    assert_eq!(row.normalized.unwrap().estimate, 0.7);
    // Areas: (5 + 15) / 2, (5 + 15) / 2, (1.5 + 3) / 2.
    let area = row.area_under_curve.unwrap();
    assert!((area.estimate - (10.0 + 10.0 + 2.25) / 3.0).abs() < 1e-12 && area.low.is_some());
    assert_eq!(row.env_steps_per_s.unwrap().estimate, 2000.0);
    let steps = row.threshold.unwrap();
    assert_eq!((steps.first.reached, steps.first.median), (2, Some(200.0)));
    assert_eq!(steps.first.restricted_mean.estimate, 200.0);
    assert_eq!((steps.three_in_a_row.reached, steps.three_in_a_row.median), (0, None));
    // The second seed is above it at the end, as the first from 200 on.
    assert_eq!((steps.held_from.reached, steps.held_from.median), (2, Some(300.0)));
}

#[test]
fn a_threshold_that_most_seeds_miss_is_censored() {
    let report = of(vec![seed(0, &[0.0, 10.0]), seed(1, &[0.0, 0.0]), seed(2, &[1.0, 2.0])]);
    let first = report.rows[0].threshold.unwrap().first;
    assert_eq!((first.median, first.median_min), (None, 200.0));
    assert!(report.to_table().contains("> 200 (1/3)"), "{}", report.to_table());
}

#[test]
fn a_median_that_half_of_the_seeds_leave_open_is_after_theirs() {
    let [early, never] = [&[10.0, 10.0, 10.0][..], &[0.0, 0.0, 0.0]];
    let report = of(vec![seed(0, early), seed(1, early), seed(2, never), seed(3, never)]);
    let first = report.rows[0].threshold.unwrap().first;
    assert_eq!((first.reached, first.median, first.median_min), (2, None, 100.0));
}

#[test]
fn seeds_that_ended_at_different_steps_are_compared_at_a_common_one() {
    let report = of(vec![
        seed(0, &[0.0, 10.0]),
        seed(1, &[0.0, 2.0, 90.0, 90.0]),
        seed(2, &[3.0, 3.0, 80.0, 80.0, 80.0]),
    ]);
    let row = &report.rows[0];
    assert_eq!((row.env_steps, row.env_steps_max), (200, 500));
    // After 200 env steps: 10, 2 and 3, and areas of 5, 1 and 3.
    assert_eq!((row.mean.estimate, row.iqm.estimate), (5.0, 5.0));
    assert_eq!(row.area_under_curve.unwrap().estimate, 3.0);
    assert_eq!(row.threshold.unwrap().first.median, Some(300.0));
    let (table, csv) = (report.to_table(), report.to_csv());
    assert!(table.contains("200 of 500") && report.to_markdown().contains("200 of 500"), "{table}");
    assert!(csv.lines().nth(1).unwrap().contains(",3,200,500,"), "{csv}");
    for text in [&table, &report.to_markdown()] {
        let text = text.replace('\n', " ");
        assert!(text.contains("ended at different env steps"), "{text}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn a_seed_that_ended_early_counts_until_then() {
    // The second seed ended after 100 steps: whether it would have reached 10 before 300 is unknown.
    let report = of(vec![seed(0, &[10.0]), seed(1, &[0.0]), seed(2, &[0.0, 0.0, 10.0])]);
    let first = report.rows[0].threshold.unwrap().first;
    // Two thirds are left after 100 steps; the one still observed reaches it at 300.
    assert_eq!((first.reached, first.median), (2, Some(300.0)));
}

#[test]
fn one_seed_has_no_interval() {
    let report = of(vec![seed(0, &[0.0, 20.0])]);
    for estimate in [report.rows[0].iqm, report.rows[0].mean, report.rows[0].median] {
        assert_eq!((estimate.estimate, estimate.low, estimate.high), (20.0, None, None));
    }
    let table = report.to_table();
    assert!(!table.contains("20.0 [") && table.contains("too few seeds"), "{table}");
    assert!(report.to_csv().contains(",20,,,20,,,20,,,"), "{}", report.to_csv());
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert!(json["rows"][0]["iqm"]["low"].is_null());
}

#[test]
fn returns_at_budgets_are_reported_where_all_seeds_have_them() {
    let seeds = vec![seed(0, &[0.0, 10.0, 20.0]), seed(1, &[4.0, 20.0])];
    let report = Report::of(&[run(seeds)], &[50, 100, 299, 300]).unwrap();
    let means: Vec<_> = report.rows[0].budgets.iter().map(|b| b.mean.map(|m| m.estimate)).collect();
    assert_eq!(means, [None, Some(2.0), None, None]);
    assert!(report.to_table().contains("mean at 100"), "{}", report.to_table());
    assert!(report.to_csv().contains(",mean_at_100_low,"), "{}", report.to_csv());
}

/// Agents `good` and `poor` in two environments, on the seeds 0 to 5.
fn two_agents() -> Vec<RunResults> {
    let seeds = |base: f64, scale: f64| -> Vec<_> {
        (0..6).map(|i| seed(i, &[0.0, base + scale * (i as f64 % 3.0)])).collect()
    };
    vec![
        named("a", "good", "A-v0", seeds(20.0, 1.0)),
        named("b", "poor", "A-v0", seeds(0.0, 1.0)),
        named("c", "good", "B-v0", seeds(25.0, 2.0)),
        named("d", "poor", "B-v0", seeds(24.9, 2.1)),
    ]
}

#[test]
fn agents_are_compared_in_each_environment_and_across() {
    let report = Report::of(&two_agents(), &[]).unwrap();
    let pairs: Vec<_> = report.comparisons.iter().map(|c| (&*c.env, c.seeds, c.outcome)).collect();
    assert_eq!(pairs, [("A-v0", 6, Outcome::Better), ("B-v0", 6, Outcome::CannotTell)]);
    assert_eq!(report.comparisons[0].difference.estimate, 20.0);
    let [good, poor] = &report.across[..] else { panic!("{:?}", report.across) };
    // (21 + 10) / 40 and (27 + 10) / 40.
    assert!((good.mean.estimate - (0.775 + 0.925) / 2.0).abs() < 1e-12);
    assert!(poor.iqm.estimate < good.iqm.estimate && good.runs == 12);
    assert!((good.optimality_gap.estimate - 0.15).abs() < 1e-12);
    let improvement = &report.improvements[0];
    assert_eq!((&*improvement.agent, improvement.outcome), ("good", Outcome::Better));
    let table = report.to_table();
    for part in ["Across environments", "Probability of improvement", "Pairs", "cannot tell"] {
        assert!(table.contains(part), "{table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
}

#[test]
fn a_profile_falls_from_one_to_nothing_within_its_interval() {
    let report = Report::of(&two_agents(), &[]).unwrap();
    // The normalised returns of `good`: 0.75 to 0.8 in the one and 0.875 to 0.975 in the other.
    let profile = report.across[0].profile(&[0.0, 0.77, 0.85, 1.0]);
    let fractions: Vec<f64> = profile.iter().map(|at| at.estimate).collect();
    assert_eq!((fractions[0], fractions[2], fractions[3]), (1.0, 0.5, 0.0));
    assert!((fractions[1] - (2.0 / 3.0 + 1.0) / 2.0).abs() < 1e-12, "{fractions:?}");
    let middle = profile[1];
    assert!(middle.low.unwrap() < fractions[1] && fractions[1] < middle.high.unwrap());
    assert!(profile.iter().all(|at| at.low >= Some(0.0) && at.high <= Some(1.0)), "{profile:?}");
}

#[test]
fn the_sample_efficiency_ends_at_the_reports_iqm() {
    let runs = two_agents();
    let (report, efficiency) = (Report::of(&runs, &[]).unwrap(), Efficiency::of(&runs).unwrap());
    assert_eq!((efficiency.env_steps, efficiency.x.last()), (Some(200), Some(&200.0)));
    assert_eq!(efficiency.x[0], 100.0, "the first evaluation");
    for (agent, across) in efficiency.agents.iter().zip(&report.across) {
        assert_eq!((&agent.agent, agent.runs), (&across.agent, 12));
        // The first evaluations have returned 0, which is 10 of 40 above random.
        assert_eq!(agent.iqm[0].estimate, 0.25);
        let last = agent.iqm.last().unwrap();
        assert_eq!(last.estimate, across.iqm.estimate);
        assert!(last.low.unwrap() < last.estimate && last.estimate < last.high.unwrap());
    }
    // Where environments differ in their env steps, x is a share of these.
    let mut longer = two_agents();
    for run in &mut longer[2..] {
        for seed in &mut run.seeds {
            seed.evaluations.iter_mut().for_each(|evaluation| evaluation.env_step *= 7);
        }
    }
    let efficiency = Efficiency::of(&longer).unwrap();
    assert_eq!((efficiency.env_steps, efficiency.x.last()), (None, Some(&1.0)));
    // One seed in an environment: a line without a band. One environment: nothing.
    let mut one = two_agents();
    one.iter_mut().for_each(|run| run.seeds.truncate(1));
    assert_eq!(Efficiency::of(&one).unwrap().agents[0].iqm[0].low, None);
    assert!(Efficiency::of(&two_agents()[..2]).is_none());
}

#[test]
fn what_cannot_be_compared_is_left_out() {
    let mut runs = two_agents();
    runs[3].reference = None;
    assert!(Report::of(&runs, &[]).unwrap().across.is_empty(), "one environment is not enough");
    runs.remove(3);
    let report = Report::of(&runs, &[]).unwrap();
    assert!(report.across.is_empty() && report.improvements.is_empty());
    for (i, seed) in runs[1].seeds.iter_mut().enumerate() {
        seed.seed = 100 + i as u64;
    }
    assert!(Report::of(&runs, &[]).unwrap().comparisons.is_empty(), "no seed in common");
}

#[test]
fn evaluations_are_not_compared_with_training_returns() {
    let mut runs = two_agents();
    // `good` in both environments, and `poor` in the first.
    for run in &mut runs[..3] {
        run.returns = Returns::Training;
    }
    let report = Report::of(&runs, &[]).unwrap();
    let pairs: Vec<_> = report.comparisons.iter().map(|pair| &*pair.env).collect();
    assert_eq!(pairs, ["A-v0"]);
    let table = report.to_table().replace('\n', " ");
    assert!(table.contains("Runs marked `training`"), "{table}");
    // `good` by training returns, `poor` by evaluations: both are summed up, and not compared.
    runs[1].returns = Returns::Evaluation;
    let report = Report::of(&runs, &[]).unwrap();
    assert!(report.comparisons.is_empty() && report.improvements.is_empty());
    assert_eq!(report.across.len(), 2);
}

#[test]
fn every_format_holds_the_same_numbers() {
    let report = report();
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(json["rows"][0]["threshold"]["first"]["median"], 200.0);
    let csv = report.to_csv();
    let mut lines = ::csv::Reader::from_reader(csv.as_bytes());
    let columns = lines.headers().unwrap().len();
    let record = lines.records().next().unwrap().unwrap();
    assert_eq!((record.len(), &record[2]), (columns, "Walk, v0"));
    let headings = &report.sections()[0].headings;
    let markdown = report.to_markdown();
    let bars: Vec<_> = markdown.lines().take(3).map(|line| line.matches('|').count()).collect();
    assert_eq!(bars, [headings.len() + 1; 3]);
    let table = report.to_table();
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    for heading in headings {
        assert!(table.contains(heading), "{heading}: {table}");
    }
    let latex = report.to_latex();
    assert!(latex.contains("\\begin{tabular}{llll") && latex.contains("18.0 ["), "{latex}");
    assert!(latex.contains("95 \\%]"), "{latex}");
}

#[test]
fn a_run_without_evaluations_is_an_error_that_says_so() {
    for seeds in [vec![], vec![seed(0, &[])]] {
        let error = Report::of(&[run(seeds)], &[]).unwrap_err().to_string();
        assert!(error.contains("no seed has been evaluated"), "{error}");
    }
}
