//! Environments simulated by a 2-D physics engine (Gymnasium's Box2D folder).

#[cfg_attr(not(feature = "render"), allow(dead_code, reason = "what only pictures show"))]
mod lunar_lander;

pub use lunar_lander::{LunarLander, LunarLanderConfig, LunarLanderContinuous};

use crate::EnvSpec;

const LANDER: &str = "LunarLander-v0";
const LANDER_CONTINUOUS: &str = "LunarLanderContinuous-v0";

/// Returns the registered environments of this folder.
pub(crate) fn specs() -> Vec<EnvSpec> {
    vec![
        EnvSpec::discrete(LANDER, |options| {
            LunarLander::new(options.parse(LANDER)?).map_err(|error| error.under(LANDER))
        })
        .description("Set a lander down between two flags on the moon by firing three engines.")
        .options_of::<LunarLanderConfig>()
        .max_episode_steps(1000)
        .reward_threshold(200.0),
        EnvSpec::continuous(LANDER_CONTINUOUS, |options| {
            LunarLanderContinuous::new(options.parse(LANDER_CONTINUOUS)?)
                .map_err(|error| error.under(LANDER_CONTINUOUS))
        })
        .description("Set a lander down between two flags on the moon by throttling its engines.")
        .options_of::<LunarLanderConfig>()
        .max_episode_steps(1000)
        .reward_threshold(200.0),
    ]
}
