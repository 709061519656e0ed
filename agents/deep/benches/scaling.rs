//! How an env step's cost grows: `cargo bench -p gymnast-deep --bench scaling -- [DIRECTORY]`.
//!
//! With the width of the layers, the minibatch, the number of environments and the size of the memory; and
//! what a second core brings. Prints tables; draws them as `scaling-*.png` into the directory where
//! one is given. Each number is the difference between a shorter and a longer training, of each of which
//! the fastest of three counts. Needs a quiet machine, the last table two idle cores.

use std::{hint::black_box, path::Path, thread, time::Instant};

use gymnast_core::plot::{Axis, Line, LinePlot, Picture as _};
use gymnast_deep::{
    A3c, A3cConfig, Categorical, DiagonalGaussian, Dqn, DqnConfig, Engine, Ppo, PpoConfig, Sac,
    SacConfig,
};
use gymnast_envs::{
    Env, SyncVectorEnv,
    classic::{CartPole, Pendulum},
};
use gymnast_harness::{Agent, AgentError, Plan, Trainer, Training};

const ROUNDS: usize = 3;

/// The seconds of a training.
fn seconds<E, G>(
    env_steps: u64,
    num_envs: usize,
    env: fn() -> E,
    make: &impl Fn(E::ObservationSpace, E::ActionSpace, &Plan) -> Result<G, AgentError>,
) -> f64
where
    E: Env + Send + 'static,
    G: Agent<E::ObservationSpace, E::ActionSpace>,
{
    let training = Training { env_steps, num_envs, log_every: 0, ..Training::default() };
    let plan = training.plan(0);
    let mut envs = SyncVectorEnv::of(num_envs, plan.seed.child("envs", 0), || Ok(env()))
        .expect("there are environments");
    let mut agent = make(env().observation_space(), env().action_space(), &plan)
        .expect("the settings are within their ranges");
    let start = Instant::now();
    Trainer::new(&training, 0, &mut agent, &mut envs).run().expect("it trains");
    start.elapsed().as_secs_f64()
}

/// The microseconds of an env step, a mean over `steps` after the `first`.
fn micros<E, G>(
    [first, steps]: [u64; 2],
    num_envs: usize,
    env: fn() -> E,
    make: impl Fn(E::ObservationSpace, E::ActionSpace, &Plan) -> Result<G, AgentError>,
) -> f64
where
    E: Env + Send + 'static,
    G: Agent<E::ObservationSpace, E::ActionSpace>,
{
    let least = |env_steps| {
        let rounds = (0..ROUNDS).map(|_| seconds(env_steps, num_envs, env, &make));
        rounds.fold(f64::INFINITY, f64::min)
    };
    1e6 * (least(first + steps) - least(first)) / steps as f64
}

fn dqn(steps: u64, hidden: usize, batch_size: usize, buffer_size: usize) -> f64 {
    let learning_starts = buffer_size as u64;
    micros([learning_starts + steps, steps], 1, CartPole::default, |o, a, plan| {
        let config = DqnConfig {
            hidden: vec![hidden; 2],
            batch_size,
            buffer_size,
            learning_starts,
            train_every: 1,
            gradient_steps: 1,
            ..DqnConfig::default()
        };
        Dqn::new(o, a, config, plan)
    })
}

fn sac(steps: u64, hidden: usize, batch_size: usize, engine: Engine) -> f64 {
    micros([steps; 2], 1, Pendulum::default, |o, a, plan| {
        let (hidden, learning_starts) = (vec![hidden; 2], 50);
        let config =
            SacConfig { hidden, batch_size, learning_starts, engine, ..SacConfig::default() };
        Sac::new(o, a, config, plan)
    })
}

fn ppo(n: usize, n_steps: usize, hidden: usize, batch_size: usize) -> [f64; 2] {
    let config = |hidden| PpoConfig { hidden, n_steps, batch_size, ..PpoConfig::default() };
    let steps = (4 * n * n_steps) as u64;
    let cart = micros([steps; 2], n, CartPole::default, |o, a, plan| {
        Ppo::new(o, Categorical::new(a), config(vec![hidden; 2]), plan)
    });
    let pendulum = micros([steps; 2], n, Pendulum::default, |o, a, plan| {
        Ppo::new(o, DiagonalGaussian::new(a), config(vec![hidden; 2]), plan)
    });
    [cart, pendulum]
}

