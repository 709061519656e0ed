"""The tables: medians with least and most, ratios within each round, goals."""

import datetime
import os
import platform
import re
import subprocess
import textwrap
from statistics import median

import installation
from rows import ENVIRONMENTS, JAX, OURS, ROWS, products

BEGIN = "<!-- Written by docs/benchmarks/against_peers: begin -->"
END = "<!-- Written by docs/benchmarks/against_peers: end -->"
SHORT = {"Stable-Baselines3": "SB3", JAX: "JAX"}
FLOOR = "floor"
FLOORS = {"dqn-64": 2.0, "dqn-256": 1.25, "sac": 1.25, "td3": 1.25}  # goals of the distance to it


class Results:
    """What was measured, by row and contestant."""

    def __init__(self):
        self.values = {}  # one number a round
        self.learned = {}  # mean returns
        self.missing = {}  # why there is no number

    def ratios(self, key, peer):
        """How many times as fast as the peer, in each round that has both."""
        return [b / a for a, b in zip(self.of(key, OURS), self.of(key, peer))]

    def reason(self, key, peer):
        """Why there is no number, in a few words; the whole reason stands below the tables."""
        return self.missing.get((key, peer), "not measured").split(":")[0]

    def of(self, key, peer):
        return [] if (key, peer) in self.missing else self.values.get((key, peer), [])


def rates(seconds):
    """Steps per second, from seconds per step, in the unit of the median."""
    if not seconds:
        return ""
    middle = 1 / median(seconds)
    size, letter = next(unit for unit in ((1e6, "M"), (1e3, "k"), (0, "")) if middle >= unit[0])
    least, most = (digits(1 / extreme(seconds) / (size or 1)) for extreme in (max, min))
    return f"{digits(middle / (size or 1))}{letter} ({least}{letter}–{most}{letter})"


def digits(value):
    """Three digits; what never came is infinite."""
    if value == float("inf"):
        return "never"
    return f"{value:.{max(0, 2 - len(str(int(value))) + 1)}f}"


def spread(values):
    if not values:
        return ""
    return f"{digits(median(values))} ({digits(min(values))}–{digits(max(values))})"


def judged(holds, goal):
    return f"{goal}: {'yes' if holds else 'no'}"


def table(header, lines):
    """A Markdown table with its columns aligned."""
    widths = [max(len(line[column]) for line in [header, *lines]) for column in range(len(header))]

    def row(cells):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([row(header), rule, *map(row, lines)])


def training(results, name):
    row, lines = ROWS[name], []
    for peer in row.lengths:
        values = results.of(name, peer)
        if not values and (name, peer) not in results.missing:
            continue
        label = SHORT.get(peer, peer)
        if not values:
            lines.append([label, results.reason(name, peer), "", ""])
            continue
        beside, goal = "", ""
        if peer == OURS:
            milliseconds = [1000 * value for value in values]
            beside = f"{digits(median(milliseconds))} ms a step" if row.milliseconds else ""
            if row.milliseconds:
                goal = judged(median(milliseconds) <= row.milliseconds, f"≤ {row.milliseconds} ms")
        elif ratios := results.ratios(name, peer):
            beside = spread(ratios)
            if peer == JAX and row.times_jax:
                goal = judged(median(ratios) >= row.times_jax, f"≥ {row.times_jax}")
        lines.append([label, rates(values), beside, goal])
    parts = [f"**{row.title}**\n", table(["", "steps/s", "ours / its", "goal"], lines)]
    returns = [
        f"{SHORT.get(peer, peer)} {results.learned[name, peer]:.0f}"
        for peer in row.lengths if (name, peer) in results.learned
    ]
    if returns:
        parts.append(f"\nMean return, steps {row.learn // 2} to {row.learn}: {', '.join(returns)}.")
    return "\n".join(parts)


def mbpo(results):
    values = results.of("mbpo", OURS)
    line = [OURS, spread(values) or results.reason("mbpo", OURS), judged(bool(values) and median(values) <= 6, "≤ 6 s")]
    return "**MBPO, Pendulum, preset, until a mean return of −200**\n\n" + table(
        ["", "CPU s of the command", "goal"], [line]
    )


