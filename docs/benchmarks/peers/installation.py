"""The peers' scratch environment in the user's cache, and processes in it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
# What each peer needs; the versions are those of requirements.txt.
PACKAGES = {
    "Stable-Baselines3": ["torch", "stable-baselines3", "gymnasium"],
    "sbx": ["torch", "stable-baselines3", "gymnasium", "jax", "sbx-rl"],
    "compiled JAX": ["jax", "jaxlib"],
    "NumPy": ["numpy"],
    "Gymnasium": ["numpy", "gymnasium", "box2d", "pygame"],
    "EnvPool": ["numpy", "envpool"],
    "rl-zoo": ["torch", "stable-baselines3", "gymnasium", "rl-zoo3"],
}


class Missing(Exception):
    """Why a contestant has no number."""


def folder():
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base, "gymnast", "peers")


def python():
    return folder() / "bin" / "python"


def install(peers):
    """Installs peers where they are not yet; returns why those failed that did."""
    if not python().exists():
        print(f"Making {folder()}, 6 GB with all peers ...", file=sys.stderr, flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder())], check=True)
    failed = {}
    for peer in peers:
        stamp = folder() / f"{peer}.installed"
        if stamp.exists() and stamp.read_text() == REQUIREMENTS.read_text():
            continue
        print(f"Installing {peer} ...", file=sys.stderr, flush=True)
        # Wheels alone: what must be compiled first has no place on every machine.
        pip = [str(python()), "-m", "pip", "install", "--only-binary=:all:", "--quiet"]
        pip += ["--constraint", str(REQUIREMENTS), *PACKAGES[peer]]
        result = subprocess.run(pip, env=environment(), stderr=subprocess.PIPE, text=True)
        if result.returncode:
            errors = re.findall(r"^ERROR: (.*)", result.stderr, re.MULTILINE)
            failed[peer] = f"not installed: {(errors or [result.stderr.strip()])[-1]}"
        else:
            stamp.write_text(REQUIREMENTS.read_text())
    return failed


def environment():
    """The variables of a peer: one thread, no accelerator, its own libraries."""
    one = dict(os.environ, JAX_PLATFORMS="cpu", CUDA_VISIBLE_DEVICES="", PYTHONHASHSEED="0")
    one["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    for threads in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        one[threads] = "1"
    # A libtorch of the user's is not the peer's; OpenBLAS knows the processor itself.
    for name in ("LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        one.pop(name, None)
    return one


def run(core, script, *arguments):
    """What a contestant's script says, as JSON on its last line."""
    command = [str(python()), str(HERE / script), *map(str, arguments)]
    result = subprocess.run(
        command, env=environment(), capture_output=True, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
    )
    if result.returncode:
        raise Missing(f"failed: {(result.stderr.strip().splitlines() or ['it says nothing'])[-1]}")
    return json.loads(result.stdout.strip().splitlines()[-1])


def versions():
    return dict(re.findall(r"^([\w-]+)==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE))
