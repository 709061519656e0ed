//! `metrics`.

use gymnast_core::metrics::*;
use gymnast_core::plot::Picture as _;

use super::finite;
use crate::source::Source;

fn average(source: &mut Source) -> Average {
    let class = source.count();
    source.pick(&[Average::Micro, Average::Macro, Average::Weighted, Average::Class(class)])
}

fn zero_division(source: &mut Source) -> ZeroDivision {
    source.pick(&[ZeroDivision::Zero, ZeroDivision::One, ZeroDivision::Undefined])
}

pub(super) fn classification(source: &mut Source) {
    let rows = source.length();
    let truth = source.classes(rows);
    let rows = source.about(rows);
    let predicted = source.classes(rows);
    let (average, zero, beta) = (average(source), zero_division(source), source.number());
    finite("accuracy", accuracy_score(&truth, &predicted));
    finite("balanced accuracy", balanced_accuracy_score(&truth, &predicted));
    finite("precision", precision_score(&truth, &predicted, average, zero));
    finite("recall", recall_score(&truth, &predicted, average, zero));
    finite("f1", f1_score(&truth, &predicted, average, zero));
    finite("fbeta", fbeta_score(&truth, &predicted, beta, average, zero));
    finite("jaccard", jaccard_score(&truth, &predicted, average, zero));
    finite("mcc", matthews_corrcoef(&truth, &predicted));
    if let Ok(report) = classification_report(&truth, &predicted, zero) {
        let _ = report.to_string();
    }
    let classes = source.count();
    let _ = confusion_matrix(&truth, &predicted, classes);
    let names = source.length();
    let names = source.texts(names);
    for matrix in [ConfusionMatrix::new(classes), ConfusionMatrix::with_names(names)] {
        let Ok(mut matrix) = matrix else { continue };
        let _ = matrix.update(&truth, &predicted);
        for score in [
            matrix.precision(average, zero),
            matrix.recall(average, zero),
            matrix.f1(average, zero),
            matrix.fbeta(beta, average, zero),
            matrix.jaccard(average, zero),
        ] {
            finite("a score of a matrix", score);
        }
        let normalize = source.pick(&[Normalize::Counts, Normalize::Truth, Normalize::All]);
        let _ = matrix.report(zero).map(|report| report.to_string());
        if matrix.classes() < 20 {
            let _ = (matrix.normalized(normalize), matrix.plot(normalize).to_svg());
        }
    }
    let groups = source.length();
    let groups = source.classes(groups);
    let mut subgroups = Subgroups::new(Regression::new());
    let numbers = source.f64s(rows);
    let _ = subgroups.update(&groups, &numbers, &numbers);
    let _ = subgroups.get(&0).map(Regression::r2);
    let _ = subgroups.report(&[]);
}

pub(super) fn probabilities(source: &mut Source) {
    let (rows, classes) = (source.length(), 1 + source.up_to(3));
    let truth = source.classes(rows);
    let scores = source.probabilities(rows, 1);
    let (level, bins, average) = (source.share(), source.count(), average(source));
    finite("roc auc", roc_auc_score(&truth, &scores));
    finite("average precision", average_precision_score(&truth, &scores));
    finite("fpr at tpr", fpr_at_tpr(&truth, &scores, level));
    finite("log loss", log_loss(&truth, &scores));
    finite("brier", brier_score_loss(&truth, &scores));
    finite("calibration", expected_calibration_error(&truth, &scores, bins));
    if let Ok(curve) = roc_curve(&truth, &scores) {
        let _ = curve.plot("rows").to_svg();
    }
    if let Ok(curve) = precision_recall_curve(&truth, &scores) {
        let _ = curve.plot("rows").to_svg();
    }
    let mut binary = BinaryScores::new();
    let _ = binary.update(&truth, &scores);
    finite("fpr at tpr", binary.fpr_at_tpr(level));
    let scores = source.probabilities(rows, classes);
    let classes = if source.one_in(5) { source.count() } else { classes };
    finite("log loss", multiclass_log_loss(&truth, &scores, classes));
    finite("brier", multiclass_brier_score_loss(&truth, &scores, classes));
    finite("roc auc", multiclass_roc_auc_score(&truth, &scores, classes, average));
    let precision = multiclass_average_precision_score(&truth, &scores, classes, average);
    finite("average precision", precision);
    let error = multiclass_expected_calibration_error(&truth, &scores, classes, bins);
    finite("calibration", error);
    let Ok(mut all) = Probabilities::new(classes) else { return };
    let _ = all.update(&truth, &scores);
    finite("roc auc", all.roc_auc(average));
    finite("average precision", all.average_precision(average));
    finite("calibration", all.expected_calibration_error(bins));
    if let Ok(calibration) = all.calibration(bins) {
        let _ = calibration.plot("rows").to_svg();
    }
}

