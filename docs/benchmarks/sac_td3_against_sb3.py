"""Times SAC and TD3 against Stable-Baselines3's with the same hyperparameters, both sides in turn.

Run from the repository's root, in a scratch virtual environment:

    python3 -m venv /tmp/sb3 && /tmp/sb3/bin/pip install torch==2.13.0 stable-baselines3==2.9.2
    ./setup cargo build --release && /tmp/sb3/bin/python docs/benchmarks/sac_td3_against_sb3.py

Each round trains both for the same env steps on Pendulum-v1, on one thread, without evaluation: two
hidden layers of 256, batches of 256, an update every step after the first 100. What counts is the
time of learning alone, without start-up. Prints a Markdown table.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import gymnasium
import numpy as np
import torch
from stable_baselines3 import SAC, TD3
from stable_baselines3.common.noise import NormalActionNoise


def shared_sb3():
    # Made anew each time, as Stable-Baselines3 writes into the dictionary of the policy.
    return dict(
        batch_size=256, buffer_size=100_000, learning_starts=100, gamma=0.99, tau=0.005,
        train_freq=1, gradient_steps=1, policy_kwargs=dict(net_arch=[256, 256]),
    )


SHARED_GYMNAST = [
    "hidden=[256,256]", 'activation="relu"', "batch_size=256", "buffer_size=100000",
    "learning_starts=100", "gamma=0.99", "tau=0.005", "train_every=1", "gradient_steps=1",
    "reward_scale=1.0", "repeat_random=0.0",
]
SETTINGS = {
    "sac": (
        lambda env, seed: SAC(
            "MlpPolicy", env, seed=seed, device="cpu", learning_rate=3e-4, ent_coef="auto_1.0",
            **shared_sb3(),
        ),
        ["learning_rate=0.0003", "alpha=1.0", "automatic=true", "target_entropy=-1.0"],
    ),
    "td3": (
        lambda env, seed: TD3(
            "MlpPolicy", env, seed=seed, device="cpu", learning_rate=1e-3, policy_delay=2,
            target_policy_noise=0.2, target_noise_clip=0.5,
            action_noise=NormalActionNoise(np.zeros(1), 0.1 * np.ones(1)), **shared_sb3(),
        ),
        [
            "learning_rate=0.001", "policy_delay=2", "target_noise=0.2", "target_noise_clip=0.5",
            "exploration_noise=0.1",
        ],
    ),
}


def seconds_sb3(make, steps, seed):
    model = make(gymnasium.make("Pendulum-v1"), seed)
    begin = time.perf_counter()
    model.learn(steps)
    return time.perf_counter() - begin


def seconds_gymnast(program, agent, settings, steps, seed):
    out = tempfile.mkdtemp()
    command = [
        program, "train", agent, "Pendulum-v1", "--steps", str(steps), "--seed", str(seed),
        "--jobs", "1", "--eval-every", "0", "--eval-episodes", "1", "--out", f"{out}/run",
        "--quiet", "--set", "training.checkpoint_every=0",
    ]
    for setting in settings + SHARED_GYMNAST:
        command += ["--set", setting]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open(f"{out}/run/seed-{seed}/summary.json") as file:
        summary = json.load(file)
    shutil.rmtree(out)
    return summary["env_steps"] / summary["env_steps_per_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--agents", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    parser.add_argument("--program", default=f"{target}/release/gymnast")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"

    print("| agent | Stable-Baselines3, steps/s | Gymnast, steps/s | wall time per env step, ours / theirs (least–most) |")
    print("|---|---|---|---|")
    for agent in arguments.agents:
        make, settings = SETTINGS[agent]
        theirs, ours = [], []
        for seed in range(arguments.rounds):
            theirs.append(seconds_sb3(make, arguments.steps, seed))
            ours.append(
                seconds_gymnast(arguments.program, agent, settings, arguments.steps, seed)
            )
        ratios = [our / their for our, their in zip(ours, theirs)]
        speeds = [f"{arguments.steps / statistics.median(times):.0f}" for times in (theirs, ours)]
        ratio = f"{statistics.median(ratios):.3f} ({min(ratios):.3f}–{max(ratios):.3f})"
        print(f"| {agent} | {speeds[0]} | {speeds[1]} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
