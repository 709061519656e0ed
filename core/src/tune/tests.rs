use std::fs;
use std::path::Path;

use super::functions::{self, TestFunction};
use super::*;

fn config(sampler: Sampler) -> StudyConfig {
    StudyConfig { sampler, ..StudyConfig::default() }
}

fn samplers() -> [Sampler; 4] {
    let tpe = Tpe { n_startup_trials: 4, ..Tpe::default() };
    let alone = Tpe { multivariate: false, ..tpe.clone() };
    [Sampler::Random, Sampler::Tpe(tpe), Sampler::Tpe(alone), Sampler::CmaEs(CmaEs::default())]
}

/// A training: some settings fail, some trials are pruned, one setting is there only sometimes.
fn objective(trial: &mut Trial<'_>) -> Result<f64, Stop> {
    let rate = trial.suggest_float("rate", 1e-4, 1.0, Scale::Log)?;
    let depth = trial.suggest_int("depth", 1, 6, Scale::Linear)?;
    let mut loss = (rate.log10() + 2.0).abs() + (depth - 3).abs() as f64;
    if *trial.suggest_categorical("kind", &["plain", "fancy"])? == "fancy" {
        loss += trial.suggest_float("extra", 0.0, 1.0, Scale::Linear)?;
    }
    if rate > 0.5 {
        return Err("diverged".parse::<u8>().unwrap_err().into());
    }
    for step in 1..=4 {
        trial.report(step, loss + 1.0 / step as f64);
        if trial.should_prune() {
            return Err(Stop::Pruned);
        }
    }
    Ok(loss)
}

fn best(function: &TestFunction, sampler: &Sampler, seed: u64, trials: u64) -> f64 {
    let mut study = Study::new(StudyConfig { seed, ..config(sampler.clone()) }).unwrap();
    study.optimize(trials, |trial| function.evaluate(trial)).unwrap();
    study.best().unwrap().value().unwrap() - function.minimum
}

/// The median over seeds of the logarithm of how much closer to the minimum one came than the other.
fn advantage(function: &TestFunction, sampler: &Sampler, trials: u64) -> f64 {
    let ratio = |seed| {
        let own = best(function, sampler, seed, trials).max(1e-12);
        (best(function, &Sampler::Random, seed, trials) / own).ln()
    };
    crate::statistics::median(&(0..9).map(ratio).collect::<Vec<_>>()).unwrap()
}

#[test]
fn what_learns_beats_random_search() {
    for function in functions::all() {
        let tpe = advantage(&function, &Sampler::Tpe(Tpe::default()), 60);
        assert!(tpe > 0.1, "{}: TPE {tpe}", function.name);
    }
    for function in functions::all().into_iter().take(2) {
        let cma_es = advantage(&function, &Sampler::CmaEs(CmaEs::default()), 150);
        assert!(cma_es > 0.5, "{}: CMA-ES {cma_es}", function.name);
    }
}

#[test]
fn a_study_cut_off_anywhere_comes_to_the_same_trials() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.jsonl");
    for sampler in samplers() {
        let pruner = Pruner::Median(Median { n_startup_trials: 3, n_warmup_steps: 0 });
        let config = StudyConfig { pruner, seed: 3, ..config(sampler) };
        let _ = fs::remove_file(&path);
        let mut study = Study::create(&path, config.clone()).unwrap();
        assert_eq!(study.optimize(16, objective).unwrap(), Ending::Done);
        let outcomes = |is: fn(&Outcome) -> bool| {
            study.trials().iter().filter(|trial| is(&trial.outcome)).count()
        };
        assert!(
            outcomes(|o| *o == Outcome::Pruned) > 0
                && outcomes(|o| matches!(o, Outcome::Complete(_))) > 3
        );
        drop(study);
        let whole = fs::read(&path).unwrap();
        let header = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        // At the end of a line, a byte short of it, or in the middle of the next, by turns.
        let ends = (header..whole.len()).filter(|end| whole[end - 1] == b'\n');
        let cuts = ends.zip((0..3).cycle()).map(|(end, turn)| [end, end - 1, end + 20][turn]);
        for end in cuts.filter(|end| *end >= header) {
            fs::write(&path, &whole[..end]).unwrap();
            let mut study = Study::resume(&path).unwrap();
            assert_eq!(*study.config(), config);
            study.optimize(16, objective).unwrap();
            assert!(fs::read(&path).unwrap() == whole, "cut at {end} of {}", whole.len());
        }
    }
}

