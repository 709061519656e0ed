"""Writes metrics.json: what scikit-learn and SciPy score the rows that tests/metrics.rs uses.

Scores that neither has (expected calibration error, FPR at 95 % TPR, reciprocal ranks and n-grams) are
written out below from their definitions, apart from our code. What is undefined is null.

    pip install numpy scipy scikit-learn
    python core/tests/reference/metrics.py
"""

import itertools
import json
import math
import re
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from scipy import spatial, stats
from sklearn import metrics

warnings.simplefilter("ignore")
rng = np.random.default_rng(11)


def plain(value):
    """For JSON: no NumPy types, no NaN; infinity as a string."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if isinstance(value, (float, np.floating)):
        value = float(value)
        return None if math.isnan(value) else "inf" if math.isinf(value) else value
    return value.item() if isinstance(value, np.generic) else value


def averaged(truth, predicted, beta, average, zero_division):
    """Precision, recall and F-beta; null where no class that has a value has any weight.

    There scikit-learn falls back on the mean without weights, which nobody asked for.
    """
    f = metrics.precision_recall_fscore_support
    scores = f(truth, predicted, beta=beta, average=average, zero_division=zero_division)[:3]
    if average != "weighted":
        return scores
    *of_classes, support = f(truth, predicted, beta=beta, zero_division=zero_division)
    weighs = [np.any(support[~np.isnan(values)] > 0) for values in of_classes]
    return [score if has_weight else None for score, has_weight in zip(scores, weighs)]


def classes(truth, predicted):
    count = max(*truth, *predicted) + 1
    averages = ["micro", "macro", "weighted"]
    scores = []
    for zero_division, average in itertools.product([0, 1, np.nan], averages):
        common = {"average": average, "zero_division": zero_division}
        for beta in [1.0, 0.5, 2.0]:
            precision, recall, f_beta = averaged(truth, predicted, beta, **common)
            scores.append({**common, "beta": beta, "precision": precision, "recall": recall, "f": f_beta})
    of_classes = []
    for zero_division in [0, 1, np.nan]:
        labels = list(range(count))
        f = metrics.precision_recall_fscore_support
        precision, recall, f1, support = f(truth, predicted, labels=labels, zero_division=zero_division)
        of_classes.append({
            "zero_division": zero_division, "precision": precision, "recall": recall, "f1": f1,
            "support": support,
        })
    jaccard = [
        {"average": average, "zero_division": z,
         "jaccard": metrics.jaccard_score(truth, predicted, average=average, zero_division=z)}
        for z, average in itertools.product([0, 1], averages)
    ]
    report = metrics.classification_report(truth, predicted, zero_division=0)
    # Where no row is right scikit-learn writes the counts as 3.0.
    report = re.sub(r"\.0$", "", re.sub(r"( \d+\.0)$", r"  \1", report, flags=re.M), flags=re.M)
    mcc_defined = len(set(truth)) > 1 and len(set(predicted)) > 1
    return {
        "truth": truth,
        "predicted": predicted,
        "matrix": metrics.confusion_matrix(truth, predicted, labels=range(count)),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(truth, predicted),
        "mcc": metrics.matthews_corrcoef(truth, predicted) if mcc_defined else None,
        "scores": scores,
        "of_classes": of_classes,
        "jaccard": jaccard,
        "report": report,
    }


def fpr_at_tpr(truth, scores, level):
    positives, negatives = sum(truth), len(truth) - sum(truth)
    rates = []
    for threshold in set(scores):
        taken = [t for t, s in zip(truth, scores) if s >= threshold]
        if sum(taken) / positives >= level:
            rates.append((len(taken) - sum(taken)) / negatives)
    return min(rates)


def binary(truth, scores):
    truth, scores = [int(t) for t in truth], [float(s) for s in scores]
    both, positives = len(set(truth)) == 2, any(truth)
    roc = metrics.roc_curve(truth, scores) if both else None
    curve = metrics.precision_recall_curve(truth, scores) if positives else None
    return {
        "truth": truth,
        "scores": scores,
        "roc_auc": metrics.roc_auc_score(truth, scores),
        "average_precision": metrics.average_precision_score(truth, scores) if positives else None,
        "fpr_at_95_tpr": fpr_at_tpr(truth, scores, 0.95) if both else None,
        "roc": roc,
        "precision_recall": curve,
    }


def calibration_error(truth, probabilities, bins):
    """Guo et al. (2017), equation 3, bin by bin."""
    confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    error = 0.0
    for m in range(1, bins + 1):
        low, high = (m - 1) / bins, m / bins
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            right = (predicted[inside] == np.array(truth)[inside]).mean()
            error += inside.mean() * abs(right - confidence[inside].mean())
    return error


def binary_probabilities(truth, probabilities):
    both = np.column_stack([1 - np.array(probabilities), probabilities])
    return {
        "truth": truth,
        "probabilities": probabilities,
        "log_loss": metrics.log_loss(truth, y_proba=probabilities, labels=[0, 1]),
        # Of one class only scikit-learn takes that class for the positive one.
        "brier": metrics.brier_score_loss(truth, probabilities, pos_label=1),
        "calibration_error": [calibration_error(truth, both, bins) for bins in [1, 10, 15]],
    }


def multiclass_probabilities(truth, probabilities):
    p = np.array(probabilities)
    labels = list(range(p.shape[1]))
    one_hot = np.eye(len(labels), dtype=int)[truth]
    auc = lambda average: metrics.roc_auc_score(one_hot, p, average=average)
    ap = lambda average: metrics.average_precision_score(one_hot, p, average=average)
    every = one_hot.any(axis=0).all()
    if len(labels) > 2:
        one_vs_rest = metrics.roc_auc_score(truth, p, multi_class="ovr", labels=labels)
    return {
        "truth": truth,
        "classes": len(labels),
        "probabilities": p.ravel(),
        "log_loss": metrics.log_loss(truth, y_proba=p, labels=labels),
        "brier": metrics.brier_score_loss(truth, p, labels=labels),
        "calibration_error": [calibration_error(truth, p, bins) for bins in [1, 10, 15]],
        "roc_auc": {
            "micro": auc("micro"),
            "macro": one_vs_rest if len(labels) > 2 else auc("macro"),
            "weighted": auc("weighted"),
        },
        "average_precision": {
            "micro": ap("micro"), "macro": ap("macro") if every else None, "weighted": ap("weighted"),
        },
    }


def regression(truth, predicted):
    constant = len(set(truth)) == 1
    correlates = not constant and len(set(predicted)) > 1
    return {
        "truth": truth,
        "predicted": predicted,
        "mse": metrics.mean_squared_error(truth, predicted),
        "rmse": metrics.root_mean_squared_error(truth, predicted),
        "mae": metrics.mean_absolute_error(truth, predicted),
        "r2": None if constant else metrics.r2_score(truth, predicted),
        "pearson": stats.pearsonr(truth, predicted).statistic if correlates else None,
    }


def reciprocal_rank(relevance, scores):
    """The mean over all orders that the scores allow."""
    ranks = []
    for order in itertools.permutations(range(len(scores))):
        if all(scores[a] >= scores[b] for a, b in zip(order, order[1:])):
            ranks.append(next((1 / (i + 1) for i, d in enumerate(order) if relevance[d] > 0), 0.0))
    return np.mean(ranks)


def retrieval(relevance, scores):
    def average_precision(r, s):
        relevant = [int(x > 0) for x in r]
        return metrics.average_precision_score(relevant, s) if any(relevant) else 0.0

    ndcg = lambda k: np.mean([metrics.ndcg_score([r], [s], k=k) for r, s in zip(relevance, scores)])
    return {
        "relevance": relevance,
        "scores": scores,
        "ndcg": [{"k": k, "score": ndcg(k)} for k in [None, 1, 2, 3, 100]],
        "mrr": np.mean([reciprocal_rank(r, s) for r, s in zip(relevance, scores)]),
        "map": np.mean([average_precision(r, s) for r, s in zip(relevance, scores)]),
    }


def vectors(a, b):
    return {
        "a": a,
        "b": b,
        "cosine": 1 - spatial.distance.cosine(a, b),
        "euclidean": spatial.distance.euclidean(a, b),
        "manhattan": spatial.distance.cityblock(a, b),
        "jaccard": len(set(a) & set(b)) / len(set(a) | set(b)),
    }


def texts(a, b, n):
    of_a, of_b = (Counter(t[i:i + n] for i in range(len(t) - n + 1)) for t in (a, b))
    return {"a": a, "b": b, "n": n, "dice": 2 * (of_a & of_b).total() / (of_a.total() + of_b.total())}


def probabilities(rows, count):
    return (rng.dirichlet(np.full(count, 0.7), rows)).tolist()


rows = 60
noisy = lambda count: [(t, t if rng.random() < 0.6 else int(rng.integers(count))) for t in rng.integers(count, size=rows).tolist()]
truth = rng.integers(2, size=rows)
reference = {
    "classes": [
        classes([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1]),
        classes([0, 1, 1, 0], [0, 1, 1, 0]),
        classes([1, 1, 1], [1, 1, 1]),  # one class
        classes([0, 0, 0], [1, 1, 1]),  # never right
        classes([0, 1, 1], [0, 0, 0]),  # one class is never predicted
        classes([0, 0, 1], [0, 2, 2]),  # one is never true
        classes([0, 4, 4, 7], [0, 4, 7, 9]),  # some do not occur at all
        classes([3], [3]),
        classes(*map(list, zip(*noisy(5)))),
        classes(*map(list, zip(*noisy(2)))),
    ],
    "binary": [
        binary([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]),
        binary(truth, rng.normal(truth, 1.5)),
        binary(truth, np.round(rng.normal(truth, 1.0))),  # ties
        binary([0, 1, 0, 1, 1], [0.5] * 5),  # nothing but ties
        binary([1] * 20 + [0] * 20, list(range(20)) * 2),
        binary([1, 0], [-1e300, 1e300]),
        binary([0, 0, 0], [0.1, 0.2, 0.3]),  # one class
        binary([1, 1, 1], [0.1, 0.2, 0.2]),
        binary([1], [0.3]),
    ],
    "binary_probabilities": [
        binary_probabilities([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.3]),
        binary_probabilities([0, 1, 1, 0], [0.0, 1.0, 0.0, 1.0]),  # certain, also where wrong
        binary_probabilities([1, 0], [0.5, 0.5]),
        binary_probabilities([0], [0.25]),
        binary_probabilities([1, 1], [0.7, 1.0]),
        binary_probabilities(truth.tolist(), np.round(rng.uniform(size=rows), 1).tolist()),
    ],
    "multiclass_probabilities": [
        multiclass_probabilities([0, 1, 2, 1], [[1.0, 0.0, 0.0], [0.25, 0.5, 0.25], [0.5, 0.5, 0.0], [0.0, 0.25, 0.75]]),
        multiclass_probabilities(rng.integers(4, size=rows).tolist(), probabilities(rows, 4)),
        multiclass_probabilities(rng.integers(3, size=rows).tolist(), probabilities(rows, 5)),  # absent
        multiclass_probabilities(rng.integers(2, size=rows).tolist(), probabilities(rows, 2)),
    ],
    "regression": [
        regression([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]),
        regression([1.0, 2.0, 3.0], [2.0, 2.0, 2.0]),  # a constant prediction
        regression([0.1, 0.1, 0.1], [0.1, 0.2, 0.3]),  # a constant target
        regression([4.0], [5.0]),
        regression(rng.normal(1e6, 1.0, rows).tolist(), rng.normal(1e6, 1.0, rows).tolist()),
    ],
    "retrieval": [
        retrieval([[10, 0, 0, 1, 5]], [[0.1, 0.2, 0.3, 4, 70]]),
        retrieval([[10, 0, 0, 1, 5], [1, 1, 0]], [[1, 0, 0, 0, 1], [0.5, 0.5, 0.5]]),  # ties
        retrieval([[0, 0, 0], [0, 0, 2]], [[3, 2, 1], [3, 2, 1]]),  # nothing relevant
        retrieval(rng.integers(4, size=(6, 7)).tolist(), rng.integers(4, size=(6, 7)).tolist()),
    ],
    "vectors": [
        vectors([1.0, 2.0, 3.0], [-2.0, 0.5, 3.0]),
        vectors([1.0, 0.0], [0.0, 1.0]),
        vectors([2.0], [5.0]),
        vectors(rng.integers(-3, 4, size=30).tolist(), rng.integers(-3, 4, size=30).tolist()),
    ],
    "texts": [
        texts("night", "nacht", 2),
        texts("aaaa", "aa", 2),
        texts("Größe", "größer", 3),
        texts("to be or not to be", "not to be or to be", 3),
        texts("abc", "xyz", 1),
        texts("", "abc", 1),
    ],
}
path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps(plain(reference), ensure_ascii=False) + "\n")
