//! Holds the metrics against scikit-learn and SciPy; `tests/reference/metrics.py` made the values.
//!
//! Rows come in uneven batches, so every score here is also one over batches.

use std::fmt::Debug;

use gymnast_core::metrics::{
    Average, BinaryScores, ConfusionMatrix, MetricError, Probabilities, Regression, Retrieval,
    ZeroDivision, accuracy_score, average_precision_score, balanced_accuracy_score,
    brier_score_loss, classification_report, confusion_matrix, cosine_similarity,
    euclidean_distance, expected_calibration_error, f1_score, fbeta_score, fpr_at_tpr,
    jaccard_score, jaccard_similarity, log_loss, manhattan_distance, matthews_corrcoef,
    mean_absolute_error, mean_average_precision, mean_reciprocal_rank, mean_squared_error,
    multiclass_average_precision_score, multiclass_brier_score_loss,
    multiclass_expected_calibration_error, multiclass_log_loss, multiclass_roc_auc_score,
    n_gram_similarity, ndcg_score, pearson_correlation, precision_recall_curve, precision_score,
    r2_score, recall_score, roc_auc_score, roc_curve, root_mean_squared_error,
};
use serde_json::Value;

fn cases(kind: &str) -> Vec<Value> {
    let text = include_str!("reference/metrics.json");
    let mut reference: Value = serde_json::from_str(text).unwrap();
    match reference[kind].take() {
        Value::Array(cases) if !cases.is_empty() => cases,
        other => panic!("{kind} is {other}"),
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn number(value: &Value) -> f64 {
    if value == "inf" { f64::INFINITY } else { value.as_f64().unwrap() }
}

fn numbers(value: &Value) -> Vec<f64> {
    list(value).iter().map(number).collect()
}

fn classes(value: &Value) -> Vec<usize> {
    list(value).iter().map(|class| class.as_u64().unwrap() as usize).collect()
}

fn average(value: &Value) -> Average {
    match value.as_str().unwrap() {
        "micro" => Average::Micro,
        "macro" => Average::Macro,
        "weighted" => Average::Weighted,
        other => panic!("{other}"),
    }
}

fn zero_division(value: &Value) -> ZeroDivision {
    match value.as_u64() {
        Some(0) => ZeroDivision::Zero,
        Some(1) => ZeroDivision::One,
        _ => ZeroDivision::Undefined,
    }
}

#[track_caller]
fn assert_close(ours: f64, theirs: f64) {
    let close = ours == theirs || (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0);
    assert!(close, "{ours} is not {theirs}");
}

/// The same number, or undefined where theirs is null.
#[track_caller]
fn assert_score(ours: Result<f64, MetricError>, theirs: &Value) {
    if theirs.is_null() {
        assert!(matches!(ours, Err(MetricError::Undefined { .. })), "{ours:?} is defined");
    } else {
        assert_close(ours.unwrap(), number(theirs));
    }
}

/// All in batches of 1, 2, 3, … rows, of `width` predictions each.
fn in_batches<T, P, E: Debug>(
    truth: &[T],
    predicted: &[P],
    width: usize,
    mut update: impl FnMut(&[T], &[P]) -> Result<(), E>,
) {
    let (mut start, mut size) = (0, 1);
    while start < truth.len() {
        let end = (start + size).min(truth.len());
        update(&truth[start..end], &predicted[start * width..end * width]).unwrap();
        (start, size) = (end, size + 1);
    }
}

#[test]
fn classes_are_scored_as_by_scikit_learn() {
    for case in cases("classes") {
        let (truth, predicted) = (classes(&case["truth"]), classes(&case["predicted"]));
        let count = list(&case["matrix"]).len();
        let mut matrix = ConfusionMatrix::new(count).unwrap();
        in_batches(&truth, &predicted, 1, |t, p| matrix.update(t, p));
        let cells: Vec<usize> = list(&case["matrix"]).iter().flat_map(classes).collect();
        assert!(matrix.counts().iter().map(|&count| count as usize).eq(cells));
        assert_eq!(confusion_matrix(&truth, &predicted, count).unwrap(), matrix);
        let one_call = (
            accuracy_score(&truth, &predicted),
            balanced_accuracy_score(&truth, &predicted),
            matthews_corrcoef(&truth, &predicted),
        );
        assert_eq!(one_call, (matrix.accuracy(), matrix.balanced_accuracy(), matrix.mcc()));
        assert_score(matrix.accuracy(), &case["accuracy"]);
        assert_score(matrix.balanced_accuracy(), &case["balanced_accuracy"]);
        assert_score(matrix.mcc(), &case["mcc"]);
        for theirs in list(&case["scores"]) {
            let (average, zero) =
                (average(&theirs["average"]), zero_division(&theirs["zero_division"]));
            let beta = number(&theirs["beta"]);
            let (t, p) = (&truth[..], &predicted[..]);
            assert_eq!(precision_score(t, p, average, zero), matrix.precision(average, zero));
            assert_eq!(recall_score(t, p, average, zero), matrix.recall(average, zero));
            assert_eq!(fbeta_score(t, p, beta, average, zero), matrix.fbeta(beta, average, zero));
            assert_eq!(f1_score(t, p, average, zero), matrix.f1(average, zero));
            assert_score(matrix.precision(average, zero), &theirs["precision"]);
            assert_score(matrix.recall(average, zero), &theirs["recall"]);
            assert_score(matrix.fbeta(beta, average, zero), &theirs["f"]);
        }
        for theirs in list(&case["jaccard"]) {
            let (average, zero) =
                (average(&theirs["average"]), zero_division(&theirs["zero_division"]));
            assert_score(matrix.jaccard(average, zero), &theirs["jaccard"]);
            assert_score(jaccard_score(&truth, &predicted, average, zero), &theirs["jaccard"]);
        }
    }
}

#[test]
fn single_classes_and_the_report_are_scikit_learns() {
    for case in cases("classes") {
        let (truth, predicted) = (classes(&case["truth"]), classes(&case["predicted"]));
        let count = list(&case["matrix"]).len();
        let matrix = confusion_matrix(&truth, &predicted, count).unwrap();
        for theirs in list(&case["of_classes"]) {
            let zero = zero_division(&theirs["zero_division"]);
            let report = matrix.report(zero).unwrap();
            for class in 0..count {
                let of = Average::Class(class);
                assert_score(matrix.precision(of, zero), &theirs["precision"][class]);
                assert_score(matrix.recall(of, zero), &theirs["recall"][class]);
                assert_score(matrix.f1(of, zero), &theirs["f1"][class]);
                let support = number(&theirs["support"][class]) as u64;
                let Some(row) = report.classes.iter().find(|row| row.class == class) else {
                    assert!(support == 0 && !predicted.contains(&class));
                    continue;
                };
                assert_eq!(row.support, support);
                assert_eq!(row.precision, matrix.precision(of, zero).ok());
                assert_eq!(row.recall, matrix.recall(of, zero).ok());
                assert_eq!(row.f1, matrix.f1(of, zero).ok());
            }
        }
        let report = classification_report(&truth, &predicted, ZeroDivision::Zero).unwrap();
        assert_eq!(report.to_string(), case["report"].as_str().unwrap());
        assert_eq!(report, matrix.report(ZeroDivision::Zero).unwrap());
    }
}

#[test]
fn rankings_are_scored_as_by_scikit_learn() {
    for case in cases("binary") {
        let (truth, scores) = (classes(&case["truth"]), numbers(&case["scores"]));
        let mut rows = BinaryScores::new();
        in_batches(&truth, &scores, 1, |t, s| rows.update(t, s));
        assert_score(rows.roc_auc(), &case["roc_auc"]);
        assert_score(rows.average_precision(), &case["average_precision"]);
        assert_score(rows.fpr_at_tpr(0.95), &case["fpr_at_95_tpr"]);
        assert_eq!(roc_auc_score(&truth, &scores), rows.roc_auc());
        assert_eq!(average_precision_score(&truth, &scores), rows.average_precision());
        assert_eq!(fpr_at_tpr(&truth, &scores, 0.95), rows.fpr_at_tpr(0.95));
        let assert_points = |ours: [&[f64]; 3], theirs: &Value| {
            for (ours, theirs) in ours.into_iter().zip(list(theirs)) {
                assert_eq!(ours.len(), list(theirs).len());
                ours.iter().zip(numbers(theirs)).for_each(|(&o, t)| assert_close(o, t));
            }
        };
        assert_eq!(roc_curve(&truth, &scores), rows.roc_curve());
        match rows.roc_curve() {
            Ok(curve) => assert_points(
                [&curve.false_positive_rate, &curve.true_positive_rate, &curve.thresholds],
                &case["roc"],
            ),
            Err(error) => assert!(case["roc"].is_null(), "{error}"),
        }
        assert_eq!(precision_recall_curve(&truth, &scores), rows.precision_recall_curve());
        match rows.precision_recall_curve() {
            Ok(curve) => assert_points(
                [&curve.precision, &curve.recall, &curve.thresholds],
                &case["precision_recall"],
            ),
            Err(error) => assert!(case["precision_recall"].is_null(), "{error}"),
        }
    }
}

#[test]
fn probabilities_of_two_classes_are_scored_as_by_scikit_learn() {
    for case in cases("binary_probabilities") {
        let (truth, p) = (classes(&case["truth"]), numbers(&case["probabilities"]));
        let mut rows = Probabilities::binary();
        in_batches(&truth, &p, 1, |t, p| rows.update(t, p));
        assert_score(rows.log_loss(), &case["log_loss"]);
        assert_score(rows.brier(), &case["brier"]);
        assert_eq!(log_loss(&truth, &p), rows.log_loss());
        assert_eq!(brier_score_loss(&truth, &p), rows.brier());
        for (bins, theirs) in [1, 10, 15].into_iter().zip(list(&case["calibration_error"])) {
            assert_score(rows.expected_calibration_error(bins), theirs);
            assert_score(expected_calibration_error(&truth, &p, bins), theirs);
        }
    }
}

#[test]
fn probabilities_of_many_classes_are_scored_as_by_scikit_learn() {
    for case in cases("multiclass_probabilities") {
        let (truth, p) = (classes(&case["truth"]), numbers(&case["probabilities"]));
        let count = case["classes"].as_u64().unwrap() as usize;
        let mut rows = Probabilities::new(count).unwrap();
        in_batches(&truth, &p, count, |t, p| rows.update(t, p));
        assert_score(rows.log_loss(), &case["log_loss"]);
        assert_score(rows.brier(), &case["brier"]);
        assert_eq!(multiclass_log_loss(&truth, &p, count), rows.log_loss());
        assert_eq!(multiclass_brier_score_loss(&truth, &p, count), rows.brier());
        for (bins, theirs) in [1, 10, 15].into_iter().zip(list(&case["calibration_error"])) {
            assert_score(rows.expected_calibration_error(bins), theirs);
            assert_score(multiclass_expected_calibration_error(&truth, &p, count, bins), theirs);
        }
        for name in ["micro", "macro", "weighted"] {
            let of = average(&Value::from(name));
            assert_score(rows.roc_auc(of), &case["roc_auc"][name]);
            assert_score(rows.average_precision(of), &case["average_precision"][name]);
            assert_eq!(multiclass_roc_auc_score(&truth, &p, count, of), rows.roc_auc(of));
            assert_eq!(
                multiclass_average_precision_score(&truth, &p, count, of),
                rows.average_precision(of)
            );
        }
    }
}

#[test]
fn regressions_are_scored_as_by_scikit_learn() {
    for case in cases("regression") {
        let (truth, predicted) = (numbers(&case["truth"]), numbers(&case["predicted"]));
        let mut rows = Regression::new();
        in_batches(&truth, &predicted, 1, |t, p| rows.update(t, p));
        assert_score(rows.mse(), &case["mse"]);
        assert_score(rows.rmse(), &case["rmse"]);
        assert_score(rows.mae(), &case["mae"]);
        assert_score(rows.r2(), &case["r2"]);
        assert_score(rows.pearson(), &case["pearson"]);
        assert_eq!(mean_squared_error(&truth, &predicted), rows.mse());
        assert_eq!(root_mean_squared_error(&truth, &predicted), rows.rmse());
        assert_eq!(mean_absolute_error(&truth, &predicted), rows.mae());
        assert_eq!(r2_score(&truth, &predicted), rows.r2());
        assert_eq!(pearson_correlation(&truth, &predicted), rows.pearson());
    }
}

#[test]
fn rankings_of_documents_are_scored_as_by_scikit_learn() {
    for case in cases("retrieval") {
        let relevance: Vec<_> = list(&case["relevance"]).iter().map(numbers).collect();
        let scores: Vec<_> = list(&case["scores"]).iter().map(numbers).collect();
        let mut queries = Retrieval::new();
        for (relevance, scores) in relevance.iter().zip(&scores) {
            queries.update(relevance, scores).unwrap();
        }
        let zero = ZeroDivision::Zero;
        for theirs in list(&case["ndcg"]) {
            let k = theirs["k"].as_u64().map(|k| k as usize);
            assert_score(queries.ndcg(k, zero), &theirs["score"]);
            assert_eq!(ndcg_score(&relevance, &scores, k, zero), queries.ndcg(k, zero));
        }
        assert_score(queries.mrr(zero), &case["mrr"]);
        assert_score(queries.map(zero), &case["map"]);
        assert_eq!(mean_reciprocal_rank(&relevance, &scores, zero), queries.mrr(zero));
        assert_eq!(mean_average_precision(&relevance, &scores, zero), queries.map(zero));
    }
}

#[test]
fn similarities_are_scipys_and_their_definitions() {
    for case in cases("vectors") {
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        assert_score(cosine_similarity(&a, &b), &case["cosine"]);
        assert_score(euclidean_distance(&a, &b), &case["euclidean"]);
        assert_score(manhattan_distance(&a, &b), &case["manhattan"]);
        let whole =
            |numbers: &[f64]| -> Vec<i64> { numbers.iter().map(|&n| (2.0 * n) as i64).collect() };
        assert_score(jaccard_similarity(&whole(&a), &whole(&b)), &case["jaccard"]);
    }
    for case in cases("texts") {
        let (a, b) = (case["a"].as_str().unwrap(), case["b"].as_str().unwrap());
        let n = case["n"].as_u64().unwrap() as usize;
        assert_score(n_gram_similarity(a, b, n), &case["dice"]);
    }
}
