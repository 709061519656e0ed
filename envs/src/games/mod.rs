//! Board games for two players, for self-play or against an opponent.
//!
//! A game implements [`Game`] for the search ([`minimax`]) and [`BoardGame`] for the environment
//! ([`TwoPlayer`]); a new game needs only these two traits.

mod board;
mod connect_four;
mod every_game;
mod game;
pub mod minimax;
mod tic_tac_toe;
mod two_player;

pub use board::{BoardGame, BoardSpace, Stones};
pub use connect_four::{ConnectFour, ConnectFourConfig, ConnectFourOpponent};
pub use every_game::{Tally, every_game};
pub use game::{Game, GameEnding, Player, Set, members};
pub use tic_tac_toe::{TicTacToe, TicTacToeConfig, TicTacToeOpponent};
pub use two_player::{Opponent, TwoPlayer};

use crate::EnvSpec;

/// Returns the registered environments of this folder.
///
/// Self-play is evaluated against an opponent: how often an agent beats itself says nothing.
pub(crate) fn specs() -> Vec<EnvSpec> {
    vec![
        EnvSpec::finite("TicTacToe-v0", |options| {
            let config: TicTacToeConfig = options.parse("TicTacToe-v0")?;
            Ok(TwoPlayer::<TicTacToe>::new(config.into()))
        })
        .description("Get three in a row, against yourself or an opponent.")
        .options_of::<TicTacToeConfig>()
        .evaluated_with("opponent", "perfect")
        // Against perfect play: never to lose.
        .reward_threshold(0.0),
        EnvSpec::discrete("ConnectFour-v0", |options| {
            let config: ConnectFourConfig = options.parse("ConnectFour-v0")?;
            Ok(TwoPlayer::<ConnectFour>::new(config.opponent()?))
        })
        .description("Get four in a row with stones that fall, against yourself or an opponent.")
        .options_of::<ConnectFourConfig>()
        .evaluated_with("opponent", "minimax")
        .evaluated_with("depth", 2),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{EnvOptions, Registry, Seed, kind, tiles::testing::check_refused};

    #[test]
    fn an_invalid_option_is_named() {
        check_refused(&[
            ("TicTacToe-v0", "opponent", json!("minimax")),
            ("TicTacToe-v0", "depth", json!(3)),
            ("ConnectFour-v0", "opponent", json!("perfect")),
            ("ConnectFour-v0", "depth", json!(0)),
            ("ConnectFour-v0", "depth", json!(13)),
        ]);
    }

    #[test]
    fn the_checker_passes_every_opponent() {
        let registry = Registry::builtin();
        for (id, opponents) in [
            ("TicTacToe-v0", ["self", "random", "perfect"]),
            ("ConnectFour-v0", ["self", "random", "minimax"]),
        ] {
            for opponent in opponents {
                let options = EnvOptions::none().with("opponent", opponent);
                let report = registry.spec(id).unwrap().check(&options);
                assert!(report.is_ok() && report.warnings().count() == 0, "{id}: {report}");
            }
        }
    }

    #[test]
    fn tables_and_networks_read_tic_tac_toe_with_its_mask() {
        let spec = Registry::builtin().spec("TicTacToe-v0").unwrap().clone();
        let none = EnvOptions::none();
        let table = spec.vector(kind::Finite, 1, Seed::new(0), &none).unwrap().unwrap();
        assert_eq!(table.observation_space().n(), 19_683);
        let rows = spec.vector(kind::Discrete, 1, Seed::new(0), &none).unwrap().unwrap();
        let mask = crate::FeatureSpace::action_mask(rows.observation_space());
        assert_eq!(mask, Some(18..27));
    }
}
