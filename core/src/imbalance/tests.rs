use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::SettingError;
use crate::data::{
    Dataset, SplitConfig, StandardScaler, Stratify, Transformer as _, train_test_split,
    train_validation_test_split,
};
use crate::metrics::ConfusionMatrix;
use crate::model_selection::Fold;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(2)
}

/// Rows on a line, at their number.
fn rows(classes: &[usize]) -> Dataset {
    let inputs = (0..classes.len()).map(|row| row as f32).collect();
    let classes = classes.iter().map(|&class| class as f32).collect();
    Dataset::new(inputs, 1, classes, 1).unwrap()
}

fn skewed() -> Dataset {
    rows(&[vec![0; 12], vec![1; 6], vec![2; 3]].concat())
}

fn counts(resampler: Resampler) -> Vec<usize> {
    resampler.fit_resample(&skewed(), &mut rng()).unwrap().data.class_counts().unwrap()
}

#[test]
fn classes_come_to_the_ratio_asked_for() {
    assert_eq!(counts(Resampler::random_over()), [12, 12, 12]);
    assert_eq!(counts(Resampler::RandomOver { ratio: 0.4 }), [12, 6, 5]); // 4.8, at least
    assert_eq!(counts(Resampler::random_under()), [3, 3, 3]);
    assert_eq!(counts(Resampler::RandomUnder { ratio: 0.4 }), [7, 6, 3]); // 7.5, at most
    assert_eq!(counts(Resampler::Smote { k_neighbors: 2, ratio: 0.5 }), [12, 6, 6]);
    assert_eq!(counts(Resampler::BalancedBootstrap), [3, 3, 3]);
}

#[test]
fn a_ratio_in_per_cent_is_exact() {
    for (large, small) in [(100, 1), (200, 7), (125, 2)] {
        let data = rows(&[vec![0; large], vec![1; small]].concat());
        for per_cent in 1..=100 {
            let ratio = per_cent as f64 / 100.0;
            let counts = |resampler: Resampler| {
                resampler.fit_resample(&data, &mut rng()).unwrap().data.class_counts().unwrap()
            };
            let least = (per_cent * large).div_ceil(100).max(small);
            assert_eq!(counts(Resampler::RandomOver { ratio }), [large, least], "{ratio}");
            let most = (100 * small / per_cent).min(large);
            assert_eq!(counts(Resampler::RandomUnder { ratio }), [most, small], "{ratio}");
        }
    }
}

#[test]
fn a_score_that_is_no_number_has_no_class() {
    let tuned = TunedThreshold { threshold: 0.5, value: 1.0 };
    assert_eq!(tuned.predict(&[0.4, f64::INFINITY]), Ok(vec![0, 1]));
    let error = tuned.predict(&[0.4, f64::NAN]).unwrap_err();
    assert!(matches!(error, ImbalanceError::Metric(MetricError::NotANumber { index: 1, .. })));
    let error = TunedThreshold { threshold: f64::NAN, value: 1.0 }.predict(&[0.4]).unwrap_err();
    assert!(
        matches!(error, ImbalanceError::Setting(SettingError { key: "threshold", .. })),
        "{error}"
    );
}