pub(super) fn regression(source: &mut Source) {
    let rows = source.length();
    let truth = source.f64s(rows);
    let rows = source.about(rows);
    let predicted = source.f64s(rows);
    finite("mse", mean_squared_error(&truth, &predicted));
    finite("rmse", root_mean_squared_error(&truth, &predicted));
    finite("mae", mean_absolute_error(&truth, &predicted));
    finite("r2", r2_score(&truth, &predicted));
    if let Ok(correlation) = pearson_correlation(&truth, &predicted) {
        assert!(correlation.abs() <= 1.0 + 1e-9, "a correlation is {correlation}");
    }
    let mut sums = Regression::new();
    let _ = sums.update(&truth, &predicted);
    let _ = sums.update(&predicted, &truth);
    finite("r2", sums.r2());
    if let Ok(similarity) = cosine_similarity(&truth, &predicted) {
        assert!(similarity.abs() <= 1.0 + 1e-9, "a cosine is {similarity}");
    }
    finite("euclidean", euclidean_distance(&truth, &predicted));
    finite("manhattan", manhattan_distance(&truth, &predicted));
    let (first, second) = (source.classes(rows), source.classes(truth.len()));
    finite("jaccard", jaccard_similarity(&first, &second));
}

pub(super) fn retrieval(source: &mut Source) {
    let queries = source.up_to(4);
    let mut lists = || -> Vec<Vec<f64>> {
        let mut list = || {
            let length = source.length();
            source.f64s(length)
        };
        (0..queries).map(|_| list()).collect()
    };
    let (relevance, mut scores) = (lists(), lists());
    for (scores, relevance) in scores.iter_mut().zip(&relevance) {
        scores.resize(source.about(relevance.len()), 0.5);
    }
    let (k, zero) = (source.count(), zero_division(source));
    let k = (!source.one_in(4)).then_some(k);
    finite("ndcg", ndcg_score(&relevance, &scores, k, zero));
    finite("mrr", mean_reciprocal_rank(&relevance, &scores, zero));
    finite("map", mean_average_precision(&relevance, &scores, zero));
    let mut all = Retrieval::new();
    for (relevance, scores) in relevance.iter().zip(&scores) {
        let _ = all.update(relevance, scores);
    }
    finite("ndcg", all.ndcg(k, zero));
    finite("mrr", all.mrr(zero));
    finite("map", all.map(zero));
}

pub(super) fn sequences(source: &mut Source) {
    let (first, second) = (source.length(), source.length());
    let (first, second) = (source.classes(first), source.classes(second));
    assert!(edit_distance(&first, &second) <= first.len().max(second.len()));
    let (truth, found) = (vec![first.clone(), second.clone()], vec![second, first]);
    finite("token error rate", token_error_rate(&truth, &found));
    finite("sequence error rate", sequence_error_rate(&truth, &found[..source.up_to(2)]));
    let (a, b, n) = (source.text(), source.text(), source.count());
    finite("n-gram similarity", n_gram_similarity(&a, &b, n));
}
