//! Simplified Atari games with image observations: Young and Tian, "MinAtar" (2019).

mod breakout;

pub use breakout::Breakout;

use crate::{EnvError, EnvSpec};

const BREAKOUT: &str = "MinAtarBreakout-v1";

/// Returns the registered environments of this folder.
pub(crate) fn specs() -> Vec<EnvSpec> {
    vec![
        EnvSpec::discrete(BREAKOUT, |options| {
            // The state is a field too, so that snapshots hold it, but it is no option.
            if options.as_map().contains_key("state") {
                let reason = "unknown option `state`".to_owned();
                return Err(EnvError::invalid_option(BREAKOUT, reason));
            }
            options.parse::<Breakout>(BREAKOUT)?.checked()
        })
        .description("Break a wall of bricks with a ball kept in play by a paddle, as a picture.")
        .option(
            "sticky_action_probability",
            0.1,
            "The probability that the previous action is repeated instead of the chosen one.",
        )
        .max_episode_steps(1000)
        .reward_threshold(10.0),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::tiles::testing::check_refused;

    #[test]
    fn an_invalid_option_is_named() {
        check_refused(&[
            (super::BREAKOUT, "sticky_action_probability", json!(1.5)),
            (super::BREAKOUT, "sticky_action_probability", json!("often")),
            (super::BREAKOUT, "state", json!(null)),
            (super::BREAKOUT, "ramping", json!(true)),
        ]);
    }
}
