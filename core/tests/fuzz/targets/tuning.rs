//! `tune`.

use gymnast_core::plot::Picture as _;
use gymnast_core::supervised::{Epoch, FitCallback as _, History, Pruning};
use gymnast_core::tune::*;
use serde_json::json;

use crate::source::Source;

fn distribution(source: &mut Source) -> Distribution {
    let scale = source.pick(&[Scale::Linear, Scale::Log]);
    let (low, high) = (source.number(), source.number());
    let ends = [i64::MIN, i64::MAX, -3, 0, 1, 7, 1 << 53];
    match source.up_to(3) {
        0 => Distribution::Float { low, high, scale },
        1 => Distribution::Float { low: low.min(high), high: low.max(high), scale },
        2 => Distribution::Int { low: source.pick(&ends), high: source.pick(&ends), scale },
        _ => {
            let choices = [json!(1), json!("a"), json!(null), json!([1.5]), json!(1)];
            Distribution::Categorical { choices: choices[..source.up_to(5)].to_vec() }
        }
    }
}

pub(super) fn distributions(source: &mut Source) {
    let names = source.texts(2);
    let both = [distribution(source), distribution(source)];
    for (name, one) in names.iter().zip(&both) {
        let _ = (one.check(name), one.to_string());
        if let Ok(extremes) = one.extremes(name) {
            assert!(extremes.len() <= 10);
        }
    }
    if let Ok(space) = SearchSpace::new(names.into_iter().zip(both)) {
        let _ = (space.check(), space.get("name 0"), space.iter().count());
    }
}

pub(super) fn studies(source: &mut Source) {
    let count = |source: &mut Source, n: usize| if source.one_in(5) { source.count() } else { n };
    let tpe = Tpe {
        n_startup_trials: count(source, 2),
        n_ei_candidates: count(source, 8),
        gamma: source.share(),
        max_good: count(source, 5),
        multivariate: source.one_in(2),
    };
    let space = SearchSpace::new([("x", distribution(source)), ("y", distribution(source))]);
    let points = source.up_to(5) as u64;
    let grid = space.as_ref().ok().map(|space| Grid { space: space.clone(), points });
    let evolution = CmaEs { population: count(source, 4), sigma: source.share() };
    let sampler = match (source.up_to(3), grid) {
        (0, Some(grid)) => TrialSampler::Grid(grid),
        (1, _) => TrialSampler::Random,
        (2, _) => TrialSampler::CmaEs(evolution),
        _ => TrialSampler::Tpe(tpe),
    };
    let pruner = match source.up_to(2) {
        0 => Pruner::None,
        1 => Pruner::Median(Median {
            n_startup_trials: count(source, 1),
            n_warmup_steps: source.u64(),
        }),
        _ => Pruner::SuccessiveHalving(SuccessiveHalving {
            min_resource: source.u64(),
            reduction_factor: source.u64(),
        }),
    };
    let direction = source.pick(&[StudyDirection::Minimize, StudyDirection::Maximize]);
    let config =
        StudyConfig { direction, sampler, pruner, seed: source.u64(), about: source.text() };
    let Ok(mut study) = Study::new(config) else { return };
    let (other, fails) = (distribution(source), source.one_in(3));
    let (reports, losses) = (source.f64s(12), source.f64s(12));
    let steps = [source.u64(), source.u64()];
    let functions = functions::all();
    let function = &functions[source.up_to(functions.len() - 1)];
    let by_hand = source.one_in(3);
    let objective = |trial: &mut Trial<'_>| -> Result<f64, Stop> {
        let number = trial.number() as usize;
        if by_hand {
            return function.evaluate(trial);
        }
        trial.suggest("x", &other)?;
        let y = trial.suggest_float("y", -1.0, 1.0, Scale::Linear)?;
        let n = trial.suggest_int("n", 1, 9, Scale::Log)?;
        let _ = trial.suggest_categorical("c", &["a", "b"])?;
        let history = History { epochs: vec![Epoch::default()], ..History::default() };
        let mut pruning = Pruning::new(trial, |_| reports[number % 12]);
        let _ = pruning.on_epoch(&history);
        for step in steps {
            trial.report(step, reports[number % 12]);
        }
        if trial.should_prune() {
            return Err(Stop::Pruned);
        }
        if fails && number % 3 == 2 {
            return Err(Stop::from(std::io::Error::other("no")));
        }
        Ok(losses[number % 12] + y * n as f64)
    };
    let _ = study.optimize(6, objective);
    let jobs = 1 + source.up_to(2);
    let _ = study.optimize_parallel(9, jobs, objective);
    if let Some(best) = study.best() {
        let _ = (best.get("x"), best.value());
    }
    let _ = study.history_plot("loss").to_svg();
    let config = ImportanceConfig { trees: source.up_to(5), min_leaf: source.count() };
    if let Ok(shares) = importance(&study, &config) {
        assert!(shares.iter().all(|one| (0.0..=1.0 + 1e-9).contains(&one.share)), "{shares:?}");
        let _ = Importance::plot(&shares).to_svg();
    }
    if let Ok(space) = space {
        let mut study = Study::new(StudyConfig::default()).expect("the default");
        let _ = study.optimize(1, |trial| {
            space.suggest(trial)?;
            Ok(0.0)
        });
    }
}
