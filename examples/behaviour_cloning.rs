//! Behaviour cloning: an expert learns CartPole and plays a few episodes; another agent learns from
//! these episodes alone.
//!
//! ```text
//! cargo run --release --example behaviour_cloning    # writes expert.jsonl
//! ```
//!
//! The same on the command line:
//!
//! ```text
//! gymnast train ppo CartPole-v1 --seed 0
//! gymnast record runs/ppo-CartPole-v1 --episodes 25 --out expert.jsonl
//! gymnast train bc CartPole-v1 --set demonstrations=expert.jsonl
//! ```

use std::{error::Error, path::Path};

use gymnast::{
    Bc, BcConfig, Demonstrations, Env as _, Mode, Policy as _, Presets as _, Seed, SyncVectorEnv,
    Trainer,
    deep::{Categorical, Ppo, PpoConfig},
    envs::{classic::CartPole, wrappers::TimeLimit},
};

fn cart_poles(
    n: usize,
    seed: Seed,
) -> Result<SyncVectorEnv<TimeLimit<CartPole>>, gymnast::EnvError> {
    SyncVectorEnv::new(vec![TimeLimit::new(CartPole::default(), 500); n], seed)
}

fn main() -> Result<(), Box<dyn Error>> {
    let pole = CartPole::default();
    let (seen, done) = (pole.observation_space(), pole.action_space());
    let pole_of_500 = || Ok(TimeLimit::new(CartPole::default(), 500));

    let preset = PpoConfig::preset("CartPole-v1").ok_or("no preset")?;
    let (training, plan) = (&preset.training, preset.training.plan(0));
    let mut expert = Ppo::new(seen, Categorical::new(done), preset.settings, &plan)?;
    let mut envs = cart_poles(training.num_envs, plan.seed.child("envs", 0))?;
    let summary =
        Trainer::new(training, 0, &mut expert, &mut envs).evaluate_on(pole_of_500).run()?;
    println!("the expert, after {} steps: {:.1}", summary.env_steps, last(&summary)?);

    let mut episodes = Demonstrations::new(seen, done);
    let mut envs = cart_poles(1, plan.seed.child("record", 0))?;
    let (mut rng, mut actions) = (plan.seed.child("record", 1).rng(), Vec::new());
    for _ in 0..10 {
        episodes.record(&mut envs, 500, |observation| {
            expert.act(&[*observation], Mode::Exploit, &mut rng, &mut actions)?;
            Ok(actions[0])
        })?;
    }
    episodes.write(Path::new("expert.jsonl"))?;
    println!("expert.jsonl: {} steps of 10 episodes", episodes.len());

    let episodes = Demonstrations::read(Path::new("expert.jsonl"), seen, done)?;
    let preset = BcConfig::preset("CartPole-v1").ok_or("no preset")?;
    let (training, plan) = (&preset.training, preset.training.plan(0));
    let mut clone = Bc::new(&episodes, Categorical::new(done), &preset.settings, &plan)?;
    let mut envs = cart_poles(1, plan.seed.child("envs", 1))?;
    let summary =
        Trainer::new(training, 0, &mut clone, &mut envs).evaluate_on(pole_of_500).run()?;
    println!("its clone, after {} minibatches: {:.1}", summary.env_steps, last(&summary)?);
    Ok(())
}

fn last(summary: &gymnast::Summary) -> Result<f64, &'static str> {
    summary.evaluations.last().map(|evaluation| evaluation.mean_return).ok_or("no evaluation")
}
