#!/usr/bin/env python3
"""Makes schedules.json: the learning rates of PyTorch's schedulers from a highest rate of 1. Run it
in a virtual environment with torch 2.13: python core/tests/reference/schedules.py
"""

import json
import warnings
from pathlib import Path

import torch
from torch.optim import lr_scheduler as schedulers

STEPS = 40
WARM_UP = 7


def warm_up(optimiser):
    up = schedulers.LinearLR(optimiser, start_factor=0.2, total_iters=WARM_UP)
    down = schedulers.CosineAnnealingLR(optimiser, T_max=STEPS - WARM_UP, eta_min=0.05)
    return schedulers.SequentialLR(optimiser, [up, down], milestones=[WARM_UP])


def cyclic(optimiser, **settings):
    return schedulers.CyclicLR(optimiser, base_lr=0.1, max_lr=1.0, cycle_momentum=False, **settings)


def one_cycle(optimiser, **settings):
    settings = dict(max_lr=1.0, total_steps=STEPS, cycle_momentum=False) | settings
    return schedulers.OneCycleLR(optimiser, **settings)


CASES = [
    ({"step": {"step_size": 6, "gamma": 0.3}}, lambda o: schedulers.StepLR(o, 6, 0.3)),
    ({"exponential": {"gamma": 0.93}}, lambda o: schedulers.ExponentialLR(o, 0.93)),
    ({"cosine": {}}, lambda o: schedulers.CosineAnnealingLR(o, STEPS)),
    (
        {"cosine": {"t_max": STEPS, "min_factor": 0.1}},
        lambda o: schedulers.CosineAnnealingLR(o, STEPS, eta_min=0.1),
    ),
    (
        {"linear": {"start_factor": 0.25, "end_factor": 0.75, "total_iters": 15}},
        lambda o: schedulers.LinearLR(o, 0.25, 0.75, 15),
    ),
    ({"linear": {}}, lambda o: schedulers.LinearLR(o, 1.0, 0.0, STEPS)),
    (
        {"warm_up": {"steps": WARM_UP, "start_factor": 0.2, "then": {"cosine": {"min_factor": 0.05}}}},
        warm_up,
    ),
    ({"cyclic": {"base_factor": 0.1, "step_size_up": 6}}, lambda o: cyclic(o, step_size_up=6)),
    (
        {"cyclic": {"base_factor": 0.1, "step_size_up": 3, "step_size_down": 8, "mode": "triangular2"}},
        lambda o: cyclic(o, step_size_up=3, step_size_down=8, mode="triangular2"),
    ),
    (
        {"cyclic": {"base_factor": 0.1, "step_size_up": 5, "mode": {"exp_range": {"gamma": 0.97}}}},
        lambda o: cyclic(o, step_size_up=5, mode="exp_range", gamma=0.97),
    ),
    ({"one_cycle": {}}, one_cycle),
    (
        {"one_cycle": {"pct_start": 0.25, "anneal_strategy": "linear", "three_phase": True}},
        lambda o: one_cycle(o, pct_start=0.25, anneal_strategy="linear", three_phase=True),
    ),
    (
        {"one_cycle": {"pct_start": 0.4, "div_factor": 10.0, "final_div_factor": 100.0}},
        lambda o: one_cycle(o, pct_start=0.4, div_factor=10.0, final_div_factor=100.0),
    ),
]


def rates(make):
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = make(optimiser)
    result = []
    for _ in range(STEPS):
        result.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        scheduler.step() if len(result) < STEPS else None  # one-cycle refuses a step past its end
    return result


if __name__ == "__main__":
    warnings.simplefilter("ignore", UserWarning)  # SequentialLR steps its own parts
    reference = [dict(schedule=schedule, rates=rates(make)) for schedule, make in CASES]
    text = json.dumps(dict(total_steps=STEPS, cases=reference), indent=1)
    Path(__file__).with_suffix(".json").write_text(text + "\n", encoding="utf-8")
