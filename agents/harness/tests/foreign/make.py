"""Makes the files of other programs that tests/foreign.rs reads, and expected.json, what these
programs' own readers make of them.

    pip install stable-baselines3 rl-zoo3 tensorboard tensorboardX rliable
    python agents/harness/tests/foreign/make.py

The files here were made with stable-baselines3 2.9.2, rl-zoo3 2.9.2, tensorboard 2.21.0,
tensorboardX 2.6.5, rliable 1.2.0 and torch 2.13.0. Another call makes other ones: times and
trainings differ. chart.csv is written by hand, in the form of W&B's export of a chart.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
from rliable import metrics
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import EvalCallback
from stable_baselines3.common.monitor import Monitor, load_results
from stable_baselines3.common.results_plotter import X_TIMESTEPS, ts2xy
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboardX import SummaryWriter as OtherWriter
from torch.utils.tensorboard import SummaryWriter

HERE = Path(__file__).resolve().parent
expected = {}


def without_host(folder):
    """Renames event files: their names say on which machine they were written."""
    for index, path in enumerate(sorted(folder.rglob("*tfevents*"))):
        moment = path.name.split(".")[3]
        path.rename(path.with_name(f"events.out.tfevents.{moment}.host.{index}"))


def points_of_events(folder, tag):
    events = EventAccumulator(str(folder), purge_orphaned_data=True)
    events.Reload()
    if tag in events.Tags()["scalars"]:
        return [[event.step, event.value] for event in events.Scalars(tag)]
    tensors = events.Tensors(tag)
    value = lambda tensor: (list(tensor.double_val) or list(tensor.float_val))[0]
    return [[event.step, value(event.tensor_proto)] for event in tensors]


def points_of_monitors(folder):
    x, y = ts2xy(load_results(str(folder)), X_TIMESTEPS)
    return [[int(step), float(value)] for step, value in zip(x, y)]


def points_of_evaluations(folder):
    arrays = np.load(folder / "evaluations.npz")
    rows = zip(arrays["timesteps"], arrays["results"])
    statistics = (np.mean, np.std, np.min, np.max)
    return [[int(step)] + [float(of(row)) for of in statistics] for step, row in rows]


def stable_baselines():
    """A run by hand: monitor.csv and evaluations.npz in one folder, event files in another."""
    folder = HERE / "sb3/ppo/FrozenLake-v1_1"
    folder.mkdir(parents=True)
    env = Monitor(gym.make("FrozenLake-v1"), str(folder / "monitor.csv"))
    evaluated = Monitor(gym.make("FrozenLake-v1"))
    callback = EvalCallback(
        evaluated, log_path=str(folder), eval_freq=256, n_eval_episodes=5, verbose=0
    )
    tb = HERE / "sb3/tb"
    model = PPO("MlpPolicy", env, n_steps=128, seed=3, tensorboard_log=str(tb), device="cpu")
    model.learn(1024, callback=callback)
    without_host(tb)
    expected["sb3"] = {
        "episodes": points_of_monitors(folder),
        "evaluations": points_of_evaluations(folder),
        "events_evaluations": points_of_events(tb / "PPO_1", "eval/mean_reward"),
        "events_training": points_of_events(tb / "PPO_1", "rollout/ep_rew_mean"),
    }


def zoo():
    """Two seeds of rl-zoo, by its own command."""
    with tempfile.TemporaryDirectory() as scratch:
        for seed in (11, 12):
            command = [sys.executable, "-m", "rl_zoo3.train", "--algo", "ppo", "--env"]
            command += ["CartPole-v1", "-n", "1200", "--eval-freq", "400", "--eval-episodes", "3"]
            command += ["--seed", str(seed), "-f", "logs", "--device", "cpu"]
            subprocess.run(command, check=True, cwd=scratch)
        for folder in sorted(Path(scratch, "logs/ppo").glob("CartPole-v1_*")):
            to = HERE / "zoo/ppo" / folder.name
            (to / "CartPole-v1").mkdir(parents=True)
            files = [*folder.glob("*.monitor.csv"), folder / "evaluations.npz"]
            files += folder.glob("CartPole-v1/*.yml")
            for file in files:
                shutil.copy(file, to / file.relative_to(folder))
            expected[f"zoo/{folder.name}"] = {
                "episodes": points_of_monitors(to),
                "evaluations": points_of_evaluations(to),
            }


def clean_rl():
    """The logging of CleanRL's scripts (ppo.py), around random actions."""
    for seed in (1, 2):
        run_name = f"FrozenLake-v1__ppo__{seed}__{1_700_000_000 + seed}"
        folder = HERE / "cleanrl" / run_name
        writer = SummaryWriter(str(folder))
        writer.add_text("hyperparameters", f"|param|value|\n|-|-|\n|seed|{seed}|")
        make = lambda: gym.wrappers.RecordEpisodeStatistics(gym.make("FrozenLake-v1"))
        envs = gym.vector.SyncVectorEnv(
            [make] * 4, autoreset_mode=gym.vector.AutoresetMode.SAME_STEP
        )
        envs.reset(seed=seed)
        envs.action_space.seed(seed)
        global_step = 0
        for _ in range(150):
            global_step += 4
            *_, infos = envs.step(envs.action_space.sample())
            final = infos.get("final_info", {})
            for ended, value, length in zip(
                final.get("_episode", []),
                final.get("episode", {}).get("r", []),
                final.get("episode", {}).get("l", []),
            ):
                if ended:
                    writer.add_scalar("charts/episodic_return", value, global_step)
                    writer.add_scalar("charts/episodic_length", length, global_step)
        writer.close()
        without_host(folder)
        expected[f"cleanrl/{run_name}"] = points_of_events(folder, "charts/episodic_return")


