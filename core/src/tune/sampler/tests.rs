use crate::tune::functions::{self, TestFunction};
use crate::tune::*;

fn config(sampler: TrialSampler) -> StudyConfig {
    StudyConfig { sampler, ..StudyConfig::default() }
}

fn best(function: &TestFunction, sampler: &TrialSampler, seed: u64, trials: u64) -> f64 {
    let mut study = Study::new(StudyConfig { seed, ..config(sampler.clone()) }).unwrap();
    study.optimize(trials, |trial| function.evaluate(trial)).unwrap();
    study.best().unwrap().value().unwrap() - function.minimum
}

/// The median over seeds of the logarithm of how much closer to the minimum one came than the other.
fn advantage(function: &TestFunction, sampler: &TrialSampler, trials: u64) -> f64 {
    let ratio = |seed| {
        let own = best(function, sampler, seed, trials).max(1e-12);
        (best(function, &TrialSampler::Random, seed, trials) / own).ln()
    };
    crate::statistics::median(&(0..9).map(ratio).collect::<Vec<_>>()).unwrap()
}

#[test]
fn what_learns_beats_random_search() {
    for function in functions::all() {
        let tpe = advantage(&function, &TrialSampler::Tpe(Tpe::default()), 60);
        assert!(tpe > 0.1, "{}: TPE {tpe}", function.name);
    }
    for function in functions::all().into_iter().take(2) {
        let cma_es = advantage(&function, &TrialSampler::CmaEs(CmaEs::default()), 150);
        assert!(cma_es > 0.5, "{}: CMA-ES {cma_es}", function.name);
    }
}

#[test]
fn tpe_learns_to_avoid_what_fails() {
    let mut study = Study::new(config(TrialSampler::Tpe(Tpe::default()))).unwrap();
    let fails_above = |trial: &mut Trial<'_>| {
        let x = trial.suggest_float("x", 0.0, 1.0, Scale::Linear)?;
        if x > 0.5 { Err(std::io::Error::other("diverged").into()) } else { Ok(0.0) }
    };
    study.optimize(60, fails_above).unwrap();
    let late = study.trials()[20..].iter().filter(|trial| trial.value().is_none()).count();
    // At random it would be 20, and less than 12 once in 300 times.
    assert!(late < 12, "{late} of 40 failed");
}

#[test]
fn tpe_never_takes_failures_for_good() {
    let places = |sampler| {
        let mut study = Study::new(config(sampler)).unwrap();
        let fails = |trial: &mut Trial<'_>| {
            trial.suggest_float("x", 0.0, 1.0, Scale::Linear)?;
            Err(std::io::Error::other("diverged").into())
        };
        study.optimize(60, fails).unwrap();
        study.trials().iter().map(|trial| trial.get("x").cloned()).collect::<Vec<_>>()
    };
    // Where all fail there is nothing to learn from, and the first are no better than others.
    assert_eq!(places(TrialSampler::Tpe(Tpe::default())), places(TrialSampler::Random));
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
    let mut study = Study::new(config(TrialSampler::Grid(grid))).unwrap();
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
    assert_eq!((other, study.trials().len()), (StudyEnding::Done, 30));
}

#[test]
fn a_grid_holds_no_value_twice() {
    let values = |low, high, scale, points| {
        let space = SearchSpace::new([("n", Distribution::Int { low, high, scale })]).unwrap();
        let grid = Grid { space: space.clone(), points };
        let size = grid.len();
        let mut study = Study::new(config(TrialSampler::Grid(grid))).unwrap();
        study.optimize(1000, |trial| Ok(space.suggest(trial)?[0].1.as_f64().unwrap())).unwrap();
        let values: Vec<_> = study.trials().iter().filter_map(TrialRecord::value).collect();
        assert_eq!(values.len() as u64, size);
        values
    };
    assert_eq!(values(1, 32, Scale::Log, 5), [1.0, 2.0, 6.0, 13.0, 32.0]);
    // 1, 1.49, 2.21, 3.28, 4.88, 7.25, 10.8, 16.
    assert_eq!(values(1, 16, Scale::Log, 8), [1.0, 2.0, 3.0, 5.0, 7.0, 11.0, 16.0]);
    assert_eq!(values(0, 10, Scale::Linear, 3), [0.0, 5.0, 10.0]);
    assert_eq!(values(2, 4, Scale::Log, 3), [2.0, 3.0, 4.0]);
}
