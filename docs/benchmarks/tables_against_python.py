"""Times reading a CSV file against polars and resampling against imbalanced-learn, both sides in turn.

Run from the repository's root, in a scratch virtual environment:

    python3 -m venv /tmp/tables && /tmp/tables/bin/pip install polars imbalanced-learn
    /tmp/tables/bin/python docs/benchmarks/tables_against_python.py

Each side has the same numbers and one thread; files have just been written, so they are read from
memory. What counts is the CPU time, the least of all rounds, without start-up; resampling's without
reading. Linux only. Prints a Markdown table.
"""

import argparse
import os
import tempfile
import time

for variable in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"]:
    os.environ[variable] = "1"

import imblearn.over_sampling
import imblearn.under_sampling
import numpy
import polars
from against_python import build, seconds_gymnast

RESAMPLERS = {
    "smote": lambda: imblearn.over_sampling.SMOTE(),
    "borderline_smote": lambda: imblearn.over_sampling.BorderlineSMOTE(),
    "tomek_links": lambda: imblearn.under_sampling.TomekLinks(),
}


def seconds_theirs(task, path):
    if task == "read":
        begin = time.process_time()
        polars.read_csv(path)
        return time.process_time() - begin
    table = polars.read_csv(path).to_numpy()
    inputs, classes = numpy.ascontiguousarray(table[:, :-1]), table[:, -1].astype(int)
    resampler = RESAMPLERS[task]()
    begin = time.process_time()
    resampler.fit_resample(inputs, classes)
    return time.process_time() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", help="our side, built already (default: build it)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", nargs="+", default=["read", *RESAMPLERS])
    arguments = parser.parse_args()
    program = arguments.program or build("tables", "--no-default-features")
    random = numpy.random.default_rng(0)

    def rows(number, columns):
        """Overlapping classes, 30 % of them the rare one."""
        classes = random.random(number) < 0.3
        return random.normal(size=(number, columns)) + 0.5 * classes[:, None], classes

    print("| task | gymnast, CPU s | the other, CPU s | ratio |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for task in arguments.tasks:
            if task == "read":
                numbers = random.normal(size=(1_000_000, 10))
                tables = {
                    "1 000 000 × 10, 6 decimals": numbers.round(6),
                    "1 000 000 × 10, all digits": numbers,
                }
            else:
                tables = {}
                for columns in [20, 3]:
                    inputs, classes = rows(100_000, columns)
                    table = numpy.column_stack([inputs.astype(numpy.float32), classes])
                    tables[f"100 000 × {columns}"] = table
            for name, table in tables.items():
                path = f"{folder}/table.csv"
                polars.DataFrame(table).write_csv(path)
                sides = [lambda: seconds_gymnast(program, task, path), lambda: seconds_theirs(task, path)]
                times = [[side() for side in sides] for _ in range(arguments.rounds)]
                ours, theirs = (min(times) for times in zip(*times))
                print(f"| {task}, {name} | {ours:.2f} | {theirs:.2f} | {theirs / ours:.1f} |", flush=True)


main()
