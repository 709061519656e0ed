//! Random steps per second on one core: `cargo bench -p gymnast-envs`.
//!
//! Each environment is wrapped in its time limit and stepped by a `SyncVectorEnv` that resets it at
//! an episode's end; drawing the random actions counts. The rounds of all rows are interleaved, so
//! that a machine that drifts drifts for all of them. Arguments choose environments by parts of their
//! names. `docs/benchmarks/against_peers` runs this in turn with Gymnasium and EnvPool.

use std::{hint::black_box, time::Instant};

use gymnast_envs::{
    Env, Rng, Seed, Space, SyncVectorEnv, VectorEnv,
    classic::{
        Acrobot, CartPole, CartPoleContinuous, MountainCar, MountainCarContinuous, Pendulum,
    },
    physics::{LunarLander, LunarLanderContinuous},
    toy_text::{Blackjack, CliffWalking, FrozenLake, Taxi},
    wrappers::TimeLimit,
};

const IDS: [&str; 12] = [
    "CartPole-v1",
    "CartPoleContinuous-v1",
    "MountainCar-v0",
    "MountainCarContinuous-v0",
    "Pendulum-v1",
    "Acrobot-v1",
    "FrozenLake-v1",
    "CliffWalking-v1",
    "Taxi-v4",
    "Blackjack-v1",
    "LunarLander-v0",
    "LunarLanderContinuous-v0",
];
const SIZES: [usize; 4] = [1, 64, 1024, 4096];
const ROUNDS: usize = 9;

/// Steps of one environment in one round: fewer where a physics engine takes them.
fn steps(id: &str) -> usize {
    if id.starts_with("LunarLander") { 1 << 16 } else { 1 << 19 }
}

/// Something that can be timed: so many steps, and how many seconds they took.
type Row = Box<dyn FnMut() -> f64>;

fn row<E>(env: &E, limit: impl Into<Option<u32>>, n: usize, steps: usize) -> Row
where
    E: Env + Clone + 'static,
{
    let limited = TimeLimit::new(env.clone(), limit.into());
    let copies = (0..n).map(|_| limited.clone()).collect();
    let mut envs = SyncVectorEnv::new(copies, Seed::new(0)).expect("n is at least 1");
    envs.reset().expect("the built-ins do not fail");
    let mut rng: Rng = Seed::new(0).child("policy", 0).rng();
    let mut actions = Vec::with_capacity(n);
    Box::new(move || {
        let start = Instant::now();
        for _ in 0..steps / n {
            let space = envs.action_space();
            space.sample_many(n, &mut rng, &mut actions);
            let experience = envs.step(&actions).expect("sampled actions are valid");
            black_box(experience);
        }
        start.elapsed().as_secs_f64()
    })
}

fn rows(id: &str) -> [Row; SIZES.len()] {
    let steps = steps(id);
    SIZES.map(|n| match id {
        "CartPole-v1" => row(&CartPole::default(), 500, n, steps),
        "CartPoleContinuous-v1" => row(&CartPoleContinuous::default(), 500, n, steps),
        "MountainCar-v0" => row(&MountainCar::default(), 200, n, steps),
        "MountainCarContinuous-v0" => row(&MountainCarContinuous::default(), 999, n, steps),
        "Pendulum-v1" => row(&Pendulum::default(), 200, n, steps),
        "Acrobot-v1" => row(&Acrobot::default(), 500, n, steps),
        "FrozenLake-v1" => row(&FrozenLake::default(), 100, n, steps),
        "CliffWalking-v1" => row(&CliffWalking::default(), None, n, steps),
        "Taxi-v4" => row(&Taxi::default(), 200, n, steps),
        "Blackjack-v1" => row(&Blackjack::default(), None, n, steps),
        "LunarLander-v0" => row(&LunarLander::default(), 1000, n, steps),
        "LunarLanderContinuous-v0" => row(&LunarLanderContinuous::default(), 1000, n, steps),
        other => unreachable!("{other} has no row"),
    })
}

fn main() {
    // `cargo test --benches` runs this too: once is enough to see that it works.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { ROUNDS } else { 1 };
    let parts: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let is_chosen = |id: &str| parts.is_empty() || parts.iter().any(|part| id.contains(part));
    let chosen: Vec<_> = IDS.into_iter().filter(|id| is_chosen(id)).collect();
    let mut envs: Vec<_> = chosen.iter().map(|id| rows(id)).collect();
    let mut seconds = vec![[const { Vec::new() }; SIZES.len()]; chosen.len()];
    for round in 0..=rounds {
        for (rows, seconds) in envs.iter_mut().zip(&mut seconds) {
            for (row, seconds) in rows.iter_mut().zip(seconds) {
                let took = row();
                // The first round warms the caches.
                if round > 0 {
                    seconds.push(took);
                }
            }
        }
    }
    println!("Median of {rounds} interleaved rounds, one core, million steps per second.\n");
    println!("| environment | n = 1 | n = 64 | n = 1024 | n = 4096 |\n|---|---|---|---|---|");
    for (id, seconds) in chosen.into_iter().zip(&mut seconds) {
        let [one, some, many, most] = seconds.each_mut().map(|seconds| {
            seconds.sort_by(f64::total_cmp);
            steps(id) as f64 / seconds[seconds.len() / 2] / 1e6
        });
        println!("| {id} | {one:.2} | {some:.2} | {many:.2} | {most:.2} |");
    }
}