def floor(results, names):
    """The time of an update beside that of its products at the speed of NumPy's product."""
    lines = []
    for name in names:
        pairs = list(zip(results.of(name, OURS), results.of((FLOOR, name), "NumPy")))
        if name not in FLOORS or not pairs:
            continue
        megaflop, updates = products(name)
        update = [1000 * step / updates for step, _ in pairs]
        least = [megaflop / gflops for _, gflops in pairs]  # MFLOP / (GFLOP/s) = ms
        ratios = [a / b for a, b in zip(update, least)]
        lines.append([
            ROWS[name].title.split(",")[0] + " " + "-".join(map(str, ROWS[name].settings["hidden"])),
            f"{megaflop:.3g}", f"{median(update):.3g}", f"{median(least):.3g}", spread(ratios),
            judged(median(ratios) <= FLOORS[name], f"≤ {FLOORS[name]}"),
        ])
    if not lines:
        return ""
    peak = spread([value for name in FLOORS for value in results.of((FLOOR, name), "NumPy")])
    return (
        f"**Distance to the floor**: an update, with its env steps, beside its products\n"
        f"at the speed of NumPy's of 512 × 512 × 512, {peak} GFLOP/s\n\n"
    ) + table(["update", "MFLOP", "ms", "floor, ms", "ratio", "goal"], lines)


def environments(results):
    lines = []
    for env, numbers in ENVIRONMENTS.items():
        for number in numbers:
            key = env, number
            cell = rates(results.of(key, OURS)) or results.reason("environments", OURS)
            lines.append([f"{env} × {number}" if len(numbers) > 1 else env, OURS, cell, ""])
            for peer in ("Gymnasium", "EnvPool"):
                if not results.of(key, peer) and (key, peer) not in results.missing:
                    continue
                cell = rates(results.of(key, peer)) or results.reason(key, peer)
                lines.append(["", peer, cell, spread(results.ratios(key, peer))])
    return "**Environments, random actions, by the number in a vector**\n\n" + table(
        ["environment", "", "steps/s", "ours / its"], lines
    )


def circumstances(results, arguments):
    try:
        info = open("/proc/cpuinfo").read()
        model = re.search(r"model name\s*: (.*)", info).group(1)
    except (OSError, AttributeError):
        model = platform.processor() or platform.machine()
    said = subprocess.run([arguments.program, "--version"], capture_output=True, text=True).stdout
    versions = ", ".join(f"{name} {number}" for name, number in installation.versions().items())
    counts = sorted({len(values) for values in results.values.values()})
    rounds = "–".join(str(count) for count in dict.fromkeys(counts[:1] + counts[-1:]))
    text = (
        f"{datetime.date.today()}, {model}, {os.cpu_count()} cores of which one is used, "
        f"load {os.getloadavg()[1]:.1f}; {rounds} rounds; medians with least and most; "
        f"{said.strip()}; Python {platform.python_version()}, {versions}."
    )
    return textwrap.fill(text, 80)


def text(results, names, arguments):
    parts = [circumstances(results, arguments)]
    parts += [training(results, name) for name in names if name in ROWS]
    if "mbpo" in names:
        parts.append(mbpo(results))
    parts.append(floor(results, names))
    if "environments" in names:
        parts.append(environments(results))
    reasons = {
        f"{peer}: {reason}" if reason.startswith("not installed") else f"{peer}, {key}: {reason}"
        for (key, peer), reason in results.missing.items()
    }
    parts += [textwrap.fill(reason, 80) for reason in sorted(reasons)]
    return "\n\n".join(part for part in parts if part)


def write(path, text):
    """Puts the text between the two marks of a file."""
    whole = path.read_text(encoding="utf-8")
    before, found, rest = whole.partition(BEGIN)
    _, found_end, after = rest.partition(END)
    if not found or not found_end:
        raise SystemExit(f"against_peers: {path} lacks the marks {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf-8")
