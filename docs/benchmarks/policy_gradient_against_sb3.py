"""Times PPO and A2C against Stable-Baselines3's with the same hyperparameters, both sides in turn.

Run from the repository's root, in a scratch virtual environment:

    python3 -m venv /tmp/sb3 && /tmp/sb3/bin/pip install torch==2.13.0 stable-baselines3==2.9.2
    ./setup cargo build --release && /tmp/sb3/bin/python docs/benchmarks/policy_gradient_against_sb3.py

Each round trains both for the same env steps on CartPole-v1, in eight environments on one thread,
without evaluation; what counts is the time of learning alone, without start-up. Prints a Markdown
table.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time

import torch
from stable_baselines3 import A2C, PPO
from stable_baselines3.common.env_util import make_vec_env

NETWORKS = [
    "hidden=[64,64]", 'activation="tanh"', "reward_scale=1.0", "average=0.0",
    "normalize_observations=false",
]
SETTINGS = {
    "PPO, rl-zoo: 32 steps, 20 epochs, batch 256": dict(
        agent="ppo",
        sb3=dict(
            n_steps=32, batch_size=256, n_epochs=20, gae_lambda=0.8, gamma=0.98, ent_coef=0.0,
            learning_rate=lambda left: 1e-3 * left, clip_range=lambda left: 0.2 * left,
        ),
        gymnast=[
            "n_steps=32", "batch_size=256", "epochs=20", "gae_lambda=0.8", "gamma=0.98",
            "learning_rate={from=0.001,to=0.0}", "clip={from=0.2,to=0.0}",
        ],
    ),
    "PPO, SB3's defaults: 2048 steps, 10 epochs, batch 64": dict(
        agent="ppo",
        sb3=dict(),
        gymnast=[
            "n_steps=2048", "batch_size=64", "epochs=10", "gae_lambda=0.95", "gamma=0.99",
            "learning_rate=0.0003", "clip=0.2",
        ],
    ),
    "A2C, SB3's defaults: 5 steps": dict(
        agent="a2c",
        sb3=dict(),
        gymnast=[
            "n_steps=5", "gamma=0.99", "learning_rate=0.0007", "rms_prop_alpha=0.99",
            "rms_prop_eps=0.00001",
        ],
    ),
}
# The same for both algorithms.
LOSS = ["value_coefficient=0.5", "entropy_coefficient=0.0", "max_grad_norm=0.5"]
PPO_ALONE = ["clip_value=false", "target_kl=0.0"]


def seconds_sb3(setting, steps, seed):
    make = {"ppo": PPO, "a2c": A2C}[setting["agent"]]
    envs = make_vec_env("CartPole-v1", n_envs=8, seed=seed)
    model = make("MlpPolicy", envs, seed=seed, device="cpu", **setting["sb3"])
    begin = time.perf_counter()
    model.learn(steps)
    # It ends with a whole rollout.
    return (time.perf_counter() - begin) / model.num_timesteps


def seconds_gymnast(program, setting, steps, seed):
    out = tempfile.mkdtemp()
    command = [
        program, "train", setting["agent"], "CartPole-v1", "--steps", str(steps), "--seed", str(seed),
        "--jobs", "1", "--eval-every", "0", "--eval-episodes", "1", "--out", f"{out}/run",
        "--quiet", "--set", "training.checkpoint_every=0", "--set", "training.num_envs=8",
    ]
    for assignment in setting["gymnast"] + NETWORKS + LOSS:
        command += ["--set", assignment]
    for assignment in PPO_ALONE if setting["agent"] == "ppo" else []:
        command += ["--set", assignment]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    with open(f"{out}/run/seed-{seed}/summary.json") as file:
        summary = json.load(file)
    shutil.rmtree(out)
    return 1 / summary["env_steps_per_s"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    # A whole number of rollouts of each setting.
    parser.add_argument("--steps", type=int, default=32_768)
    parser.add_argument("--rounds", type=int, default=5)
    target = os.environ.get("CARGO_TARGET_DIR", "target")
    parser.add_argument("--program", default=f"{target}/release/gymnast")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"

    print("| settings | Stable-Baselines3, steps/s | Gymnast, steps/s | wall time per env step, ours / theirs (least–most) |")
    print("|---|---|---|---|")
    for name, setting in SETTINGS.items():
        theirs, ours = [], []
        for seed in range(arguments.rounds):
            theirs.append(seconds_sb3(setting, arguments.steps, seed))
            ours.append(seconds_gymnast(arguments.program, setting, arguments.steps, seed))
        ratios = [our / their for our, their in zip(ours, theirs)]
        speeds = [f"{1 / statistics.median(times):.0f}" for times in (theirs, ours)]
        ratio = f"{statistics.median(ratios):.3f} ({min(ratios):.3f}–{max(ratios):.3f})"
        print(f"| {name} | {speeds[0]} | {speeds[1]} | {ratio} |", flush=True)


if __name__ == "__main__":
    main()
