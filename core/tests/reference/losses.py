#!/usr/bin/env python3
"""Makes losses.json: PyTorch's losses and their gradients by the prediction. Run it in a virtual
environment with torch 2.13: python core/tests/reference/losses.py
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F

torch.manual_seed(0)


def numbers(*shape, scale=2.0):
    """Two decimals, so that the file stays small and its readers make the same."""
    return (torch.randn(shape) * scale).mul(100).round().div(100)


def classes(*shape, count):
    return torch.randint(count, shape)


def distributions(*shape):
    """Along dimension 1, of sixteenths."""
    parts = torch.randint(1, 5, shape).float()
    parts[:, 0] += 16 * (1 + parts.sum(1).div(16).floor()) - parts.sum(1)
    return parts / parts.sum(1, keepdim=True)


def tensor(x):
    return dict(shape=list(x.shape), values=x.flatten().tolist())


def focal(logits, target, gamma, alpha=None):
    """Lin et al. (2017), equation 5, of classes."""
    log_p = F.log_softmax(logits, 1).gather(1, target.unsqueeze(1)).squeeze(1)
    weight = 1.0 if alpha is None else torch.tensor(alpha)[target]
    return (-weight * (1 - log_p.exp()) ** gamma * log_p).mean()


def binary_focal(logits, target, gamma, alpha=None):
    p = torch.sigmoid(logits)
    p_t = torch.where(target == 1, p, 1 - p)
    weight = 1.0 if alpha is None else torch.where(target == 1, alpha, 1 - alpha)
    return (-weight * (1 - p_t) ** gamma * p_t.log()).mean()


def normal(prediction, target, eps):
    mean, log_variance = prediction.chunk(2, 1)
    return F.gaussian_nll_loss(mean, target, log_variance.exp(), eps=eps)


def cases():
    x, y = numbers(4, 3), numbers(4, 3)
    yield "mse", x, y, F.mse_loss
    yield "l1", x, y, F.l1_loss
    yield {"huber": {}}, x, y, F.huber_loss
    yield {"huber": {"delta": 0.5}}, x[:, 0], y[:, 0], lambda x, y: F.huber_loss(x, y, delta=0.5)
    yield {"smooth_l1": {"beta": 0.7}}, x, y, lambda x, y: F.smooth_l1_loss(x, y, beta=0.7)

    mean_and_log_variance = torch.cat([x, numbers(4, 3, scale=1.0)], 1)
    mean_and_log_variance[1, 4] = -6.0  # below the second eps
    for eps in (1e-6, 0.1):
        setting = {"gaussian_nll": {"eps": eps}}
        yield setting, mean_and_log_variance, y, lambda x, y, eps=eps: normal(x, y, eps)

    bce = F.binary_cross_entropy_with_logits
    hard = classes(4, 3, count=2).float()
    soft = distributions(4, 3)
    yield {"bce_with_logits": {}}, x, soft, bce
    for weight in ([2.5], [0.0, 1.0, 3.5]):
        setting = {"bce_with_logits": {"pos_weight": weight}}
        yield setting, x, hard, lambda x, y, w=weight: bce(x, y, pos_weight=torch.tensor(w))

    logits, label, weight = numbers(6, 4), classes(6, count=4), [0.5, 2.0, 0.0, 1.25]
    mixed = distributions(6, 4)
    deep, deep_label, deep_mixed = numbers(2, 3, 4), classes(2, 4, count=3), distributions(2, 3, 4)
    for class_weight in (None, weight):
        for smoothing in (0.0, 0.1):
            setting = {"cross_entropy": {"class_weight": class_weight, "label_smoothing": smoothing}}

            def loss(x, y, class_weight=class_weight, smoothing=smoothing):
                weight = None if class_weight is None else torch.tensor(class_weight)
                return F.cross_entropy(x, y, weight=weight, label_smoothing=smoothing)

            yield setting, logits, label, loss
            yield setting, logits, mixed, loss
    yield {"cross_entropy": {}}, deep, deep_label, F.cross_entropy
    yield {"cross_entropy": {}}, deep, deep_mixed, F.cross_entropy

    yield {"focal": {}}, logits, label, lambda x, y: focal(x, y, 2.0)
    yield {"focal": {"gamma": 0.5, "alpha": weight}}, logits, label, lambda x, y: focal(x, y, 0.5, weight)
    yield {"focal": {"gamma": 0.0}}, logits, label, F.cross_entropy
    yield {"focal": {"gamma": 1.5}}, deep, deep_label, lambda x, y: focal(x, y, 1.5)
    yield {"binary_focal": {}}, x, hard, lambda x, y: binary_focal(x, y, 2.0)
    yield {"binary_focal": {"gamma": 0.0}}, x, hard, bce
    yield {"binary_focal": {"gamma": 3.0, "alpha": 0.25}}, x, hard, lambda x, y: binary_focal(x, y, 3.0, 0.25)

    side = 2 * hard - 1
    yield {"hinge": {}}, x, side, lambda x, y: (1 - y * x).clamp(min=0).mean()
    yield {"hinge": {"margin": 0.3}}, x, side, lambda x, y: (0.3 - y * x).clamp(min=0).mean()
    yield {"multi_margin": {}}, logits, label, F.multi_margin_loss
    setting = {"multi_margin": {"p": 2, "margin": 0.5, "class_weight": weight}}
    margin = dict(p=2, margin=0.5, weight=torch.tensor(weight))
    yield setting, logits, label, lambda x, y: F.multi_margin_loss(x, y, **margin)


def record(setting, prediction, target, loss):
    prediction = prediction.clone().requires_grad_()
    value = loss(prediction, target)
    value.backward()
    kind = "float" if target.is_floating_point() else "int64"
    return dict(
        loss=setting,
        prediction=tensor(prediction.detach()),
        target=dict(kind=kind, **tensor(target)),
        value=value.item(),
        gradient=prediction.grad.flatten().tolist(),
    )


def normal_cases():
    """Each with its gradients by the mean and by the variance."""
    mean, target, variance = numbers(3, 2), numbers(3, 2), numbers(3, 2).abs()
    variance[0, 0] = 0.0
    for eps in (1e-6, 0.5):
        parts = [mean.clone().requires_grad_(), variance.clone().requires_grad_()]
        value = F.gaussian_nll_loss(parts[0], target, parts[1], eps=eps)
        value.backward()
        yield dict(
            eps=eps,
            mean=tensor(mean),
            target=tensor(target),
            variance=tensor(variance),
            value=value.item(),
            gradients=[part.grad.flatten().tolist() for part in parts],
        )


def ctc_cases():
    """By the scores that log_softmax makes probabilities of."""
    scores = numbers(6, 3, 4)
    target = torch.tensor([[1, 2, 2], [3, 1, 0], [0, 0, 0]])  # zeros: beyond the length
    other = torch.tensor([[1, 2, 2], [0, 1, 0], [0, 3, 3]])  # 3 is the blank
    for target, inputs, lengths, blank, zero_infinity in (
        (target, [6, 4, 5], [3, 2, 0], 0, False),
        (target, [3, 6, 1], [3, 2, 0], 0, True),  # the first needs four
        (other, [6, 2, 6], [2, 2, 1], 3, False),
    ):
        x = scores.clone().requires_grad_()
        value = F.ctc_loss(
            F.log_softmax(x, 2), target, inputs, lengths, blank=blank, zero_infinity=zero_infinity
        )
        value.backward()
        yield dict(
            scores=tensor(scores),
            target=tensor(target),
            input_lengths=inputs,
            target_lengths=lengths,
            config=dict(blank=blank, zero_infinity=zero_infinity),
            value=value.item(),
            gradient=x.grad.flatten().tolist(),
        )


def penalty_cases():
    w = torch.cat([numbers(11), torch.zeros(1)])
    for setting, penalty in (
        ({"l1": {"alpha": 0.3}}, lambda w: 0.3 * w.abs().sum()),
        ({"l2": {"alpha": 0.3}}, lambda w: 0.15 * w.square().sum()),
        (
            {"elastic_net": {"alpha": 0.3, "l1_ratio": 0.25}},
            lambda w: 0.3 * (0.25 * w.abs().sum() + 0.375 * w.square().sum()),
        ),
    ):
        x = w.clone().requires_grad_()
        value = penalty(x)
        value.backward()
        yield dict(penalty=setting, parameters=w.tolist(), value=value.item(), gradient=x.grad.tolist())


if __name__ == "__main__":
    torch.set_num_threads(1)
    reference = dict(
        losses=[record(*case) for case in cases()],
        normal=list(normal_cases()),
        ctc=list(ctc_cases()),
        penalties=list(penalty_cases()),
    )
    text = json.dumps(reference)
    text = text.replace('{"loss"', '\n{"loss"').replace('], "', '],\n"')
    Path(__file__).with_suffix(".json").write_text(text + "\n", encoding="utf-8")
