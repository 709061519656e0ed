#!/usr/bin/env python3
"""Makes nn.json: what PyTorch's layers make of numbers that nn.rs can make as well, in training
(two batches, the gradients of the second) and in evaluation. Run it in a virtual environment with
torch 2.13: python core/tests/reference/nn.py
"""

import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

ROWS = 3


class Step(nn.Module):
    def forward(self, x):
        return torch.heaviside(x.detach(), torch.zeros(())) + 0 * x


class GlobalAvgPool(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


ACTIVATIONS = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "step": Step,
}


def make(layer, x):
    """PyTorch's layer for one that nn.rs describes, which reads x."""
    kind, s = (layer, {}) if isinstance(layer, str) else next(iter(layer.items()))
    channels, example = x.shape[1], x.shape[1:]
    eps = s.get("eps", 1e-5) if isinstance(s, dict) else None
    pool = lambda: dict(kernel_size=s["kernel"], stride=s.get("stride"), padding=s.get("padding", 0))
    norm = nn.BatchNorm1d if x.dim() == 2 else nn.BatchNorm2d
    return {
        "linear": lambda: nn.Linear(channels, s["outputs"]),
        "conv2d": lambda: nn.Conv2d(
            channels, s["channels"], s["kernel"], s.get("stride", 1), s.get("padding", 0)
        ),
        "activation": lambda: ACTIVATIONS[s](),
        "p_relu": lambda: nn.PReLU(channels if s.get("per_channel") else 1),
        "softmax": lambda: nn.Softmax(1),
        "batch_norm": lambda: norm(channels, eps, s.get("momentum", 0.1)),
        "layer_norm": lambda: nn.LayerNorm(example, eps),
        "instance_norm": lambda: nn.InstanceNorm2d(channels, eps, affine=s.get("affine", False)),
        "group_norm": lambda: nn.GroupNorm(s["groups"], channels, eps),
        "rms_norm": lambda: nn.RMSNorm(example, s.get("eps")),
        "dropout": lambda: nn.Dropout(s["p"]),
        "max_pool": lambda: nn.MaxPool2d(**pool()),
        "avg_pool": lambda: nn.AvgPool2d(**pool()),
        "global_avg_pool": GlobalAvgPool,
        "flatten": nn.Flatten,
    }[kind]()


def wave(count, phase, size):
    return torch.tensor([size * math.sin(1.7 * i + phase) for i in range(count)], dtype=torch.float32)


def rows(picture):
    """[B, C, H, W] to the [B, H · W · C] of nn.rs."""
    return picture if picture.dim() == 2 else picture.permute(0, 2, 3, 1).flatten(1)


def batch(shape, phase):
    x = wave(ROWS * math.prod(shape), phase, 2.0).view(ROWS, *shape).clone()
    return (x if len(shape) == 1 else x.permute(0, 3, 1, 2)).contiguous().requires_grad_()


def ordered(module, tensor):
    """Linear weights lie the other way round in nn.rs."""
    return tensor.T if isinstance(module, nn.Linear) and tensor.dim() == 2 else tensor


def numbers(tensor):
    return [float(f"{x:.7g}") for x in tensor.detach().flatten().tolist()]


def run(shape, *layers):
    modules, x = [], batch(shape, 0.0)
    for layer in layers:
        modules.append(make(layer, x).eval())
        x = modules[-1](x)
    network = nn.Sequential(*modules)
    owned = [(m, p) for m in network.modules() for p in m.parameters(recurse=False)]
    count = sum(p.numel() for _, p in owned)
    values = wave(count, 0.4, 0.5)
    with torch.no_grad():
        for module, p in owned:
            part, values = values[: p.numel()], values[p.numel() :]
            ordered(module, p).copy_(part.view(ordered(module, p).shape))

    def forward(phase):
        network.zero_grad(set_to_none=False)
        x = batch(shape, phase)
        y = rows(network(x))
        (y.flatten() @ wave(y.numel(), 0.9, 1.0)).backward()
        by_parameters = [numbers(ordered(m, p.grad)) for m, p in owned]
        return dict(
            output=numbers(y),
            by_input=numbers(rows(x.grad)),
            by_parameters=sum(by_parameters, []),
        )

    case = dict(input=shape, layers=layers)
    if not any(isinstance(m, nn.Dropout) for m in modules):
        network.train()
        case["train"] = [forward(1.0), forward(2.0)]
    network.eval()
    case["eval"] = forward(3.0)
    running = [[m.running_mean, m.running_var] for m in modules if hasattr(m, "running_mean") and m.running_mean is not None]
    case["running"] = sum((numbers(x) for x in sum(running, [])), [])
    with FlopCounterMode(display=False) as counter:
        network(batch(shape, 0.0))
    case["flops"] = counter.get_total_flops()
    case["parameters"] = count
    return case


