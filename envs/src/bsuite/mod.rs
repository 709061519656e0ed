//! Small tasks that each test one ability of an agent, from bsuite: Osband et al., "Behaviour suite
//! for reinforcement learning" (2020).

mod catch;
mod deep_sea;

pub use catch::{Catch, CatchConfig};
pub use deep_sea::{DeepSea, DeepSeaConfig};

use crate::EnvSpec;

/// Returns the registered environments of this folder.
pub(crate) fn specs() -> Vec<EnvSpec> {
    vec![
        EnvSpec::discrete("Catch-v0", |options| Catch::new(options.parse("Catch-v0")?))
            .description("Catch a falling ball with a paddle, seen as a picture.")
            .options_of::<CatchConfig>()
            .reward_threshold(0.95),
        EnvSpec::finite("DeepSea-v0", |options| DeepSea::new(options.parse("DeepSea-v0")?))
            .description("Dive to a treasure that only deep exploration finds.")
            .options_of::<DeepSeaConfig>()
            // A little below the optimum of 0.99, which no sum of ten rewards hits exactly.
            .reward_threshold(0.98),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{EnvOptions, Registry, tiles::testing::check_refused};

    #[test]
    fn an_invalid_option_is_named() {
        check_refused(&[
            ("Catch-v0", "rows", json!(1)),
            ("Catch-v0", "columns", json!(0)),
            ("Catch-v0", "columns", json!(101)),
            ("Catch-v0", "seed", json!(1)),
            ("DeepSea-v0", "size", json!(0)),
            ("DeepSea-v0", "size", json!(201)),
            ("DeepSea-v0", "unscaled_move_cost", json!("much")),
            ("DeepSea-v0", "mapping_seed", json!(0.5)),
        ]);
    }

    #[test]
    fn sizes_are_options() {
        let registry = Registry::builtin();
        let options = EnvOptions::none().with("rows", 4).with("columns", 3);
        let spaces = registry.spec("Catch-v0").unwrap().spaces(&options).unwrap();
        assert!(spaces.0.to_string().contains("4, 3"), "{}", spaces.0);
        let options = EnvOptions::none().with("size", 20);
        let spaces = registry.spec("DeepSea-v0").unwrap().spaces(&options).unwrap();
        assert_eq!(spaces.0.to_string(), "Discrete(401)");
    }
}
