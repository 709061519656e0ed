"""DQN in JAX: environment, replay memory and updates in one compiled scan."""

import jax
import jax.numpy as jnp
from jax import lax

import jax_environments as environments
import jax_networks as networks


def make(settings, steps):
    """The state before training, and a function that trains it for `steps` env steps."""
    env = environments.CART_POLE
    capacity, batch_size = settings["buffer_size"], settings["batch_size"]
    train_every, gradient_steps = settings["train_every"], settings["gradient_steps"]
    # The target moves at multiples of `target_every`; where updates are rarer than that, before
    # each round of updates.
    rounds = max(1, settings["target_every"] // train_every)
    width = 2 * env.observations + 3  # of a row of the memory

    def act(params, memory, episode, time, drawn):
        chance, random_action, uniform = drawn
        observation = env.observe(episode.state)
        greedy = jnp.argmax(networks.apply(params, observation[None])[0])
        gone = jnp.minimum(1.0, (time - settings["learning_starts"]) / settings["explore"])
        epsilon = jnp.where(gone < 0, 1.0, 1.0 + gone * (settings["epsilon"] - 1.0))
        action = jnp.where(chance < epsilon, random_action, greedy)
        episode, after, reward, terminated, _, finished = environments.step(
            env, episode, action, uniform
        )
        row = jnp.concatenate(
            [observation, jnp.stack([action, reward, terminated]).astype(jnp.float32), after]
        )
        memory = lax.dynamic_update_slice(memory, row[None], (time % capacity, 0))
        return memory, episode, finished

    def draw(key, count):
        for_chance, for_action, for_env = jax.random.split(key, 3)
        return (
            jax.random.uniform(for_chance, (count,)),
            jax.random.bernoulli(for_action, shape=(count,)).astype(jnp.int32),
            jax.random.uniform(for_env, (count, env.random)),
        )

    def loss(params, target, batch):
        observation, (action, reward, terminated), after = (
            batch[:, :4], batch[:, 4:7].T, batch[:, 7:]
        )
        bootstrap = networks.apply(target, after).max(axis=1)
        aim = lax.stop_gradient(reward + settings["gamma"] * (1 - terminated) * bootstrap)
        values = networks.apply(params, observation)
        error = jnp.abs(jnp.where(action == 1, values[:, 1], values[:, 0]) - aim)
        return jnp.where(error < 1, 0.5 * error**2, error - 0.5).mean()

    def init(key):
        for_network, for_env, for_steps, key = jax.random.split(key, 4)
        params = networks.init(for_network, [env.observations, *settings["hidden"], 2])
        episode = environments.start(env, jax.random.uniform(for_env, (env.random,)))
        starts = settings["learning_starts"]

        def fill(carry, drawn):
            memory, episode, time = carry
            memory, episode, _ = act(params, memory, episode, time, drawn)
            return (memory, episode, time + 1), None

        carry = jnp.zeros((capacity, width)), episode, jnp.int32(0)
        (memory, episode, time), _ = lax.scan(fill, carry, draw(for_steps, starts))
        target = jax.tree.map(jnp.copy, params)
        return networks.adam(params), target, memory, episode, time, key

    def round_(target, carry, drawn):
        """`train_every` env steps, then `gradient_steps` updates."""
        drawn_steps, drawn_rows = drawn
        adam, memory, episode, time = carry

        def step(carry, drawn):
            memory, episode, time = carry
            memory, episode, finished = act(adam.params, memory, episode, time, drawn)
            return (memory, episode, time + 1), finished

        def update(adam, drawn):
            rows = (drawn * jnp.minimum(time, capacity)).astype(jnp.int32)
            batch = memory.at[rows].get(mode="promise_in_bounds")
            gradient = jax.grad(loss)(adam.params, target, batch)
            gradient = networks.clip(gradient, settings["max_grad_norm"])
            return networks.update(adam, gradient, settings["learning_rate"]), None

        (memory, episode, time), finished = lax.scan(step, (memory, episode, time), drawn_steps)
        adam, _ = lax.scan(update, adam, drawn_rows)
        return (adam, memory, episode, time), finished

    def until_target_moves(state, _):
        adam, target, memory, episode, time, key = state
        if rounds == 1:
            target = adam.params
        key, for_steps, for_rows = jax.random.split(key, 3)
        steps = jax.tree.map(
            lambda x: x.reshape(rounds, train_every, *x.shape[1:]),
            draw(for_steps, rounds * train_every),
        )
        rows = jax.random.uniform(for_rows, (rounds, gradient_steps, batch_size))
        (adam, memory, episode, time), finished = lax.scan(
            lambda carry, drawn: round_(target, carry, drawn), (adam, memory, episode, time),
            (steps, rows),
        )
        target = adam.params if rounds > 1 else target
        return (adam, target, memory, episode, time, key), finished

    def train(state):
        return lax.scan(until_target_moves, state, None, length=steps // (rounds * train_every))

    return init, train
