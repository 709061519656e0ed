"""CartPole-v1 and Pendulum-v1 as pure functions, in f32, for the compiled contestants.

A state is an array; `step` takes a state, an action and a fresh state to continue from at an
episode's end. Time limits are part of the state: an episode that they end is truncated.
"""

from typing import Callable, NamedTuple

import jax
import jax.numpy as jnp


class Environment(NamedTuple):
    """An environment's functions: each is for one environment, `jax.vmap` makes it one for many."""

    observations: int
    random: int  # uniform numbers in [0, 1) that a new episode needs
    start: Callable  # uniform numbers [random] -> state
    observe: Callable  # state -> observation [observations]
    step: Callable  # state, action -> state, reward, terminated, truncated


def cart_pole_start(uniform):
    return jnp.append(0.1 * uniform - 0.05, 0.0)  # position, speed, angle, its speed, time


def cart_pole_step(state, action):
    x, x_dot, theta, theta_dot, time = state
    force = jnp.where(action == 1, 10.0, -10.0)
    cos, sin = jnp.cos(theta), jnp.sin(theta)
    push = (force + 0.05 * theta_dot**2 * sin) / 1.1
    theta_acc = (9.8 * sin - cos * push) / (0.5 * (4.0 / 3.0 - 0.1 * cos**2 / 1.1))
    x_acc = push - 0.05 * theta_acc * cos / 1.1
    x, theta = x + 0.02 * x_dot, theta + 0.02 * theta_dot
    x_dot, theta_dot = x_dot + 0.02 * x_acc, theta_dot + 0.02 * theta_acc
    terminated = (jnp.abs(x) > 2.4) | (jnp.abs(theta) > 12 * 2 * jnp.pi / 360)
    truncated = (time + 1 >= 500) & ~terminated
    return jnp.stack([x, x_dot, theta, theta_dot, time + 1]), 1.0, terminated, truncated


CART_POLE = Environment(4, 4, cart_pole_start, lambda state: state[:4], cart_pole_step)


def pendulum_start(uniform):
    return jnp.append((2 * uniform - 1) * jnp.array([jnp.pi, 1.0]), 0.0)  # angle, speed, time


def pendulum_observe(state):
    return jnp.stack([jnp.cos(state[0]), jnp.sin(state[0]), state[1]])


def pendulum_step(state, torque):
    theta, speed, time = state
    torque = jnp.clip(torque, -2.0, 2.0)
    angle = (theta + jnp.pi) % (2 * jnp.pi) - jnp.pi
    cost = angle**2 + 0.1 * speed**2 + 0.001 * torque**2
    speed = jnp.clip(speed + (15.0 * jnp.sin(theta) + 3.0 * torque) * 0.05, -8.0, 8.0)
    state = jnp.stack([theta + speed * 0.05, speed, time + 1])
    return state, -cost, jnp.array(False), time + 1 >= 200


PENDULUM = Environment(3, 2, pendulum_start, pendulum_observe, pendulum_step)


class Episode(NamedTuple):
    """Where an environment is, and the return of the episode so far."""

    state: jax.Array
    total: jax.Array


def start(env, uniform):
    return Episode(env.start(uniform), jnp.float32(0))


def step(env, episode, action, uniform):
    """One step, and a new episode from `uniform` where one ends.

    Returns the episode, the observation that the step led to, the reward, whether the environment
    terminated, whether the episode ended, and its return (NaN where it goes on).
    """
    state, reward, terminated, truncated = env.step(episode.state, action)
    total = episode.total + reward
    done = terminated | truncated
    episode = Episode(jnp.where(done, env.start(uniform), state), jnp.where(done, 0.0, total))
    finished = jnp.where(done, total, jnp.nan)
    return episode, env.observe(state), reward, terminated, done, finished
