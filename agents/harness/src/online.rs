//! Learning without evaluations, records and checkpoints, for studies of the learning itself.

use gymnast_envs::{Env, Experience, Seed, SyncVectorEnv, VectorEnv as _};

use crate::{Agent, AgentError, Flow, Mode};

/// Lets an agent act, step and learn in one environment, without evaluations, records or
/// checkpoints, until `look`, which gets the agent and each step, stops it.
///
/// The environment's and the policy's streams lie below `seed`, as those of [`train`](crate::train).
///
/// # Errors
/// The errors of the environment or the agent.
pub fn learn_online<E: Env, G: Agent<E::ObservationSpace, E::ActionSpace>>(
    agent: &mut G,
    env: E,
    seed: Seed,
    mut look: impl FnMut(&G, &Experience<E::ObservationSpace, E::ActionSpace>) -> Flow,
) -> Result<(), AgentError> {
    let mut envs = SyncVectorEnv::new(vec![env], seed.child("envs", 0))?;
    let (mut rng, mut actions) = (seed.child("policy", 0).rng(), Vec::with_capacity(1));
    envs.reset()?;
    loop {
        agent.act(envs.observations(), Mode::Explore, &mut rng, &mut actions)?;
        let experience = envs.step(&actions)?;
        agent.learn(experience)?;
        if look(agent, experience) == Flow::Stop {
            return Ok(());
        }
    }
}
