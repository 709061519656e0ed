//! TD3 on Pendulum with typed environment and agent, and the training loop written out.
//!
//! ```text
//! cargo run --release --example td3_pendulum
//! ```

use gymnast::envs::{classic::Pendulum, wrappers::TimeLimit};
use gymnast::{
    Agent as _, Mode, Plan, Policy as _, Presets as _, Seed, SyncVectorEnv, Td3, Td3Config,
    VectorEnv as _,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let preset = Td3Config::preset("Pendulum-v1").ok_or("no preset")?;
    let env_steps = 10_000;
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps };
    let pendulum = TimeLimit::new(Pendulum::default(), 200);
    let mut envs = SyncVectorEnv::new(vec![pendulum], plan.seed.child("envs", 0))?;
    let (observations, torques) = (*envs.observation_space(), *envs.action_space());
    let mut agent = Td3::new(observations, torques, preset.settings, &plan)?;

    let mut rng = plan.seed.child("policy", 0).rng();
    let (mut actions, mut episode) = (Vec::new(), 0.0);
    envs.reset()?;
    for step in 1..=env_steps {
        agent.act(envs.observations(), Mode::Explore, &mut rng, &mut actions)?;
        let experience = envs.step(&actions)?;
        agent.learn(experience)?;
        episode += experience.rewards[0];
        if experience.outcomes[0].is_final() {
            println!("{step:>7} steps: {episode:.1}");
            episode = 0.0;
        }
    }
    Ok(())
}
