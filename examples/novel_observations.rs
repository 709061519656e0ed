//! Detects observations unlike the training data of a policy: other poles, and failing sensors.
//!
//! ```text
//! cargo run --release --example novel_observations
//! ```
//!
//! PPO learns CartPole. A detector is fitted to the observations of the trained policy, with a
//! threshold that flags one in a hundred of them. Then it watches tasks that differ.

use std::error::Error;

use gymnast::{
    BoxSpace, Discrete, Env as _, EnvError, Mode, Plan, Policy as _, Presets as _, Seed,
    SyncVectorEnv, Trainer, VectorEnv,
    core::statistics::{Bootstrap, mean},
    deep::{Categorical, NoveltyWatch, Ppo, PpoConfig},
    envs::{
        classic::CartPole,
        wrappers::{TimeLimit, TransformObservation},
    },
    harness::play_episodes,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Poles = Box<dyn VectorEnv<BoxSpace<4>, Discrete>>;

const SEEDS: u64 = 5;
/// Presets were tuned on the seeds 0 to 9.
const FIRST_SEED: u64 = 100;
/// How much of what it knows a watch may flag.
const TOLERANCE: f64 = 0.01;

/// What is unlike the training: the pole's half-length, and how the sensors read.
type Variant = (&'static str, f64, fn(&[f32; 4]) -> [f32; 4]);

const VARIANTS: [Variant; 6] = [
    ("as learned", 0.5, |seen| *seen),
    ("half-length 1 m", 1.0, |seen| *seen),
    ("half-length 2 m", 2.0, |seen| *seen),
    ("angle in degrees", 0.5, |&[x, v, angle, spin]| [x, v, angle.to_degrees(), spin]),
    ("angle's sign turned", 0.5, |&[x, v, angle, spin]| [x, v, -angle, spin]),
    ("velocities not measured", 0.5, |&[x, _, angle, _]| [x, 0.0, angle, 0.0]),
];

fn poles(
    (_, length, sensors): Variant,
    n: usize,
    seed: Seed,
) -> std::result::Result<Poles, EnvError> {
    let mut pole = CartPole::default();
    pole.length = length;
    let space = pole.observation_space();
    let env = TimeLimit::new(TransformObservation::new(pole, space, sensors), 500);
    Ok(Box::new(SyncVectorEnv::new(vec![env; n], seed)?))
}

/// The share in % that is flagged in each variant, and the mean return.
fn run(seed: Seed) -> Result<Vec<[f64; 2]>> {
    let (pole, preset) =
        (CartPole::default(), PpoConfig::preset("CartPole-v1").ok_or("no preset")?);
    let (training, head) = (preset.training, Categorical::new(pole.action_space()));
    let plan = Plan { seed, ..training.plan(0) };
    let mut agent = Ppo::new(pole.observation_space(), head, preset.settings, &plan)?;
    let mut envs = poles(VARIANTS[0], training.num_envs, seed.child("envs", 0))?;
    Trainer::new(&training, 0, &mut agent, &mut *envs).root(seed).run()?;

    // What it sees of twenty episodes, one after the other.
    let (mut rng, mut actions, mut seen) = (seed.child("watch", 0).rng(), vec![], vec![]);
    for episode in 0..20 {
        let mut envs = poles(VARIANTS[0], 1, seed.child("watched", episode))?;
        envs.reset()?;
        for _ in 0..500 {
            seen.extend_from_slice(envs.observations());
            agent.act(envs.observations(), Mode::Explore, &mut rng, &mut actions)?;
            envs.step(&actions)?;
        }
    }
    let watch = NoveltyWatch::fit(agent, pole.observation_space(), &seen, TOLERANCE, 1e-3)?;
    let mut found = Vec::new();
    for variant in VARIANTS {
        let (before, flagged) = (watch.seen(), watch.flagged());
        let mut envs = poles(variant, 50, seed.child("evaluation", 0))?;
        let episodes = play_episodes(&watch, &mut *envs, Mode::Exploit, &mut rng, 500)?;
        let share = (watch.flagged() - flagged) as f64 / (watch.seen() - before) as f64;
        found.push([100.0 * share, mean(&episodes.returns).ok_or("a return is not finite")?]);
    }
    Ok(found)
}

fn main() -> Result<()> {
    let runs: Vec<_> =
        (FIRST_SEED..FIRST_SEED + SEEDS).map(|seed| run(Seed::new(seed))).collect::<Result<_>>()?;
    println!(
        "A watch that may flag 1 % of what PPO sees in CartPole-v1; {SEEDS} seeds, mean [95 %]:\n"
    );
    println!("| what it stands by | flagged, % | return |\n|---|---|---|");
    for (i, (name, ..)) in VARIANTS.iter().enumerate() {
        print!("| {name} |");
        for score in 0..2 {
            let values: Vec<f64> = runs.iter().map(|run| run[i][score]).collect();
            let interval = Bootstrap::default().interval(&values, mean, &mut Seed::new(0).rng())?;
            print!(" {:.1} [{:.1}, {:.1}] |", interval.estimate, interval.low, interval.high);
        }
        println!();
    }
    Ok(())
}
