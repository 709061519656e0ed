//! Files that other programs wrote, read as these programs' own readers read them: `foreign/make.py`
//! made them and `foreign/expected.json`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use gymnast_envs::Seed;
use gymnast_harness::{
    Evaluation,
    foreign::{ForeignError, ForeignRun, ForeignSeed, Program, read},
    report::{Report, ReturnAt, Returns, TrainingReturns},
    testing::damaged_copy,
};
use serde_json::Value;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/foreign")
}

fn expected(name: &str) -> Value {
    let text = fs::read_to_string(folder().join("expected.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[name].take()
}

fn seeds_of(path: &str, tag: Option<&str>) -> Vec<ForeignSeed> {
    read(&folder().join(path), tag).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn seed_of(path: &str, tag: Option<&str>) -> ForeignSeed {
    let mut seeds = seeds_of(path, tag);
    assert_eq!(seeds.len(), 1, "{path}");
    seeds.remove(0)
}

fn rows(value: &Value) -> Vec<Vec<f64>> {
    let numbers =
        |row: &Value| row.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    value.as_array().unwrap().iter().map(numbers).collect()
}

#[track_caller]
fn assert_rows(ours: &[Vec<f64>], expected: &Value) {
    let expected = rows(expected);
    assert!(!expected.is_empty());
    assert_eq!(ours.len(), expected.len());
    for (ours, expected) in ours.iter().zip(&expected) {
        let near = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * b.abs().max(1.0);
        assert!(ours.iter().zip(expected).all(near), "{ours:?}, not {expected:?}");
    }
}

fn points(points: &[ReturnAt]) -> Vec<Vec<f64>> {
    points.iter().map(|point| vec![point.env_step as f64, point.value]).collect()
}

#[track_caller]
fn episodes(seed: &ForeignSeed) -> Vec<Vec<f64>> {
    let TrainingReturns::Episodes(episodes) = &seed.training else { panic!("{seed:?}") };
    points(episodes)
}

fn statistics(seed: &ForeignSeed) -> Vec<Vec<f64>> {
    let row = |e: &Evaluation| {
        vec![e.env_step as f64, e.mean_return, e.std_return, e.min_return, e.max_return]
    };
    seed.evaluations.iter().map(row).collect()
}

fn means(seed: &ForeignSeed) -> Vec<Vec<f64>> {
    seed.evaluations.iter().map(|e| vec![e.env_step as f64, e.mean_return]).collect()
}

#[test]
fn a_folder_of_stable_baselines_has_evaluations_and_episodes() {
    let expected = expected("sb3");
    let seed = seed_of("sb3/ppo/FrozenLake-v1_1", None);
    assert_rows(&episodes(&seed), &expected["episodes"]);
    assert_rows(&statistics(&seed), &expected["evaluations"]);
    assert!(seed.evaluations.iter().all(|evaluation| evaluation.episodes == 5));
    let names = (seed.agent.as_deref(), seed.env.as_deref(), seed.seed);
    assert_eq!(names, (Some("ppo"), Some("FrozenLake-v1"), Some(1)));
    // Each file alone says the same.
    let monitor = seed_of("sb3/ppo/FrozenLake-v1_1/monitor.csv", None);
    assert_eq!((monitor.training, monitor.env), (seed.training, seed.env.clone()));
    let evaluations = seed_of("sb3/ppo/FrozenLake-v1_1/evaluations.npz", None);
    assert_rows(&statistics(&evaluations), &expected["evaluations"]);
}

#[test]
fn event_files_of_stable_baselines_keep_evaluations_and_training_apart() {
    let expected = expected("sb3");
    let seed = seed_of("sb3/tb", None);
    assert_rows(&means(&seed), &expected["events_evaluations"]);
    let TrainingReturns::Means(training) = &seed.training else { panic!("{seed:?}") };
    assert_rows(&points(training), &expected["events_training"]);
    assert_eq!((seed.program, seed.env), (Program::StableBaselines3, None));
    assert!(seed.evaluations.iter().all(|evaluation| evaluation.wall_time_s >= 0.0));
}

#[test]
fn folders_of_rl_zoo_are_the_seeds_of_a_run() {
    let seeds = seeds_of("zoo", None);
    for (seed, name) in seeds.iter().zip(["zoo/CartPole-v1_1", "zoo/CartPole-v1_2"]) {
        let expected = expected(name);
        assert_rows(&episodes(seed), &expected["episodes"]);
        assert_rows(&statistics(seed), &expected["evaluations"]);
    }
    let runs = ForeignRun::group(seeds).unwrap();
    assert_eq!(runs.len(), 1);
    let results = &runs[0].results;
    let names = (&*results.agent, &*results.env, results.returns);
    assert_eq!(names, ("ppo (SB3)", "CartPole-v1", Returns::Evaluation));
    // Those of args.yml, not the numbers of the folders.
    assert_eq!(results.seeds.iter().map(|seed| seed.seed).collect::<Vec<_>>(), [11, 12]);
    assert_eq!(Report::of(std::slice::from_ref(results), &[]).unwrap().rows[0].seeds, 2);
}

#[test]
fn event_files_of_clean_rl_are_training_returns() {
    let seeds = seeds_of("cleanrl", None);
    for seed in &seeds {
        let name = seed.path.file_name().unwrap().to_str().unwrap();
        assert_rows(&episodes(seed), &expected(&format!("cleanrl/{name}")));
        assert!(seed.evaluations.is_empty());
    }
    let runs = ForeignRun::group(seeds).unwrap();
    let [run] = &runs[..] else { panic!("{runs:?}") };
    assert_eq!(
        (&*run.results.agent, &*run.results.env),
        ("ppo (CleanRL, training)", "FrozenLake-v1")
    );
    assert_eq!(run.results.returns, Returns::Training);
    let report = Report::of(std::slice::from_ref(&run.results), &[]).unwrap();
    let table = report.to_table().replace('\n', " ");
    assert!(table.contains("All returns are those of training episodes"), "{table}");
    // The last mean is over as many episodes as each seed has where all have been.
    let both =
        [1, 2].map(|k| rows(&expected(&format!("cleanrl/FrozenLake-v1__ppo__{k}__170000000{k}"))));
    let end = both.iter().map(|rows| rows[rows.len() - 1][0]).fold(f64::INFINITY, f64::min);
    let until_end = |rows: &Vec<Vec<f64>>| rows.iter().filter(|row| row[0] <= end).count();
    let window = both.iter().map(until_end).min().unwrap().min(100);
    for (rows, seed) in both.iter().zip(&run.results.seeds) {
        let last = &rows[rows.len() - window..];
        let mean = last.iter().map(|row| row[1]).sum::<f64>() / window as f64;
        let evaluation = seed.evaluations.last().unwrap();
        assert_eq!(evaluation.env_step as f64, rows[rows.len() - 1][0]);
        assert!((evaluation.mean_return - mean).abs() < 1e-12, "{window}: {evaluation:?}");
    }
}

#[test]
fn a_resumed_training_and_numbers_as_tensors_are_read_as_tensorboard_reads_them() {
    assert_rows(&episodes(&seed_of("tensorboardx", None)), &expected("tensorboardx"));
    for name in ["tensors/float", "tensors/double"] {
        assert_rows(&means(&seed_of(name, None)), &expected(name));
    }
    let lengths = seeds_of("cleanrl", Some("charts/episodic_length"));
    assert!(matches!(lengths[0].training, TrainingReturns::Means(_)));
    let error = read(&folder().join("cleanrl"), Some("charts/x")).unwrap_err().to_string();
    assert!(error.contains("expected charts/x, found charts/episodic_length"), "{error}");
}

#[test]
fn a_chart_of_wandb_has_a_column_for_each_run() {
    let runs = ForeignRun::group(seeds_of("chart.csv", None)).unwrap();
    let [run] = &runs[..] else { panic!("{runs:?}") };
    assert_eq!((&*run.results.agent, &*run.results.env), ("dqn (W&B, training)", "CartPole-v1"));
    let numbers: Vec<_> = run.results.seeds.iter().map(|seed| seed.seed).collect();
    assert_eq!(numbers, [1, 2]);
    let TrainingReturns::Episodes(first) = &run.training[0] else { panic!("{run:?}") };
    assert_eq!(points(first), [[17.0, 17.0], [40.0, 23.0], [96.0, 56.0]]);
    let TrainingReturns::Episodes(second) = &run.training[1] else { panic!("{run:?}") };
    assert_eq!(points(second), [[21.0, 21.0], [51.0, 30.5]]);
}

#[test]
fn scores_give_the_aggregates_of_rliable() {
    let expected = expected("scores");
    for file in ["scores.npz", "scores.json"] {
        let runs = ForeignRun::group(seeds_of(file, None)).unwrap();
        let results: Vec<_> = runs.into_iter().map(|run| run.results).collect();
        assert_eq!(results.len(), 8, "two agents in four games");
        let report = Report::of(&results, &[]).unwrap();
        for across in &report.across {
            let expected = &expected[across.agent.strip_suffix(" (rliable)").unwrap()];
            for (name, ours) in [
                ("mean", across.mean),
                ("median", across.median),
                ("iqm", across.iqm),
                ("optimality_gap", across.optimality_gap),
            ] {
                let theirs = expected[name].as_f64().unwrap();
                assert!((ours.estimate - theirs).abs() < 1e-12, "{file}: {name}: {ours:?}");
            }
        }
        assert_eq!(report.across.len(), 2);
    }
}

#[test]
fn curves_of_scores_have_their_env_steps() {
    let seeds = seeds_of("curves.npz", None);
    let expected = expected("curves");
    for seed in &seeds {
        let game = seed.env.as_deref().unwrap().strip_prefix("game ").unwrap();
        let game = game.parse::<usize>().unwrap() - 1;
        let curve = &expected["dqn"][seed.seed.unwrap() as usize][game];
        let steps = [1000, 2000, 3000].iter().zip(curve.as_array().unwrap());
        let rows: Vec<_> = steps.map(|(step, y)| serde_json::json!([step, y])).collect();
        assert_rows(&means(seed), &Value::from(rows));
    }
    assert_eq!(seeds.len(), 6);
}

#[test]
fn pickles_and_other_files_are_refused_with_the_reason() {
    let scratch = tempfile::tempdir().unwrap();
    let error_of = |name: &str, bytes: &[u8]| {
        let path = scratch.path().join(name);
        fs::write(&path, bytes).unwrap();
        read(&path, None).unwrap_err()
    };
    let pickled = read(&folder().join("pickled.npy"), None).unwrap_err();
    assert!(matches!(pickled, ForeignError::Pickle { .. }), "{pickled}");
    assert!(pickled.to_string().contains("runs code"), "{pickled}");
    let pickle = error_of("scores.pkl", b"\x80\x04}q\x00.");
    assert!(matches!(pickle, ForeignError::Pickle { .. }), "{pickle}");
    for bytes in [&b""[..], b"hello", b"a,b\n1,2\n", b"\0\0\0\0", &[255; 100]] {
        let error = error_of("other", bytes);
        assert!(matches!(error, ForeignError::Unknown { .. }), "{bytes:?}: {error}");
        assert!(error.to_string().contains("monitor.csv"), "{error}");
    }
    assert!(matches!(error_of("x.npz", b"PK\x03\x04"), ForeignError::Invalid { .. }));
    let nothing = read(&scratch.path().join("nowhere"), None).unwrap_err();
    assert!(matches!(nothing, ForeignError::Unknown { .. }), "{nothing}");
    let empty = scratch.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(matches!(read(&empty, None).unwrap_err(), ForeignError::Unknown { .. }));
}

#[test]
fn our_own_runs_and_links_are_not_searched() {
    let scratch = tempfile::tempdir().unwrap();
    let own = scratch.path().join("run/seed-0");
    fs::create_dir_all(&own).unwrap();
    let events = folder().join("tensors/float");
    let file = fs::read_dir(events).unwrap().next().unwrap().unwrap().path();
    fs::copy(&file, own.join("events.out.tfevents.0.gymnast")).unwrap();
    assert_eq!(read(scratch.path(), None).unwrap().len(), 1);
    fs::write(scratch.path().join("run/config.toml"), "").unwrap();
    assert!(matches!(read(scratch.path(), None).unwrap_err(), ForeignError::Unknown { .. }));
    #[cfg(unix)]
    {
        // A link around in circles is not followed.
        std::os::unix::fs::symlink(scratch.path(), scratch.path().join("round")).unwrap();
        assert!(matches!(read(scratch.path(), None).unwrap_err(), ForeignError::Unknown { .. }));
    }
}

#[test]
fn damaged_files_are_read_or_refused_without_a_panic() {
    let scratch = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    gather(&folder(), &mut files);
    files.sort();
    let (mut read_anyway, mut refused) = (0, 0);
    for file in files {
        let whole = fs::read(&file).unwrap();
        let mut rng = Seed::new(0).child(&file.file_name().unwrap().to_string_lossy(), 0).rng();
        let copy = scratch.path().join("copy");
        for _ in 0..30 {
            fs::write(&copy, damaged_copy(&whole, &mut rng)).unwrap();
            let runs = read(&copy, None).and_then(|seeds| {
                ForeignRun::group(
                    seeds
                        .into_iter()
                        .map(|seed| ForeignSeed { env: seed.env.or(Some("x".to_owned())), ..seed })
                        .collect(),
                )
            });
            match runs {
                Ok(runs) => {
                    let results: Vec<_> = runs.into_iter().map(|run| run.results).collect();
                    // Numbers or an error; a panic would end the test.
                    let _ = Report::of(&results, &[100]).map(|report| report.to_table());
                    read_anyway += 1;
                }
                Err(error) => {
                    assert!(!error.to_string().contains('\n'), "{error}");
                    refused += 1;
                }
            }
        }
    }
    assert!(read_anyway > 50 && refused > 50, "{read_anyway} read, {refused} refused");
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, files);
        } else if path.extension().is_none_or(|ending| ending != "py") {
            files.push(path);
        }
    }
}
