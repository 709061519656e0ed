#!/usr/bin/env python3
"""Writes a script that steps through libtorch's fused Adam kernel, which tch does not offer, for
optim.rs to measure. In a virtual environment with torch 2.13: python core/benches/fused_adam.py FILE
"""

import sys

import torch


class FusedAdam(torch.nn.Module):
    def forward(self, value, gradient, exp_avg, exp_avg_sq, step):
        step.add_(1.0)
        values = [value]
        torch._fused_adam_(
            values, [gradient], [exp_avg], [exp_avg_sq], [], [step],
            lr=1e-3, beta1=0.9, beta2=0.999, weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False,
        )  # fmt: skip
        return values[0]  # else the call counts as dead code and is left out


if __name__ == "__main__":
    torch.jit.script(FusedAdam()).save(sys.argv[1])