/// Prints a table of one column a line, and draws it.
fn show(directory: Option<&Path>, name: &str, x: &str, lines: Vec<(&str, Vec<(usize, f64)>)>) {
    let heads: Vec<&str> = lines.iter().map(|(label, _)| *label).collect();
    println!("\n| {x} | {} |\n|{}", heads.join(" | "), "---|".repeat(1 + lines.len()));
    for (i, (at, _)) in lines[0].1.iter().enumerate() {
        let cells = lines.iter().map(|(_, points)| format!("{:.1}", points[i].1));
        println!("| {at} | {} |", cells.collect::<Vec<_>>().join(" | "));
    }
    let line = |(label, points): (&str, Vec<(usize, f64)>)| {
        Line::new(label, points.into_iter().map(|(x, y)| (x as f64, y)).collect())
    };
    let plot = LinePlot {
        title: format!("An env step by the {x}"),
        x_axis: Axis::logarithmic(x),
        y_axis: Axis::logarithmic("µs an env step"),
        lines: lines.into_iter().map(line).collect(),
        ..LinePlot::default()
    };
    if let Some(directory) = directory {
        plot.save(&directory.join(format!("scaling-{name}.png"))).expect("the picture is written");
    }
}

/// What a second core brings to two seeds, and to A3C.
fn two_cores() {
    let one = || {
        let train = |o, a, plan: &Plan| {
            let (hidden, learning_starts) = (vec![64, 64], 100);
            Dqn::new(o, a, DqnConfig { hidden, learning_starts, ..DqnConfig::default() }, plan)
        };
        seconds(20_000, 1, CartPole::default, &train)
    };
    let two = || {
        let start = Instant::now();
        thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(|| black_box(one())))));
        start.elapsed().as_secs_f64()
    };
    let a3c = |workers| {
        micros([12_800, 102_400], workers, CartPole::default, |o, a, plan| {
            let config = A3cConfig { t_max: 64, hidden: vec![256; 2], ..A3cConfig::default() };
            A3c::new(o, Categorical::new(a), config, plan)
        })
    };
    let best = |round: &dyn Fn() -> f64| (0..ROUNDS).map(|_| round()).fold(0.0, f64::max);
    println!("\nTwo seeds of DQN on two threads: {:.2} x", best(&|| 2.0 * one() / two()));
    println!("A3C with two workers: {:.2} x", a3c(1) / a3c(2));
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let directory = arguments.first().map(Path::new);
    let over = |xs: &[usize], cost: &dyn Fn(usize) -> f64| -> Vec<(usize, f64)> {
        xs.iter().map(|&x| (x, cost(x))).collect()
    };
    let widths = [16, 32, 64, 128, 256, 512, 1024];
    show(
        directory,
        "width",
        "width of both layers",
        vec![
            ("DQN, batch 64", over(&widths, &|w| dqn(400, w, 64, 2000))),
            ("SAC, batch 64", over(&widths, &|w| sac(100, w, 64, Engine::Plan))),
            ("SAC, bf16", over(&widths, &|w| sac(100, w, 64, Engine::PlanBf16))),
            ("PPO, CartPole", over(&widths, &|w| ppo(8, 64, w, 64)[0])),
        ],
    );
    let batches = [16, 32, 64, 128, 256, 512, 1024];
    show(
        directory,
        "batch",
        "minibatch",
        vec![
            ("DQN, 64-64", over(&batches, &|b| dqn(1000, 64, b, 2000))),
            ("DQN, 256-256", over(&batches, &|b| dqn(200, 256, b, 2000))),
            ("SAC, 64-64", over(&batches, &|b| sac(200, 64, b, Engine::Plan))),
            ("SAC, 256-256", over(&batches, &|b| sac(60, 256, b, Engine::Plan))),
        ],
    );
    let numbers = [1, 4, 16, 64, 256, 1024, 4096];
    let rows: Vec<_> = numbers.map(|n| (n, ppo(n, (4096 / n).max(8), 64, 256))).into();
    show(
        directory,
        "environments",
        "number of environments",
        vec![
            ("PPO, CartPole", rows.iter().map(|&(n, [cart, _])| (n, cart)).collect()),
            ("PPO, Pendulum", rows.iter().map(|&(n, [_, pendulum])| (n, pendulum)).collect()),
        ],
    );
    let sizes = [1_000, 10_000, 100_000, 1_000_000];
    show(
        directory,
        "replay",
        "transitions in the memory",
        vec![("DQN, 64-64, batch 64", over(&sizes, &|n| dqn(4000, 64, 64, n)))],
    );
    two_cores();
}
