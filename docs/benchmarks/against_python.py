"""Builds and runs our side of a comparison, a benchmark of gymnast-core."""

import json
import subprocess


def build(bench, *options):
    """Builds a benchmark and returns its program."""
    command = ["cargo", "bench", "--no-run", "-p", "gymnast-core", *options]
    command += ["--bench", bench, "--message-format", "json"]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    messages = [json.loads(line) for line in output.splitlines()]
    return next(m["executable"] for m in messages if m.get("executable"))


def seconds_gymnast(program, task, of):
    command = [program, task, str(of)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return float(output.stdout.split()[0])
