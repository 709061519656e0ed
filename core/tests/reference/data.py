"""Writes data.json: the folds, scalers and imputers of scikit-learn, the images of PyTorch, for data.rs.

    pip install numpy scikit-learn==1.9.* torch
    python core/tests/reference/data.py
"""

import json
from pathlib import Path

import numpy as np
import torch
from sklearn import datasets, impute, model_selection, preprocessing
from torch.nn import functional

rng = np.random.default_rng(11)


def folds(splitter, rows, classes=None, groups=None):
    parts = splitter.split(np.zeros((rows, 1)), classes, groups)
    return [{"train": train.tolist(), "test": test.tolist()} for train, test in parts]


def k_folds():
    return [
        {"rows": rows, "n_splits": k, "folds": folds(model_selection.KFold(k), rows)}
        for rows, k in [(10, 3), (7, 7), (12, 4), (11, 2)]
    ]


def stratified():
    cases = [
        (rng.permutation([0] * 13 + [1] * 7 + [2] * 5), 3),
        (rng.permutation([4] * 6 + [1] * 31 + [9] * 4), 4),
        (np.array([2] * 5 + [0] * 7 + [1] * 6), 3),  # the greatest comes first
        (np.array([0, 1] * 9), 2),
    ]
    return [
        {
            "classes": classes.tolist(),
            "n_splits": k,
            "folds": folds(model_selection.StratifiedKFold(k), len(classes), classes),
        }
        for classes, k in cases
    ]


def grouped():
    cases = [
        (rng.integers(0, 7, 30), 3),
        (np.repeat([5, 2, 8, 1], 3), 2),  # groups of the same size
        (np.array([3, 3, 3, 3, 1, 1, 2, 7, 7, 7]), 4),
        (rng.integers(0, 20, 60), 5),
    ]
    return [
        {
            "groups": groups.tolist(),
            "n_splits": k,
            "folds": folds(model_selection.GroupKFold(k), len(groups), None, groups),
        }
        for groups, k in cases
    ]


def time_series():
    cases = [
        (13, {"n_splits": 3}),
        (20, {"n_splits": 4, "gap": 2}),
        (20, {"n_splits": 3, "test_size": 2, "max_train_size": 5}),
        (12, {"n_splits": 5, "test_size": 2, "gap": 1}),
    ]
    return [
        {"rows": rows, **settings, "folds": folds(model_selection.TimeSeriesSplit(**settings), rows)}
        for rows, settings in cases
    ]


def listed(table):
    """Row by row; a missing number is null."""
    return [None if np.isnan(x) else float(x) for x in np.ravel(table)]


def scaled():
    columns = [
        rng.normal(3, 2, 40),
        rng.exponential(1e4, 40),
        np.full(40, 7.1),
        rng.integers(0, 5, 40).astype(float),
        rng.normal(0, 1e-6, 40),
    ]
    table = np.stack(columns, 1).astype(np.float32).astype(float)
    table[rng.random(table.shape) < 0.1] = np.nan
    train = table[:30]
    scalers = {
        "standard": preprocessing.StandardScaler(),
        "min_max": preprocessing.MinMaxScaler(feature_range=(-1, 2)),
        "robust": preprocessing.RobustScaler(quantile_range=(10, 80)),
    }
    strategies = ["mean", "median", "most_frequent"]
    fitted = {s: impute.SimpleImputer(strategy=s).fit(train) for s in strategies}
    low, high = np.nanquantile(train, [0.05, 0.9], axis=0)
    return {
        "width": table.shape[1],
        "train_rows": len(train),
        "table": listed(table),
        "scaled": {name: listed(s.fit(train).transform(table)) for name, s in scalers.items()},
        "imputed": {s: listed(i.transform(table)) for s, i in fitted.items()},
        "clipped": listed(np.clip(table, low, high)),
    }


def rotated(image, degrees):
    """Counter-clockwise about the centre, zeros beyond."""
    height, width = image.shape[:2]
    angle = np.deg2rad(degrees)
    y, x = np.mgrid[:height, :width].astype(float)
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    source_x = x * np.cos(angle) - y * np.sin(angle)
    source_y = x * np.sin(angle) + y * np.cos(angle)
    grid = np.stack([source_x / ((width - 1) / 2), source_y / ((height - 1) / 2)], -1)
    channels_first = torch.tensor(image).permute(2, 0, 1)[None]
    out = functional.grid_sample(
        channels_first, torch.tensor(grid)[None], padding_mode="zeros", align_corners=True
    )
    return out[0].permute(1, 2, 0)


def images():
    image = rng.random((6, 9, 2)).astype(np.float32).astype(float)
    signal = rng.random(17).astype(np.float32).astype(float)
    middle, steps = 8, np.arange(17)
    stretched = {r: np.interp(middle + r * (steps - middle), steps, signal) for r in [0.7, 1.3]}
    return {
        "height": 6,
        "width": 9,
        "channels": 2,
        "image": listed(image),
        "rotated": [[d, listed(rotated(image, d).numpy())] for d in [30.0, -12.5, 200.0]],
        "signal": listed(signal),
        "stretched": [[rate, listed(values)] for rate, values in stretched.items()],
    }


def facts(data, class_names):
    return {
        "rows": len(data.target),
        "feature_names": [str(name) for name in data.feature_names],
        "class_names": [str(name) for name in class_names],
        "class_counts": np.bincount(data.target).tolist(),
        "column_sums": data.data.sum(0).tolist(),
        "row_100": data.data[100].tolist(),
    }


digits, cancer = datasets.load_digits(), datasets.load_breast_cancer()
reference = {
    "k_fold": k_folds(),
    "stratified": stratified(),
    "grouped": grouped(),
    "time_series": time_series(),
    "preprocessing": scaled(),
    "augmentation": images(),
    "digits": facts(digits, digits.target_names),
    "breast_cancer": facts(cancer, cancer.target_names),
}
path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps(reference) + "\n")
