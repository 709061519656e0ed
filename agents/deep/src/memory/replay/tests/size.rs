//! The bytes that transitions take.

use gymnast_envs::{
    Discrete, ElementType, Env as _, Outcome, RowSpace, Seed, SyncVectorEnv, VectorEnv as _,
    classic::CartPole,
};

use super::*;

const MILLION: usize = 1_000_000;

/// 84 × 84 pixels in stacks of 4, as bytes, in one environment whose episodes last 200 steps.
fn atari(transitions: usize) -> Replay<i64> {
    const PIXELS: usize = 84 * 84;
    let storage = Storage { element: ElementType::U8, frames: 4 };
    let width = 4 * PIXELS;
    let space = RowSpace::new(vec![0.0; width], vec![255.0; width], vec![4, 84, 84]).unwrap();
    let mut replay = Replay::with_storage(storage, transitions, (width, 1), 1, 1).unwrap();
    let frame = |t: usize, pixel: usize| ((7 * t + pixel) % 256) as f32;
    let mut experience = Experience::<RowSpace, Discrete> {
        observations: vec![vec![0.0; width]],
        actions: vec![0],
        rewards: vec![0.0],
        next_observations: vec![vec![0.0; width]],
        outcomes: vec![Outcome::Continues],
        is_reset: vec![false],
    };
    for t in 0..transitions {
        let observation = &mut experience.observations[0];
        let next = &mut experience.next_observations[0];
        if t % 200 == 0 {
            for (pixel, x) in observation.iter_mut().enumerate() {
                *x = frame(t, pixel % PIXELS);
            }
        } else {
            std::mem::swap(observation, next);
        }
        next[..width - PIXELS].copy_from_slice(&observation[PIXELS..]);
        let newest = &mut next[width - PIXELS..];
        newest.iter_mut().enumerate().for_each(|(pixel, x)| *x = frame(t + 1, pixel));
        let is_last = t % 200 == 199;
        experience.outcomes[0] = if is_last { Outcome::Truncated } else { Outcome::Continues };
        replay.push::<_, Discrete>(&space, &experience, 0.99, 1.0, index).unwrap();
    }
    replay
}

#[test]
fn a_million_frames_of_atari_take_7_gigabytes() {
    const SAMPLE: usize = 20_000;
    let replay = atari(SAMPLE);
    let bytes = replay.bytes() / SAMPLE * MILLION;
    assert!(bytes < 7_500_000_000, "{bytes}");
    // One frame each at the least.
    assert!(bytes > 84 * 84 * MILLION, "{bytes}");
}

#[test]
fn a_million_steps_of_cart_pole_take_little_more_than_their_numbers() {
    const SAMPLE: usize = 100_000;
    // Observation, action, reward, discount, the successor's row.
    const RAW: usize = 4 * 4 + 8 + 4 + 4 + 4;
    let num_envs = 8;
    let mut replay = Replay::new(SAMPLE, (4, 1), num_envs, 1).unwrap();
    let make = || Ok(CartPole::default());
    let mut envs = SyncVectorEnv::of(num_envs, Seed::new(0), make).unwrap();
    envs.reset().unwrap();
    let space = CartPole::default().observation_space();
    let mut rng = Seed::new(1).rng();
    // Random play: the shortest episodes there are, so the most that is stored apart.
    while replay.len() < SAMPLE {
        let actions: Vec<i64> = (0..num_envs).map(|_| Discrete::new(2).sample(&mut rng)).collect();
        let experience = envs.step(&actions).unwrap();
        replay.push(&space, experience, 0.99, 1.0, index).unwrap();
    }
    let per_step = replay.bytes() as f64 / SAMPLE as f64;
    assert!(per_step < 1.1 * RAW as f64, "{per_step} bytes a step");
}

/// What the process itself takes is what [`Replay::bytes`] says.
#[test]
#[ignore = "measures the whole process: run it alone"]
fn the_process_takes_what_is_counted() {
    let resident = || -> usize {
        let status = std::fs::read_to_string("/proc/self/statm").unwrap();
        status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
    };
    let before = resident();
    let replay = atari(20_000);
    let (taken, counted) = (resident() - before, replay.bytes());
    println!("{counted} bytes counted, {taken} taken, {} a transition", taken / replay.len());
    assert!(taken.abs_diff(counted) < counted / 50, "{taken} taken, {counted} counted");
}
