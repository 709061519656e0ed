"""Gymnast's side: whole commands, timed from outside."""

import contextlib
import csv
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path
from statistics import mean

# What the peers do not have.
PLAIN = {
    "dqn": dict(activation="relu", double=False, dueling=False, n_step=1, tau=1.0, average=0.0),
    "sac": dict(activation="relu", automatic=True, average=0.0, repeat_random=0.0),
    "td3": dict(activation="relu", repeat_random=0.0),
    "ppo": dict(
        activation="tanh", average=0.0, normalize_observations=False, value_coefficient=0.5,
        entropy_coefficient=0.0, clip_value=False, target_kl=0.0,
    ),
    "a2c": dict(
        activation="tanh", average=0.0, normalize_observations=False, value_coefficient=0.5,
        entropy_coefficient=0.0, max_grad_norm=0.5, rms_prop_alpha=0.99, rms_prop_eps=1e-5,
    ),
}


def settings(row, steps, explore):
    chosen = dict(row.settings, reward_scale=1.0, **PLAIN[row.agent])
    chosen["training.num_envs"] = chosen.pop("num_envs", 1)
    chosen["training.checkpoint_every"] = 0
    if row.agent == "dqn":
        share = min(1.0, explore / steps)
        chosen["epsilon"] = f"{{from=1.0,to={chosen['epsilon']},until={share}}}"
        del chosen["explore"]
    if chosen.pop("decay", False):
        for name in ("learning_rate", "clip"):
            chosen[name] = f"{{from={chosen[name]},to=0.0}}"
    if row.agent == "ppo" and row.env == "Pendulum-v1":
        chosen["log_std"] = 0.0
    return [
        f"{name}={value if str(value).startswith('{') else json.dumps(value)}"
        for name, value in chosen.items()
    ]


def train(program, core, arguments):
    """Trains in a scratch directory; returns CPU seconds and the directory's reader."""
    with tempfile.TemporaryDirectory() as directory:
        command = [program, "train", *arguments, "--jobs", "1", "--quiet", "--out", f"{directory}/run"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        stderr = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command)}: {stderr.strip()}")
        (run,) = Path(directory, "run").glob("seed-*")
        with open(run / "episodes.csv", newline="") as file:
            episodes = list(csv.DictReader(file))
        return usage.ru_utime + usage.ru_stime, episodes, json.loads((run / "summary.json").read_text())


def run(program, core, row, steps, seed, explore):
    arguments = [
        row.agent, row.env, "--steps", str(steps), "--seed", str(seed), "--eval-every", "0",
        "--eval-episodes", "1",
    ]
    for setting in settings(row, steps, explore):
        arguments += ["--set", setting]
    return train(program, core, arguments)


def seconds_per_step(program, core, row, length, seed):
    """The CPU seconds of an env step, from commands of N and of 2 N."""
    explore = min(length, row.settings.get("explore", 0))
    once, twice = (run(program, core, row, n * length, seed, explore)[0] for n in (1, 2))
    return (twice - once) / length


def learned(program, core, row, seed):
    _, episodes, _ = run(program, core, row, row.learn, seed, row.settings.get("explore", 0))
    return mean(
        float(episode["return"]) for episode in episodes if int(episode["env_step"]) > row.learn / 2
    )


def seconds_to(program, core, agent, env, target, seed):
    """The CPU seconds of the whole command until an evaluation reaches the target."""
    arguments = [agent, env, "--seed", str(seed), "--set", f"training.stop_at={target}"]
    seconds, _, summary = train(program, core, arguments)
    reached = summary["evaluations"][-1]["mean_return"] >= target
    return seconds if reached else float("inf")


def environments(bench, core):
    """Pairs of (environment, number) and seconds per step, from one round of the benchmark `steps`.

    The benchmark reads the time of day: it goes first on its core where that is allowed.
    """

    def alone():
        os.sched_setaffinity(0, {core})
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, -15)

    result = subprocess.run(
        [str(bench)], capture_output=True, text=True, check=True, preexec_fn=alone
    )
    table = re.findall(r"^\| (\S+-v\d) \|([^|]+)\|([^|]+)\|([^|]+)\|", result.stdout, re.MULTILINE)
    return [
        ((env, number), 1e-6 / float(rate))
        for env, *rates in table
        for number, rate in zip((1, 64, 1024), rates)
    ]
