//! Randomness: all of it from the stream that the caller gives.

use super::{
    Check, CheckReport, Checked, Make,
    play::{Play, Trouble, difference},
};
use crate::{Env, Seed};

const STEPS: usize = 200;

/// Two environments with the same stream and actions do the same.
pub(super) fn same<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    let (mut one, mut other) = (Play::start(make, 123)?, Play::start(make, 123)?);
    let advice = "Draw all randomness from the `rng` that `reset` and `step` are given, and let \
                  nothing depend on the clock, on addresses or on the order of a `HashMap`.";
    let (first, second) = (format!("{:?}", one.observation), format!("{:?}", other.observation));
    let differs = if first == second {
        difference::<E>(&one.record(STEPS)?, &other.record(STEPS)?)
    } else {
        Some(format!("`reset` returned {first} and then {second}"))
    };
    if let Some(differs) = differs {
        let problem = format!("from the same seed and actions, two episodes differ: {differs}");
        report.error(Check::SameSeed, problem, advice);
    }
    Ok(Checked::Done)
}

/// Where episodes start in several ways, the stream decides in which.
pub(super) fn different<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    let mut play = Play::start(make, 0)?;
    let first = format!("{:?}", play.observation);
    let mut varies = false;
    for _ in 0..20 {
        play.reset()?;
        varies |= format!("{:?}", play.observation) != first;
    }
    let mut follows = false;
    for seed in 1..=20 {
        follows |= format!("{:?}", Play::start(make, seed)?.observation) != first;
    }
    if varies && !follows {
        report.warn(
            Check::DifferentSeeds,
            format!(
                "from 20 seeds the first episode starts alike, at {first}, though later episodes \
                 start otherwise"
            ),
            "Draw the start from the `rng` that `reset` is given, not from a generator or counter \
             of its own: otherwise all seeds play the same episodes.",
        );
    }
    Ok(Checked::Done)
}

/// An environment that has been played starts over like a new one.
pub(super) fn clean_reset<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    // Left after different numbers of steps, lest it happened to stand where it starts.
    for steps in [1, 2, 3, 20] {
        let mut fresh = Play::start(make, 7)?;
        let used = Play::start(make, 8)?.into_mid_episode(steps)?;
        let mut used = Play::start_with(used.env, Seed::new(7).child("env", 0).rng())?;
        let (first, again) =
            (format!("{:?}", fresh.observation), format!("{:?}", used.observation));
        let differs = if first == again {
            difference::<E>(&fresh.record(STEPS)?, &used.record(STEPS)?)
        } else {
            Some(format!("`reset` returned {first} and then {again}"))
        };
        if let Some(differs) = differs {
            report.warn(
                Check::CleanReset,
                format!(
                    "from the same seed, an environment that was played before does not repeat \
                     the episode of a new one: {differs}"
                ),
                "Set every field anew in `reset`, unless it is meant to survive an episode \
                 (as running statistics do).",
            );
        }
    }
    Ok(Checked::Done)
}