#[test]
fn trials_at_once_do_not_depend_on_which_ends_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.jsonl");
    let run = |study: &mut Study, slow: u64| {
        let slowed = |trial: &mut Trial<'_>| {
            if trial.number() % 3 == slow {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            objective(trial)
        };
        study.optimize_parallel(17, 3, slowed).unwrap();
        study.trials().to_vec()
    };
    let pruner =
        Pruner::SuccessiveHalving(SuccessiveHalving { min_resource: 1, reduction_factor: 2 });
    let config = StudyConfig { pruner, ..config(samplers()[1].clone()) };
    let first = run(&mut Study::new(config.clone()).unwrap(), 0);
    assert_eq!(first.len(), 17);
    assert!(first == run(&mut Study::new(config.clone()).unwrap(), 2));
    // In the middle of a batch, with one of its trials there and the others not.
    let mut study = Study::create(&path, config).unwrap();
    assert!(first == run(&mut study, 1));
    drop(study);
    let text = fs::read_to_string(&path).unwrap();
    let kept: Vec<_> =
        text.lines().filter(|line| !line.contains("\"number\":7,")).take(10).collect();
    fs::write(&path, kept.join("\n") + "\n").unwrap();
    assert!(first == run(&mut Study::resume(&path).unwrap(), 0));
}

#[test]
fn an_interrupted_trial_is_run_again() {
    let mut study = Study::new(config(Sampler::Random)).unwrap();
    let ending = study.optimize(5, |trial| match trial.number() {
        3 => Err(Stop::Interrupted),
        _ => objective(trial),
    });
    assert_eq!((ending.unwrap(), study.trials().len()), (Ending::Interrupted, 3));
    assert_eq!(study.optimize(5, objective).unwrap(), Ending::Done);
    let mut whole = Study::new(config(Sampler::Random)).unwrap();
    whole.optimize(5, objective).unwrap();
    assert_eq!(study.trials(), whole.trials());
}

#[test]
fn failures_are_recorded_and_never_the_best() {
    for sampler in samplers() {
        let mut study =
            Study::new(StudyConfig { direction: Direction::Maximize, ..config(sampler) }).unwrap();
        let fails = |trial: &mut Trial<'_>| {
            let x = trial.suggest_float("x", 0.0, 1.0, Scale::Linear)?;
            match trial.number() % 5 {
                0 => Ok(f64::NAN),
                1 => Err(std::io::Error::other("no data").into()),
                2 => {
                    trial.report(1, f64::INFINITY);
                    assert!(trial.should_prune());
                    Ok(1e9)
                }
                _ => Ok(x),
            }
        };
        study.optimize(20, fails).unwrap();
        let reason = |i: usize| match &study.trials()[i].outcome {
            Outcome::Failed(reason) => reason.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!((reason(0), reason(1)), ("returned NaN".to_owned(), "no data".to_owned()));
        assert_eq!(reason(2), "reported inf at step 1");
        let best = study.best().unwrap();
        let values = study.trials().iter().filter_map(TrialRecord::value);
        assert_eq!(best.value().unwrap(), values.fold(0.0, f64::max));
    }
}

#[test]
fn tpe_learns_to_avoid_what_fails() {
    let mut study = Study::new(config(Sampler::Tpe(Tpe::default()))).unwrap();
    let fails_above = |trial: &mut Trial<'_>| {
        let x = trial.suggest_float("x", 0.0, 1.0, Scale::Linear)?;
        if x > 0.5 { Err(std::io::Error::other("diverged").into()) } else { Ok(-x) }
    };
    study.optimize(60, fails_above).unwrap();
    let late = study.trials()[20..].iter().filter(|trial| trial.value().is_none()).count();
    assert!(late < 20, "{late} of 40 failed");
}

#[test]
fn a_grid_is_every_combination_once() {
    let space = SearchSpace::new([
        ("a", Distribution::Int { low: 1, high: 3, scale: Scale::Log }),
        ("b", Distribution::Float { low: 0.0, high: 1.0, scale: Scale::Linear }),
        ("c", Distribution::Categorical { choices: vec!["x".into(), "y".into()] }),
    ])
    .unwrap();
    let grid = Grid { space: space.clone(), points: 5 };
    assert_eq!(grid.len(), 30);
    let mut study = Study::new(config(Sampler::Grid(grid))).unwrap();
    let sum = |trial: &mut Trial<'_>| {
        let values = space.suggest(trial)?;
        Ok(values.iter().filter_map(|(_, value)| value.as_f64()).sum())
    };
    study.optimize(1000, sum).unwrap();
    let mut rows: Vec<_> = study
        .trials()
        .iter()
        .map(|trial| trial.params.iter().map(|p| p.value.to_string()).collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(rows[..3], ["1 0.0 \"x\"", "1 0.0 \"y\"", "1 0.25 \"x\""]);
    rows.sort_unstable();
    rows.dedup();
    assert_eq!(rows.len(), 30);
    let other = study.optimize(u64::MAX, |_| Ok(0.0)).unwrap();
    assert_eq!((other, study.trials().len()), (Ending::Done, 30));
}

