//! Q-learning on FrozenLake, typed, against the exact optimum.
//!
//! ```text
//! cargo run --release --example q_learning_frozen_lake
//! ```

use gymnast::{
    Discrete, Env as _, Plan, Presets as _, QLearning, QLearningConfig, Recorder, Seed, Setup,
    SyncVectorEnv,
    envs::{toy_text::FrozenLake, wrappers::TimeLimit},
    tabular::{Model, value_iteration},
    train,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // What can be had at best, from the lake's own transition probabilities.
    let lake = FrozenLake::default();
    let best = value_iteration(&Model::of(&lake)?, 1.0, 1e-12, 100_000);
    println!("exact optimum without a step limit: {:.4}", best.expected_return);

    let preset = QLearningConfig::preset("FrozenLake-v1").ok_or("no preset")?;
    let training = preset.training;
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: training.env_steps };
    let make = |n, seed| {
        let lakes = (0..n).map(|_| TimeLimit::new(FrozenLake::default(), Some(100))).collect();
        Ok(Box::new(SyncVectorEnv::new(lakes, seed)?) as Box<_>)
    };
    let (observations, actions) = (lake.observation_space(), lake.action_space());
    let mut setup = Setup::<Discrete, Discrete> {
        agent: Box::new(QLearning::new(observations, actions, preset.settings, &plan)?),
        envs: make(1, plan.seed.child("envs", 0))?,
        eval_envs: Box::new(make),
    };
    let summary = train(&mut setup, &training, plan.seed, Recorder::in_memory(), None, &mut [])?;
    for evaluation in summary.evaluations.iter().step_by(5) {
        println!("{:>7} steps: {:.2}", evaluation.env_step, evaluation.mean_return);
    }
    println!("{:.0} env steps a second", summary.env_steps_per_s);
    Ok(())
}
