"""Writes runs.json: what rliable and lifelines make of the runs that tests/statistics.rs uses.

    pip install rliable lifelines
    python core/tests/reference/runs.py
"""

import json
from pathlib import Path

import numpy as np
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times, restricted_mean_survival_time
from rliable import library, metrics

rng = np.random.default_rng(11)
# [runs, tasks], normalised: rliable's own order.
x = np.clip(rng.normal([0.9, 0.5, 0.3, 1.2], [0.2, 0.3, 0.1, 0.4], (10, 4)), 0, 1.5)
y = np.clip(rng.normal([0.7, 0.5, 0.2, 1.0], [0.3, 0.2, 0.1, 0.2], (8, 4)), 0, 1.5)
y[0, 0] = x[0, 0]  # A draw.
thresholds = np.linspace(0.0, 1.6, 9)
curves = np.cumsum(rng.uniform(0, 0.3, (6, 3, 5)), axis=-1)  # [runs, tasks, points]

AGGREGATES = {
    "mean": metrics.aggregate_mean,
    "median": metrics.aggregate_median,
    "iqm": metrics.aggregate_iqm,
    "optimality_gap": metrics.aggregate_optimality_gap,
}


def intervals(scores, function):
    """The estimate and rliable's percentile interval, from as many resamples as make its ends steady."""
    point, ends = library.get_interval_estimates(
        {"a": scores}, function, reps=50_000, random_state=np.random.RandomState(1)
    )
    return {
        "estimate": np.atleast_1d(point["a"]).tolist(),
        "low": np.atleast_1d(ends["a"][0]).tolist(),
        "high": np.atleast_1d(ends["a"][1]).tolist(),
    }


improvement_point, improvement_ends = library.get_interval_estimates(
    {"a": (x, y)}, metrics.probability_of_improvement, reps=20_000, random_state=np.random.RandomState(1)
)
profile, profile_ends = library.create_performance_profile({"a": x}, thresholds, reps=20_000)
iqm_curve = intervals(
    curves, lambda s: np.array([metrics.aggregate_iqm(s[..., t]) for t in range(s.shape[-1])])
)

durations = [1.0, 4.0, 4.0, 6.0, 7.0, 9.0, 10.0, 12.0, 15.0, 20.0, 21.0, 30.0]
observed = [True, True, False, True, True, False, True, True, True, False, True, False]
km = KaplanMeierFitter(alpha=0.05).fit(durations, observed)
median_ends = median_survival_times(km.confidence_interval_).iloc[0].tolist()

reference = {
    "x": x.T.tolist(),  # [tasks, runs]
    "y": y.T.tolist(),
    "aggregates": {name: intervals(x, f) for name, f in AGGREGATES.items()},
    "improvement": {
        "estimate": improvement_point["a"],
        "low": improvement_ends["a"][0].item(),
        "high": improvement_ends["a"][1].item(),
    },
    "thresholds": thresholds.tolist(),
    "profile": {
        "estimate": profile["a"].tolist(),
        "low": profile_ends["a"][0].tolist(),
        "high": profile_ends["a"][1].tolist(),
    },
    "curves": curves.transpose(1, 0, 2).tolist(),  # [tasks, runs, points]
    "iqm_curve": iqm_curve,
    "durations": durations,
    "event_observed": observed,
    "survival": {str(t): float(km.predict(t)) for t in [0.5, 4.0, 11.0, 30.0]},
    "median_time": float(km.median_survival_time_),
    "median_low": float(median_ends[0]),
    "median_high": float(median_ends[1]),
    "restricted_mean": {str(t): float(restricted_mean_survival_time(km, t)) for t in [5.0, 20.0, 30.0]},
}
path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps(reference, indent=1) + "\n")
