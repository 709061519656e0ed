"""What is compared: the rows of training, their hyperparameters, lengths and goals.

Settings carry the names of `gymnast agents`; each contestant translates them. A length is the N of
a contestant: what counts are its env steps N + 1 to 2 N.
"""

from typing import NamedTuple

OURS, SB3, SBX, JAX = "Gymnast", "Stable-Baselines3", "sbx", "compiled JAX"


class Row(NamedTuple):
    """One comparison of training."""

    title: str
    agent: str
    env: str
    settings: dict
    lengths: dict  # contestant -> N
    times_jax: float = 0  # goal: ours / JAX at least
    milliseconds: float = 0  # goal: ours, per env step, at most
    learn: int = 0  # env steps of the check that the contestants learn
    learned: float = 0  # what JAX's episodes of the second half must return, in the mean


DQN = dict(
    batch_size=64, buffer_size=100_000, learning_starts=1000, gamma=0.99, max_grad_norm=10.0
)
ACTOR_CRITIC = dict(
    hidden=[256, 256], batch_size=256, buffer_size=100_000, learning_starts=100, gamma=0.99,
    tau=0.005, train_every=1, gradient_steps=1,
)
PPO = dict(hidden=[64, 64], num_envs=8, max_grad_norm=0.5, decay=False)

ROWS = {
    "dqn-64": Row(
        "DQN, CartPole, 64-64, an update a step", "dqn", "CartPole-v1",
        dict(
            DQN, hidden=[64, 64], learning_rate=1e-3, target_every=500, train_every=1,
            gradient_steps=1, epsilon=0.05, explore=5000,
        ),
        {OURS: 80_000, SB3: 2000, SBX: 2000, JAX: 40_000},
        times_jax=1.5, learn=50_000, learned=50,
    ),
    "dqn-256": Row(
        "DQN, CartPole, 256-256, rl-zoo's", "dqn", "CartPole-v1",
        dict(
            DQN, hidden=[256, 256], learning_rate=2.3e-3, target_every=10, train_every=256,
            gradient_steps=128, epsilon=0.04, explore=8000,
        ),
        {OURS: 15_360, SB3: 2560, SBX: 2560, JAX: 10_240},
        times_jax=1.2, learn=51_200, learned=50,
    ),
    "sac": Row(
        "SAC, Pendulum, 256-256, batch 256", "sac", "Pendulum-v1",
        dict(ACTOR_CRITIC, learning_rate=3e-4, alpha=1.0, target_entropy=-1.0),
        {OURS: 600, SB3: 300, SBX: 300, JAX: 600},
        times_jax=1.15, milliseconds=5.5, learn=5000, learned=-500,
    ),
    "sac-bf16": Row(
        "SAC, the same with products of bf16", "sac", "Pendulum-v1",
        dict(
            ACTOR_CRITIC, learning_rate=3e-4, alpha=1.0, target_entropy=-1.0, engine="plan_bf16"
        ),
        {OURS: 600},
        milliseconds=4.0,
    ),
    "td3": Row(
        "TD3, Pendulum, 256-256, batch 256", "td3", "Pendulum-v1",
        dict(
            ACTOR_CRITIC, learning_rate=1e-3, policy_delay=2, target_noise=0.2,
            target_noise_clip=0.5, exploration_noise=0.1,
        ),
        {OURS: 600, SB3: 300, SBX: 300},
        milliseconds=4.0,
    ),
    "ppo-cartpole": Row(
        "PPO, CartPole, rl-zoo's", "ppo", "CartPole-v1",
        dict(
            PPO, n_steps=32, batch_size=256, epochs=20, learning_rate=1e-3, clip=0.2, decay=True,
            gae_lambda=0.8, gamma=0.98,
        ),
        {OURS: 192_000, SB3: 5120, SBX: 5120, JAX: 128_000},
        times_jax=2, learn=102_400, learned=300,
    ),
    "ppo-pendulum": Row(
        "PPO, Pendulum, rl-zoo's without gSDE", "ppo", "Pendulum-v1",
        dict(
            PPO, num_envs=4, n_steps=1024, batch_size=64, epochs=10, learning_rate=1e-3, clip=0.2,
            gae_lambda=0.95, gamma=0.9,
        ),
        {OURS: 327_680, SB3: 4096, SBX: 4096, JAX: 204_800},
        times_jax=2.5, learn=102_400, learned=-600,
    ),
    "ppo-defaults": Row(
        "PPO, CartPole, Stable-Baselines3's defaults", "ppo", "CartPole-v1",
        dict(
            PPO, n_steps=2048, batch_size=64, epochs=10, learning_rate=3e-4, clip=0.2,
            gae_lambda=0.95, gamma=0.99,
        ),
        {OURS: 163_840, SB3: 16_384, JAX: 163_840},
        learn=163_840, learned=50,
    ),
    "a2c": Row(
        "A2C, CartPole, Stable-Baselines3's defaults", "a2c", "CartPole-v1",
        dict(hidden=[64, 64], num_envs=8, n_steps=5, learning_rate=7e-4, gamma=0.99),
        {OURS: 800_000, SB3: 16_000},
    ),
}

# The smallest number of env steps that the lengths and `learn` are multiples of.
ROUND = {
    "dqn-64": 500, "dqn-256": 256, "sac": 100, "sac-bf16": 100, "td3": 100, "ppo-cartpole": 256,
    "ppo-pendulum": 4096, "ppo-defaults": 16_384, "a2c": 40,
}


def length(name, contestant, share):
    """N of a contestant, shortened to a share of it."""
    # After the first updates, which compile.
    least = ROWS[name].settings.get("learning_starts", 0) // ROUND[name] + 1
    return max(int(ROWS[name].lengths[contestant] * share) // ROUND[name], least) * ROUND[name]


# Environments with random actions: at how many in a vector they are timed.
ENVIRONMENTS = {
    "CartPole-v1": (1, 64, 1024), "Pendulum-v1": (1, 64, 1024), "MountainCar-v0": (1,),
    "MountainCarContinuous-v0": (1,), "Acrobot-v1": (1,), "FrozenLake-v1": (1,),
    "CliffWalking-v1": (1,), "Taxi-v4": (1,), "Blackjack-v1": (1,), "LunarLander-v0": (1,),
    "LunarLanderContinuous-v0": (1,),
}


def products(name):
    """The floating-point operations of an update's products, in millions, and updates per env step.

    A product that gives the gradient of a first layer's input is left out where it is not needed,
    and each row goes back through the critic that counts alone.
    """
    row = ROWS[name]
    batch, hidden = row.settings["batch_size"], row.settings["hidden"]

    def layers(inputs, outputs):
        sizes = [inputs, *hidden, outputs]
        return [2e-6 * batch * a * b for a, b in zip(sizes, sizes[1:])]

    def forward(layers):
        return sum(layers)

    def backward(layers):
        return sum(layers) + sum(layers[1:])

    if row.agent == "dqn":
        values = layers(4, 2)
        rate = row.settings["gradient_steps"] / row.settings["train_every"]
        return 2 * forward(values) + backward(values), rate
    critic, actor = layers(4, 1), layers(3, 1 if row.agent == "td3" else 2)
    through_critic = sum(critic[1:]) + critic[0] / 4  # the action is one of its four inputs
    critics = forward(actor) + 4 * forward(critic) + 2 * backward(critic)
    weighed = 2 if row.agent == "sac" else 1  # the critics that the actor asks
    policy = forward(actor) + weighed * forward(critic) + through_critic + backward(actor)
    return critics + policy / row.settings.get("policy_delay", 1), 1
