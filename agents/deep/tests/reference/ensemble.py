#!/usr/bin/env python3
"""Makes ensemble.json: the loss of a small ensemble and its gradients, by PyTorch's own losses, one
member at a time. Run it in a virtual environment with torch 2.13:
python agents/deep/tests/reference/ensemble.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

E, B, INPUTS, HIDDEN, TARGETS, DECAY = 2, 4, 3, 5, 2, 0.01

torch.manual_seed(0)
torch.set_default_dtype(torch.float64)
normal = lambda *shape: torch.randn(*shape)
parameters = [
    normal(E, INPUTS, HIDDEN),
    normal(E, 1, HIDDEN),
    normal(E, HIDDEN, 2 * TARGETS + 1),
    normal(E, 1, 2 * TARGETS + 1),
    0.5 + 0.3 * normal(E, 1, TARGETS),  # the upper bound of log σ²
    -2.0 + 0.3 * normal(E, 1, TARGETS),  # the lower bound
]
x, y, end = normal(E, B, INPUTS), normal(E, B, TARGETS), torch.randint(0, 2, (E, B)).double()
for p in parameters:
    p.requires_grad_(True)

nlls, penalty, heads = [], 0.0, []
for e in range(E):
    w1, b1, w2, b2, high, low = (p[e] for p in parameters)
    out = F.linear(F.silu(F.linear(x[e], w1.T, b1[0])), w2.T, b2[0])
    mean, raw, logit = out[:, :TARGETS], out[:, TARGETS : 2 * TARGETS], out[:, -1]
    log_var = high - F.softplus(high - raw)
    log_var = low + F.softplus(log_var - low)
    # PyTorch's has the factor 1/2.
    nll = 2.0 * F.gaussian_nll_loss(mean, y[e], log_var.exp(), eps=0.0)
    nlls.append(nll + F.binary_cross_entropy_with_logits(logit, end[e]))
    penalty += 0.01 * (high.sum() - low.sum()) + 0.5 * DECAY * (w1.square().sum() + w2.square().sum())
    heads.append(torch.cat([mean, log_var, logit[:, None]], 1))
(sum(nlls) + penalty).backward()

flat = lambda tensors: [round(v, 9) for t in tensors for v in t.detach().flatten().tolist()]
out = dict(
    parameters=flat(parameters),
    gradients=flat([p.grad for p in parameters]),
    input=flat([x]),
    target=flat([y]),
    end=flat([end]),
    nll=round(sum(nlls).item() / E, 9),
    heads=flat(heads),
)
Path(__file__).with_name("ensemble.json").write_text(json.dumps(out) + "\n")
