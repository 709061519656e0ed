"""Records transitions of bsuite's and MinAtar's own environments for `envs/tests/traces.rs`.

Run from this folder with bsuite==0.3.6 and MinAtar==1.0.15 installed:

    python record_originals.py

The lines are those of `record.py`; the states are those of this library's `Env::state`.
"""

import json
import warnings

import numpy as np
from bsuite.environments import catch as bsuite_catch
from bsuite.environments import deep_sea as bsuite_deep_sea
from minatar.environments import breakout as minatar_breakout

RNG = np.random.RandomState(0)


def write(name, lines):
    with open(f"{name}.jsonl", "w") as file:
        for line in lines:
            file.write(json.dumps(line, separators=(",", ":")) + "\n")
    print(f"{name}: {len(lines)} lines")


def line(state, action, next_state, reward, terminated):
    return {
        "state": state,
        "action": int(action),
        "next_state": next_state,
        "reward": float(reward),
        "terminated": bool(terminated),
    }


def integers(*numbers):
    return [int(number) for number in numbers]


def catch():
    """Every state in play and every action. bsuite's actions are those of this library."""
    env, lines = bsuite_catch.Catch(), []
    get = lambda: integers(env._ball_y, env._ball_x, env._paddle_x)
    env.reset()
    for ball_y in range(9):
        for ball_x in range(5):
            for paddle in range(5):
                for action in range(3):
                    env._reset_next_step = False
                    env._ball_y, env._ball_x, env._paddle_x = ball_y, ball_x, paddle
                    state, step = get(), env.step(action)
                    lines.append(line(state, action, get(), step.reward, step.last()))
    write("Catch-v0", lines)


def deep_sea():
    """Every state and action of a sea where 1 goes to the right everywhere."""
    warnings.simplefilter("ignore")
    env, lines = bsuite_deep_sea.DeepSea(10, randomize_actions=False), []
    get = lambda: integers(env._row, env._column)
    for row in range(10):
        for column in range(10):
            for action in range(2):
                env.reset()
                env._row, env._column = row, column
                state, step = get(), env.step(action)
                lines.append(line(state, action, get(), step.reward, step.last()))
    write("DeepSea-v0-plain", lines)


def breakout():
    """Without sticky actions: games by chance, games that follow the ball, and any states."""
    env, lines = minatar_breakout.Env(), []
    env.random = np.random.RandomState(0)
    # Stay, left and right.
    actions = env.minimal_action_set()
    assert [env.action_map[action] for action in actions] == ["n", "l", "r"]

    def get(last_action):
        places = (env.ball_y, env.ball_x, env.ball_dir, env.pos, env.last_y, env.last_x)
        bricks = env.brick_map[1:4, :].flatten()
        assert env.brick_map.sum() == bricks.sum()
        return integers(*places, env.strike, last_action, *bricks)

    def act(last_action, action):
        state = get(last_action)
        reward, terminated = env.act(actions[action])
        lines.append(line(state, action, get(action), reward, terminated))
        return terminated

    def play(limit, chance):
        env.reset()
        last = 0
        for _ in range(limit):
            action = {0: 0, -1: 1, 1: 2}[int(np.sign(env.ball_x - env.pos))]
            if RNG.rand() < chance:
                action = RNG.randint(3)
            terminated = act(last, action)
            last = action
            if terminated:
                return

    def anywhere():
        env.reset()
        env.ball_y, env.ball_x, env.ball_dir = RNG.randint(9), RNG.randint(10), RNG.randint(4)
        if RNG.rand() < 0.3:
            env.ball_y, env.ball_dir = 8, RNG.choice([2, 3])
        env.last_y, env.last_x = RNG.randint(10), RNG.randint(10)
        env.pos = int(np.clip(env.ball_x + RNG.randint(-2, 3), 0, 9))
        env.strike = bool(RNG.rand() < 0.5)
        env.brick_map[1:4, :] = RNG.rand(3, 10) < RNG.choice([0.0, 0.3, 0.8])
        act(RNG.randint(3), RNG.randint(3))

    for _ in range(20):
        play(100, 1.0)
    for _ in range(4):
        play(100, 0.1)
    for _ in range(500):
        anywhere()
    write("MinAtarBreakout-v1-certain", lines)


catch()
deep_sea()
breakout()
