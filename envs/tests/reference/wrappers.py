"""Records what Gymnasium's wrappers make of a scripted environment, for `tests/wrappers.rs`.

    python3 envs/tests/reference/wrappers.py > envs/tests/reference/wrappers.json

Recorded with gymnasium 1.4.0 and numpy 2.
"""

import json

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import (
    ClipReward,
    DiscretizeObservation,
    FrameStackObservation,
    NormalizeObservation,
    NormalizeReward,
    RescaleObservation,
)
from gymnasium.wrappers.utils import RunningMeanStd

GAMMA, FREEZE_AT = 0.9, 40


def script():
    """Rows of a script: a row with no reward is a reset."""
    rng = np.random.default_rng(0)
    rows = []
    for length, ending in [(9, "terminated"), (12, "truncated"), (1, "terminated"), (25, "truncated")]:
        for i in range(length + 1):
            row = {"observation": (rng.uniform(-1, 1, 3) * [1, 4, 0.5]).astype(np.float32).tolist()}
            if i > 0:
                row["reward"] = float(rng.normal(1.0, 3.0))
                row["outcome"] = ending if i == length else "continues"
            rows.append(row)
    return rows


class Scripted(gym.Env):
    observation_space = gym.spaces.Box(
        np.array([-1, -4, -0.5], np.float32), np.array([1, 4, 0.5], np.float32)
    )
    action_space = gym.spaces.Discrete(1)

    def __init__(self):
        self.rows = iter(script())

    def next(self):
        row = next(self.rows)
        return np.array(row["observation"], np.float32), row

    def reset(self, seed=None, options=None):
        return self.next()[0], {}

    def step(self, action):
        observation, row = self.next()
        outcome = row["outcome"]
        return observation, row["reward"], outcome == "terminated", outcome == "truncated", {}


def play(env):
    """Observations and rewards over the script; statistics freeze late in it."""
    observations, rewards = [], []
    for i, row in enumerate(script()):
        if i == FREEZE_AT and hasattr(env, "update_running_mean"):
            env.update_running_mean = False
        if "reward" in row:
            observation, reward, *_ = env.step(0)
            rewards.append(float(reward))
        else:
            observation, _ = env.reset()
        observations.append(np.asarray(observation).tolist())
    return observations, rewards


stock = NormalizeObservation(Scripted())
precise = NormalizeObservation(Scripted())
precise.obs_rms = RunningMeanStd(shape=(3,), dtype=np.float64)
scaled = NormalizeReward(Scripted(), gamma=GAMMA)
record = {
    "gymnasium": gym.__version__,
    "gamma": GAMMA,
    "freeze_at": FREEZE_AT,
    "script": script(),
    "normalize_observation_f32": play(stock)[0],
    "normalize_observation": play(precise)[0],
    "observation_mean": precise.obs_rms.mean.tolist(),
    "observation_var": precise.obs_rms.var.tolist(),
    "normalize_reward": play(scaled)[1],
    "return_var": float(scaled.return_rms.var),
    "clip_reward": play(ClipReward(Scripted(), -1.0, 2.0))[1],
    "rescale_observation": play(RescaleObservation(Scripted(), 0.0, 1.0))[0],
    "discretize_observation": play(DiscretizeObservation(Scripted(), (5, 8, 3), multidiscrete=True))[0],
    "frame_stack": play(FrameStackObservation(Scripted(), 3))[0],
}
print(json.dumps(record))
