"""Perceptrons and Adam for the compiled contestants."""

from typing import NamedTuple

import jax
import jax.numpy as jnp


def init(key, sizes):
    """Weights and biases as PyTorch draws them: uniform within 1 / sqrt(inputs)."""
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        key, for_weight, for_bias = jax.random.split(key, 3)
        bound = inputs**-0.5
        weight = jax.random.uniform(for_weight, (inputs, outputs), minval=-bound, maxval=bound)
        bias = jax.random.uniform(for_bias, (outputs,), minval=-bound, maxval=bound)
        layers.append((weight, bias))
    return layers


def apply(layers, x, activation=jax.nn.relu):
    for weight, bias in layers[:-1]:
        x = activation(x @ weight + bias)
    weight, bias = layers[-1]
    return x @ weight + bias


class Adam(NamedTuple):
    """Parameters with the moments of their gradient."""

    params: list
    first: list
    second: list
    time: jax.Array


def adam(params):
    zeros = jax.tree.map(jnp.zeros_like, params)
    return Adam(params, zeros, jax.tree.map(jnp.zeros_like, params), jnp.float32(0))


def clip(gradient, norm):
    length = jnp.sqrt(sum(jnp.vdot(g, g) for g in jax.tree.leaves(gradient)))
    factor = jnp.minimum(1.0, norm / (length + 1e-6))
    return jax.tree.map(lambda g: factor * g, gradient)


def update(adam, gradient, learning_rate, eps=1e-8):
    time = adam.time + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, adam.first, gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, adam.second, gradient)
    rate = learning_rate / (1 - 0.9**time)
    correction = 1 / (1 - 0.999**time)

    def step(p, m, v):
        return p - rate * m / (jnp.sqrt(v * correction) + eps)

    return Adam(jax.tree.map(step, adam.params, first, second), first, second, time)


def towards(target, params, tau):
    return jax.tree.map(lambda t, p: t + tau * (p - t), target, params)
