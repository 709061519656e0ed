//! `model_selection`, `imbalance`, `ensemble` without networks, `ood`, `diagnosis`.

use gymnast_core::data::{DataError, Dataset, Table};
use gymnast_core::diagnosis::*;
use gymnast_core::ensemble::*;
use gymnast_core::imbalance::*;
use gymnast_core::metrics::ConfusionMatrix;
use gymnast_core::model_selection::*;
use gymnast_core::ood::*;
use gymnast_core::plot::Picture as _;
use gymnast_core::supervised::{Epoch, History};

use super::{data::dataset, finite};
use crate::source::Source;

pub(super) fn folds(source: &mut Source) {
    let (n_splits, rows, rng) = (source.count(), source.count(), &mut source.rng());
    let length = source.length();
    let classes = source.classes(length);
    macro_rules! first {
        ($folds:expr) => {
            if let Ok(folds) = $folds {
                for fold in folds.into_iter().take(2) {
                    assert!(!fold.test.is_empty(), "a fold tests nothing");
                }
            }
        };
    }
    // A fold lists its rows: of so many that memory does not hold them nobody asks in earnest.
    let rows = if (1_000_000..1 << 40).contains(&rows) { 60_000 } else { rows };
    first!(KFold { n_splits }.split(rows));
    first!(KFold { n_splits }.split_shuffled(rows, rng));
    first!(LeaveOneOut.split(rows));
    first!(GroupKFold { n_splits }.split(&classes));
    first!(StratifiedKFold { n_splits }.split(&classes));
    first!(StratifiedKFold { n_splits }.split_shuffled(&classes, rng));
    let n_repeats = source.up_to(3);
    first!(RepeatedStratifiedKFold { n_splits, n_repeats }.split(&classes, rng));
    let series = TimeSeriesSplit {
        n_splits,
        max_train_size: source.one_in(2).then(|| source.count()),
        test_size: source.one_in(2).then(|| source.count()),
        gap: source.count(),
    };
    first!(series.split(rows));
    let mut place = || if source.one_in(9) { source.count() } else { source.up_to(5) };
    let fold = Fold { train: vec![place(), place()], test: vec![place()] };
    if let Some(data) = dataset(source) {
        let _ = fold.select(&data);
    }
    let score = source.number();
    let all = [fold.clone(), fold];
    if let Ok(scores) = cross_val_score(&all, |_| Ok::<_, KFoldError>(score)) {
        assert!(
            scores.mean().is_none_or(f64::is_finite) && scores.std().is_none_or(f64::is_finite)
        );
    }
    let names = source.texts(2);
    let _ = cross_validate(&all, |fold| {
        Ok::<_, KFoldError>([(names[fold.train.len() % 2].clone(), score)])
    });
    let inner = |rows: &[usize]| Ok(KFold { n_splits: 2 }.split(rows.len())?.collect());
    let inner = |rows: &[usize]| -> Result<Vec<Fold>, KFoldError> { inner(rows) };
    let _ = nested_cross_validate(&all, inner, &[1.0, 2.0], |by, _| Ok(score * by));
    let (rows, width) = (source.count(), source.count());
    let said = source.length();
    let said = source.f64s(said);
    let _ = out_of_fold(&all, rows, width, |_| Ok::<_, EnsembleError>(said.clone()));
}

pub(super) fn imbalance(source: &mut Source) {
    let rng = &mut source.rng();
    let (a, share, length) = (source.number(), source.share(), source.length());
    let counts = source.classes(length);
    let given = source.f32s(length);
    for rule in [
        ClassWeight::Uniform,
        ClassWeight::Balanced,
        ClassWeight::EffectiveNumber { beta: share },
        ClassWeight::Given(given),
    ] {
        if let Ok(Some(weights)) = rule.weights(&counts) {
            assert!(weights.iter().all(|weight| weight.is_finite()), "{rule:?}: {weights:?}");
        }
    }
    finite("an effective number", effective_number(source.count(), share));
    let (k_neighbors, m_neighbors, ratio) = (source.count(), source.count(), share);
    let resampler = source.pick(&[
        Resampler::RandomOver { ratio },
        Resampler::RandomUnder { ratio },
        Resampler::Smote { k_neighbors, ratio },
        Resampler::BorderlineSmote { k_neighbors, m_neighbors, ratio },
        Resampler::TomekLinks,
        Resampler::BalancedBootstrap,
    ]);
    if let Some(data) = dataset(source) {
        let _ = (resampler.fit_resample(&data, rng).is_ok(), tomek_links(&data).is_ok());
        let _ = bootstrap(&data, rng).is_ok();
    }
    let (classes, rows) = (1 + source.up_to(3), source.length());
    let costs = source.about(classes * classes);
    let costs = source.f64s(costs);
    let truth = source.classes(rows);
    let probabilities = source.probabilities(rows, classes);
    let claimed = if source.one_in(4) { source.count() } else { classes };
    if let Ok(costs) = CostMatrix::new(costs, claimed) {
        let _ = (costs.decide(&probabilities), costs.cost(0, claimed - 1));
        let mut matrix = ConfusionMatrix::new(classes).expect("some classes");
        let _ = matrix.update(&truth, &truth);
        finite("a mean cost", costs.mean_cost(&matrix));
        let _ = tune_threshold(&truth, &probabilities, &Criterion::Cost(costs)).is_ok();
    }
    let scores = source.probabilities(rows, 1);
    for criterion in [Criterion::F1, Criterion::FBeta(a), Criterion::BalancedAccuracy] {
        if let Ok(tuned) = tune_threshold(&truth, &scores, &criterion) {
            finite("a tuned score", Ok::<_, ()>(tuned.value));
            let _ = tuned.predict(&scores);
        }
    }
    let _ = rare_class_scores(&truth, &scores, share).is_ok();
}

