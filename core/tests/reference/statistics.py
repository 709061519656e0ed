"""Writes statistics.json: what NumPy and SciPy make of the samples that tests/statistics.rs uses.

    pip install numpy scipy
    python core/tests/reference/statistics.py
"""

import itertools
import json
from pathlib import Path

import numpy as np
from scipy import integrate, stats

rng = np.random.default_rng(7)
samples = [
    [3.0],
    [1.0, 2.0],
    [475.0, 500.0, 491.0, 500.0, 322.0],
    rng.normal(0, 1e-6, 9).tolist(),
    rng.normal(-200, 50, 10).tolist(),
    rng.exponential(1e8, 37).tolist(),
    rng.integers(0, 4, 100).astype(float).tolist(),
]
levels = [0.0, 0.025, 0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9, 0.975, 1.0]


def summary(sample):
    return {
        "values": sample,
        "mean": np.mean(sample),
        "std": np.std(sample, ddof=1) if len(sample) > 1 else None,
        "median": np.median(sample),
        "iqm": stats.trim_mean(sample, 0.25),
        "quantiles": np.quantile(sample, levels).tolist(),
    }


def curve():
    x = np.cumsum(rng.uniform(0.1, 900, 25))
    y = rng.normal(100, 40, 25)
    grid = np.linspace(x[0], x[-1], 41)
    width = 777.0
    edges = np.arange(0, x[-1] + width, width)
    bins = np.digitize(x, edges, right=True)
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "area": integrate.trapezoid(y, x) / (x[-1] - x[0]),
        "grid": grid.tolist(),
        "interpolated": np.interp(grid, x, y).tolist(),
        "window": 6,
        "smoothed": np.convolve(y, np.ones(6) / 6, mode="valid").tolist(),
        "width": width,
        "counts": [int(np.sum(bins == b)) for b in range(1, len(edges))],
        "means": [np.mean(y[bins == b]) if np.any(bins == b) else None for b in range(1, len(edges))],
    }


def every_resample(stratum):
    return [list(drawn) for drawn in itertools.product(stratum, repeat=len(stratum))]


def aggregate(strata):
    """rliable's metrics on runs of tasks."""
    return {
        "mean": np.mean([np.mean(s) for s in strata]),
        "median": np.median([np.mean(s) for s in strata]),
        "iqm": stats.trim_mean(np.concatenate(strata), 0.25),
    }


def exact_bootstrap(strata, confidence):
    """Between what the ends of the percentile interval lie, from all resamples, each once.

    Random resamples share the ends' quantiles up to their own error, for which there is some room.
    """
    resamples = itertools.product(*(every_resample(s) for s in strata))
    statistics = [aggregate(resample) for resample in resamples]
    tail, room = (1 - confidence) / 2, 0.004
    intervals = {}
    for name, estimate in aggregate(strata).items():
        values = [s[name] for s in statistics]
        at = lambda level: np.quantile(values, level, method="inverted_cdf")
        low, high = [[at(end - room), at(end + room)] for end in (tail, 1 - tail)]
        intervals[name] = {"estimate": estimate, "low": low, "high": high}
    return {"strata": strata, "confidence": confidence, "intervals": intervals}


single = samples[2] * 2
scipy_interval = stats.bootstrap(
    (single,), np.mean, n_resamples=200_000, method="percentile", confidence_level=0.95, rng=1
).confidence_interval
seed_interval = {"values": single, "low": scipy_interval.low, "high": scipy_interval.high}

reference = {
    "levels": levels,
    "summaries": [summary(s) for s in samples],
    "curve": curve(),
    "bootstrap": [
        exact_bootstrap([[0.1, 0.45, 0.3, 0.97]], 0.9),
        exact_bootstrap([[0.1, 0.45, 0.3], [0.9, 0.62, 0.71]], 0.9),
        exact_bootstrap([[1.3, 5.1], [0.2, 0.25, 0.5], [2.0, 1.1]], 0.8),
    ],
    "scipy_bootstrap": seed_interval,
}
path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps(reference, indent=1) + "\n")
