"""Gymnasium's random steps per second, to hold `steps.rs` against on the same machine.

    pip install "gymnasium[box2d]==1.4.0"
    python gymnasium_steps.py

One environment, its standard wrappers, random actions drawn from its action space, reset at an
episode's end; the median of several interleaved rounds.
"""

import statistics
import time
import warnings

import gymnasium

IDS = [
    "CartPole-v1",
    "MountainCar-v0",
    "MountainCarContinuous-v0",
    "Pendulum-v1",
    "Acrobot-v1",
    "FrozenLake-v1",
    "CliffWalking-v1",
    "Taxi-v4",
    "Blackjack-v1",
    "LunarLander-v3",
    "LunarLanderContinuous-v3",
]
ROUNDS, STEPS = 7, 20_000


def seconds(env):
    env.reset(seed=0)
    start = time.perf_counter()
    for _ in range(STEPS):
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            env.reset()
    return time.perf_counter() - start


warnings.simplefilter("ignore")
envs = {env_id: gymnasium.make(env_id) for env_id in IDS}
times = {env_id: [] for env_id in IDS}
for _ in range(ROUNDS):
    for env_id, env in envs.items():
        times[env_id].append(seconds(env))
print(f"Gymnasium {gymnasium.__version__}: median of {ROUNDS} rounds, thousand steps per second\n")
print("| environment | steps/s |\n|---|---|")
for env_id in IDS:
    print(f"| {env_id} | {STEPS / statistics.median(times[env_id]) / 1e3:.0f} k |")