ROW, PICTURE, LINEAR = [6], [4, 5, 3], {"linear": {"outputs": 3}}
cases = {name: run(ROW, {"activation": name}, LINEAR) for name in ACTIVATIONS}
cases |= {
    "linear": run(ROW, LINEAR),
    "activation_after_activation": run(ROW, LINEAR, {"activation": "sigmoid"}, {"activation": "relu"}),
    "activation_after_linear": run(ROW, LINEAR, {"activation": "tanh"}, LINEAR),
    "softmax": run(ROW, "softmax", {"activation": "relu"}),
    "softmax_picture": run(PICTURE, "softmax"),
    "p_relu": run(ROW, {"p_relu": {}}),
    "p_relu_per_channel": run(PICTURE, {"p_relu": {"per_channel": True}}),
    "batch_norm_rows": run(ROW, {"batch_norm": {}}, LINEAR),
    "batch_norm_settings": run(PICTURE, {"batch_norm": {"momentum": 0.3, "eps": 0.01}}),
    "batch_norm_twice": run(
        PICTURE, {"batch_norm": {}}, {"activation": "relu"}, "flatten", LINEAR, {"batch_norm": {}}
    ),
    "layer_norm_rows": run(ROW, {"layer_norm": {"eps": 0.001}}),
    "layer_norm_picture": run([3, 2, 2], {"layer_norm": {}}, {"activation": "relu"}),
    "instance_norm": run([3, 2, 2], {"instance_norm": {}}),
    "instance_norm_affine": run([3, 2, 2], {"instance_norm": {"affine": True, "eps": 0.1}}, {"activation": "relu"}),
    "group_norm_rows": run(ROW, {"group_norm": {"groups": 2}}),
    "group_norm_picture": run([3, 2, 4], {"group_norm": {"groups": 2}}, {"activation": "tanh"}),
    "rms_norm_rows": run(ROW, {"rms_norm": {}}),
    "rms_norm_picture": run([3, 2, 2], {"rms_norm": {"eps": 0.01}}, {"activation": "relu"}),
    "dropout": run(ROW, {"dropout": {"p": 0.3}}, LINEAR),
    "max_pool": run(PICTURE, {"max_pool": {"kernel": 2}}),
    "max_pool_settings": run(PICTURE, {"max_pool": {"kernel": 3, "stride": 1, "padding": 1}}),
    "avg_pool": run(PICTURE, {"avg_pool": {"kernel": 2}}),
    "avg_pool_settings": run(PICTURE, {"avg_pool": {"kernel": 3, "stride": 2, "padding": 1}}),
    "global_avg_pool": run(PICTURE, "global_avg_pool"),
    "flatten": run([2, 3, 2], "flatten", LINEAR),
    "conv2d": run(PICTURE, {"conv2d": {"channels": 2, "kernel": 3}}),
    "conv2d_settings": run(
        PICTURE, {"conv2d": {"channels": 2, "kernel": 3, "stride": 2, "padding": 1}}
    ),
    "cnn": run(
        [6, 6, 1],
        {"conv2d": {"channels": 3, "kernel": 3, "padding": 1}},
        {"batch_norm": {}},
        {"activation": "relu"},
        {"max_pool": {"kernel": 2}},
        "flatten",
        {"linear": {"outputs": 5}},
        {"activation": "relu"},
        LINEAR,
    ),
}
Path(__file__).with_suffix(".json").write_text(json.dumps(cases) + "\n")
