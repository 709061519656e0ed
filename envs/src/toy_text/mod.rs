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

use serde_json::Value;

use crate::{EnvError, EnvOptions, EnvSpec, Transition};

/// The registered environments of this folder.
pub(crate) fn specs() -> Vec<EnvSpec> {
    vec![
        EnvSpec::finite("FrozenLake-v1", |options| {
            let config: FrozenLakeConfig = options.parse("FrozenLake-v1")?;
            FrozenLake::new(config).map_err(|error| renamed(error, "FrozenLake-v1"))
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
            FrozenLake::new(config).map_err(|error| renamed(error, "FrozenLake8x8-v1"))
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
        .description("Beat the dealer by cards nearer to 21 without going over.")
        .options_of::<BlackjackConfig>(),
    ]
}

/// Taxi under either version: v4 mended the options that are off by default, so without them v3
/// is the same.
fn taxi(id: &'static str) -> EnvSpec {
    // Gymnasium's threshold is 8, which no policy reaches in expectation: the optimum is 7.93.
    EnvSpec::finite(id, move |options| {
        Taxi::new(options.parse(id)?).map_err(|error| renamed(error, id))
    })
    .description("Fetch a passenger and take them where they want to go.")
    .options_of::<TaxiConfig>()
    .max_episode_steps(200)
    .reward_threshold(7.5)
}

/// The same error under the id that was asked for.
fn renamed(error: EnvError, id: &str) -> EnvError {
    match error {
        EnvError::InvalidOption { reason, .. } => {
            EnvError::InvalidOption { id: id.to_owned(), reason }
        }
        other => other,
    }
}

/// A transition that is certain.
fn certain<O>((next_state, reward, terminated): (O, f64, bool)) -> Vec<Transition<O>> {
    vec![Transition { probability: 1.0, next_state, reward, terminated }]
}

/// The one number of a state, if it is an integer below `size`.
fn expect_index(state: &[f64], size: usize) -> Result<usize, EnvError> {
    let index = match *state {
        [s] if s.fract() == 0.0 && (0.0..size as f64).contains(&s) => Some(s as usize),
        _ => None,
    };
    index.ok_or_else(|| EnvError::InvalidState {
        expected: format!("one integer below {size}"),
        got: format!("{state:?}"),
    })
}

/// An integer of a snapshot, if it is below `size`.
fn snapshot_index(snapshot: &Value, key: &str, size: usize) -> Result<usize, EnvError> {
    let index = snapshot[key].as_u64().and_then(|s| usize::try_from(s).ok());
    index.filter(|&s| s < size).ok_or_else(|| EnvError::InvalidState {
        expected: format!("`{key}`, an integer below {size}"),
        got: snapshot[key].to_string(),
    })
}

/// The last action of a snapshot, if it is one of `actions`.
fn snapshot_action(snapshot: &Value, actions: usize) -> Result<Option<usize>, EnvError> {
    if snapshot["last_action"].is_null() {
        return Ok(None);
    }
    snapshot_index(snapshot, "last_action", actions).map(Some)
}

/// The text in a terminal's colours, as Gymnasium's `colorize` writes it.
fn colorize(text: char, colour: u8, bold: bool, highlight: bool) -> String {
    let (colour, bold) = (colour + 10 * u8::from(highlight), if bold { ";1" } else { "" });
    format!("\x1b[{colour}{bold}m{text}\x1b[0m")
}

#[cfg(test)]
mod tests {
    use crate::{Env, EnvOptions, FiniteSpace, Registry};

    /// Every state's and action's probabilities sum to 1, and successors lie in the space.
    pub(super) fn check_model<E>(env: &E)
    where
        E: Env<ObservationSpace: FiniteSpace, ActionSpace: FiniteSpace>,
    {
        use crate::Space as _;
        let (states, actions) = (env.observation_space(), env.action_space());
        for s in 0..states.size() {
            for a in 0..actions.size() {
                let model = env.transitions(&states.element(s), &actions.element(a)).unwrap();
                let total: f64 = model.iter().map(|t| t.probability).sum();
                assert!((total - 1.0).abs() < 1e-12, "{s} {a} {model:?}");
                assert!(model.iter().all(|t| states.contains(&t.next_state)), "{s} {a}");
            }
        }
        let starts = env.initial_states().unwrap();
        assert!((starts.iter().map(|start| start.0).sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_invalid_option_is_named() {
        let options = [
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
        ];
        for (id, key, value) in options {
            let spec = Registry::builtin().spec(id).unwrap().clone();
            let error = spec.make(0, &EnvOptions::none().with(key, value)).err().unwrap();
            let text = error.to_string();
            assert!(text.contains(key) && text.contains(id), "{text}");
        }
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