def other_writers():
    """tensorboardX, resumed in a second file; and PyTorch's numbers as tensors."""
    folder = HERE / "tensorboardx"
    for start, values in ((0, [1.0, 2.0, 3.0]), (200, [2.5, 3.5, 4.5])):
        writer = OtherWriter(str(folder), purge_step=start if start else None)
        for index, value in enumerate(values):
            writer.add_scalar("charts/episodic_return", value, start + 100 * index)
        writer.close()
        time.sleep(1.1)  # Their names hold the second.
    without_host(folder)
    expected["tensorboardx"] = points_of_events(folder, "charts/episodic_return")
    for name, options in (
        ("float", {"new_style": True}),
        ("double", {"new_style": True, "double_precision": True}),
    ):
        folder = HERE / "tensors" / name
        writer = SummaryWriter(str(folder))
        for step in (10, 20):
            writer.add_scalar("eval/mean_reward", step / 3, step, **options)
        writer.close()
        without_host(folder)
        expected[f"tensors/{name}"] = points_of_events(folder, "eval/mean_reward")


def rliable():
    rng = np.random.default_rng(5)
    scores = {"dqn": rng.uniform(0, 1, (5, 4)), "ppo": rng.uniform(0.2, 1.2, (6, 4))}
    np.savez_compressed(HERE / "scores.npz", **scores)
    (HERE / "scores.json").write_text(json.dumps({k: v.tolist() for k, v in scores.items()}))
    frames = np.array([1000, 2000, 3000])
    curves = {"dqn": rng.uniform(0, 1, (3, 2, 3)).astype(np.float32)}
    np.savez(HERE / "curves.npz", frames=frames, **curves)
    aggregates = {
        "mean": metrics.aggregate_mean,
        "median": metrics.aggregate_median,
        "iqm": metrics.aggregate_iqm,
        "optimality_gap": metrics.aggregate_optimality_gap,
    }
    expected["scores"] = {
        name: {key: float(of(array)) for key, of in aggregates.items()}
        for name, array in scores.items()
    }
    expected["curves"] = {name: array.astype(float).tolist() for name, array in curves.items()}
    np.save(HERE / "pickled.npy", scores, allow_pickle=True)


for old in ("sb3", "zoo", "cleanrl", "tensorboardx", "tensors"):
    shutil.rmtree(HERE / old, ignore_errors=True)
os.environ["CUDA_VISIBLE_DEVICES"] = ""
stable_baselines()
zoo()
clean_rl()
other_writers()
rliable()
(HERE / "expected.json").write_text(json.dumps(expected, indent=None) + "\n")
