//! Behaviour cloning: an expert learns CartPole, plays a few episodes, and another learns from those
//! alone what to do.
//!
//! ```text
//! cargo run --release --example behaviour_cloning    # writes expert.jsonl
//! ```
//!
//! The same by the command:
//!
//! ```text
//! gymnast train ppo CartPole-v1 --seed 0
//! gymnast record runs/ppo-CartPole-v1 --episodes 25 --out expert.jsonl
//! gymnast train bc CartPole-v1 --set demonstrations=expert.jsonl
//! ```

use std::{error::Error, path::Path};

use gymnast::{
    Bc, BcConfig, Demonstrations, Discrete, Env as _, Mode, Plan, Policy as _, Presets as _,
    Recorder, Seed, Setup, SyncVectorEnv,
    deep::{Categorical, Ppo, PpoConfig},
    envs::{classic::CartPole, wrappers::TimeLimit},
    train,
};

type Observations = gymnast::BoxSpace<4>;

fn cart_poles(
    n: usize,
    seed: Seed,
) -> Result<SyncVectorEnv<TimeLimit<CartPole>>, gymnast::EnvError> {
    SyncVectorEnv::new(vec![TimeLimit::new(CartPole::default(), 500); n], seed)
}

fn main() -> Result<(), Box<dyn Error>> {
    let pole = CartPole::default();
    let (seen, done) = (pole.observation_space(), pole.action_space());
    let evaluations = || Box::new(|n, seed| Ok(Box::new(cart_poles(n, seed)?) as Box<_>));

    let preset = PpoConfig::preset("CartPole-v1").ok_or("no preset")?;
    let training = preset.training;
    let (seed, num_envs) = (Seed::new(0), training.num_envs);
    let plan = Plan { seed, num_envs, env_steps: training.env_steps };
    let mut expert = Setup::<Observations, Discrete> {
        agent: Box::new(Ppo::new(seen, Categorical::new(done), preset.settings, &plan)?),
        envs: Box::new(cart_poles(num_envs, seed.child("envs", 0))?),
        eval_envs: evaluations(),
    };
    let summary = train(&mut expert, &training, seed, Recorder::in_memory(), None, &mut [])?;
    println!("the expert, after {} steps: {:.1}", summary.env_steps, last(&summary)?);

    let mut episodes = Demonstrations::new(seen, done);
    let mut envs = cart_poles(1, seed.child("record", 0))?;
    let (mut rng, mut actions) = (seed.child("record", 1).rng(), Vec::new());
    for _ in 0..10 {
        episodes.record(&mut envs, 500, |observation| {
            expert.agent.act(&[*observation], Mode::Exploit, &mut rng, &mut actions)?;
            Ok(actions[0])
        })?;
    }
    episodes.write(Path::new("expert.jsonl"))?;
    println!("expert.jsonl: {} steps of 10 episodes", episodes.len());

    let episodes = Demonstrations::read(Path::new("expert.jsonl"), seen, done)?;
    let preset = BcConfig::preset("CartPole-v1").ok_or("no preset")?;
    let plan = Plan { seed, num_envs: 1, env_steps: preset.training.env_steps };
    let mut clone = Setup::<Observations, Discrete> {
        agent: Box::new(Bc::new(&episodes, Categorical::new(done), &preset.settings, &plan)?),
        envs: Box::new(cart_poles(1, seed.child("envs", 1))?),
        eval_envs: evaluations(),
    };
    let summary = train(&mut clone, &preset.training, seed, Recorder::in_memory(), None, &mut [])?;
    println!("its clone, after {} minibatches: {:.1}", summary.env_steps, last(&summary)?);
    Ok(())
}

fn last(summary: &gymnast::Summary) -> Result<f64, &'static str> {
    summary.evaluations.last().map(|evaluation| evaluation.mean_return).ok_or("no evaluation")
}
