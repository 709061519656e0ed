"""Writes ood.json: ODIN, Outlier Exposure, energy and Mahalanobis scores as PyTorch, SciPy and
scikit-learn compute them, for tests/ood.rs.

    pip install numpy scipy torch scikit-learn
    python core/tests/reference/ood.py
"""

import json
from pathlib import Path

import numpy as np
import torch
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import EmpiricalCovariance, shrunk_covariance
from torch import nn
from torch.nn import functional as F

torch.manual_seed(3)
rng = np.random.default_rng(3)


def numbers(tensor):
    return [float(x) for x in np.asarray(tensor.detach() if hasattr(tensor, "detach") else tensor).ravel()]


def odin():
    network = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3))
    inputs = torch.randn(7, 4)
    cases = []
    for temperature, epsilon in [(1.0, 0.0), (1.0, 0.05), (10.0, 0.02), (1000.0, 0.0014), (1000.0, 0.2)]:
        x = inputs.clone().requires_grad_()
        scaled = network(x) / temperature
        loss = F.cross_entropy(scaled, scaled.argmax(1), reduction="sum")  # -log S
        (gradient,) = torch.autograd.grad(loss, x)
        moved = inputs - epsilon * torch.sign(gradient)
        score = F.softmax(network(moved).double() / temperature, dim=1).max(1).values
        cases.append({"temperature": temperature, "epsilon": epsilon, "scores": numbers(score)})
    outputs = network(inputs)
    energy = [
        {"temperature": t, "scores": numbers(t * torch.logsumexp(outputs.double() / t, 1))} for t in [0.5, 1.0, 7.0]
    ]
    # Weights transposed: ours are [inputs, outputs].
    parameters = [numbers(p.T) if p.dim() == 2 else numbers(p) for p in network.parameters()]
    return {
        "parameters": sum(parameters, []),
        "inputs": numbers(inputs),
        "outputs": numbers(outputs),
        "odin": cases,
        "energy": energy,
    }


def exposure():
    logits = torch.randn(9, 4, requires_grad=True)
    classes = torch.tensor([0, 4, 3, 2, 4, 4, 1, 0, 2])
    outlier = classes == 4
    inside, outside = logits[~outlier], logits[outlier]
    # The paper's code: https://github.com/hendrycks/outlier-exposure, CIFAR/oe_tune.py.
    loss = F.cross_entropy(inside, classes[~outlier])
    loss = loss + 0.5 * -(outside.mean(1) - torch.logsumexp(outside, dim=1)).mean()
    loss.backward()
    return {
        "logits": numbers(logits),
        "classes": classes.tolist(),
        "value": float(loss.detach()),
        "gradient": numbers(logits.grad),
    }


def distance():
    features = rng.normal(size=(40, 3)) @ rng.normal(size=(3, 3))
    classes = rng.integers(0, 3, size=40)
    features += classes[:, None]
    features = features.astype(np.float32)
    rows = rng.normal(size=(8, 3)).astype(np.float32) * 3
    means = {c: features[classes == c].astype(np.float64).mean(0) for c in range(3)}
    centred = features - np.stack([means[c] for c in classes])
    covariance = EmpiricalCovariance(assume_centered=True).fit(centred).covariance_
    cases = []
    for shrinkage in [0.0, 0.3]:
        precision = np.linalg.inv(shrunk_covariance(covariance, shrinkage))
        score = [max(-(mahalanobis(row, mean, precision) ** 2) for mean in means.values()) for row in rows]
        cases.append({"shrinkage": shrinkage, "scores": score})
    return {"features": numbers(features), "classes": classes.tolist(), "rows": numbers(rows), "cases": cases}


result = {"odin": odin(), "exposure": exposure(), "mahalanobis": distance()}
Path(__file__).with_suffix(".json").write_text(json.dumps(result) + "\n")
