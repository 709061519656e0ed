//! The small environments of Sutton and Barto, "Reinforcement Learning: An Introduction", 2nd
//! edition, 2018. CliffWalking and Blackjack, which Gymnasium has too, are in
//! [`toy_text`](crate::toy_text).

mod bandit;
mod dyna_maze;
mod random_walk;
mod short_corridor;
mod windy_grid_world;
mod windy_grid_world_kings;

pub use bandit::{Bandit, BanditConfig};
pub use dyna_maze::DynaMaze;
pub use random_walk::{RandomWalk, RandomWalkConfig};
pub use short_corridor::ShortCorridor;
pub use windy_grid_world::{WindyGridWorld, WindyGridWorldConfig};
pub use windy_grid_world_kings::{WindyGridWorldKings, WindyGridWorldKingsConfig};

use serde::Deserialize;

use crate::{EnvError, EnvOptions, EnvSpec};

/// Returns the registered environments of this folder.
pub(crate) fn specs() -> Vec<EnvSpec> {
    let walls_move = "The steps, counted over all episodes, after which the walls move.";
    vec![
        EnvSpec::finite("DynaMaze-v0", |options| {
            options.parse::<NoOptions>("DynaMaze-v0")?;
            Ok(DynaMaze::dyna())
        })
        .description("Find the way through a maze, 14 steps at best.")
        .reward_threshold(1.0),
        EnvSpec::finite("BlockingMaze-v0", |options| {
            Ok(DynaMaze::blocking(walls_move_after("BlockingMaze-v0", options, 1000)?))
        })
        .description("Find the way through a maze whose short way is blocked after a while.")
        .option("walls_move_after", 1000, walls_move)
        .reward_threshold(1.0),
        EnvSpec::finite("ShortcutMaze-v0", |options| {
            Ok(DynaMaze::shortcut(walls_move_after("ShortcutMaze-v0", options, 3000)?))
        })
        .description("Find the way through a maze in which a shorter way opens after a while.")
        .option("walls_move_after", 3000, walls_move)
        .reward_threshold(1.0),
        EnvSpec::finite("WindyGridWorld-v0", |options| {
            Ok(WindyGridWorld::new(options.parse("WindyGridWorld-v0")?))
        })
        .description("Cross a grid against a wind that carries upwards, in 15 steps at best.")
        .options_of::<WindyGridWorldConfig>()
        .reward_threshold(-15.0),
        EnvSpec::multi_discrete("WindyGridWorldKings-v0", |options| {
            Ok(WindyGridWorldKings::new(options.parse("WindyGridWorldKings-v0")?))
        })
        .description(
            "Cross the windy grid by king's moves, a choice for each axis, in 7 steps at best.",
        )
        .options_of::<WindyGridWorldKingsConfig>()
        // A greedy policy that has learned nothing yet may never arrive.
        .max_episode_steps(200)
        .reward_threshold(-7.0),
        EnvSpec::finite("RandomWalk-v0", |options| {
            RandomWalk::new(options.parse("RandomWalk-v0")?)
        })
        .description("Predict where a random walk ends; there is nothing to decide.")
        .options_of::<RandomWalkConfig>(),
        EnvSpec::finite("ShortCorridor-v0", |options| {
            options.parse::<NoOptions>("ShortCorridor-v0")?;
            Ok(ShortCorridor::default())
        })
        .description("Leave a corridor whose places look alike, but one of them swaps the actions.")
        // Far beyond what a policy that arrives at all takes, for those that never do.
        .max_episode_steps(1000)
        .reward_threshold(-12.0),
        EnvSpec::finite("Bandit-v0", |options| Bandit::new(options.parse("Bandit-v0")?))
            .description("Find out which of ten arms pays best while pulling them.")
            .options_of::<BanditConfig>()
            .max_episode_steps(1000),
    ]
}

/// For an environment that has none.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct NoOptions {}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct MovingWalls {
    walls_move_after: Option<u64>,
}

fn walls_move_after(id: &str, options: &EnvOptions, default: u64) -> Result<u64, EnvError> {
    Ok(options.parse::<MovingWalls>(id)?.walls_move_after.unwrap_or(default))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{EnvOptions, Registry, tiles::testing::check_refused};

    #[test]
    fn an_invalid_option_is_named() {
        check_refused(&[
            ("DynaMaze-v0", "walls_move_after", json!(3)),
            ("BlockingMaze-v0", "walls_move_after", json!(-1)),
            ("ShortcutMaze-v0", "walls_move", json!(1)),
            ("WindyGridWorld-v0", "kings_moves", json!("yes")),
            ("WindyGridWorldKings-v0", "kings_moves", json!(true)),
            ("RandomWalk-v0", "states", json!(0)),
            ("RandomWalk-v0", "states", json!(1001)),
            ("RandomWalk-v0", "left_reward", json!("low")),
            ("ShortCorridor-v0", "length", json!(4)),
            ("Bandit-v0", "arms", json!(0)),
            ("Bandit-v0", "noise", json!(-1)),
            ("Bandit-v0", "drift", json!(1e300)),
            ("Bandit-v0", "mean", json!(-1e300)),
            ("Bandit-v0", "arms_seed", json!(-1)),
        ]);
    }

    #[test]
    fn options_change_the_spaces_and_the_walls() {
        let registry = Registry::builtin();
        let spaces = |id: &str, key, value: serde_json::Value| {
            let options = EnvOptions::none().with(key, value);
            let (observations, actions) = registry.spec(id).unwrap().spaces(&options).unwrap();
            format!("{observations} {actions}")
        };
        let king = spaces("WindyGridWorld-v0", "kings_moves", json!(true));
        assert_eq!(king, "Discrete(70) Discrete(8)");
        assert_eq!(spaces("RandomWalk-v0", "states", json!(19)), "Discrete(21) Discrete(1)");
        assert_eq!(spaces("Bandit-v0", "arms", json!(3)), "Discrete(1) Discrete(3)");

        let text = |options: &EnvOptions| {
            registry.spec("BlockingMaze-v0").unwrap().make(0, options).unwrap().render_ansi()
        };
        let moved = EnvOptions::none().with("walls_move_after", 0);
        assert!(text(&EnvOptions::none()).unwrap().contains("########."));
        assert!(text(&moved).unwrap().contains(".########"));
    }
}
