"""Random steps per second of Gymnasium's or EnvPool's environments; actions are drawn beforehand.

    python environment_steps.py gymnasium|envpool ENV NUMBER
"""

import itertools
import json
import sys
import time
import warnings

SECONDS = 0.3  # of CPU that are measured, after as long a warm-up
DRAWN = 256  # actions, used again and again
NEWER = {
    "LunarLander-v0": "LunarLander-v3", "LunarLanderContinuous-v0": "LunarLanderContinuous-v3"
}


def actions(space):
    return itertools.cycle([space.sample() for _ in range(DRAWN)])


def gymnasium_one(name):
    import gymnasium

    env = gymnasium.make(name)
    env.reset(seed=0)
    drawn = actions(env.action_space)

    def step():
        _, _, terminated, truncated, _ = env.step(next(drawn))
        if terminated or truncated:
            env.reset()

    return step


def gymnasium_many(name, number):
    import gymnasium

    mode = "vector_entry_point" if gymnasium.spec(name).vector_entry_point else "sync"
    envs = gymnasium.make_vec(name, num_envs=number, vectorization_mode=mode)
    envs.reset(seed=0)
    drawn = actions(envs.action_space)
    return lambda: envs.step(next(drawn))


def envpool_many(name, number):
    import envpool
    from gymnasium.vector.utils import batch_space

    envs = envpool.make_gymnasium(name, num_envs=number, num_threads=1)
    envs.reset()
    drawn = actions(batch_space(envs.action_space, number))
    return lambda: envs.step(next(drawn))


def main():
    library, name, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    warnings.simplefilter("ignore")
    name = NEWER.get(name, name)
    if library == "envpool":
        step = envpool_many(name, number)
    else:
        step = gymnasium_one(name) if number == 1 else gymnasium_many(name, number)
    for _ in range(2):
        count, begin = 0, time.process_time()
        while time.process_time() - begin < SECONDS:
            for _ in range(100 if number == 1 else 1):
                step()
            count += 100 if number == 1 else 1
        seconds = time.process_time() - begin
    print(json.dumps({"seconds_per_step": seconds / count / number}))


if __name__ == "__main__":
    main()
