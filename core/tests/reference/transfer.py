#!/usr/bin/env python3
"""Makes transfer.json: what PyTorch's attention and transformer layers make of numbers that transfer.rs can
make as well, and the gradients. Run it in a virtual environment with torch 2.13:
python core/tests/reference/transfer.py
"""

import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

BATCH, PLACES, WIDTH, HEADS, FEED_FORWARD, PREFIX = 2, 3, 8, 2, 12, 2


def numbers(count, step, scale=1.0):
    return torch.tensor([scale * math.sin(step * i) for i in range(count)], dtype=torch.float32)


def fill(parameters, step):
    """One run of numbers through the parameters. Weights of layers are transposed, as Gymnast keeps them."""
    values = numbers(sum(p.numel() for p, _ in parameters), step, 0.4)
    for parameter, transposed in parameters:
        part, values = values[: parameter.numel()], values[parameter.numel() :]
        shape = parameter.shape[::-1] if transposed else parameter.shape
        part = part.reshape(shape)
        with torch.no_grad():
            parameter.copy_(part.T if transposed else part)


def gradients(parameters):
    return torch.cat([(p.grad.T if t else p.grad).reshape(-1) for p, t in parameters]).tolist()


def of_attention(attention):
    return [
        (attention.in_proj_weight, True),
        (attention.in_proj_bias, False),
        (attention.out_proj.weight, True),
        (attention.out_proj.bias, False),
    ]


def of_layer(layer):
    linear = [(p, p.dim() == 2) for m in (layer.linear1, layer.linear2) for p in (m.weight, m.bias)]
    norms = [(p, False) for m in (layer.norm1, layer.norm2) for p in (m.weight, m.bias)]
    return of_attention(layer.self_attn) + linear + norms


def record(parameters, output):
    (output.reshape(-1) * numbers(output.numel(), 0.3)).sum().backward()
    return dict(output=output.reshape(-1).tolist(), gradients=gradients(parameters))


def attention():
    module = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    parameters = of_attention(module)
    fill(parameters, 1.1)
    x = numbers(BATCH * PLACES * WIDTH, 0.7).view(BATCH, PLACES, WIDTH)
    return record(parameters, module(x, x, x, need_weights=False)[0])


def attention_with_prefix():
    """PyTorch has none: its attention of keys and values that a prefix stands in front of."""
    module = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)
    parameters = of_attention(module)
    fill(parameters, 1.1)
    x = numbers(BATCH * PLACES * WIDTH, 0.7).view(BATCH, PLACES, WIDTH)
    key, value = numbers(2 * PREFIX * WIDTH, 0.9).view(2, 1, PREFIX, WIDTH).expand(2, BATCH, -1, -1)
    q, k, v = F.linear(x, module.in_proj_weight, module.in_proj_bias).chunk(3, -1)
    k, v = torch.cat([key, k], 1), torch.cat([value, v], 1)
    heads = lambda t: t.unflatten(-1, (HEADS, -1)).transpose(1, 2)
    out = F.scaled_dot_product_attention(heads(q), heads(k), heads(v)).transpose(1, 2).flatten(2)
    return record(parameters, module.out_proj(out))


def encoder_layer(activation, norm_first):
    layer = nn.TransformerEncoderLayer(
        WIDTH, HEADS, FEED_FORWARD, dropout=0.0, activation=activation, batch_first=True, norm_first=norm_first
    )
    parameters = of_layer(layer)
    fill(parameters, 1.1)
    x = numbers(BATCH * PLACES * WIDTH, 0.7).view(BATCH, PLACES, WIDTH)
    return record(parameters, layer(x))


def transformer():
    """Two blocks between an embedding with learned places and the mean's layer, normalising first."""
    embedding, head = nn.Linear(4, WIDTH), nn.Linear(WIDTH, 5)
    position = nn.Parameter(torch.zeros(PLACES, WIDTH))
    block = lambda: nn.TransformerEncoderLayer(
        WIDTH, HEADS, FEED_FORWARD, dropout=0.0, batch_first=True, norm_first=True
    )
    blocks, norm = [block(), block()], nn.LayerNorm(WIDTH)
    parameters = [(embedding.weight, True), (embedding.bias, False), (position, False)]
    parameters += of_layer(blocks[0]) + of_layer(blocks[1])
    parameters += [(norm.weight, False), (norm.bias, False), (head.weight, True), (head.bias, False)]
    fill(parameters, 1.1)
    x = embedding(numbers(BATCH * PLACES * 4, 0.7).view(BATCH, PLACES, 4)) + position
    for one in blocks:
        x = one(x)
    return record(parameters, head(norm(x).mean(1)))


if __name__ == "__main__":
    torch.set_num_threads(1)
    reference = dict(
        attention=attention(),
        attention_with_prefix=attention_with_prefix(),
        layer_relu=encoder_layer("relu", False),
        layer_gelu_first=encoder_layer("gelu", True),
        transformer=transformer(),
    )
    path = Path(__file__).with_suffix(".json")
    rounded = json.loads(json.dumps(reference), parse_float=lambda x: float(f"{float(x):.8g}"))
    path.write_text(json.dumps(rounded) + "\n", encoding="utf-8")
