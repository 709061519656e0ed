#!/usr/bin/env python3
"""Makes compression.json: which weights PyTorch prunes, and its distillation loss with the gradient, for
numbers that compression.rs can make as well. Run it in a virtual environment with torch 2.13:
python core/tests/reference/compression.py
"""

import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune


def numbers(count, step, scale=1.0):
    return torch.tensor([scale * math.sin(step * i) for i in range(count)], dtype=torch.float32)


def network():
    """Two layers and a convolution's filters, filled in Gymnast's order: [inputs, outputs]."""
    first, second, conv = nn.Linear(5, 7), nn.Linear(7, 3), nn.Conv2d(2, 4, 3)
    with torch.no_grad():
        first.weight.copy_(numbers(35, 0.7).view(5, 7).T)
        second.weight.copy_(numbers(21, 1.9).view(7, 3).T)
        conv.weight.copy_(numbers(72, 2.3).view(4, 2, 3, 3))
    return first, second, conv


def mask(module):
    """As Gymnast lays it out."""
    kept = module.weight_mask
    return (kept.T if kept.dim() == 2 else kept).reshape(-1).int().tolist()


def unstructured():
    first, second, _ = network()
    masks = []
    for amount in (0.3, 0.25):
        for layer in (first, second):
            prune.l1_unstructured(layer, "weight", amount)
        masks.append([mask(first), mask(second)])
    return masks


def together():
    first, second, _ = network()
    masks = []
    for amount in (0.5, 0.3):
        layers = [(first, "weight"), (second, "weight")]
        prune.global_unstructured(layers, pruning_method=prune.L1Unstructured, amount=amount)
        masks.append([mask(first), mask(second)])
    return masks


def structured():
    first, _, conv = network()
    prune.ln_structured(first, "weight", 0.4, n=2, dim=0)
    prune.ln_structured(conv, "weight", 0.5, n=1, dim=0)
    return [mask(first), mask(conv)]


def distillation(temperature):
    student = numbers(12, 1.3, 3.0).view(3, 4).requires_grad_()
    teacher = numbers(12, 0.8, 4.0).view(3, 4)
    soft = F.log_softmax(student / temperature, 1), F.softmax(teacher / temperature, 1)
    loss = F.kl_div(*soft, reduction="batchmean") * temperature**2
    loss.backward()
    return dict(temperature=temperature, loss=loss.item(), gradient=student.grad.reshape(-1).tolist())


if __name__ == "__main__":
    reference = dict(
        l1_unstructured=unstructured(),
        global_unstructured=together(),
        ln_structured=structured(),
        distillation=[distillation(t) for t in (0.5, 1.0, 4.0)],
    )
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(reference) + "\n", encoding="utf-8")
