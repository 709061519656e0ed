//! DQN on Catch from pixels: plain, with a contrastive auxiliary loss (CURL), and with convolutions
//! pretrained on random play. How many env steps until 9 of 10 balls are caught?
//!
//! ```text
//! cargo run --release --example pretrain_catch
//! ```

use std::error::Error;

use gymnast::{
    Discrete, Dqn, DqnConfig, Env as _, Presets as _, SyncVectorEnv, Trainer, Training,
    core::{
        statistics::{Curve, censored_median, steps_to_threshold},
        supervised::FitConfig,
    },
    deep::{Networks as _, PretrainConfig, random_play},
    envs::bsuite::Catch,
};

const SEEDS: u64 = 5;
/// Presets were tuned on the seeds 0 to 9.
const FIRST_SEED: u64 = 100;
const PLAY: usize = 1_000; // env steps of random play, which count as well

/// The env steps until the mean return was 0.8 first, and the last mean return.
fn run(seed: u64, contrastive: f64, pretrain: bool) -> Result<(Option<f64>, f64), Box<dyn Error>> {
    let config = DqnConfig::preset("Catch-v0").expect("there is one").settings;
    let config = DqnConfig { contrastive, ..config };
    let training =
        Training { env_steps: 6_000, eval_every: 250, eval_episodes: 50, ..Training::default() };
    let plan = training.plan(seed);
    let mut catch = Catch::default();
    let mut agent = Dqn::new(catch.observation_space(), Discrete::new(3), config, &plan)?;
    let mut played = 0.0;
    if pretrain {
        let seen = random_play(&mut catch, PLAY, &mut plan.seed.child("play", 0).rng())?;
        let fit = FitConfig { epochs: 20, batch_size: 128, ..FitConfig::adam(1e-3) };
        let config = PretrainConfig { fit, ..PretrainConfig::default() };
        agent.pretrain(&catch.observation_space(), &seen, &config, plan.seed)?;
        played = PLAY as f64;
    }
    let mut envs = SyncVectorEnv::new(vec![catch], plan.seed.child("envs", 0))?;
    let summary = Trainer::new(&training, seed, &mut agent, &mut envs)
        .evaluate_on(|| Ok(Catch::default()))
        .run()?;
    let steps = summary.evaluations.iter().map(|evaluation| played + evaluation.env_step as f64);
    let returns: Vec<f64> = summary.evaluations.iter().map(|found| found.mean_return).collect();
    let last = returns.last().copied().unwrap_or(f64::NAN);
    let curve = Curve::new(steps.collect(), returns)?;
    Ok((steps_to_threshold(&curve, 0.8).first, last))
}

fn main() -> Result<(), Box<dyn Error>> {
    for (name, contrastive, pretrain) in [
        ("plain", 0.0, false),
        ("contrastive 0.01", 0.01, false),
        ("contrastive 0.1", 0.1, false),
        ("pretrained", 0.0, true),
    ] {
        let runs = (FIRST_SEED..FIRST_SEED + SEEDS).map(|seed| run(seed, contrastive, pretrain));
        let runs = runs.collect::<Result<Vec<_>, _>>()?;
        let steps: Vec<Option<f64>> = runs.iter().map(|(steps, _)| *steps).collect();
        let returns: Vec<f64> = runs.iter().map(|(_, last)| *last).collect();
        let median = censored_median(&steps);
        println!("{name:16} median steps {median:?} of {steps:?}, last returns {returns:.2?}");
    }
    Ok(())
}
