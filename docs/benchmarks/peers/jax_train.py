"""The compiled JAX contestants: train for 2 N env steps and print the CPU seconds of the last N.

    python jax_train.py ROW N SEED           after compilation and N env steps
    python jax_train.py ROW N SEED --learn   the mean return of the second half of N env steps
"""

import importlib
import json
import sys
import time

import jax

import rows


def main():
    name, steps, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    learn = "--learn" in sys.argv
    row = rows.ROWS[name]
    settings = dict(row.settings, env=row.env, total=steps if learn else 2 * steps)
    if "explore" in settings and not learn:
        settings["explore"] = min(settings["explore"], steps)
    init, train = importlib.import_module(f"jax_{row.agent}").make(settings, steps)
    state = jax.jit(init)(jax.random.key(seed))
    compiled = jax.jit(train, donate_argnums=0).lower(state).compile()
    state, finished = jax.block_until_ready(compiled(state))
    if learn:
        second_half = finished.ravel()[finished.size // 2 :]
        return print(json.dumps({"learned": float(jax.numpy.nanmean(second_half))}))
    begin = time.process_time()
    jax.block_until_ready(compiled(state))
    print(json.dumps({"seconds_per_step": (time.process_time() - begin) / steps}))


if __name__ == "__main__":
    main()