#[test]
fn rows_keep_their_class_and_the_same_stream_draws_the_same() {
    let data = skewed();
    for resampler in [Resampler::random_over(), Resampler::random_under()] {
        let drawn = resampler.fit_resample(&data, &mut rng()).unwrap();
        for (new, origin) in drawn.origins.iter().enumerate() {
            let Origin::Row(row) = *origin else { panic!("{origin:?}") };
            assert_eq!(drawn.data.inputs()[new], data.inputs()[row]);
            assert_eq!(drawn.data.targets()[new], data.targets()[row]);
        }
        assert_eq!(resampler.fit_resample(&data, &mut rng()).unwrap(), drawn);
        let other = resampler.fit_resample(&data, &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
        assert_ne!(other, drawn);
    }
    let under = Resampler::random_under().fit_resample(&data, &mut rng()).unwrap();
    assert!(under.data.inputs().is_sorted_by(|a, b| a < b), "each row once, in order");
}

#[test]
fn what_was_resampled_is_not_split() {
    let more = Resampler::random_over().fit_resample(&skewed(), &mut rng()).unwrap().data;
    let refused = |error: DataError| assert_eq!(error, DataError::Resampled { what: "split" });
    let fold = Fold { train: vec![0], test: vec![1] };
    refused(fold.select(&more).unwrap_err());
    refused(more.split(0.5, &mut rng()).unwrap_err());
    refused(train_test_split(&more, 0.5, Stratify::Classes, &mut rng()).unwrap_err());
    let config = SplitConfig::default();
    refused(train_validation_test_split(&more, &config, &mut rng()).unwrap_err());
    // Nor in any other dress.
    let scaler = StandardScaler::fit(more.input_table()).unwrap();
    refused(fold.select(&scaler.transform_inputs(&more).unwrap()).unwrap_err());
    refused(fold.select(&more.one_hot(3).unwrap()).unwrap_err());
    refused(fold.select(&more.relabel(|class| class.min(1), ["a", "b"]).unwrap()).unwrap_err());
    refused(fold.select(&more.select(&[0, 1, 2]).unwrap()).unwrap_err());
    assert!(fold.select(&skewed()).is_ok());
}

#[test]
fn smote_needs_neighbors() {
    let error = Resampler::smote().fit_resample(&skewed(), &mut rng()).unwrap_err();
    assert_eq!(error, ImbalanceError::Neighbors { class: 2, rows: 3, k_neighbors: 5 });
    assert!(
        error.to_string().starts_with("class 2 has 3 rows: expected more than k_neighbors = 5")
    );
    // Two rows have one neighbour each.
    let two = rows(&[0, 0, 0, 0, 1, 1]);
    let smote = Resampler::Smote { k_neighbors: 1, ratio: 1.0 };
    let more = smote.fit_resample(&two, &mut rng()).unwrap().data;
    assert!(more.inputs()[6..].iter().all(|x| (4.0..=5.0).contains(x)));
}

#[test]
fn the_border_is_where_half_but_not_all_around_are_others() {
    // Far from all others: nobody at the border.
    let apart = Dataset::new(
        vec![0.0, 1.0, 2.0, 3.0, 90.0, 91.0, 92.0],
        1,
        vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
        1,
    )
    .unwrap();
    let border = Resampler::BorderlineSmote { k_neighbors: 2, m_neighbors: 2, ratio: 1.0 };
    let error = border.fit_resample(&apart, &mut rng()).unwrap_err();
    assert_eq!(error, ImbalanceError::NoBorder { class: 1, m_neighbors: 2 });
    // Row 4 is nearest to 3 and 5: half of the two are others.
    let line = rows(&[0, 0, 0, 0, 1, 1, 1]);
    let more = border.fit_resample(&line, &mut rng()).unwrap();
    assert!(matches!(more.origins[7], Origin::Between { row: 4, .. }), "{:?}", more.origins);
}

#[test]
fn settings_and_single_classes_are_refused() {
    let resample = |resampler: Resampler, data: &Dataset| {
        resampler.fit_resample(data, &mut rng()).unwrap_err()
    };
    for ratio in [0.0, 1.5, f64::NAN] {
        let error = resample(Resampler::RandomOver { ratio }, &skewed());
        assert!(
            matches!(error, ImbalanceError::Setting(SettingError { key: "ratio", .. })),
            "{error}"
        );
    }
    let error = resample(Resampler::Smote { k_neighbors: 0, ratio: 1.0 }, &skewed());
    assert!(
        matches!(error, ImbalanceError::Setting(SettingError { key: "k_neighbors", .. })),
        "{error}"
    );
    for resampler in [Resampler::random_under(), Resampler::TomekLinks] {
        assert_eq!(resample(resampler, &rows(&[0, 0])), ImbalanceError::Classes { got: 1 });
        assert_eq!(resample(resampler, &rows(&[])), ImbalanceError::Classes { got: 0 });
    }
    let numbers = Dataset::new(vec![0.0], 1, vec![0.5], 1).unwrap();
    let error = resample(Resampler::random_over(), &numbers);
    assert!(matches!(error, ImbalanceError::Data(DataError::NotAClass { .. })), "{error}");
}

#[test]
fn weights_need_rows_of_each_class() {
    let empty = ImbalanceError::EmptyClass { class: 1 };
    assert_eq!(ClassWeight::Balanced.weights(&[4, 0]), Err(empty.clone()));
    assert_eq!(ClassWeight::EffectiveNumber { beta: 0.9 }.weights(&[4, 0]), Err(empty));
    assert_eq!(ClassWeight::Uniform.weights(&[4, 0]), Ok(None));
    let huge = ClassWeight::Balanced.weights(&[usize::MAX, usize::MAX, 1]).unwrap().unwrap();
    assert!(huge.iter().all(|weight| weight.is_finite()), "{huge:?}");
    assert_eq!(ClassWeight::Balanced.weights(&[]), Err(ImbalanceError::Classes { got: 0 }));
    let error = ClassWeight::EffectiveNumber { beta: 1.0 }.weights(&[1, 1]).unwrap_err();
    assert!(matches!(error, ImbalanceError::Setting(SettingError { key: "beta", .. })), "{error}");
    let error = ClassWeight::Given(vec![1.0]).weights(&[1, 1]).unwrap_err();
    assert!(
        matches!(error, ImbalanceError::Data(DataError::Count { expected: 2, got: 1, .. })),
        "{error}"
    );
    assert!(ClassWeight::Given(vec![1.0, -1.0]).weights(&[1, 1]).is_err());
    assert_eq!(effective_number(3, 0.5), Ok(1.75)); // 1 + ½ + ¼
}

#[test]
fn decisions_cost_least_in_expectation() {
    // To take 2 for anything else is dear.
    let costs = vec![0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 10.0, 10.0, 0.0];
    let costs = CostMatrix::new(costs, 3).unwrap();
    let decided = costs.decide(&[0.6, 0.35, 0.05, 0.6, 0.25, 0.15, 0.5, 0.5, 0.0]).unwrap();
    assert_eq!(decided, [0, 2, 0]);
    let mut matrix = ConfusionMatrix::new(3).unwrap();
    assert!(costs.mean_cost(&matrix).is_err());
    matrix.update(&[2, 2, 0, 1], &[2, 0, 2, 1]).unwrap();
    assert_eq!(costs.mean_cost(&matrix), Ok(11.0 / 4.0));
    assert!(matches!(
        costs.threshold(),
        Err(ImbalanceError::Data(DataError::Count { expected: 2, .. }))
    ));
    // What the threshold says is what the expectation says.
    let two = CostMatrix::new(vec![-1.0, 2.0, 5.0, 0.0], 2).unwrap();
    let at = two.threshold().unwrap();
    assert_eq!(at, 3.0 / 8.0);
    let decided = two.decide(&[1.0 - at + 0.01, at - 0.01, 1.0 - at - 0.01, at + 0.01]);
    assert_eq!(decided.unwrap(), [0, 1]);
    let absurd = CostMatrix::new(vec![1.0, 0.0, 1.0, 0.0], 2).unwrap();
    assert_eq!(absurd.threshold(), Err(ImbalanceError::NoThreshold));
    assert!(CostMatrix::new(vec![0.0; 3], 2).is_err());
    assert!(CostMatrix::new(vec![0.0, 1.0, f64::NAN, 0.0], 2).is_err());
    assert!(CostMatrix::new(vec![-1e308, 1e308, 1e308, -1e308], 2).is_err());
    assert!(matches!(
        two.decide(&[0.5, 0.5, 0.1]),
        Err(ImbalanceError::Data(DataError::Count { .. }))
    ));
    assert!(two.decide(&[1.5, -0.5]).is_err());
    let of_class_1 = two.decide(&[0.5, 0.5, 0.9, 0.4]).unwrap_err(); // are no two rows
    assert!(matches!(of_class_1, ImbalanceError::Metric(MetricError::RowSum { row: 1, .. })));
}

#[test]
fn a_threshold_parts_no_ties_and_lies_between_scores() {
    let tuned = tune_threshold(&[0, 0, 1, 1], &[0.1, 0.3, 0.5, 0.5], &Criterion::F1).unwrap();
    assert_eq!((tuned.threshold, tuned.value), (0.4, 1.0));
    assert_eq!(tuned.predict(&[0.39, 0.41]), Ok(vec![0, 1]));
    // Equally good from 0.9 on and from 0.2 on: the highest.
    let tuned = tune_threshold(&[1, 0, 0, 1], &[0.9, 0.8, 0.7, 0.2], &Criterion::F1).unwrap();
    assert_eq!(tuned.value, 2.0 / 3.0);
    assert!((tuned.threshold - 0.85).abs() < 1e-12);
}

#[test]
fn thresholds_of_one_class() {
    let all_0 = |criterion| tune_threshold(&[0, 0], &[0.1, 0.2], &criterion);
    assert!(matches!(all_0(Criterion::F1), Err(ImbalanceError::Metric(_))));
    assert!(matches!(all_0(Criterion::BalancedAccuracy), Err(ImbalanceError::Metric(_))));
    let costs = CostMatrix::new(vec![0.0, 1.0, 1.0, 0.0], 2).unwrap();
    let nobody = all_0(Criterion::Cost(costs.clone())).unwrap();
    assert_eq!((nobody.threshold, nobody.value), (f64::INFINITY, 0.0));
    assert_eq!(nobody.predict(&[1e300]), Ok(vec![0]));
    let everyone = tune_threshold(&[1, 1], &[0.1, 0.2], &Criterion::Cost(costs.clone())).unwrap();
    assert_eq!((everyone.threshold, everyone.value), (0.1, 0.0));
    let error = tune_threshold(&[], &[], &Criterion::Cost(costs)).unwrap_err();
    assert_eq!(error, ImbalanceError::Metric(MetricError::Empty));
    assert!(tune_threshold(&[1, 0], &[0.1], &Criterion::F1).is_err());
    assert!(tune_threshold(&[1, 0], &[0.1, f64::NAN], &Criterion::F1).is_err());
    for beta in [-1.0, f64::NAN, 1e200] {
        assert!(tune_threshold(&[1, 0], &[0.1, 0.2], &Criterion::FBeta(beta)).is_err(), "{beta}");
    }
    let recall = tune_threshold(&[1, 0], &[0.1, 0.2], &Criterion::FBeta(1e100)).unwrap();
    assert_eq!(recall.value, 1.0);
}

#[test]
fn a_rare_class_is_scored_by_hand() {
    let scores = rare_class_scores(&[0, 0, 1, 1], &[0.1, 0.6, 0.7, 0.2], 0.5).unwrap();
    let expected = [
        ("precision", 0.5),
        ("recall", 0.5),
        ("f1", 0.5),
        ("pr_auc", 0.5 + 0.5 * 2.0 / 3.0),
        ("balanced_accuracy", 0.5),
        ("ece", (0.1 + 0.6 + 0.3 + 0.8) / 4.0),
        ("brier", (0.01 + 0.36 + 0.09 + 0.64) / 4.0),
    ];
    for ((name, score), (expected_name, value)) in scores.into_iter().zip(expected) {
        assert_eq!(name, expected_name);
        assert!((score - value).abs() < 1e-12, "{name}: {score}, expected {value}");
    }
    let error = rare_class_scores(&[0, 1], &[0.1, 0.6], f64::NAN).unwrap_err();
    assert!(
        matches!(error, MetricError::Setting(SettingError { key: "threshold", .. })),
        "{error}"
    );
}
