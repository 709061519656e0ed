use std::fs;
use std::path::Path;

use super::*;
use crate::SettingError;
use crate::plot::Picture as _;

fn config(sampler: TrialSampler) -> StudyConfig {
    StudyConfig { sampler, ..StudyConfig::default() }
}

fn samplers() -> [TrialSampler; 4] {
    let tpe = Tpe { n_startup_trials: 4, ..Tpe::default() };
    let alone = Tpe { multivariate: false, ..tpe.clone() };
    [
        TrialSampler::Random,
        TrialSampler::Tpe(tpe),
        TrialSampler::Tpe(alone),
        TrialSampler::CmaEs(CmaEs::default()),
    ]
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

#[test]
fn a_study_cut_off_anywhere_comes_to_the_same_trials() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.jsonl");
    for sampler in samplers() {
        let pruner = Pruner::Median(Median { n_startup_trials: 3, n_warmup_steps: 0 });
        let config = StudyConfig { pruner, seed: 3, ..config(sampler) };
        let _ = fs::remove_file(&path);
        let mut study = Study::create(&path, config.clone()).unwrap();
        assert_eq!(study.optimize(16, objective).unwrap(), StudyEnding::Done);
        let outcomes = |is: fn(&TrialOutcome) -> bool| {
            study.trials().iter().filter(|trial| is(&trial.outcome)).count()
        };
        assert!(
            outcomes(|o| *o == TrialOutcome::Pruned) > 0
                && outcomes(|o| matches!(o, TrialOutcome::Complete(_))) > 3
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
    // In the middle, with one trial gone and later ones there.
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
    let mut study = Study::new(config(TrialSampler::Random)).unwrap();
    let ending = study.optimize(5, |trial| match trial.number() {
        3 => Err(Stop::Interrupted),
        _ => objective(trial),
    });
    assert_eq!((ending.unwrap(), study.trials().len()), (StudyEnding::Interrupted, 3));
    assert_eq!(study.optimize(5, objective).unwrap(), StudyEnding::Done);
    let mut whole = Study::new(config(TrialSampler::Random)).unwrap();
    whole.optimize(5, objective).unwrap();
    assert_eq!(study.trials(), whole.trials());
}

#[test]
fn failures_are_recorded_and_never_the_best() {
    for sampler in samplers() {
        let mut study =
            Study::new(StudyConfig { direction: StudyDirection::Maximize, ..config(sampler) })
                .unwrap();
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
            TrialOutcome::Failed(reason) => reason.clone(),
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
        TrialSampler::Tpe(Tpe { gamma: 1.0, ..Tpe::default() }),
        TrialSampler::Tpe(Tpe { n_ei_candidates: 0, ..Tpe::default() }),
        TrialSampler::Tpe(Tpe { n_ei_candidates: 1 << 40, ..Tpe::default() }),
        TrialSampler::CmaEs(CmaEs { sigma: 0.0, ..CmaEs::default() }),
        TrialSampler::CmaEs(CmaEs { population: 1, ..CmaEs::default() }),
    ] {
        assert!(matches!(Study::new(config(sampler)), Err(TuneError::Setting(_))));
    }
}

#[test]
fn what_goes_wrong_in_a_study_of_a_trials_own_is_that_trials_failure() {
    let mut outer = Study::new(config(TrialSampler::Random)).unwrap();
    let nested = |trial: &mut Trial<'_>| {
        let x = trial.suggest_float("x", 0.0, 1.0, Scale::Linear)?;
        let mut inner = Study::new(StudyConfig::default())?;
        let high = if trial.number() == 0 { -1.0 } else { 1.0 };
        inner.optimize(1, |trial| Ok(trial.suggest_float("y", 0.0, high, Scale::Linear)?))?;
        Ok(x)
    };
    outer.optimize(2, nested).unwrap();
    let TrialOutcome::Failed(reason) = &outer.trials()[0].outcome else { panic!("{outer:?}") };
    assert!(reason.contains("y: expected finite numbers"), "{reason}");
    assert!(outer.trials()[1].value().is_some());
}

#[test]
fn a_damaged_file_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.jsonl");
    let mut study = Study::create(&path, config(TrialSampler::Random)).unwrap();
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
    refused(1, &lines[1].replace("\"depth\"", "\"rate\""), "rate occurs twice");
    refused(3, lines[1], "line 4: trial 0 occurs twice");
    refused(0, &lines[0].replace("\"study_format\":1", "\"study_format\":2"), "expected 1");
    let sampler = "{\"cma_es\":{\"sigma\":7.0}}";
    refused(0, &lines[0].replace("\"random\"", sampler), "line 1: sigma = 7: expected a share");
    refused(0, "", "line 1");
    let rate = &lines[1][lines[1].find("\"value\":").unwrap()..];
    let rate = &rate[..rate.find('}').unwrap()];
    refused(1, &lines[1].replacen(rate, "\"value\":7.5", 1), "expected a value of log(0.0001, 1)");
    let missing = Study::resume(Path::new("/no/such/study.jsonl")).unwrap_err().to_string();
    assert!(missing.contains("/no/such/study.jsonl"), "{missing}");
}