pub(super) fn votes(source: &mut Source) {
    let (members, rows, classes) = (source.up_to(4), source.length(), 1 + source.up_to(3));
    let claimed = if source.one_in(4) { source.count() } else { classes };
    let votes: Vec<Vec<usize>> = (0..members).map(|_| source.classes(rows)).collect();
    let said: Vec<Vec<f64>> = (0..members).map(|_| source.probabilities(rows, classes)).collect();
    let weights = source.about(members);
    let weights = source.one_in(2).then(|| source.f64s(weights));
    let _ = hard_vote(&votes, claimed);
    if let Ok(mean) = soft_vote(&said, weights.as_deref()) {
        assert!(mean.iter().all(|p| p.is_finite()), "{mean:?}");
        let _ = most_likely(&mean, claimed);
    }
    if let Ok(uncertainty) = class_uncertainty(&said, claimed) {
        assert!(uncertainty.iter().all(|row| row.mutual_information.is_finite()));
    }
    let means: Vec<Vec<f64>> = (0..members).map(|_| source.f64s(rows)).collect();
    let _ = gymnast_core::ensemble::mixture(&means, &said);
    let _ = gymnast_core::ensemble::mixture(&means, &means);
}

pub(super) fn detection(source: &mut Source) {
    let (inside, outside) = (source.length(), source.length());
    let (inside, outside) = (source.f64s(inside), source.f64s(outside));
    if let Ok(scores) = detection_scores(&inside, &outside) {
        assert!(scores.auroc.is_finite() && scores.aupr_in.is_finite(), "{scores:?}");
    }
    finite("a threshold", threshold_at_tpr(&inside, source.share()));
    let (rows, width) = (source.length(), 1 + source.up_to(3));
    let claimed = if source.one_in(4) { source.count() } else { width };
    let outputs = source.about(rows * width);
    let outputs = source.f32s(outputs);
    let temperature = source.number();
    let scores = [
        max_softmax_probability(&outputs, claimed),
        scaled_max_softmax_probability(&outputs, claimed, temperature),
        energy_score(&outputs, claimed, temperature),
    ];
    for scores in scores.into_iter().flatten() {
        assert!(scores.iter().all(|score| score.is_finite()), "{scores:?}");
    }
    let Ok(table) = Table::new(source.f32s(rows * width), width) else { return };
    let classes = source.classes(rows);
    let fitted = Mahalanobis::fit(&table, &classes, source.share());
    if let Some(scores) = fitted.ok().and_then(|fitted| fitted.scores(&table).ok()) {
        assert!(scores.iter().all(|score| !score.is_nan()), "{scores:?}");
    }
    let exposure = OutlierExposure::new(source.count());
    if let Some(data) = dataset(source) {
        let _ = exposure.join(&data, &table).is_ok();
    }
}

pub(super) fn diagnosis(source: &mut Source) {
    let length = source.length().min(20);
    let (losses, held_out) = (source.f64s(length), source.f64s(length));
    let epoch = |(&train_loss, &loss): (&f64, &f64)| Epoch {
        train_loss,
        validation_loss: Some(loss),
        ..Epoch::default()
    };
    let epochs: Vec<Epoch> = losses.iter().zip(&held_out).map(epoch).collect();
    let best_epoch = source.one_in(2).then(|| source.count());
    let history = History { epochs, best_epoch, stopped_early: source.one_in(2) };
    let _ = (history.best(), history.loss_curves().to_svg(), history.score_curves("a").to_svg());
    let thresholds = Thresholds { slope: source.number(), ..Thresholds::default() };
    if let Ok(diagnosis) = diagnose(&history, source.number(), &thresholds) {
        assert!(losses.iter().all(|loss| !loss.is_nan()), "{diagnosis} of {losses:?}");
    }
    let Some(data) = dataset(source) else { return };
    let rows = source.about(data.len());
    let (truth, said) = (source.f32s(rows), source.f32s(rows));
    let problem =
        Problem { train: &data, test: &data, truth: &truth, noise_variance: source.number() };
    let (rounds, rng) = (source.up_to(4), &mut source.rng());
    let parts = bias_variance(&problem, rounds, rng, |_, _| Ok::<_, DataError>(said.clone()));
    if let Ok(parts) = parts {
        assert!(parts.variance.is_finite() && parts.bias_squared.is_finite(), "{parts:?}");
    }
    let sizes = [source.count(), source.count()];
    let (score, times) = (source.number(), source.up_to(3));
    let train = |_: &Dataset, _| Ok::<_, DataError>((score, score));
    if let Ok(curve) = learning_curve(&data, &sizes, times, rng, train) {
        let _ = curve.plot("score").is_ok();
    }
}
