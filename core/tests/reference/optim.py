#!/usr/bin/env python3
"""Makes optim.json: what PyTorch's optimisers do in 100 steps along gradients that optim.rs can
make as well. Run it in a virtual environment with torch 2.13: python core/tests/reference/optim.py
"""

import json
from pathlib import Path

import torch

STEPS, SIZE, KEPT = 100, 37, (1, 10, 100)
PARTS = [20, 10, 7]
CASES = {
    "adam": (torch.optim.Adam, dict(lr=1e-2), None),
    "adam_clipped": (torch.optim.Adam, dict(lr=1e-2), 3.0),
    "adam_settings": (
        torch.optim.Adam,
        dict(lr=3e-3, betas=(0.8, 0.95), eps=1e-5, weight_decay=0.1),
        None,
    ),
    "adamw": (torch.optim.AdamW, dict(lr=1e-2, weight_decay=0.1), 0.5),
    "sgd": (torch.optim.SGD, dict(lr=1e-2), None),
    "sgd_settings": (
        torch.optim.SGD,
        dict(lr=1e-2, momentum=0.9, nesterov=True, weight_decay=0.1),
        2.0,
    ),
    "rmsprop": (torch.optim.RMSprop, dict(lr=1e-2), None),
    "rmsprop_settings": (
        torch.optim.RMSprop,
        dict(lr=1e-3, alpha=0.9, eps=1e-5, momentum=0.5, centered=True, weight_decay=0.1),
        1.0,
    ),
    "adagrad": (torch.optim.Adagrad, dict(lr=1e-2), None),
    "adagrad_settings": (
        torch.optim.Adagrad,
        dict(lr=3e-2, lr_decay=0.05, weight_decay=0.1, initial_accumulator_value=0.5, eps=1e-5),
        2.0,
    ),
}
# The same with the first part at a tenth of the rate and a weight decay of its own, the last frozen.
GROUPS = {
    "adamw_groups": (torch.optim.AdamW, dict(lr=1e-2, weight_decay=0.1), 0.5),
    "sgd_groups": (torch.optim.SGD, dict(lr=1e-2, momentum=0.9, weight_decay=0.1), 2.0),
    "rmsprop_groups": (torch.optim.RMSprop, dict(lr=1e-2, weight_decay=0.1), None),
    "adagrad_groups": (torch.optim.Adagrad, dict(lr=1e-2, weight_decay=0.1), None),
}


def gradient(step, size):
    """Whole numbers divided by powers of two, so that Rust makes the same: with zeros, sizes from
    1/1024 to 8, and both signs. Kept away from the values, which so change smoothly."""
    numbers = [((7 * step * step + 13 * i * i + 5 * step * i) % 17 - 8) / 2.0 ** (i % 11) for i in range(size)]
    return torch.tensor(numbers, dtype=torch.float32)


def run(make, settings, max_norm, grouped):
    # Several tensors, as clipping takes the norm over all of them.
    start = torch.tensor([(i % 9 - 4) / 4 for i in range(SIZE)], dtype=torch.float32)
    parts = [torch.nn.Parameter(part.clone()) for part in start.split(PARTS)]
    trained, groups = parts, parts
    if grouped:
        slow = dict(params=[parts[0]], lr=settings["lr"] * 0.1, weight_decay=0.5)
        trained, groups = parts[:2], [slow, dict(params=[parts[1]])]
    optimiser = make(groups, foreach=False, **settings)
    values, norms = {}, {}
    for step in range(1, STEPS + 1):
        for part, part_gradient in zip(trained, gradient(step, SIZE).split(PARTS)):
            part.grad = part_gradient.clone()
        if max_norm is not None:
            norm = torch.nn.utils.clip_grad_norm_(trained, max_norm)
            if step in KEPT:
                norms[step] = norm.item()
        optimiser.step()
        if step in KEPT:
            values[step] = torch.cat([part.detach() for part in parts]).tolist()
    return dict(max_norm=max_norm, norms=norms, values=values)


if __name__ == "__main__":
    torch.set_num_threads(1)
    reference = {name: run(*case, grouped=False) for name, case in CASES.items()}
    reference |= {name: run(*case, grouped=True) for name, case in GROUPS.items()}
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(reference, indent=1) + "\n", encoding="utf-8")
