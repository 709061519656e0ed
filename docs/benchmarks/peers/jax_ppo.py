"""PPO in JAX: rollouts, advantages and updates in one compiled scan."""

import jax
import jax.numpy as jnp
from jax import lax

import jax_environments as environments
import jax_networks as networks


def categorical(policy, action):
    log = jax.nn.log_softmax(policy)
    return jnp.where(action[..., 0] == 1, log[..., 1], log[..., 0])


def gaussian(mean, log_std, action):
    z = (action - mean) * jnp.exp(-log_std)
    return (-0.5 * z**2 - log_std - 0.5 * jnp.log(2 * jnp.pi)).sum(-1)


def make(settings, steps):
    """The state before training, and a function that trains it for `steps` env steps."""
    discrete = settings["env"] == "CartPole-v1"
    env = environments.CART_POLE if discrete else environments.PENDULUM
    count, length = settings["num_envs"], settings["n_steps"]
    rows = count * length
    batches = rows // settings["batch_size"]
    rollouts = settings["total"] // rows

    def init(key):
        for_policy, for_value, for_envs, key = jax.random.split(key, 4)
        outputs = 2 if discrete else 1
        params = {
            "policy": networks.init(for_policy, [env.observations, *settings["hidden"], outputs]),
            "value": networks.init(for_value, [env.observations, *settings["hidden"], 1]),
            "log_std": jnp.zeros(1),
        }
        uniform = jax.random.uniform(for_envs, (count, env.random))
        episodes = jax.vmap(environments.start, (None, 0))(env, uniform)
        return networks.adam(params), episodes, jnp.int32(0), key

    def log_prob(params, observation, action):
        policy = networks.apply(params["policy"], observation, jnp.tanh)
        if discrete:
            return categorical(policy, action)
        return gaussian(policy, params["log_std"], action)

    def value(params, observation):
        return networks.apply(params["value"], observation, jnp.tanh)[..., 0]

    step_envs = jax.vmap(environments.step, (None, 0, 0, 0))

    def act(params, episodes, drawn):
        noise, uniform = drawn
        observation = jax.vmap(env.observe)(episodes.state)
        policy = networks.apply(params["policy"], observation, jnp.tanh)
        if discrete:
            chance = jax.nn.sigmoid(policy[:, 1:] - policy[:, :1])
            action = (noise < chance).astype(jnp.float32)
        else:
            action = policy + jnp.exp(params["log_std"]) * noise
        episodes, after, reward, terminated, done, finished = step_envs(
            env, episodes, action[:, 0], uniform
        )
        return episodes, (observation, action, reward, terminated, done, after, finished)

    def advantages(params, observation, reward, terminated, done, after):
        values, bootstrap = value(params, jnp.stack([observation, after]))
        delta = reward + settings["gamma"] * (1 - terminated) * bootstrap - values
        decay = settings["gamma"] * settings["gae_lambda"] * (1 - done)

        def backwards(advantage, row):
            delta, decay = row
            advantage = delta + decay * advantage
            return advantage, advantage

        _, advantage = lax.scan(backwards, jnp.zeros(count), (delta, decay), reverse=True)
        return advantage, advantage + values

    def loss(params, batch, clip):
        observation, action, old, advantage, target = batch
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        ratio = jnp.exp(log_prob(params, observation, action) - old)
        clipped = jnp.clip(ratio, 1 - clip, 1 + clip)
        policy = -jnp.minimum(ratio * advantage, clipped * advantage).mean()
        return policy + 0.5 * ((value(params, observation) - target) ** 2).mean()

    def rollout(state, _):
        adam, episodes, done_rollouts, key = state
        key, for_noise, for_envs, for_batches = jax.random.split(key, 4)
        draw = jax.random.uniform if discrete else jax.random.normal
        drawn = (
            draw(for_noise, (length, count, 1)),
            jax.random.uniform(for_envs, (length, count, env.random)),
        )
        left = 1 - done_rollouts / rollouts
        rate = settings["learning_rate"] * (left if settings["decay"] else 1)
        clip = settings["clip"] * (left if settings["decay"] else 1)

        episodes, seen = lax.scan(lambda e, d: act(adam.params, e, d), episodes, drawn)
        observation, action, reward, terminated, done, after, finished = seen
        advantage, target = advantages(adam.params, observation, reward, terminated, done, after)
        old = log_prob(adam.params, observation, action)
        data = jax.tree.map(
            lambda x: x.reshape(rows, *x.shape[2:]), (observation, action, old, advantage, target)
        )

        def batch(adam, rows):
            gradient = jax.grad(loss)(adam.params, rows, clip)
            gradient = networks.clip(gradient, settings["max_grad_norm"])
            return networks.update(adam, gradient, rate, eps=1e-5), None

        def epoch(adam, key):
            if batches == 1:
                return batch(adam, data)
            order = jnp.argsort(jax.random.bits(key, (rows,)))
            shuffled = jax.tree.map(lambda x: x[order].reshape(batches, -1, *x.shape[1:]), data)
            return lax.scan(batch, adam, shuffled)

        adam, _ = lax.scan(epoch, adam, jax.random.split(for_batches, settings["epochs"]))
        return (adam, episodes, done_rollouts + 1, key), finished

    def train(state):
        return lax.scan(rollout, state, None, length=steps // rows)

    return init, train
