"""Stable-Baselines3 and sbx: trains for 2 N env steps and prints the CPU seconds of the last N.

    python stable_baselines.py LIBRARY ROW N SEED
"""

import json
import sys
import time
import warnings

import gymnasium
import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.noise import NormalActionNoise

import rows


class Clock(BaseCallback):
    """Notes the CPU seconds when N env steps are done."""

    def __init__(self, length):
        super().__init__()
        self.length, self.noted = length, None

    def note(self):
        if self.noted is None and self.num_timesteps >= self.length:
            self.noted = self.num_timesteps, time.process_time()

    def _on_rollout_start(self):  # the updates of the rollout before are done
        self.note()

    def _on_step(self):
        return True


def off_policy(row, length, library):
    settings = dict(row.settings)
    arguments = {
        name: settings[name] for name in ("learning_rate", "batch_size", "buffer_size",
                                          "learning_starts", "gamma", "gradient_steps")
    }
    arguments.update(
        train_freq=settings["train_every"], policy_kwargs=dict(net_arch=settings["hidden"])
    )
    if row.agent == "dqn":
        arguments.update(
            target_update_interval=settings["target_every"], exploration_final_eps=settings["epsilon"],
            exploration_fraction=min(settings["explore"], length) / (2 * length),
        )
        if library == "stable_baselines3":  # sbx does not clip DQN's gradient
            arguments.update(max_grad_norm=settings["max_grad_norm"])
        return arguments
    arguments.update(tau=settings["tau"])
    if row.agent == "sac":
        arguments.update(ent_coef=f"auto_{settings['alpha']}", target_entropy=settings["target_entropy"])
    else:
        noise = settings["exploration_noise"] * np.ones(1)
        arguments.update(
            policy_delay=settings["policy_delay"], target_policy_noise=settings["target_noise"],
            target_noise_clip=settings["target_noise_clip"],
            action_noise=NormalActionNoise(np.zeros(1), noise),
        )
    return arguments


def on_policy(row):
    settings = row.settings
    arguments = dict(
        n_steps=settings["n_steps"], gamma=settings["gamma"], learning_rate=settings["learning_rate"],
        policy_kwargs=dict(net_arch=settings["hidden"]),
    )
    if row.agent == "ppo":
        arguments.update(
            batch_size=settings["batch_size"], n_epochs=settings["epochs"],
            gae_lambda=settings["gae_lambda"], clip_range=settings["clip"],
            max_grad_norm=settings["max_grad_norm"],
        )
    if settings.get("decay"):
        for name in ("learning_rate", "clip_range"):
            arguments[name] = lambda left, start=arguments[name]: start * left
    return arguments


def main():
    library, name, length, seed = sys.argv[1:]
    row, length, seed = rows.ROWS[name], int(length), int(seed)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    agent = getattr(__import__(library), row.agent.upper())
    if row.agent in ("ppo", "a2c"):
        env, arguments = make_vec_env(row.env, row.settings["num_envs"], seed=seed), on_policy(row)
    else:
        env, arguments = gymnasium.make(row.env), off_policy(row, length, library)
    model = agent("MlpPolicy", env, seed=seed, device="cpu", **arguments)
    clock = Clock(length)
    model.learn(2 * length, callback=clock)
    steps, begin = clock.noted
    seconds = (time.process_time() - begin) / (model.num_timesteps - steps)
    print(json.dumps({"seconds_per_step": seconds}))


if __name__ == "__main__":
    main()
