//! Q-learning on FrozenLake with typed spaces, compared with the exact optimum within the step
//! limit.
//!
//! ```text
//! cargo run --release --example q_learning_frozen_lake
//! ```

use gymnast::{
    Env as _, Presets as _, QLearning, QLearningConfig, SyncVectorEnv, Trainer, Training,
    envs::{toy_text::FrozenLake, wrappers::TimeLimit},
    tabular::Model,
};

/// FrozenLake-v1 truncates an episode after this many steps. Without a limit the optimum is 0.8235.
const MAX_EPISODE_STEPS: u32 = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The optimal expected return, by dynamic programming over the lake's transition probabilities.
    let lake = FrozenLake::default();
    let best = Model::of(&lake)?.optimal_within(MAX_EPISODE_STEPS);
    println!("exact optimum within {MAX_EPISODE_STEPS} steps: {best:.4}");

    let preset = QLearningConfig::preset("FrozenLake-v1").ok_or("no preset")?;
    // Each episode returns 0 or 1, so the mean of few episodes would be inaccurate.
    let training = Training { eval_episodes: 500, ..preset.training };
    let lakes = || Ok(TimeLimit::new(FrozenLake::default(), MAX_EPISODE_STEPS));
    let plan = training.plan(0);
    let mut envs = SyncVectorEnv::new(vec![lakes()?], plan.seed.child("envs", 0))?;
    let (observations, actions) = (lake.observation_space(), lake.action_space());
    let mut agent = QLearning::new(observations, actions, preset.settings, &plan)?;
    let summary = Trainer::new(&training, 0, &mut agent, &mut envs).evaluate_on(lakes).run()?;
    for evaluation in summary.evaluations.iter().step_by(5) {
        println!("{:>7} steps: {:.3}", evaluation.env_step, evaluation.mean_return);
    }
    if let Some(speed) = summary.env_steps_per_s {
        println!("{speed:.0} env steps a second");
    }
    Ok(())
}
