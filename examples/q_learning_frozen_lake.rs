//! Q-learning on FrozenLake, typed, against the exact optimum within the step limit.
//!
//! ```text
//! cargo run --release --example q_learning_frozen_lake
//! ```

use gymnast::{
    Discrete, Env as _, Plan, Presets as _, QLearning, QLearningConfig, Recorder, Seed, Setup,
    SyncVectorEnv, Training,
    envs::{toy_text::FrozenLake, wrappers::TimeLimit},
    tabular::Model,
    train,
};

/// FrozenLake-v1 ends an episode after so many steps. Without a limit more could be had (0.8235).
const MAX_EPISODE_STEPS: u32 = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The best expected return, by dynamic programming over the lake's own transition probabilities.
    let lake = FrozenLake::default();
    let best = Model::of(&lake)?.optimal_within(MAX_EPISODE_STEPS);
    println!("exact optimum within {MAX_EPISODE_STEPS} steps: {best:.4}");

    let preset = QLearningConfig::preset("FrozenLake-v1").ok_or("no preset")?;
    // The mean return of fewer episodes would say little: each ends at 0 or 1.
    let training = Training { eval_episodes: 500, ..preset.training };
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: training.env_steps };
    let make = |n, seed| {
        let limited = TimeLimit::new(FrozenLake::default(), Some(MAX_EPISODE_STEPS));
        let lakes = vec![limited; n];
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
        println!("{:>7} steps: {:.3}", evaluation.env_step, evaluation.mean_return);
    }
    if let Some(speed) = summary.env_steps_per_s {
        println!("{speed:.0} env steps a second");
    }
    Ok(())
}
