//! DDPG on Pendulum beside TD3, its successor, with the same settings.
//!
//! They differ only in what TD3 adds: the minimum of two critics, noise on the target's actions,
//! and an actor that is updated every second time. On a task as small as this, DDPG does as well.
//!
//! ```text
//! cargo run --release --example ddpg_pendulum
//! ```

use std::error::Error;

use gymnast::envs::{classic::Pendulum, wrappers::TimeLimit};
use gymnast::{
    Agent, BoxSpace, Ddpg, DdpgConfig, Env as _, Flow, Presets as _, SyncVectorEnv, Td3, Td3Config,
    Trainer, Training,
};

/// The mean return of the episodes of each 1000 steps, with the noise that explores.
fn returns(
    training: &Training,
    mut agent: impl Agent<BoxSpace<3>, BoxSpace<1>>,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let (mut steps, mut sum, mut returns) = (0, 0.0, Vec::new());
    let pendulum = || Ok(TimeLimit::new(Pendulum::default(), 200));
    let mut envs = SyncVectorEnv::of(1, training.plan(0).seed.child("envs", 0), pendulum)?;
    Trainer::new(training, 0, &mut agent, &mut envs)
        .look_at_experience(|_, step| {
            steps += 1;
            sum += step.rewards[0];
            if steps % 1_000 == 0 {
                returns.push(std::mem::take(&mut sum) / 5.0);
            }
            Ok(Flow::Continue)
        })
        .run()?;
    Ok(returns)
}

fn main() -> Result<(), Box<dyn Error>> {
    let training = Training { env_steps: 8_000, ..Training::default() };
    let plan = training.plan(0);
    let (angles, torques) = {
        let pendulum = Pendulum::default();
        (pendulum.observation_space(), pendulum.action_space())
    };
    let config = DdpgConfig::preset("Pendulum-v1").ok_or("no preset")?.settings;
    let same = Td3Config {
        hidden: config.hidden.clone(),
        learning_rate: config.learning_rate,
        gamma: config.gamma,
        reward_scale: config.reward_scale,
        tau: config.tau,
        buffer_size: config.buffer_size,
        batch_size: config.batch_size,
        learning_starts: config.learning_starts,
        exploration_noise: config.exploration_noise,
        ..Td3Config::default()
    };
    let ddpg = returns(&training, Ddpg::new(angles, torques, config, &plan)?)?;
    let td3 = returns(&training, Td3::new(angles, torques, same, &plan)?)?;
    println!("steps    DDPG      TD3");
    for (i, (ddpg, td3)) in ddpg.iter().zip(td3).enumerate() {
        println!("{:5} {ddpg:8.1} {td3:8.1}", 1_000 * (i + 1));
    }
    Ok(())
}
