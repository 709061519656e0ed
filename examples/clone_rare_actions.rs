//! Behaviour cloning of an expert with a rare action: plain, with class-balanced minibatches, and
//! with higher weights for rare actions.
//!
//! ```text
//! cargo run --release --example clone_rare_actions
//! ```
//!
//! The expert, DQN on MountainCar, pushes in almost every step. A clone that never coasts is right
//! nearly always.

use std::error::Error;

use gymnast::{
    Bc, BcConfig, BoxSpace, Demonstrations, Discrete, Dqn, DqnConfig, Env as _, EnvError, Mode,
    Plan, Policy, Presets as _, Seed, SyncVectorEnv, Trainer, Training,
    core::{
        data::Sampler,
        imbalance::ClassWeight,
        metrics::{
            Average, ZeroDivision, balanced_accuracy_score, f1_score, precision_score, recall_score,
        },
        statistics::{mean, paired_difference},
    },
    deep::Categorical,
    envs::{classic::MountainCar, wrappers::TimeLimit},
    harness::play_episodes,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;
type Episodes = Demonstrations<BoxSpace<2>, Discrete>;

const SEEDS: u64 = 10;
/// The presets were tuned on the seeds 0 to 9.
const FIRST_SEED: u64 = 100;
const COAST: usize = 1;
const SCORES: [&str; 5] =
    ["precision, coasting", "recall, coasting", "F1, coasting", "balanced accuracy", "return"];

fn cars(
    n: usize,
    seed: Seed,
) -> std::result::Result<SyncVectorEnv<TimeLimit<MountainCar>>, EnvError> {
    SyncVectorEnv::new(vec![TimeLimit::new(MountainCar::default(), 200); n], seed)
}

fn expert(seed: Seed) -> Result<Dqn<BoxSpace<2>, Discrete>> {
    let (car, preset) =
        (MountainCar::default(), DqnConfig::preset("MountainCar-v0").ok_or("none")?);
    let training = preset.training;
    let plan = Plan { seed, num_envs: training.num_envs, env_steps: training.env_steps };
    let mut agent = Dqn::new(car.observation_space(), car.action_space(), preset.settings, &plan)?;
    let mut envs = cars(training.num_envs, seed.child("envs", 0))?;
    Trainer::new(&training, 0, &mut agent, &mut envs).root(seed).run()?;
    Ok(agent)
}

fn record(policy: &dyn Policy<BoxSpace<2>, Discrete>, n: usize, seed: Seed) -> Result<Episodes> {
    let (car, mut envs) = (MountainCar::default(), cars(1, seed)?);
    let mut episodes = Demonstrations::new(car.observation_space(), car.action_space());
    let (mut rng, mut actions) = (seed.rng(), Vec::new());
    for _ in 0..n {
        episodes.record(&mut envs, 200, |observation| {
            policy.act(&[*observation], Mode::Exploit, &mut rng, &mut actions)?;
            Ok(actions[0])
        })?;
    }
    Ok(episodes)
}

/// What a clone of these episodes does in the states of others, and its return.
fn clone(
    episodes: &Episodes,
    others: &Episodes,
    config: &BcConfig,
    seed: Seed,
) -> Result<[f64; 5]> {
    let training = Training { env_steps: 5_000, ..Training::default() };
    let plan = Plan { seed, num_envs: 1, env_steps: training.env_steps };
    let head = Categorical::new(*episodes.action_space());
    let mut agent = Bc::new(episodes, head, config, &plan)?;
    let mut envs = cars(1, seed.child("envs", 1))?;
    Trainer::new(&training, 0, &mut agent, &mut envs).root(seed).run()?;

    let (mut rng, mut actions) = (seed.child("evaluation", 0).rng(), Vec::new());
    agent.act(others.observations(), Mode::Exploit, &mut rng, &mut actions)?;
    let classes =
        |actions: &[i64]| actions.iter().map(|&action| action as usize).collect::<Vec<_>>();
    let (done, asked) = (classes(&actions), classes(others.actions()));
    let (coasting, zero) = (Average::Class(COAST), ZeroDivision::Zero);
    let precision = precision_score(&asked, &done, coasting, zero)?;
    let recall = recall_score(&asked, &done, coasting, zero)?;
    let f1 = f1_score(&asked, &done, coasting, zero)?;
    let mut envs = cars(50, seed.child("evaluation", 1))?;
    let played = play_episodes(&agent, &mut envs, Mode::Exploit, &mut rng, 200)?;
    let score = mean(&played.returns).ok_or("a return is not finite")?;
    Ok([precision, recall, f1, balanced_accuracy_score(&asked, &done)?, score])
}

fn main() -> Result<()> {
    let ways = [
        ("plain", BcConfig::default()),
        ("balanced minibatches", BcConfig { sampler: Sampler::Balanced, ..BcConfig::default() }),
        ("class weights", BcConfig { class_weight: ClassWeight::Balanced, ..BcConfig::default() }),
    ];
    let mut results = ways.each_ref().map(|_| SCORES.map(|_| Vec::new()));
    let (mut coasted, mut returns) = (Vec::new(), Vec::new());
    for seed in (FIRST_SEED..FIRST_SEED + SEEDS).map(Seed::new) {
        let expert = expert(seed)?;
        let episodes = record(&expert, 20, seed.child("record", 0))?;
        let others = record(&expert, 20, seed.child("record", 1))?;
        let rare = episodes.actions().iter().filter(|&&action| action as usize == COAST).count();
        coasted.push(100.0 * rare as f64 / episodes.len() as f64);
        returns.extend(others.returns());
        for ((_, config), scores) in ways.iter().zip(&mut results) {
            let found = clone(&episodes, &others, config, seed.child("clone", 0))?;
            scores.iter_mut().zip(found).for_each(|(scores, score)| scores.push(score));
        }
    }
    let (coasted, returned) = (mean(&coasted).unwrap_or(0.0), mean(&returns).unwrap_or(0.0));
    println!(
        "MountainCar-v0, {SEEDS} seeds: DQN coasts in {coasted:.1} % of its steps, and returns {returned:.1}."
    );
    println!(
        "Its clones, in states that they have not seen; differences from the plain one [95 %]:\n"
    );
    println!("| clone | {} |\n|---|{}", SCORES.join(" | "), "---|".repeat(SCORES.len()));
    for ((name, _), scores) in ways.iter().zip(&results) {
        print!("| {name} |");
        for (score, plain) in scores.iter().zip(&results[0]) {
            print!(" {:.3}", mean(score).unwrap_or(0.0));
            if *name != "plain" {
                let gain = paired_difference(score, plain, 0.95, 0.0)?;
                print!(" ({:+.3} [{:+.3}, {:+.3}])", gain.estimate, gain.low, gain.high);
            }
            print!(" |");
        }
        println!();
    }
    Ok(())
}
