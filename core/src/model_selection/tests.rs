use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// Each row tested once, by a fold that does not train with it.
fn assert_partition(folds: &[Fold], rows: usize) {
    let mut tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
    tested.sort_unstable();
    assert!(tested.iter().copied().eq(0..rows), "{tested:?}");
    for fold in folds {
        let mut all = [fold.train.clone(), fold.test.clone()].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..rows) && fold.train.is_sorted() && fold.test.is_sorted());
    }
}

#[test]
fn shuffled_folds_are_other_rows_of_the_same_sizes() {
    let k_fold = KFold { n_splits: 3 };
    let all = |folds: Result<Folds, KFoldError>| folds.unwrap().collect::<Vec<_>>();
    let shuffled = all(k_fold.split_shuffled(10, &mut rng(0)));
    assert_partition(&shuffled, 10);
    assert_eq!(shuffled.iter().map(|fold| fold.test.len()).collect::<Vec<_>>(), [4, 3, 3]);
    assert_ne!(shuffled, all(k_fold.split(10)));
    assert_eq!(shuffled, all(k_fold.split_shuffled(10, &mut rng(0))));
    let classes = [vec![0; 12], vec![1; 6]].concat();
    let stratified = StratifiedKFold { n_splits: 3 };
    let shuffled = all(stratified.split_shuffled(&classes, &mut rng(0)));
    assert_partition(&shuffled, 18);
    assert_ne!(shuffled, all(stratified.split(&classes)));
    for fold in &shuffled {
        assert_eq!(fold.test.iter().filter(|row| classes[**row] == 1).count(), 2);
    }
}

#[test]
fn repeats_draw_anew_and_leaving_one_out_tests_each_alone() {
    let classes = [vec![0; 9], vec![1; 9]].concat();
    let repeated = RepeatedStratifiedKFold { n_splits: 3, n_repeats: 4 };
    let folds = repeated.split(&classes, &mut rng(1)).unwrap();
    assert_eq!(folds.len(), 12);
    let folds: Vec<Fold> = folds.collect();
    folds.chunks(3).for_each(|time| assert_partition(time, 18));
    assert_ne!(folds[..3], folds[3..6]);
    let folds: Vec<Fold> = LeaveOneOut.split(4).unwrap().collect();
    assert_partition(&folds, 4);
    assert!(folds.iter().enumerate().all(|(row, fold)| fold.test == [row]));
}

#[test]
fn folds_that_cannot_be_made_are_errors() {
    let error = KFold { n_splits: 1 }.split(9).unwrap_err();
    assert_eq!(error.to_string(), "n_splits must be at least 2, got 1");
    let error = KFold { n_splits: 4 }.split(3).unwrap_err();
    assert_eq!(error, KFoldError::MoreFoldsThanRows { n_splits: 4, rows: 3 });
    let error = StratifiedKFold { n_splits: 3 }.split(&[5, 5, 5, 7, 7, 5]).unwrap_err();
    assert_eq!(error, KFoldError::SmallClass { class: 7, rows: 2, n_splits: 3 });
    let error = GroupKFold { n_splits: 3 }.split(&[1, 1, 2, 2, 2]).unwrap_err();
    assert_eq!(error, KFoldError::TooFewGroups { n_splits: 3, groups: 2 });
    let error = RepeatedStratifiedKFold { n_splits: 2, n_repeats: 0 }.split(&[0, 0], &mut rng(0));
    assert_eq!(error.unwrap_err(), KFoldError::TooFew { key: "n_repeats", least: 1, got: 0 });
    assert!(matches!(LeaveOneOut.split(1), Err(KFoldError::TooFew { key: "rows", .. })));
    let series = TimeSeriesSplit { n_splits: 3, ..TimeSeriesSplit::default() };
    assert!(series.split(4).is_ok());
    for (bad, rows) in [
        (series, 3), // no row for a test
        (TimeSeriesSplit { gap: 1, ..series }, 4),
        (TimeSeriesSplit { test_size: Some(usize::MAX), ..series }, 9),
        (TimeSeriesSplit { gap: usize::MAX, ..series }, 9),
    ] {
        assert!(matches!(bad.split(rows), Err(KFoldError::ShortSeries { .. })), "{bad:?}");
    }
    assert!(TimeSeriesSplit { test_size: Some(0), ..series }.split(9).is_err());
    assert!(TimeSeriesSplit { max_train_size: Some(0), ..series }.split(9).is_err());
}

#[test]
fn scores_come_with_mean_and_deviation() {
    let folds = KFold { n_splits: 3 }.split(6).unwrap();
    let scores =
        cross_val_score(&folds, |fold| Ok::<f64, KFoldError>(fold.test[0] as f64)).unwrap();
    assert_eq!(scores.values, [0.0, 2.0, 4.0]);
    assert_eq!((scores.mean(), scores.std()), (Some(2.0), Some(2.0)));
    let named = |fold: &Fold| {
        Ok::<_, KFoldError>([("last", fold.test[1] as f64), ("first", fold.test[0] as f64)])
    };
    let scores = cross_validate(&folds, named).unwrap();
    assert_eq!(
        (&scores["first"].values[..], scores["last"].mean()),
        (&[0.0, 2.0, 4.0][..], Some(3.0))
    );
    let other = |fold: &Fold| {
        let name = if fold.test[0] == 4 { "b" } else { "a" };
        Ok::<_, KFoldError>([(name, 0.0)])
    };
    let error = cross_validate(&folds, other).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"fold 2 has the scores ["b"], fold 0 has ["a"]: expected the same names"#
    );
    let none = cross_val_score(&[] as &[Fold], |_| Ok::<f64, KFoldError>(0.0)).unwrap_err();
    assert_eq!(none, KFoldError::Nothing("folds"));
    let undefined = cross_val_score(&folds, |_| Ok::<f64, KFoldError>(f64::NAN)).unwrap();
    assert_eq!((undefined.mean(), undefined.std()), (None, None));
}