#[test]
fn parameters_asked_for_wrongly_end_the_study() {
    let ask = |objective: fn(&mut Trial<'_>) -> Result<f64, Stop>| {
        let mut study = Study::new(StudyConfig::default()).unwrap();
        study.optimize(3, objective).unwrap_err().to_string()
    };
    let range = ask(|trial| Ok(trial.suggest_float("rate", 0.0, 1.0, Scale::Log)?));
    assert!(range.contains("rate") && range.contains("positive"), "{range}");
    let again = ask(|trial| {
        trial.suggest_float("x", 0.0, 1.0, Scale::Linear)?;
        assert_eq!(
            trial.suggest_float("x", 0.0, 1.0, Scale::Linear)?,
            trial.suggest_float("x", 0.0, 1.0, Scale::Linear)?
        );
        Ok(trial.suggest_float("x", 0.0, 2.0, Scale::Linear)?)
    });
    assert!(again.contains("uniform(0, 1)") && again.contains("uniform(0, 2)"), "{again}");
    let none: [u8; 0] = [];
    let mut study = Study::new(StudyConfig::default()).unwrap();
    let empty = study.optimize(1, |trial| Ok(f64::from(*trial.suggest_categorical("c", &none)?)));
    assert!(matches!(empty, Err(TuneError::Choices { .. })));
    for sampler in [
        Sampler::Tpe(Tpe { gamma: 1.0, ..Tpe::default() }),
        Sampler::Tpe(Tpe { n_ei_candidates: 0, ..Tpe::default() }),
        Sampler::CmaEs(CmaEs { sigma: 0.0, ..CmaEs::default() }),
        Sampler::CmaEs(CmaEs { population: 1, ..CmaEs::default() }),
    ] {
        assert!(matches!(Study::new(config(sampler)), Err(TuneError::Setting { .. })));
    }
}

#[test]
fn a_damaged_file_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.jsonl");
    let mut study = Study::create(&path, config(Sampler::Random)).unwrap();
    study.optimize(3, objective).unwrap();
    assert!(matches!(Study::resume(&path), Err(TuneError::File { action: "open", .. })), "locked");
    drop(study);
    assert!(matches!(Study::create(&path, StudyConfig::default()), Err(TuneError::Exists(_))));
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let refused = |line: usize, changed: &str, part: &str| {
        let mut lines = lines.clone();
        lines[line] = changed;
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        let message = Study::resume(&path).unwrap_err().to_string();
        assert!(message.contains("study.jsonl") && message.contains(part), "{message}");
    };
    refused(2, "{", "line 3");
    refused(1, &lines[1].replace("\"depth\"", "\"rate\""), "rate is there twice");
    refused(2, lines[1], "trial 0 is there twice");
    refused(0, &lines[0].replace("\"study_format\":1", "\"study_format\":2"), "expected 1");
    refused(0, "", "line 1");
    let rate = &lines[1][lines[1].find("\"value\":").unwrap()..];
    let rate = &rate[..rate.find('}').unwrap()];
    refused(1, &lines[1].replacen(rate, "\"value\":7.5", 1), "expected a value of log(0.0001, 1)");
    let missing = Study::resume(Path::new("/no/such/study.jsonl")).unwrap_err().to_string();
    assert!(missing.contains("/no/such/study.jsonl"), "{missing}");
}

#[test]
fn importances_are_those_of_a_known_function() {
    let mut study = Study::new(config(Sampler::Random)).unwrap();
    // Main effects alone: Var(4x) = 16/12, Var(2·[c = "b"]) = 1, Var(y) = 1/12, z nothing.
    let known = |trial: &mut Trial<'_>| {
        let x = trial.suggest_float("x", 0.0, 1.0, Scale::Linear)?;
        let y = trial.suggest_float("y", 0.0, 1.0, Scale::Linear)?;
        let c = trial.suggest_categorical("c", &["a", "b"])?;
        trial.suggest_int("z", 1, 100, Scale::Log)?;
        Ok(4.0 * x + y + if *c == "b" { 2.0 } else { 0.0 })
    };
    study.optimize(3, known).unwrap();
    let few = importance(&study, &ImportanceConfig::default());
    assert!(matches!(few, Err(TuneError::TooFewTrials { needed: 4, got: 3 })));
    study.optimize(200, known).unwrap();
    let found = importance(&study, &ImportanceConfig::default()).unwrap();
    let names: Vec<_> = found.iter().map(|own| own.name.as_str()).collect();
    assert_eq!(names, ["x", "c", "y", "z"], "{found:?}");
    for (own, share) in found.iter().zip([16.0 / 29.0, 12.0 / 29.0, 1.0 / 29.0, 0.0]) {
        assert!((own.share - share).abs() < 0.05, "{own:?}, expected {share}");
    }
    assert_eq!(found, importance(&study, &ImportanceConfig::default()).unwrap());
    let chart = Importance::plot(&found).to_svg().unwrap();
    assert!(chart.contains(">x<") || chart.contains("x\n"), "{chart}");
}

#[test]
fn the_history_shows_the_best_so_far() {
    let mut study =
        Study::new(StudyConfig { direction: Direction::Maximize, ..config(Sampler::Random) })
            .unwrap();
    let values = [1.0, f64::NAN, 3.0, 2.0];
    study.optimize(4, |trial| Ok(values[trial.number() as usize])).unwrap();
    let plot = study.history_plot("return");
    assert_eq!(plot.lines[0].points, [(0.0, 1.0), (2.0, 1.0), (2.0, 3.0), (3.0, 3.0), (3.0, 3.0)]);
    assert_eq!(plot.lines[1].points.len(), 6);
    assert!(plot.to_png().is_ok());
}
