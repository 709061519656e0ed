"""SAC in JAX: environment, replay memory and updates in one compiled scan."""

import jax
import jax.numpy as jnp
from jax import lax

import jax_environments as environments
import jax_networks as networks

BLOCK = 100  # env steps whose random numbers are drawn at once


def make(settings, steps):
    """The state before training, and a function that trains it for `steps` env steps."""
    env = environments.PENDULUM
    capacity, batch_size = settings["buffer_size"], settings["batch_size"]
    learning_rate, observations = settings["learning_rate"], env.observations
    assert settings["train_every"] == settings["gradient_steps"] == 1

    def sample(actor, observation, noise):
        """An action within [−1, 1] and the logarithm of its density."""
        mean, log_std = jnp.split(networks.apply(actor, observation), 2, axis=-1)
        log_std = jnp.clip(log_std, -20, 2)
        raw = mean + jnp.exp(log_std) * noise
        squash = 2 * (jnp.log(2.0) - raw - jax.nn.softplus(-2 * raw))
        log_prob = -0.5 * noise**2 - log_std - 0.5 * jnp.log(2 * jnp.pi) - squash
        return jnp.tanh(raw), log_prob.sum(axis=-1)

    def values(critics, observation, action):
        """Both critics at once: [2, batch]."""
        inputs = jnp.concatenate([observation, action], axis=-1)
        return jax.vmap(networks.apply, (0, None))(critics, inputs)[..., 0]

    def remember(memory, episode, time, action, uniform):
        observation = env.observe(episode.state)
        episode, after, reward, terminated, _, finished = environments.step(
            env, episode, 2 * action[0], uniform
        )
        row = jnp.concatenate(
            [observation, action, jnp.stack([reward, terminated.astype(jnp.float32)]), after]
        )
        memory = lax.dynamic_update_slice(memory, row[None], (time % capacity, 0))
        return memory, episode, finished

    def init(key):
        for_actor, *for_critics, for_env, for_steps, key = jax.random.split(key, 6)
        actor = networks.init(for_actor, [observations, *settings["hidden"], 2])
        sizes = [observations + 1, *settings["hidden"], 1]
        critics = jax.tree.map(
            lambda *both: jnp.stack(both), *(networks.init(key, sizes) for key in for_critics)
        )
        episode = environments.start(env, jax.random.uniform(for_env, (env.random,)))
        starts = settings["learning_starts"]

        def fill(carry, drawn):
            memory, episode, time = carry
            memory, episode, _ = remember(memory, episode, time, 2 * drawn[:1] - 1, drawn[1:])
            return (memory, episode, time + 1), None

        carry = jnp.zeros((capacity, 2 * observations + 3)), episode, jnp.int32(0)
        drawn = jax.random.uniform(for_steps, (starts, 1 + env.random))
        (memory, episode, time), _ = lax.scan(fill, carry, drawn)
        log_alpha = networks.adam(jnp.log(jnp.float32(settings["alpha"])))
        target = jax.tree.map(jnp.copy, critics)
        learners = networks.adam(actor), networks.adam(critics), target, log_alpha
        return learners, memory, episode, time, key

    def update(learners, batch, noise, next_noise):
        actor, critics, target, log_alpha = learners
        observation, action, after = batch[:, :3], batch[:, 3:4], batch[:, 6:]
        reward, terminated = batch[:, 4], batch[:, 5]
        alpha = jnp.exp(log_alpha.params)

        next_action, next_log_prob = sample(actor.params, after, next_noise)
        bootstrap = values(target, after, next_action).min(axis=0) - alpha * next_log_prob
        aim = reward + settings["gamma"] * (1 - terminated) * bootstrap

        def critics_loss(params):
            return 0.5 * ((values(params, observation, action) - aim) ** 2).mean(axis=1).sum()

        critics = networks.update(critics, jax.grad(critics_loss)(critics.params), learning_rate)

        def actor_loss(params):
            action, log_prob = sample(params, observation, noise)
            value = values(critics.params, observation, action).min(axis=0)
            return (alpha * log_prob - value).mean(), log_prob.mean()

        gradient, log_prob = jax.grad(actor_loss, has_aux=True)(actor.params)
        actor = networks.update(actor, gradient, learning_rate)
        gradient = -(log_prob + settings["target_entropy"])
        log_alpha = networks.update(log_alpha, gradient, learning_rate)
        target = networks.towards(target, critics.params, settings["tau"])
        return actor, critics, target, log_alpha

    def step(carry, drawn):
        learners, memory, episode, time = carry
        rows, noise, next_noise, action_noise, uniform = drawn
        observation = env.observe(episode.state)
        action, _ = sample(learners[0].params, observation[None], action_noise)
        memory, episode, finished = remember(memory, episode, time, action[0], uniform)
        rows = (rows * jnp.minimum(time + 1, capacity)).astype(jnp.int32)
        batch = memory.at[rows].get(mode="promise_in_bounds")
        learners = update(learners, batch, noise, next_noise)
        return (learners, memory, episode, time + 1), finished

    def block(state, _):
        *carry, key = state
        key, for_rows, for_noise, for_action, for_env = jax.random.split(key, 5)
        noise, next_noise = jax.random.normal(for_noise, (2, BLOCK, batch_size, 1))
        drawn = (
            jax.random.uniform(for_rows, (BLOCK, batch_size)), noise, next_noise,
            jax.random.normal(for_action, (BLOCK, 1, 1)),
            jax.random.uniform(for_env, (BLOCK, env.random)),
        )
        carry, finished = lax.scan(step, tuple(carry), drawn)
        return (*carry, key), finished

    def train(state):
        return lax.scan(block, state, None, length=steps // BLOCK)

    return init, train
