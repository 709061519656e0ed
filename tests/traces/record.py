"""Records transitions of Gymnasium's environments for `envs/tests/traces.rs`.

Run from this folder with gymnasium==1.4.0 installed:

    python record.py

Each line: the state that Gymnasium holds internally, the action, the next state, the reward,
whether it is terminal. Whole episodes with random actions first, then transitions at the limits.
"""

import json
import math

import gymnasium
import numpy as np

assert gymnasium.__version__ == "1.4.0", f"needs gymnasium 1.4.0, got {gymnasium.__version__}"


def numbers(values):
    """Plain Python numbers, integers where they are."""
    values = np.atleast_1d(np.asarray(values)).tolist()
    return [int(v) if isinstance(v, bool) else v for v in values]


class Recorder:
    def __init__(self, name, env_id, **kwargs):
        self.name, self.env, self.lines = name, gymnasium.make(env_id, **kwargs), []
        self.inner = self.env.unwrapped
        self.rng = np.random.default_rng(0)

    def get(self):
        inner = self.inner
        if hasattr(inner, "state"):
            return numbers(inner.state)
        return numbers(inner.s if hasattr(inner, "s") else inner._get_obs())

    def step(self, action):
        state = self.get()
        _, reward, terminated, _, _ = self.inner.step(action)
        record = {
            "state": state,
            "action": numbers(action) if isinstance(action, np.ndarray) else int(action),
            "next_state": self.get(),
            "reward": float(reward),
            "terminated": bool(terminated),
        }
        self.lines.append(json.dumps(record, separators=(",", ":")))
        return terminated

    def episodes(self, count, steps, policy=None):
        self.env.action_space.seed(0)
        for seed in range(count):
            self.env.reset(seed=seed)
            for t in range(steps):
                action = policy(self, t) if policy else self.env.action_space.sample()
                if self.step(action):
                    break

    def at(self, state, action):
        """A step from a chosen state; an array keeps its own precision."""
        self.env.reset(seed=len(self.lines))
        if hasattr(self.inner, "state"):
            self.inner.state = np.asarray(state)
            self.inner.steps_beyond_terminated = None
        else:
            self.inner.s = state
        self.step(action)

    def write(self):
        with open(f"{self.name}.jsonl", "w") as file:
            file.write("\n".join(self.lines) + "\n")
        print(f"{self.name}: {len(self.lines)} lines")


def below(x):
    return math.nextafter(x, -math.inf)


def above(x):
    return math.nextafter(x, math.inf)


def cart_pole():
    trace = Recorder("CartPole-v1", "CartPole-v1")
    trace.episodes(12, 500)
    # Upright for long: a policy that pushes towards the fall.
    trace.episodes(1, 120, lambda r, t: int(r.inner.state[2] + 0.5 * r.inner.state[3] > 0))
    angle = trace.inner.theta_threshold_radians
    for x in (2.4, below(2.4), above(2.4), 2.39, 4.8):
        for theta in (0.0, angle, below(angle), above(angle), 0.2, math.pi):
            for sign in (1, -1):
                for action in (0, 1):
                    trace.at([sign * x, 0.0, sign * theta, 0.0], action)
                    trace.at([sign * 0.1, -3.5, sign * theta, 12.5], action)
    trace.write()


def mountain_car():
    trace = Recorder("MountainCar-v0", "MountainCar-v0")
    trace.episodes(1, 200)
    trace.episodes(1, 200, lambda r, t: 2 if r.inner.state[1] >= 0 else 0)
    for position in (-1.2, above(-1.2), -1.19, -1.15, -0.5, 0.43, below(0.5), 0.5, 0.55, 0.6):
        for velocity in (-0.07, -0.069, -0.0005, 0.0, 0.0005, 0.069, 0.07):
            for action in (0, 1, 2):
                trace.at([position, velocity], action)
    trace.write()


def mountain_car_continuous():
    trace = Recorder("MountainCarContinuous-v0", "MountainCarContinuous-v0")
    trace.episodes(2, 120)
    push = lambda r, t: np.array([1.0 if r.inner.state[1] >= 0 else -1.0], np.float32)
    trace.episodes(1, 300, push)
    actions = (-3.0, -1.0, -0.3, 0.0, 0.1, 1.0, 1.5)
    for position in (-1.2, -1.19, -0.5, 0.4, 0.4499, 0.45, 0.6):
        for velocity in (-0.07, -0.0005, 0.0, 0.0005, 0.07):
            for action in trace.rng.choice(actions, 3, replace=False):
                # The first state of an episode is f64, every later one f32.
                for precision in (np.float64, np.float32):
                    trace.at(np.array([position, velocity], precision), np.array([action], np.float32))
    trace.write()


def pendulum():
    trace = Recorder("Pendulum-v1", "Pendulum-v1")
    trace.episodes(2, 200)
    for theta in (0.0, 1.0, math.pi / 2, math.pi, above(math.pi), -math.pi, 3 * math.pi, -7.7, 40.0):
        for speed in (-8.0, -7.9, 0.0, 0.3, 7.99, 8.0):
            for action in (-5.0, -2.0, 0.1, 2.0, 3.0):
                trace.at([theta, speed], np.array([action], np.float32))
    trace.write()


def acrobot():
    trace = Recorder("Acrobot-v1", "Acrobot-v1")
    trace.episodes(1, 150)
    # Torque along the second joint's motion swings it up.
    trace.episodes(3, 300, lambda r, t: 2 if r.inner.state[3] > 0 else 0)
    fast = [(0.0, 0.0), (4 * math.pi, 9 * math.pi), (-4 * math.pi, -9 * math.pi), (12.0, -28.0)]
    for theta1 in (0.0, math.pi, -math.pi, 2.0, 3.1):
        for theta2 in (0.0, math.pi, -3.1, 1.0):
            for speeds in fast:
                trace.at([theta1, theta2, *speeds], int(trace.rng.integers(3)))
    trace.write()


def tabular(name, env_id, repeats, episodes=0, **kwargs):
    """Every state and action; several times where the dynamics are random."""
    trace = Recorder(name, env_id, **kwargs)
    trace.episodes(episodes, 200)
    for _ in range(repeats):
        for state in range(int(trace.env.observation_space.n)):
            for action in range(int(trace.env.action_space.n)):
                trace.at(state, action)
    trace.write()


def blackjack():
    trace = Recorder("Blackjack-v1", "Blackjack-v1")
    trace.episodes(350, 20)
    # Draw on whatever is below 18: long hands, and aces that stop counting 11.
    trace.episodes(250, 20, lambda r, t: int(r.inner._get_obs()[0] < 18))
    trace.write()


cart_pole()
mountain_car()
mountain_car_continuous()
pendulum()
acrobot()
tabular("FrozenLake-v1", "FrozenLake-v1", repeats=4, episodes=20)
tabular("FrozenLake8x8-v1", "FrozenLake8x8-v1", repeats=2, episodes=5)
tabular("FrozenLake-v1-dry", "FrozenLake-v1", repeats=1, episodes=5, is_slippery=False)
tabular("CliffWalking-v1", "CliffWalking-v1", repeats=1, episodes=1)
tabular("CliffWalkingSlippery-v1", "CliffWalkingSlippery-v1", repeats=3)
tabular("Taxi-v4", "Taxi-v4", repeats=1, episodes=1)
tabular("Taxi-v4-rainy", "Taxi-v4", repeats=1, is_rainy=True)
blackjack()
