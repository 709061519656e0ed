//! An agent at hand while it learns, where [`gymnast::train`] takes it away.

use std::error::Error;

use gymnast::{Agent, Mode, Seed, Space, VectorEnv};

/// Acts, steps and learns for `env_steps`, and looks at the agent every so many of them, until a look
/// says that it is enough.
pub(crate) fn learn<O: Space, A: Space, G: Agent<O, A>>(
    agent: &mut G,
    envs: &mut dyn VectorEnv<O, A>,
    env_steps: u64,
    every: u64,
    seed: Seed,
    mut look: impl FnMut(&G, u64) -> Result<bool, Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let (mut rng, mut actions, n) = (seed.child("policy", 0).rng(), vec![], envs.num_envs() as u64);
    envs.reset()?;
    for steps in (n..=env_steps).step_by(n as usize) {
        agent.act(envs.observations(), Mode::Explore, &mut rng, &mut actions)?;
        agent.learn(envs.step(&actions)?)?;
        if steps / every > (steps - n) / every && look(agent, steps)? {
            break;
        }
    }
    Ok(())
}
