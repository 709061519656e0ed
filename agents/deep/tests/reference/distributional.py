#!/usr/bin/env python3
"""Makes distributional.json: the projection of C51 and the quantile Huber loss of QR-DQN, as PyTorch
calculates them in double precision from inputs that distributional.rs can make as well. Run it in a
virtual environment with torch 2.13: python agents/deep/tests/reference/distributional.py
"""

import json
from pathlib import Path

import torch

# Goes on; terminated; terminated on an atom, above the highest, below the lowest; truncated, so that
# it bootstraps (beyond both ends in part); three steps; no reward; the other player's turn.
REWARD = [0.3, -1.7, 2.0, 50.0, -50.0, 9.5, 1.234, 0.0, -0.5]
DISCOUNT = [0.99, 0.0, 0.0, 0.0, 0.0, 0.99, 0.97, 1.0, -0.95]
SUPPORTS = {"c51": (-10.0, 10.0, 51), "eleven": (-5.0, 15.0, 11), "two": (0.0, 1.0, 2)}


def whole(i, j):
    """Whole numbers from −8 to 8 without much order."""
    return (7 * i * i + 13 * j * j + 5 * i * j) % 17 - 8


def matrix(rows, columns, scale):
    return torch.tensor(
        [[whole(i, j) * scale for j in range(columns)] for i in range(rows)], dtype=torch.float64
    )


def project(reward, discount, probability, low, high, atoms):
    """Algorithm 1 of Bellemare et al. (2017), for all rows at once."""
    step = (high - low) / (atoms - 1)
    z = torch.linspace(low, high, atoms, dtype=torch.float64)
    value = (reward[:, None] + discount[:, None] * z).clamp(low, high)
    b = ((value - low) / step).round(decimals=9)  # 34.99999999999999 is 35
    l, u = b.floor().long(), b.ceil().long()
    m = torch.zeros_like(probability)
    # Where l = u the two shares of the algorithm are both 0: the atom gets all.
    m.scatter_add_(1, l, probability * torch.where(l == u, torch.ones_like(b), u - b))
    m.scatter_add_(1, u, probability * (b - l))
    return m


def quantile_huber(prediction, target, kappa, weight):
    """Equation 10 of Dabney et al. (2018), with its gradient."""
    n = prediction.shape[1]
    tau = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    u = target[:, None, :] - prediction[:, :, None]  # [B, N, M]
    huber = torch.where(u.abs() <= kappa, 0.5 * u**2, kappa * (u.abs() - 0.5 * kappa))
    rho = (tau[None, :, None] - (u.detach() < 0).double()).abs() * huber
    return (rho.mean(2).sum(1) * weight).mean()


def main():
    reward = torch.tensor(REWARD, dtype=torch.float64)
    discount = torch.tensor(DISCOUNT, dtype=torch.float64)
    projections = {}
    for name, (low, high, atoms) in SUPPORTS.items():
        probability = matrix(len(REWARD), atoms, 0.25).softmax(1)
        m = project(reward, discount, probability, low, high, atoms)
        assert torch.allclose(m.sum(1), torch.ones(len(REWARD), dtype=torch.float64))
        projections[name] = dict(low=low, high=high, atoms=atoms, target=m.flatten().tolist())
    losses = []
    for n, kappa, weighted in [(1, 1.0, False), (5, 1.0, True), (32, 1.0, False), (8, 0.5, True)]:
        prediction = matrix(4, n, 0.3).requires_grad_()
        target = matrix(6, n, 0.2)[2:].detach()
        weight = torch.tensor([1.0, 0.25, 0.5, 0.75] if weighted else [1.0] * 4, dtype=torch.float64)
        loss = quantile_huber(prediction, target, kappa, weight)
        loss.backward()
        losses.append(
            dict(
                quantiles=n,
                kappa=kappa,
                weight=weight.tolist(),
                loss=loss.item(),
                gradient=prediction.grad.flatten().tolist(),
            )
        )
    numbers = dict(reward=REWARD, discount=DISCOUNT, projections=projections, losses=losses)
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(numbers, indent=1) + "\n")


if __name__ == "__main__":
    main()
