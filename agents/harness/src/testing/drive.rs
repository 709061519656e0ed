//! The loop without all that surrounds it.

use gymnast_envs::{Rng, Space};

use crate::{AgentError, Mode, Setup};

/// Lets an agent act, step and learn until `until` env steps count, of which `counted` do.
pub(super) fn drive<O: Space, A: Space>(
    setup: &mut Setup<O, A>,
    rng: &mut Rng,
    mut counted: u64,
    until: u64,
) -> Result<(), AgentError> {
    let Setup { agent, envs, .. } = setup;
    let mut actions = Vec::new();
    while counted < until {
        if let Some(workers) = agent.asynchronous() {
            let turns = workers.advance(&mut **envs, until)?;
            let steps = turns.iter().map(|turn| turn.steps.len() as u64).sum::<u64>();
            if steps == 0 {
                return Err(AgentError::Stalled { until, counted });
            }
            counted += steps;
        } else {
            agent.act(envs.observations(), Mode::Explore, rng, &mut actions)?;
            let experience = envs.step(&actions)?;
            counted += experience.len() as u64;
            agent.learn(experience)?;
        }
    }
    Ok(())
}
