//! Gymnasium's toy-text environments: finite, with known dynamics.

mod blackjack;
mod cliff_walking;
mod frozen_lake;
mod lake_map;
mod taxi;

pub use blackjack::{Blackjack, BlackjackConfig};
pub use cliff_walking::{CliffWalking, CliffWalkingConfig};
pub use frozen_lake::{FrozenLake, FrozenLakeConfig};
pub use lake_map::generate_random_map;
pub use taxi::{Taxi, TaxiConfig};

use crate::{EnvOptions, EnvSpec};

/// Returns the registered environments of this folder.
pub(crate) fn specs() -> Vec<EnvSpec> {
    vec![
        EnvSpec::finite("FrozenLake-v1", |options| {
            let config: FrozenLakeConfig = options.parse("FrozenLake-v1")?;
            FrozenLake::new(config).map_err(|error| error.under("FrozenLake-v1"))
        })
        .description("Cross a slippery frozen lake without falling into a hole.")
        .options_of::<FrozenLakeConfig>()
        .max_episode_steps(100)
        .reward_threshold(0.70),
        EnvSpec::finite("FrozenLake8x8-v1", |options| {
            let named = options.as_map().contains_key("map_name");
            let large = EnvOptions::from(options.as_map().clone()).with("map_name", "8x8");
            let options = if named { options } else { &large };
            let config: FrozenLakeConfig = options.parse("FrozenLake8x8-v1")?;
            FrozenLake::new(config).map_err(|error| error.under("FrozenLake8x8-v1"))
        })
        .description("Cross a larger slippery frozen lake without falling into a hole.")
        .options_of::<FrozenLakeConfig>()
        .option("map_name", "8x8", "As in FrozenLake-v1.")
        .max_episode_steps(200)
        .reward_threshold(0.85),
        EnvSpec::finite("CliffWalking-v1", |options| {
            Ok(CliffWalking::new(options.parse("CliffWalking-v1")?))
        })
        .description("Walk along a cliff to the goal without stepping over the edge.")
        .options_of::<CliffWalkingConfig>(),
        EnvSpec::finite("CliffWalkingSlippery-v1", |options| {
            let mut slippery = EnvOptions::none().with("is_slippery", true).as_map().clone();
            slippery.extend(options.as_map().clone());
            Ok(CliffWalking::new(EnvOptions::from(slippery).parse("CliffWalkingSlippery-v1")?))
        })
        .description("Walk along a slippery cliff, where a step may go to either side.")
        .options_of::<CliffWalkingConfig>()
        .option("is_slippery", true, "As in CliffWalking-v1."),
        taxi("Taxi-v4"),
        taxi("Taxi-v3"),
        EnvSpec::finite("Blackjack-v1", |options| {
            Ok(Blackjack::new(options.parse("Blackjack-v1")?))
        })
        .description("Beat the dealer with cards closer to 21 without going over.")
        .options_of::<BlackjackConfig>(),
    ]
}

/// Taxi under either version: v4 mended the options that are off by default, so without them v3
/// is the same.
fn taxi(id: &'static str) -> EnvSpec {
    // Gymnasium's threshold is 8, which no policy reaches in expectation: the optimum is 7.93.
    EnvSpec::finite(id, move |options| {
        Taxi::new(options.parse(id)?).map_err(|error| error.under(id))
    })
    .description("Fetch a passenger and take them where they want to go.")
    .options_of::<TaxiConfig>()
    .max_episode_steps(200)
    .reward_threshold(7.5)
}

/// The text in a terminal's colours, as Gymnasium's `colorize` writes it.
fn colorize(text: char, colour: u8, bold: bool, highlight: bool) -> String {
    let (colour, bold) = (colour + 10 * u8::from(highlight), if bold { ";1" } else { "" });
    format!("\x1b[{colour}{bold}m{text}\x1b[0m")
}

#[cfg(test)]
mod tests {
    use crate::{EnvOptions, Registry, tiles::testing::check_refused};

    #[test]
    fn an_invalid_option_is_named() {
        check_refused(&[
            ("FrozenLake-v1", "map_name", serde_json::json!("5x5")),
            ("FrozenLake-v1", "desc", serde_json::json!(["SF", "G"])),
            ("FrozenLake-v1", "desc", serde_json::json!([])),
            ("FrozenLake-v1", "desc", serde_json::json!(["SX"])),
            ("FrozenLake8x8-v1", "success_rate", serde_json::json!(1.5)),
            ("FrozenLake8x8-v1", "reward_schedule", serde_json::json!([1])),
            ("CliffWalking-v1", "slippery", serde_json::json!(true)),
            ("Taxi-v3", "rainy_probability", serde_json::json!(-0.1)),
            ("Taxi-v4", "is_rainy", serde_json::json!("often")),
            ("Blackjack-v1", "natural", serde_json::json!(3)),
        ]);
    }

    #[test]
    fn the_larger_lake_and_the_slippery_cliff_are_options() {
        let registry = Registry::builtin();
        let size = |id, options: &EnvOptions| {
            registry.spec(id).unwrap().spaces(options).unwrap().0.to_string()
        };
        assert_eq!(size("FrozenLake8x8-v1", &EnvOptions::none()), "Discrete(64)");
        let small = EnvOptions::none().with("map_name", "4x4");
        assert_eq!(size("FrozenLake8x8-v1", &small), "Discrete(16)");
        let cliff = registry.make("CliffWalkingSlippery-v1", 0);
        let mut cliff = cliff.unwrap();
        cliff.set_state(&[0.0]).unwrap();
        assert_eq!(cliff.transitions(&serde_json::json!(0)).unwrap().unwrap().len(), 3);
    }
}
