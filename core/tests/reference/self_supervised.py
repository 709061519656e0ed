#!/usr/bin/env python3
"""Makes self_supervised.json: contrastive losses and their gradients as PyTorch's autograd has them.
Run it in a virtual environment with torch 2.13: python core/tests/reference/self_supervised.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

torch.manual_seed(1)


def nt_xent(first, second, temperature):
    """Chen et al. (2020), equation 1, pair by pair."""
    z = F.normalize(torch.cat([first, second]), dim=1)
    rows, n = len(z), len(first)
    losses = []
    for i in range(rows):
        others = [k for k in range(rows) if k != i]
        scores = torch.stack([F.cosine_similarity(z[i], z[k], dim=0) / temperature for k in others])
        losses.append(F.cross_entropy(scores[None], torch.tensor([others.index((i + n) % rows)])))
    return torch.stack(losses).mean()


def info_nce(query, key, temperature):
    scores = F.normalize(query, dim=1) @ F.normalize(key, dim=1).T / temperature
    return F.cross_entropy(scores, torch.arange(len(query)))


def both_ways(query, key, temperature):
    return (info_nce(query, key, temperature) + info_nce(key, query, temperature)) / 2


def negative_cosine(prediction, target, _):
    return -F.cosine_similarity(prediction, target.detach(), dim=1).mean()


LOSSES = {
    "nt_xent": nt_xent,
    "query_to_key": info_nce,
    "both": both_ways,
    "negative_cosine_similarity": negative_cosine,
}


def case(name, temperature, first, second):
    first, second = (x.double().requires_grad_() for x in (first, second))
    value = LOSSES[name](first, second, temperature)
    gradients = torch.autograd.grad(value, [first, second], allow_unused=True)
    flat = [[0.0] * first.numel() if g is None else g.flatten().tolist() for g in gradients]
    numbers = lambda x: x.detach().flatten().tolist()
    return dict(
        loss=name,
        temperature=temperature,
        shape=list(first.shape),
        first=numbers(first),
        second=numbers(second),
        value=value.item(),
        gradients=flat,
    )


def embeddings(z, other):
    """What the authors of alignment and uniformity print in their paper, and ranks by NumPy's way."""
    z, other = (F.normalize(x.double(), dim=1) for x in (z, other))
    singular = torch.linalg.svdvals(z - z.mean(0))
    shares = singular / singular.sum()
    return dict(
        shape=list(z.shape),
        embeddings=z.flatten().tolist(),
        other=other.flatten().tolist(),
        alignment=(z - other).norm(dim=1).pow(2).mean().item(),
        uniformity=torch.pdist(z, p=2).pow(2).mul(-2).exp().mean().log().item(),
        normalized_std=z.std(0).mean().item(),
        effective_rank=(-(shares * shares.log()).sum()).exp().item(),
    )


cases = []
for rows, width in [(5, 4), (2, 3)]:
    first = torch.randn(rows, width)
    second = first + 0.5 * torch.randn(rows, width)
    for temperature in [0.07, 0.5, 2.0]:
        cases += [case(name, temperature, first, second) for name in LOSSES if name != "negative_cosine_similarity"]
    cases.append(case("negative_cosine_similarity", 1.0, first, second))

z = torch.randn(9, 4)
result = dict(losses=cases, embeddings=embeddings(z, z + 0.3 * torch.randn(9, 4)))
path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps(result, indent=1) + "\n")
