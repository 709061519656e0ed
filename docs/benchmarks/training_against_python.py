"""Times training against PyTorch, both sides in turn: an epoch of the digits CNN, and NT-Xent.

Run from the repository's root, in a scratch virtual environment:

    python3 -m venv /tmp/training && /tmp/training/bin/pip install torch --index-url \
        https://download.pytorch.org/whl/cpu
    /tmp/training/bin/python docs/benchmarks/training_against_python.py

The CNN is `NetworkConfig::cnn(&[16, 32], 64, Relu)` with ten outputs, and Adam: 1797 rows, with
batching, loss and optimiser, in ours all that the supervised trainer does. NT-Xent is one forward and
backward pass for so many embeddings of 128 numbers, two views of half as many rows. One thread. What
counts is the CPU time, the least of all rounds. PyTorch runs eagerly and by torch.compile, where a C++
compiler is found. Linux only. Prints a Markdown table.
"""

import argparse
import time

import torch
from against_python import build, seconds_gymnast
from torch import nn
from torch.nn import functional

torch.set_num_threads(1)
ROWS, WIDTH = 1797, 128


def cnn():
    def block(inputs, channels):
        conv = nn.Conv2d(inputs, channels, 3, padding=1)
        return [conv, nn.BatchNorm2d(channels), nn.ReLU(), nn.MaxPool2d(2)]

    head = [nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)]
    return nn.Sequential(*block(1, 16), *block(16, 32), *head)


def digits_cnn(batch_size, compiled):
    """Returns a function that trains for an epoch."""
    network = cnn()
    optimizer = torch.optim.Adam(network.parameters(), 1e-3)
    forward = torch.compile(network) if compiled else network
    inputs, classes = torch.rand(ROWS, 1, 8, 8), torch.randint(10, (ROWS,))

    def epoch():
        for rows in torch.randperm(ROWS).split(batch_size):
            optimizer.zero_grad()
            functional.cross_entropy(forward(inputs[rows]), classes[rows]).backward()
            optimizer.step()

    return epoch


def nt_xent(rows, compiled, temperature=0.5):
    """Returns a function that computes the loss and its gradient."""
    z = torch.randn(rows, WIDTH, requires_grad=True)
    itself, other = torch.eye(rows, dtype=torch.bool), (torch.arange(rows) + rows // 2) % rows

    def loss(z):
        z = functional.normalize(z)
        scores = (z @ z.T / temperature).masked_fill(itself, -torch.inf)
        return functional.cross_entropy(scores, other)

    loss = torch.compile(loss) if compiled else loss

    def both():
        z.grad = None
        loss(z).backward()

    return both


TASKS = {"digits_cnn": (digits_cnn, [32, 128]), "nt_xent": (nt_xent, [256, 512])}


def seconds(work, calls=20):
    """The least time of a call, as our side measures it in each round."""
    times = []
    for _ in range(calls):
        begin = time.process_time()
        work()
        times.append(time.process_time() - begin)
    return min(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", help="our side, built already (default: build it)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile")
    arguments = parser.parse_args()
    program = arguments.program or build("training")
    kinds = {"eager": False} if arguments.no_compile else {"eager": False, "compiled": True}

    print("| task | gymnast, CPU ms | " + " | ".join(f"PyTorch, {kind}" for kind in kinds) + " | ratio |")
    print("|---|---|" + "---|" * len(kinds) + "---|")
    for task, (make, sizes) in TASKS.items():
        for size in sizes:
            theirs = {kind: make(size, compiled) for kind, compiled in kinds.items()}
            for work in theirs.values():
                work()  # what is compiled, or allocated, once
            best = {}
            for _ in range(arguments.rounds):
                times = {kind: seconds(work) for kind, work in theirs.items()}
                times["gymnast"] = seconds_gymnast(program, task, size)
                best = {side: min(best.get(side, t), t) for side, t in times.items()}
            ratio = min(best[kind] for kind in kinds) / best["gymnast"]
            cells = [f"{best[side] * 1e3:.2f}" for side in ["gymnast", *kinds]]
            print(f"| {task}, {size} | {' | '.join(cells)} | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main()
