#!/usr/bin/env python3
"""Makes cma_es.json: the state of CMA-ES after each of some generations, given their points, as the
package cmaes follows it with non-negative weights. Run it in a virtual environment with cmaes 0.13.1:
python core/tests/reference/cma_es.py
"""

import json
from pathlib import Path

import numpy as np
from cmaes import CMA

SIGMA = 0.1


def follow(d, population, drifts):
    """A generation for each drift: how many deviations its points lie off the mean. A far one stalls
    the path."""
    rng = np.random.default_rng(d)
    strategy = CMA(mean=np.full(d, 0.5), sigma=SIGMA, population_size=population)
    strategy._weights[strategy._mu :] = 0  # as in Hansen's tutorial with non-negative weights
    towards = np.linspace(1.0, -0.4, d)
    generations = []
    for drift in drifts:
        noise = rng.standard_normal((population, d))
        points = strategy.mean + strategy._sigma * (drift * towards + noise)
        strategy.tell([(point, float(rank)) for rank, point in enumerate(points)])
        generations.append(
            {
                "best_first": points.tolist(),
                "mean": strategy.mean.tolist(),
                "sigma": float(strategy._sigma),
                "covariance": strategy._C.tolist(),
                "stalled": stalled(strategy),
            }
        )
    return {"sigma": SIGMA, "generations": generations}


def stalled(strategy):
    """Whether the path is too long for the covariance to follow. The package counts the generations
    from 2, the tutorial from 1: no case may depend on it."""
    length, c = np.linalg.norm(strategy._p_sigma), 1 - strategy._c_sigma
    limit = (1.4 + 2 / (strategy._n_dim + 1)) * strategy._chi_n
    first, second = (length / np.sqrt(1 - c ** (2 * g)) >= limit for g in [strategy._g, strategy._g + 1])
    assert first == second, "choose other points"
    return bool(first)


cases = [follow(3, 7, [0.2] * 4), follow(2, 6, [2.5, 2.0, 0.0, -0.5]), follow(5, 10, [0.9] * 4)]
assert {g["stalled"] for case in cases for g in case["generations"]} == {True, False}
text = json.dumps({"cases": cases}, indent=1)
Path(__file__).with_suffix(".json").write_text(text + "\n")