#[test]
fn the_first_error_ends_it() {
    let folds = KFold { n_splits: 3 }.split(6).unwrap();
    let mut calls = 0;
    let error = cross_val_score(&folds, |_| {
        calls += 1;
        if calls == 2 { Err(Box::<dyn std::error::Error>::from("no")) } else { Ok(0.0) }
    });
    assert_eq!((error.unwrap_err().to_string().as_str(), calls), ("no", 2));
}

#[test]
fn nested_folds_choose_by_rows_that_do_not_judge() {
    // A candidate scores its own number on rows of the first half, minus it on those of the second.
    let outer: Vec<Fold> = KFold { n_splits: 2 }.split(8).unwrap().collect();
    let mut trained: Vec<Fold> = Vec::new();
    let nested = nested_cross_validate(
        &outer,
        |rows| KFold { n_splits: 2 }.split(rows.len()),
        &[1.0, 3.0, 2.0],
        |candidate, fold| {
            trained.push(fold.clone());
            Ok::<f64, KFoldError>(if fold.test[0] < 4 { *candidate } else { -candidate })
        },
    )
    .unwrap();
    // The first outer fold chooses by rows 4 to 7, the second by rows 0 to 3.
    assert_eq!(nested.chosen, [0, 1]);
    assert_eq!(nested.scores.values, [1.0, -3.0]);
    assert_eq!(nested.inner_scores[0][2].values, [-2.0, -2.0]);
    assert_eq!(trained.len(), 2 * (3 * 2 + 1));
    assert_eq!(trained[0], Fold { train: vec![6, 7], test: vec![4, 5] });
    assert_eq!(trained[6], outer[0]);
    let score = |_: &f64, _: &Fold| Ok::<f64, KFoldError>(f64::NAN);
    let inner = |rows: &[usize]| KFold { n_splits: 2 }.split(rows.len());
    let error = nested_cross_validate(&outer, inner, &[1.0], score).unwrap_err();
    assert!(matches!(error, KFoldError::Score { candidate: 0, .. }), "{error}");
    let error = nested_cross_validate(&outer, inner, &[], score).unwrap_err();
    assert_eq!(error, KFoldError::Nothing("candidates"));
    let beyond = |_: &[usize]| KFold { n_splits: 2 }.split(8);
    let error = nested_cross_validate(&outer, beyond, &[1.0], score).unwrap_err();
    assert_eq!(error, KFoldError::NoSuchRow { row: 4, rows: 4 });
}

#[test]
fn folds_are_made_one_at_a_time() {
    let folds = LeaveOneOut.split(60_000).unwrap();
    assert_eq!(folds.len(), 60_000);
    let fold = folds.into_iter().nth(59_999).unwrap();
    assert_eq!((fold.test, fold.train.len()), (vec![59_999], 59_999));
    let folds = KFold { n_splits: 3 }.split(10).unwrap();
    let sizes = |folds: Folds| folds.map(|fold| fold.test.len()).collect::<Vec<_>>();
    assert_eq!((sizes(folds.clone()), sizes(folds)), (vec![4, 3, 3], vec![4, 3, 3]));
}

#[test]
fn rows_that_fit_in_no_memory_are_refused_before_it_is_taken() {
    let huge = [usize::MAX, 1 << 40];
    let too_many = |folds: Result<Folds, KFoldError>| {
        let error = folds.unwrap_err();
        assert!(matches!(error, KFoldError::TooManyRows { .. }), "{error}");
    };
    for rows in huge {
        too_many(KFold { n_splits: 2 }.split(rows));
        too_many(KFold { n_splits: rows }.split(rows));
        too_many(KFold { n_splits: 2 }.split_shuffled(rows, &mut rng(0)));
        too_many(LeaveOneOut.split(rows));
        too_many(TimeSeriesSplit { n_splits: 2, ..TimeSeriesSplit::default() }.split(rows));
        let repeated = RepeatedStratifiedKFold { n_splits: 2, n_repeats: rows };
        too_many(repeated.split(&[0, 0, 1, 1], &mut rng(0)));
        let groups = GroupKFold { n_splits: rows }.split(&[0, 1]);
        assert!(matches!(groups, Err(KFoldError::TooFewGroups { .. })));
        let stratified = StratifiedKFold { n_splits: rows }.split(&[0, 1]);
        assert!(matches!(stratified, Err(KFoldError::MoreFoldsThanRows { .. })));
    }
    let series = TimeSeriesSplit { n_splits: usize::MAX, ..TimeSeriesSplit::default() };
    assert!(matches!(series.split(usize::MAX), Err(KFoldError::TooManyRows { .. })));
}