#[test]
fn importances_are_those_of_a_known_function() {
    let mut study = Study::new(config(TrialSampler::Random)).unwrap();
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
    let mut constant = Study::new(config(TrialSampler::Random)).unwrap();
    constant.optimize(5, |trial| known(trial).and(Ok(1.0))).unwrap();
    let equal = importance(&constant, &ImportanceConfig::default());
    assert!(matches!(equal, Err(TuneError::EqualValues { got: 5 })));
    let many = importance(&constant, &ImportanceConfig { trees: 1 << 40, ..Default::default() });
    assert!(matches!(many, Err(TuneError::Setting(SettingError { key: "trees", .. }))));
    study.optimize(200, known).unwrap();
    let found = importance(&study, &ImportanceConfig::default()).unwrap();
    let names: Vec<_> = found.iter().map(|own| own.name.as_str()).collect();
    assert_eq!(names, ["x", "c", "y", "z"], "{found:?}");
    for (own, share) in found.iter().zip([16.0 / 29.0, 12.0 / 29.0, 1.0 / 29.0, 0.0]) {
        assert!((own.share - share).abs() < 0.05, "{own:?}, expected {share}");
    }
    assert_eq!(found, importance(&study, &ImportanceConfig::default()).unwrap());
    // Values whose squares are no numbers.
    for factor in [2.0_f64.powi(1000), 2.0_f64.powi(-1000)] {
        let mut scaled = Study::new(config(TrialSampler::Random)).unwrap();
        scaled.optimize(200, |trial| Ok(factor * known(trial)?)).unwrap();
        assert_eq!(found, importance(&scaled, &ImportanceConfig::default()).unwrap());
    }
    let chart = Importance::plot(&found).to_svg().unwrap();
    assert!(chart.contains(">x<") || chart.contains("x\n"), "{chart}");
}

#[cfg(unix)]
#[test]
fn a_trial_that_cannot_be_written_down_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (path, aside) = (folder.path().join("study.jsonl"), folder.path().join("aside"));
    let mut study = Study::create(&path, config(TrialSampler::Random)).unwrap();
    let mut whole = Study::new(config(TrialSampler::Random)).unwrap();
    study.optimize(2, objective).unwrap();
    whole.optimize(2, objective).unwrap();
    fs::rename(&path, &aside).unwrap();
    // Alone; then two at once, of which one or both have ended.
    assert!(matches!(study.optimize(9, objective), Err(TuneError::Write(_))));
    whole.optimize(3, objective).unwrap();
    assert_eq!(study.trials(), whole.trials());
    for _ in 0..2 {
        let before = study.trials().len();
        let error = study.optimize_parallel(9, 2, objective).unwrap_err();
        assert!(matches!(error, TuneError::Write(_)), "{error}");
        assert!(study.trials().len() > before);
    }
    // Put back, the study goes on, and the file's own study comes to the same.
    fs::rename(&aside, &path).unwrap();
    study.optimize(8, objective).unwrap();
    whole.optimize(8, objective).unwrap();
    assert_eq!(study.trials(), whole.trials());
    drop(study);
    let mut study = Study::resume(&path).unwrap();
    let numbers: Vec<u64> = study.trials().iter().map(|trial| trial.number).collect();
    assert!(numbers.starts_with(&[0, 1]) && !numbers.contains(&2), "{numbers:?}");
    study.optimize(8, objective).unwrap();
    assert_eq!(study.trials(), whole.trials());
}

#[test]
fn jobs_are_bounded() {
    let mut study = Study::new(config(TrialSampler::Random)).unwrap();
    for jobs in [0, 1 << 40, usize::MAX] {
        let error = study.optimize_parallel(2, jobs, |_| Ok(0.0)).unwrap_err();
        assert!(matches!(error, TuneError::Setting(SettingError { key: "jobs", .. })), "{error}");
    }
}

#[test]
fn the_history_shows_the_best_so_far() {
    let mut study = Study::new(StudyConfig {
        direction: StudyDirection::Maximize,
        ..config(TrialSampler::Random)
    })
    .unwrap();
    let values = [1.0, f64::NAN, 3.0, 2.0];
    study.optimize(4, |trial| Ok(values[trial.number() as usize])).unwrap();
    let plot = study.history_plot("return");
    assert_eq!(plot.lines[0].points, [(0.0, 1.0), (2.0, 1.0), (2.0, 3.0), (3.0, 3.0), (3.0, 3.0)]);
    assert_eq!(plot.lines[1].points.len(), 6);
    assert!(plot.to_png().is_ok());
}
