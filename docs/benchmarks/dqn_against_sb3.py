"""Times DQN against Stable-Baselines3's with the same hyperparameters, both sides in turn.

Run from the repository's root, in a scratch virtual environment:

    python3 -m venv /tmp/sb3 && /tmp/sb3/bin/pip install torch==2.13.0 stable-baselines3==2.9.2
    ./setup cargo build --release && /tmp/sb3/bin/python docs/benchmarks/dqn_against_sb3.py

Each round trains both for the same env steps on CartPole-v1, on one thread, without evaluation;
what counts is the time of learning alone, without start-up. Prints a Markdown table.
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
import torch
from stable_baselines3 import DQN

SETTINGS = {
    "rl-zoo: 256-256, 128 updates every 256 steps": dict(
        sb3=dict(
            learning_rate=2.3e-3, batch_size=64, buffer_size=100_000, learning_starts=1000,
            gamma=0.99, target_update_interval=10, train_freq=256, gradient_steps=128,
            exploration_fraction=0.16, exploration_final_eps=0.04,
            policy_kwargs=dict(net_arch=[256, 256]),
        ),
        gymnast=[
            "hidden=[256,256]", "learning_rate=0.0023", "batch_size=64", "buffer_size=100000",
            "learning_starts=1000", "gamma=0.99", "target_every=10", "tau=1.0", "train_every=256",
            "gradient_steps=128", "epsilon={from=1.0,to=0.04,until=0.16}",
        ],
    ),
    "64-64, an update every step": dict(
        sb3=dict(
            learning_rate=1e-3, batch_size=64, buffer_size=100_000, learning_starts=1000,
            gamma=0.99, target_update_interval=500, train_freq=1, gradient_steps=1,
            exploration_fraction=0.1, exploration_final_eps=0.05,
            policy_kwargs=dict(net_arch=[64, 64]),
        ),
        gymnast=[
            "hidden=[64,64]", "learning_rate=0.001", "batch_size=64", "buffer_size=100000",
            "learning_starts=1000", "gamma=0.99", "target_every=500", "tau=1.0", "train_every=1",
            "gradient_steps=1", "epsilon={from=1.0,to=0.05,until=0.1}",
        ],
    ),
}
# Stable-Baselines3's DQN is the plain one.
PLAIN = [
    'activation="relu"', "double=false", "dueling=false", "n_step=1", "max_grad_norm=10.0",
    "reward_scale=1.0", "average=0.0",
]


def seconds_sb3(settings, steps, seed):
    model = DQN("MlpPolicy", gymnasium.make("CartPole-v1"), seed=seed, device="cpu", **settings)
    begin = time.perf_counter()
    model.learn(steps)
    return time.perf_counter() - begin


def seconds_gymnast(program, settings, steps, seed):
    out = tempfile.mkdtemp()
    command = [
        program, "train", "dqn", "CartPole-v1", "--steps", str(steps), "--seed", str(seed),
        "--jobs", "1", "--eval-every", "0", "--eval-episodes", "1", "--out", f"{out}/run",
        "--quiet", "--set", "training.checkpoint_every=0",
    ]
    for setting in settings + PLAIN:
        command += ["--set", setting]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open(f"{out}/run/seed-{seed}/summary.json") as file:
        summary = json.load(file)
    shutil.rmtree(out)
    return summary["env_steps"] / summary["env_steps_per_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    parser.add_argument("--program", default=f"{target}/release/gymnast")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"

    print("| settings | Stable-Baselines3, steps/s | Gymnast, steps/s | wall time per env step, ours / theirs (least–most) |")
    print("|---|---|---|---|")
    for name, settings in SETTINGS.items():
        theirs, ours = [], []
        for seed in range(arguments.rounds):
            theirs.append(seconds_sb3(settings["sb3"], arguments.steps, seed))
            ours.append(
                seconds_gymnast(arguments.program, settings["gymnast"], arguments.steps, seed)
            )
        ratios = [our / their for our, their in zip(ours, theirs)]
        speeds = [f"{arguments.steps / statistics.median(times):.0f}" for times in (theirs, ours)]
        ratio = f"{statistics.median(ratios):.3f} ({min(ratios):.3f}–{max(ratios):.3f})"
        print(f"| {name} | {speeds[0]} | {speeds[1]} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
