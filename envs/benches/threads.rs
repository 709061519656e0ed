//! What a second thread brings: `cargo bench -p gymnast-envs --bench threads`.
//!
//! Environments that take 1 to 1000 microseconds a step, stepped on one thread and on two; the rounds are
//! interleaved. Needs two idle cores.

use std::{
    hint::spin_loop,
    time::{Duration, Instant},
};

use gymnast_envs::{Discrete, Env, EnvError, Rng, Seed, Step, SyncVectorEnv, VectorEnv as _};

const ROUNDS: usize = 9;
const STEPS: u32 = 200;

/// Works for so long a step.
struct Busy(Duration);

impl Env for Busy {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        Ok(0)
    }

    fn step(&mut self, _action: &i64, _rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        let start = Instant::now();
        while start.elapsed() < self.0 {
            spin_loop();
        }
        Ok(Step::new(0, 0.0, false))
    }
}

/// The seconds of some steps of `n` environments on `threads` threads.
fn seconds(micros: u64, n: usize, threads: usize) -> f64 {
    let make = || Ok(Busy(Duration::from_micros(micros)));
    let mut envs = SyncVectorEnv::of(n, Seed::new(0), make).expect("n is at least 1");
    envs.set_threads(threads);
    envs.reset().expect("it does not fail");
    let start = Instant::now();
    for _ in 0..STEPS {
        envs.step(&vec![0; n]).expect("the action is valid");
    }
    start.elapsed().as_secs_f64()
}

fn main() {
    println!("| µs a step | environments | one thread / two |\n|---|---|---|");
    for micros in [1, 10, 100, 1_000] {
        for n in [2, 8, 32] {
            let mut ratios: Vec<f64> =
                (0..ROUNDS).map(|_| seconds(micros, n, 1) / seconds(micros, n, 2)).collect();
            ratios.sort_by(f64::total_cmp);
            println!("| {micros} | {n} | {:.2} |", ratios[ROUNDS / 2]);
        }
    }
}
