//! Who plays the episodes that are watched or recorded.

use std::path::Path;

use gymnast_envs::{Rng, Seed, Space, VectorEnv};
use gymnast_harness::{Agent, AgentError, Mode, SeedDir};

use super::{CommandError, Names, run_dir};
use crate::Run;

/// Chooses the actions of episodes.
pub(super) type Choose<'a, O, A> =
    Box<dyn FnMut(&<O as Space>::Element) -> Result<<A as Space>::Element, AgentError> + 'a>;

/// Returns the agent's greedy actions.
pub(super) fn greedy<'a, O: Space, A: Space>(
    agent: &'a dyn Agent<O, A>,
    seed: Seed,
) -> Choose<'a, O, A> {
    let (mut rng, mut actions) = (rng(seed), Vec::with_capacity(1));
    Box::new(move |seen| {
        agent.act(std::slice::from_ref(seen), Mode::Exploit, &mut rng, &mut actions)?;
        Ok(actions.pop().expect("one action an observation"))
    })
}

/// Returns random actions for these environments.
pub(super) fn random<O: Space, A: Space>(
    seed: Seed,
    envs: &dyn VectorEnv<O, A>,
) -> Choose<'static, O, A> {
    let (mut rng, space) = (rng(seed), envs.action_space().clone());
    Box::new(move |_| Ok(space.sample(&mut rng)))
}

fn rng(seed: Seed) -> Rng {
    seed.child("policy", 0).rng()
}

/// Opens a run and the first seed selected, whose agent plays. The environment's options are the
/// run's: `set` must be empty.
pub(super) fn open(
    path: &Path,
    set: &[String],
    names: &Names,
) -> Result<(Run, SeedDir), CommandError> {
    let (run, mut dirs) = run_dir::open(path, names)?;
    if !set.is_empty() {
        return Err(CommandError::usage(
            "--set works only with an environment: a run has its own options",
        ));
    }
    Ok((run, dirs.swap_remove(0)))
}
