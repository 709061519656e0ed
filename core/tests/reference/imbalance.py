"""Writes imbalance.json: what imbalanced-learn and scikit-learn make of rows that tests/imbalance.rs uses.

The effective number of samples is Cui et al.'s own code (class_balanced_loss.py); thresholds are found by
trying every one. Borderline rows are those that imbalanced-learn's BorderlineSMOTE starts from.

    pip install numpy scikit-learn imbalanced-learn
    python core/tests/reference/imbalance.py
"""

import json
from pathlib import Path

import numpy as np
from imblearn.over_sampling import BorderlineSMOTE
from imblearn.under_sampling import TomekLinks
from sklearn import metrics
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.class_weight import compute_class_weight

rng = np.random.default_rng(5)


def blobs(counts, width):
    rows = [rng.normal(scale=1.0, size=(n, width)) + c for c, n in enumerate(counts)]
    order = rng.permutation(sum(counts))
    classes = np.repeat(np.arange(len(counts)), counts)[order]
    return np.concatenate(rows)[order].astype(np.float32).round(4), classes


def tomek():
    cases = []
    for counts, width in [([60, 25], 2), ([40, 15, 30], 3)]:
        inputs, classes = blobs(counts, width)
        cleaner = TomekLinks()
        cleaner.fit_resample(inputs, classes)
        nearest = NearestNeighbors(n_neighbors=2).fit(inputs).kneighbors(inputs, return_distance=False)[:, 1]
        is_link = TomekLinks.is_tomek(classes, nearest, np.unique(classes))
        links = sorted({tuple(sorted((int(i), int(nearest[i])))) for i in np.flatnonzero(is_link)})
        cases.append(
            {
                "inputs": [float(x) for x in inputs.ravel()],
                "width": width,
                "classes": classes.tolist(),
                "links": links,
                "kept": sorted(int(i) for i in cleaner.sample_indices_),
            }
        )
    return cases


def border():
    inputs, classes = blobs([60, 20], 2)
    smote = BorderlineSMOTE(m_neighbors=10, k_neighbors=5, kind="borderline-1")
    around = NearestNeighbors(n_neighbors=11).fit(inputs)
    rare = np.flatnonzero(classes == 1)
    danger = smote._in_danger_noise(around, inputs[rare], 1, classes, kind="danger")
    nearest = NearestNeighbors(n_neighbors=6).fit(inputs[rare])
    return {
        "inputs": [float(x) for x in inputs.ravel()],
        "classes": classes.tolist(),
        "border": rare[danger].tolist(),
        "neighbors": {
            int(row): rare[nearest.kneighbors([inputs[row]], return_distance=False)[0, 1:]].tolist() for row in rare
        },
    }


def weights():
    cases = []
    for counts in [[90, 10], [5, 500, 50], [1, 1, 1, 997]]:
        classes = np.repeat(np.arange(len(counts)), counts)
        balanced = compute_class_weight("balanced", classes=np.arange(len(counts)), y=classes)
        effective = []
        for beta in [0.0, 0.9, 0.99, 0.999, 0.9999]:
            effective_num = 1.0 - np.power(beta, counts)
            w = (1.0 - beta) / np.array(effective_num)
            effective.append({"beta": beta, "weights": (w / np.sum(w) * len(counts)).tolist()})
        cases.append({"counts": counts, "balanced": balanced.tolist(), "effective": effective})
    return cases


def thresholds():
    cases = []
    for n, rare, digits in [(40, 0.2, 6), (60, 0.4, 1)]:  # the second with ties
        truth = (rng.random(n) < rare).astype(int)
        scores = np.clip(rng.normal(0.35 + 0.2 * truth, 0.2), 0.0, 1.0).round(digits)
        costs = np.array([[0.0, 1.0], [4.0, -0.5]])  # truth by decision

        def best(score):
            return max(score(truth, (scores >= t).astype(int)) for t in [*np.unique(scores), np.inf])

        def cost(truth, found):
            return -float(np.mean(costs[truth, found]))

        cases.append(
            {
                "truth": truth.tolist(),
                "scores": scores.tolist(),
                "f1": best(lambda t, f: metrics.f1_score(t, f, zero_division=0.0)),
                "f2": best(lambda t, f: metrics.fbeta_score(t, f, beta=2.0, zero_division=0.0)),
                "balanced_accuracy": best(metrics.balanced_accuracy_score),
                "costs": costs.ravel().tolist(),
                "cost": -best(cost),
            }
        )
    return cases


result = {"tomek": tomek(), "border": border(), "weights": weights(), "thresholds": thresholds()}
Path(__file__).with_suffix(".json").write_text(json.dumps(result) + "\n")
